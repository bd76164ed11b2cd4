"""What every source of model files shares: its result, and bringing a local file along."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from stockpot.engines.models import Progress, Report

_CHUNK: Final = 1 << 20


class Fetched(NamedTuple):
    """A file in the scratch folder, the name it should have, and its exact origin. `sha256` is what
    the source says of it, for the caller to check; empty when the source says nothing."""

    file: Path
    name: str
    origin: str
    sha256: str = ""


def bring(path: Path, target: Path, *, model: str, report: Report) -> None:
    """Make `target` a file with the content of `path`: by hard link on the same file system, which
    costs no room, else by copy."""
    target.unlink(missing_ok=True)
    try:
        os.link(path, target)
    except OSError:
        _copy(path, target, model, report)


def _copy(path: Path, target: Path, model: str, report: Report) -> None:
    total, done = path.stat().st_size, 0
    with path.open("rb") as source, target.open("wb") as out:
        while chunk := source.read(_CHUNK):
            out.write(chunk)
            done += len(chunk)
            report(Progress(model, "download", done, total))
