"""Files that pipelines may read: those below one folder, by patterns that cannot lead out of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from stockpot.core.config import Settings
from stockpot.core.errors import InvalidInput, NotFound

_MOST = 1000
_LARGEST = 32_000_000


def folder_of(settings: Settings) -> Path:
    """The folder of a setting, or `pipelines` in the instance's home."""
    named = str(settings.pipeline_files)
    return (Path(named).expanduser() if named else Path(settings.home) / "pipelines").resolve()


def matching(folder: Path, pattern: str) -> list[Path]:
    """Files that a pattern names, in order. Raises InvalidInput for one that leads out."""
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise InvalidInput(
            f"{pattern!r} leads out of the folder of pipelines", hint=f"files lie below {folder}"
        )
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    inside = [path for path in found if path.resolve().is_relative_to(folder)]
    return inside[:_MOST]


def read_text(folder: Path, name: str) -> str:
    """The text of one file. Raises NotFound."""
    found = matching(folder, name)
    if len(found) != 1:
        raise NotFound(f"{len(found)} files are called {name!r} below {folder}")
    if found[0].stat().st_size > _LARGEST:
        raise InvalidInput(f"{name!r} is larger than {_LARGEST} bytes")
    return found[0].read_text("utf-8")


def digest_of(folder: Path, pattern: str) -> str:
    """Differs when a file that a pattern names comes, goes or has other content."""
    digest = hashlib.sha256()
    for path in matching(folder, pattern):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
