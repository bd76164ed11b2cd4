"""Installing, checking and removing models, from local files."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from stockpot.core.config import Settings, load
from stockpot.core.errors import Conflict, InvalidInput, NotFound
from stockpot.core.instance import Instance
from stockpot.engines import (
    DigestMismatch,
    Progress,
    ensure,
    gguf,
    installed,
    missing,
    pull,
    remove,
    verify,
    wanted,
)
from stockpot.engines.store import ModelStore, StorageTrouble


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"STOCKPOT_HOME": str(tmp_path / "home")})


@pytest.fixture
def instance(settings: Settings) -> Instance:
    return Instance(settings.home)


def make(path: Path, **facts: object) -> Path:
    dotted = {key.replace("__", "."): value for key, value in facts.items()}
    gguf.write(path, {"general.architecture": "llama", **dotted}, [])
    return path


def test_a_local_file_is_installed_whole_and_described_by_itself(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    file = make(tmp_path / "Tiny.gguf", general__name="Tiny 1", llama__context_length=1024,
                general__license="mit")  # fmt: skip
    model = pull(settings, instance, str(file))
    assert model.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (model.name, model.title, model.license) == ("tiny", "Tiny 1", "mit")
    assert (model.kind, model.context, model.smoke) == ("chat", 1024, False)
    assert model.source == f"path:{file}"
    assert installed(instance) == (model,)
    assert not list((instance.models / ".partial").iterdir())
    assert (instance.models / "tiny" / "Tiny.gguf").read_bytes() == file.read_bytes()


def test_an_encoder_is_recognised_as_an_embedding_model_unless_told_otherwise(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    file = make(tmp_path / "e.gguf", general__architecture="bert", bert__pooling_type=1)
    assert pull(settings, instance, str(file)).kind == "embedding"
    assert pull(settings, instance, str(file), kind="chat").kind == "chat"


def test_a_file_with_another_digest_is_refused_and_leaves_nothing_behind(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    file = make(tmp_path / "x.gguf")
    with pytest.raises(DigestMismatch, match="--sha256"):
        pull(settings, instance, str(file), sha256="0" * 64)
    with pytest.raises(DigestMismatch, match="table of models"):
        pull(settings, instance, "smollm2-135m", file=file)
    assert installed(instance) == ()
    assert not list(instance.models.rglob("*.gguf"))
    assert file.exists()


def test_a_file_that_is_no_model_is_refused(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    (tmp_path / "x.gguf").write_bytes(b"<html>")
    with pytest.raises(InvalidInput, match="not a GGUF"):
        pull(settings, instance, str(tmp_path / "x.gguf"))
    with pytest.raises(NotFound):
        pull(settings, instance, str(tmp_path / "absent.gguf"))


def test_a_folder_that_cannot_be_written_is_named(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    (instance.models / ".partial" / "tiny" / "tiny.gguf").mkdir(parents=True)
    with pytest.raises(StorageTrouble, match="cannot be stored under"):
        pull(settings, instance, str(make(tmp_path / "tiny.gguf")))


def test_pulling_again_replaces_the_model_and_drops_its_old_file(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    pull(settings, instance, str(make(tmp_path / "a.gguf")), name="mine")
    second = make(tmp_path / "b.gguf", general__name="second")
    assert pull(settings, instance, str(second), name="mine").title == "second"
    assert [p.name for p in (instance.models / "mine").glob("*.gguf")] == ["b.gguf"]
    assert [m.title for m in installed(instance)] == ["second"]


def test_a_damaged_file_is_found_by_verifying(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    file = make(tmp_path / "x.gguf")
    model = pull(settings, instance, str(file))
    assert verify(instance, "x") == model
    target = instance.models / "x" / "x.gguf"
    target.unlink()  # it may be a hard link to the original
    target.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(DigestMismatch, match="models pull --force x"):
        verify(instance, "x")
    assert verify(instance, "absent") is None


def test_removing_deletes_the_files_and_an_unknown_name_gets_the_nearest_one(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    pull(settings, instance, str(make(tmp_path / "tiny.gguf")))
    with pytest.raises(NotFound, match="Did you mean 'tiny'"):
        remove(instance, "tinny")
    assert remove(instance, "tiny").name == "tiny"
    assert installed(instance) == ()
    assert not (instance.models / "tiny").exists()


def test_ensure_takes_what_is_there_and_touches_no_source(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    model = pull(settings, instance, str(make(tmp_path / "tiny.gguf")))
    assert ensure(settings, instance, "tiny") == model


def test_a_half_written_manifest_counts_as_not_installed(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    pull(settings, instance, str(make(tmp_path / "tiny.gguf")))
    manifest = instance.models / "tiny" / "model.json"
    manifest.write_bytes(manifest.read_bytes()[:40])
    assert installed(instance) == ()


def test_two_pulls_of_one_model_wait_for_each_other(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    order: list[str] = []

    def second() -> None:
        with store.pulling("m"):
            order.append("second")

    with store.pulling("m"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_pull_that_waits_too_long_says_who_holds_the_model(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    with (
        store.pulling("m"),
        pytest.raises(Conflict, match="another process"),
        store.pulling("m", wait_s=0.0),
    ):
        raise AssertionError("two processes hold one model")


def test_progress_ends_with_the_whole_size(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    model = pull(settings, instance, str(make(tmp_path / "tiny.gguf")), report=seen.append)
    assert seen[-1] == Progress("tiny", "installed", model.bytes, model.bytes)
    assert "verify" in {progress.stage for progress in seen}


def test_the_engines_setting_decides_what_is_wanted_and_missing(
    settings: Settings, instance: Instance
) -> None:
    assert wanted(settings) == ("smollm2-135m", "minilm-l6-v2")
    assert [s.name for s in missing(settings, instance)] == ["smollm2-135m", "minilm-l6-v2"]
    assert wanted(settings.replaced(engines="none")) == ()
    assert wanted(settings.replaced(engines=" a, b,,a,echo ")) == ("a", "b")
    assert wanted(settings.replaced(default_model="echo")) == ("minilm-l6-v2",)


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    settings: Settings, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50_000_000))
    with pytest.raises(StorageTrouble, match="No space left on device"):
        pull(settings, instance, "smollm2-135m")
