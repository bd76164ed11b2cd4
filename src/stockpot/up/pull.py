"""Fetching the models that an instance wants before it starts. Knows progress; knows no source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stockpot.core.errors import StockpotError
from stockpot.engines import ensure, missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.core.config import Settings
    from stockpot.core.instance import Instance
    from stockpot.engines import ModelSpec, Progress


def pull_missing(
    settings: Settings, instance: Instance, *, allowed: bool, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Install what is missing, as far as that is allowed and possible; gives notices on what
    is still missing: stockpot starts without it."""
    absent = missing(settings, instance)
    if absent and not allowed:
        names = [spec.name for spec in absent]
        return (f"Not installed: {', '.join(names)}  (stockpot models pull {' '.join(names)})",)
    notices = []
    for spec in absent:
        command = f"stockpot models pull {spec.name}"
        say(f"Pulling {spec.name} ({spec.title}, {spec.license}) ...")
        try:
            ensure(settings, instance, spec.name, report=_Progress(spec, say).report)
        except StockpotError as error:
            notices.append(
                f"{spec.name} could not be pulled: {error.message}  "
                f"(with a network: {command}; without: {command} --from FILE)"
            )
    return tuple(notices)


class _Progress:
    """A line per tenth of a model, at most one a second."""

    def __init__(self, spec: ModelSpec, say: Callable[[str], None]) -> None:
        self._say = say
        self._name = spec.name
        self._told = (0.0, "", -1)

    def report(self, progress: Progress) -> None:
        at, stage, tenth = self._told
        now = time.monotonic()
        reached = progress.done * 10 // progress.total if progress.total else 0
        again = progress.stage == "download" and reached > tenth and now - at >= 1
        if progress.stage == stage and not again:
            return
        self._told = (now, progress.stage, reached)
        if progress.stage == "download":
            self._say(f"  {self._name}: {progress.done / 1e6:.0f} of {progress.total / 1e6:.0f} MB")
        else:
            self._say(f"  {self._name}: {progress.stage}")
