"""The services of monitors, wired, and their work beside requests."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.instance import Instance
from stockpot.core.jobs import WANTED, JobQueue
from stockpot.core.urls import public_url
from stockpot.monitors.checks.scheduling import Scheduler
from stockpot.monitors.checks.service import CheckService, RunsOfChecks
from stockpot.monitors.scores import ScoresOfLog
from stockpot.monitors.sending import Resolve, Sender, resolve
from stockpot.monitors.service.defining import MonitorService
from stockpot.monitors.service.episodes import Episodes
from stockpot.monitors.service.looking import Looking, SpanFigures
from stockpot.monitors.service.telling import Telling
from stockpot.monitors.service.watching import Watching
from stockpot.traces import Badge, ScoreFilter, ScoreService

LOOK_EVERY_S = 5.0
SEND_EVERY_S = 1.0
START_EVERY_S = 2.0
_PRUNE_EVERY_S = 3600.0
_FIRST_AFTER_S = 1.0

_log = logging.getLogger("stockpot.monitors")


class Monitors(NamedTuple):
    """Everything that monitors can do."""

    monitors: MonitorService
    telling: Telling
    watching: Watching
    sender: Sender
    checks: CheckService
    scheduler: Scheduler

    async def watch(self) -> None:
        """Look at every monitor, send what is due and start what is due, for ever. Each on its own:
        a channel that does not answer keeps nobody from looking."""
        await asyncio.gather(
            _every(LOOK_EVERY_S, self.watching.look),
            _every(SEND_EVERY_S, self.telling.deliver),
            _every(START_EVERY_S, self.scheduler.look),
            _every(_PRUNE_EVERY_S, self.watching.prune),
        )


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(min(seconds, _FIRST_AFTER_S))
        try:
            await work()
        except Exception:
            _log.exception("a look at the monitors failed; trying again")
        await asyncio.sleep(max(0.0, seconds - _FIRST_AFTER_S))


def open_monitors(
    db: Database,
    instance: Instance,
    settings: Settings,
    spans: SpanFigures,
    scores: ScoreService | None = None,
    *,
    resolve: Resolve = resolve,
    clock: Callable[[], float] = time.time,
) -> Monitors:
    """Wire the services of one instance."""
    console = public_url(settings)
    episodes = Episodes(console)
    queue = JobQueue(db, lambda: (instance.run / WANTED).touch())
    read_scores = None if scores is None else ScoresOfLog(scores)
    looking = Looking(spans, read_scores, clock, RunsOfChecks(db))

    async def judges(project: str, name: str) -> tuple[Badge, ...]:
        if scores is None:
            return ()
        return await scores.judges_behind(ScoreFilter(project=project, name=name))

    watching = Watching(db, looking, episodes)
    sender = Sender(settings, resolve)
    return Monitors(
        monitors=MonitorService(db, looking, watching, episodes),
        telling=Telling(db, instance, sender, console, clock),
        watching=watching,
        sender=sender,
        checks=CheckService(db, queue, judges, clock),
        scheduler=Scheduler(db, queue, clock),
    )
