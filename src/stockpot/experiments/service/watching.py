"""Looking at every running experiment, again and again, and taking the step that is due.

A step is taken on the experiment as it stands in the store at that moment, so that two processes
that look at once, or a person in between, never make it twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stockpot.access import SYSTEM
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import StockpotError
from stockpot.core.ids import record_id
from stockpot.experiments.models import Experiment, Look
from stockpot.experiments.reasons import reason_of
from stockpot.experiments.service.experiments import Changed, hold, record
from stockpot.experiments.service.reporting import Reporting
from stockpot.experiments.store import experiments as store
from stockpot.experiments.subjects import Subjects

if TYPE_CHECKING:
    from stockpot.experiments.deciding import Step
    from stockpot.experiments.measuring import Measured

LOOK_EVERY_S = 3.0
_SHARE = 0.05
"""Of the time, how much may go into looks at one experiment: it sums all units."""
_LONGEST_REST_S = 60.0
_LOOK_GROWTH = 1.03
_LOOK_EVERY_MS = 3_600_000

_log = logging.getLogger("stockpot.experiments")


class Rests:
    """When each experiment is to be looked at again: the longer a look took, the later."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def due(self, experiment: str, now: float) -> bool:
        """Whether it has rested; times are seconds of a steady clock."""
        return now >= self._until.get(experiment, 0.0)

    def looked(self, experiment: str, began: float, ended: float) -> None:
        """A look at it is over."""
        rest = min((ended - began) * (1 / _SHARE - 1), _LONGEST_REST_S)
        self._until[experiment] = ended + rest

    def only(self, experiments: Container[str]) -> None:
        """Forget the others."""
        self._until = {name: at for name, at in self._until.items() if name in experiments}


class Watching:
    """Decides, and keeps what was seen."""

    def __init__(
        self, db: Database, reporting: Reporting, subjects: Subjects, changed: Changed
    ) -> None:
        self._db = db
        self._reporting = reporting
        self._subjects = subjects
        self._changed = changed
        self._rests = Rests()

    async def watch(self) -> None:
        """Look at every running experiment, for ever."""
        await self.release_left()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.decide_all(rested=True)
            except Exception:
                _log.exception("a look at the experiments failed; trying again")

    async def decide_all(self, *, rested: bool = False) -> int:
        """Look at every running experiment once, or at those that have rested; returns how many
        steps were taken."""
        taken = 0
        running = [kept.shown for kept in await self._db.read(store.running)]
        self._rests.only({experiment.id for experiment in running})
        for experiment in running:
            began = time.monotonic()
            if rested and not self._rests.due(experiment.id, began):
                continue
            try:
                taken += await self._one(experiment)
            except StockpotError as fault:
                _log.warning("the experiment %r: %s", experiment.name, fault.message)
            except Exception:
                _log.exception("the experiment %r could not be decided", experiment.name)
            self._rests.looked(experiment.id, began, time.monotonic())
        return taken

    async def _one(self, experiment: Experiment) -> bool:
        from stockpot.experiments.deciding import decide  # scipy: a start need not wait for it

        now = now_ms()
        told, _ = await self._reporting.measured(experiment, now)
        step = decide(experiment, told, now)
        await self._keep_look(experiment, told, now, decided=step is not None)
        if step is None:
            return False
        made = await self._db.write(lambda c: _take(c, experiment, step))
        if made is None:
            return False
        _log.warning("experiment %s %s: %s", experiment.name, step.kind, step.reason)
        try:
            await self._changed(f"experiment {experiment.name} {step.kind}")
        finally:
            if step.kind == "concluded":
                await self._release(made, step.figures)
        return True

    async def release_left(self) -> None:
        """Release winners of which nothing was told since they won: a process died in between."""
        for experiment, figures in await self._db.read(_left):
            await self._release(experiment, figures)

    async def _release(self, experiment: Experiment, figures: dict[str, Any]) -> None:
        """The winner takes the subject's place, or it is proposed; what came of it is told."""
        arm = next(arm for arm in experiment.arms if arm.name == experiment.winner)
        if arm.name == experiment.compared_with:
            return
        try:
            reason = reason_of(experiment, figures)
            done = await self._subjects.release(SYSTEM, experiment, arm, reason)
        except StockpotError as fault:
            done = f"nothing was released: {fault.message}"

        def write(c: sa.Connection) -> None:
            kept = store.experiment_named(c, experiment.project, experiment.name)
            if kept is not None:
                record(c, SYSTEM, kept, kept.shown, "concluded", done, {"arm": arm.name})

        await self._db.write(write)

    async def _keep_look(
        self, experiment: Experiment, told: Measured, now: int, *, decided: bool
    ) -> None:
        """A point of the band, when enough has come since the last one or it decided something."""
        units = sum(arm.units for arm in told.arms)
        last = await self._db.read(lambda c: store.last_look(c, experiment.id))
        enough = last is None or units >= last[1] * _LOOK_GROWTH or now - last[0] >= _LOOK_EVERY_MS
        if not (enough or decided):
            return
        seen = looks_of(told, now)
        if seen:
            ident = record_id("xlk")
            await self._db.write(
                lambda c: store.add_look(c, ident, experiment.id, now, units, seen)
            )


def looks_of(told: Measured, now: float) -> list[Look]:
    """Every comparison that has an interval."""
    sizes = {arm.name: arm.units for arm in told.arms}
    return [
        Look(
            at_ms=now, metric=report.metric.name, arm=d.arm, units=sizes[d.arm],
            difference=d.difference, low=d.low, high=d.high, role=report.metric.role,
        )
        for report in told.metrics
        for d in report.differences
        if d.difference is not None and d.low is not None and d.high is not None
    ]  # fmt: skip


def _left(c: sa.Connection) -> list[tuple[Experiment, dict[str, Any]]]:
    """Experiments whose newest decision is that somebody won, with the figures of that."""
    found = []
    for kept in store.concluded(c):
        newest = store.list_decisions(c, kept.shown.id, 1)
        if newest and newest[0].kind == "concluded" and "arm" not in newest[0].figures:
            found.append((kept.shown, newest[0].figures))
    return found


def _take(c: sa.Connection, seen: Experiment, step: Step) -> Experiment | None:
    """The step on the experiment as it stands now; None where it is another one by now."""
    kept = store.experiment_named(c, seen.project, seen.name)
    if kept is None or kept.shown.changed_ms != seen.changed_ms or kept.shown.id != seen.id:
        return None
    now = now_ms()
    update: dict[str, Any]
    match step.kind:
        case "rolled_back":
            update = {"state": "rolled_back", "share": 0, "ended_ms": now, "held": step.reason}
        case "concluded":
            update = {"state": "concluded", "share": 0, "ended_ms": now, "winner": step.arm}
        case "srm_alarm":
            update = {"alarmed": True}
        case _:
            reached = sum(stage.share <= step.share for stage in seen.ramp)
            update = {"share": step.share, "stage": reached, "stage_ms": now}
    after = kept.shown.model_copy(update=update)
    made = record(c, SYSTEM, kept, after, step.kind, step.reason, step.figures)
    if step.kind == "rolled_back":
        hold(c, made, step.reason)
    return made
