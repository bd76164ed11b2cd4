"""Pulling from a model hub, against a stub that speaks its protocol."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stockpot.core.config import Settings, load
from stockpot.core.errors import Forbidden, InvalidInput, NotFound, Unavailable
from stockpot.core.instance import Instance
from stockpot.engines import DigestMismatch, InstalledModel, Progress, gguf, installed, pull
from stockpot.engines.sources import hub as hub_source
from tests.integration.engines.hub_stub import COMMIT, Hub, running

pytestmark = pytest.mark.integration

Puller = Callable[..., InstalledModel]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub_source, "_BACKOFF_S", 0.01)  # patience, not behaviour


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A GGUF of 3 MB."""

    path = tmp_path_factory.mktemp("hub") / "m.gguf"
    blob = bytes(range(256)) * 12_000
    tensor = gguf.Tensor(
        "t", (len(blob) // 4,), gguf.F32, len(blob), lambda out: (out.write(blob), None)[1]
    )
    gguf.write(path, {"general.architecture": "llama", "general.license": "mit"}, [tensor])
    return path.read_bytes()


@pytest.fixture
def hub(model: bytes) -> Iterator[Hub]:
    with running(Hub({"q4/tiny Q4.gguf": model})) as stub:
        yield stub


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path / "home")


@pytest.fixture
def settings(instance: Instance, hub: Hub) -> Settings:
    return load({"STOCKPOT_HOME": str(instance.home), "STOCKPOT_HUB_URL": hub.url})


@pytest.fixture
def puller(settings: Settings, instance: Instance) -> Puller:
    def run(reference: str = "hub:acme/tiny", **more: object) -> InstalledModel:
        return pull(settings, instance, reference, **more)  # type: ignore[arg-type]

    return run


def test_the_only_model_of_a_repository_is_installed_and_pinned_to_its_commit(
    puller: Puller, instance: Instance, model: bytes
) -> None:
    found = puller()
    assert found.source == f"hub:acme/tiny@{COMMIT}:q4/tiny Q4.gguf"
    assert (found.name, found.license, found.bytes) == ("tiny", "mit", len(model))
    assert (instance.models / "tiny" / "tiny Q4.gguf").read_bytes() == model


def test_bytes_are_asked_for_by_commit_even_when_the_branch_is_named(
    puller: Puller, hub: Hub
) -> None:
    puller("hub:acme/tiny@main:q4/tiny Q4.gguf")
    assert hub.asked("GET", f"/resolve/{COMMIT}/")
    assert not hub.asked("GET", "/resolve/main/")


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    puller: Puller, hub: Hub, instance: Instance, model: bytes
) -> None:
    hub.break_after, hub.breaks = 1_000_000, 2
    puller()
    ranges = [headers.get("range") for headers in hub.asked("GET", "/blobs/")]
    assert ranges == [None, "bytes=1000000-", "bytes=2000000-"]
    assert (instance.models / "tiny" / "tiny Q4.gguf").read_bytes() == model


def test_a_pull_that_gave_up_is_resumed_by_the_next_one(puller: Puller, hub: Hub) -> None:
    hub.break_after, hub.breaks = 400_000, 1
    hub.files["other.gguf"] = b""

    def stop(progress: Progress) -> None:
        if progress.done >= 400_000 and hub.breaks == 0 and len(hub.asked("GET", "/blobs/")) > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        puller("hub:acme/tiny:q4/tiny Q4.gguf", report=stop)
    hub.requests.clear()
    puller("hub:acme/tiny:q4/tiny Q4.gguf")
    (headers,) = hub.asked("GET", "/blobs/")
    assert int(headers["range"].removeprefix("bytes=").removesuffix("-")) >= 400_000


def test_a_server_that_ignores_ranges_starts_the_file_over(
    puller: Puller, hub: Hub, instance: Instance, model: bytes
) -> None:
    hub.break_after, hub.breaks, hub.ignore_range = 1_000_000, 1, True
    puller()
    assert (instance.models / "tiny" / "tiny Q4.gguf").read_bytes() == model


def test_a_download_that_makes_no_progress_is_given_up_and_kept_for_later(
    puller: Puller, hub: Hub, instance: Instance
) -> None:
    hub.break_after, hub.breaks = 0, 99
    with pytest.raises(Unavailable, match="run the same command again"):
        puller()
    assert len(hub.asked("GET", "/blobs/")) == 5
    assert installed(instance) == ()


def test_other_bytes_than_the_hub_announced_are_refused_and_thrown_away(
    puller: Puller, hub: Hub, instance: Instance, model: bytes
) -> None:
    hub.served = model[:-4] + b"evil"
    with pytest.raises(DigestMismatch, match="sha256"):
        puller()
    assert installed(instance) == ()
    assert not list(instance.models.rglob("*.part"))
    hub.served = None
    assert puller().bytes == len(model)


def test_a_small_file_outside_large_storage_is_checked_by_its_git_digest(
    puller: Puller, hub: Hub, model: bytes
) -> None:
    hub.lfs = False
    assert puller().bytes == len(model)
    hub.served = model[:-4] + b"evil"
    with pytest.raises(DigestMismatch, match="damaged"):
        puller(force=True)


def test_the_token_goes_to_the_hub_and_not_to_the_host_of_the_bytes(
    puller: Puller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_secret"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    puller()
    assert all(h["authorization"] == "Bearer hf_secret" for h in hub.asked("GET", "/api/"))
    assert [h.get("authorization") for h in hub.asked("GET", "/blobs/")] == [None]


def test_a_gated_repository_says_what_to_do(puller: Puller, hub: Hub) -> None:
    hub.token = "hf_secret"
    with pytest.raises(Forbidden, match="HF_TOKEN") as caught:
        puller()
    assert "Access is gated." in caught.value.message


def test_a_repository_revision_or_file_that_is_absent_is_named(puller: Puller) -> None:
    with pytest.raises(NotFound, match="Repository not found"):
        puller("hub:acme/absent")
    with pytest.raises(NotFound, match="No revision"):
        puller("hub:acme/tiny@v9")
    with pytest.raises(NotFound, match=r"Did you mean 'q4/tiny Q4\.gguf'"):
        puller("hub:acme/tiny:q4/tiny-Q4.gguf")


def test_a_repository_with_several_models_asks_which_one(puller: Puller, hub: Hub) -> None:
    hub.files["q8/tiny.gguf"] = b"x"
    with pytest.raises(InvalidInput, match="2 GGUF files") as caught:
        puller()
    assert caught.value.hint == "hub:acme/tiny:q4/tiny Q4.gguf"


def test_a_repository_without_a_model_is_refused(puller: Puller, hub: Hub) -> None:
    hub.files.clear()
    with pytest.raises(NotFound, match="no GGUF"):
        puller()


def test_a_busy_hub_is_asked_again(puller: Puller, hub: Hub) -> None:
    hub.failures = 3
    assert puller().name == "tiny"
    hub.failures = 99
    with pytest.raises(Unavailable, match="HTTP 503"):
        puller(force=True)


def test_without_a_network_the_answer_comes_at_once_and_names_the_air_gap(
    settings: Settings, instance: Instance
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = settings.replaced(hub_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(Unavailable, match="stockpot models pull FILE"):
            pull(away, instance, "hub:acme/tiny")
    assert time.monotonic() - began < 15


def test_the_hubs_own_environment_variables_are_honoured(
    instance: Instance, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    settings = load({"STOCKPOT_HOME": str(instance.home)})
    assert pull(settings, instance, "hub:acme/tiny").name == "tiny"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Unavailable, match="HF_HUB_OFFLINE"):
        pull(settings, instance, "hub:acme/tiny")


def test_something_that_is_no_hub_is_recognised(
    instance: Instance, settings: Settings, hub: Hub
) -> None:
    with pytest.raises(Unavailable, match="check hub_url"):
        pull(settings.replaced(hub_url=hub.cdn), instance, "hub:acme/tiny")
