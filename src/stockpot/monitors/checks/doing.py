"""Doing checks in the process of jobs. Knows runs and their doers; knows no schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.jobs import Work
from stockpot.core.transactions import StoreAway
from stockpot.monitors.checks import store
from stockpot.monitors.checks.models import CheckKind, CheckRun, KeptCheck, Outcome

JOBS: dict[CheckKind, str] = {
    "online": "checks.run",
    "drift": "checks.run",
    "canary": "checks.run",
    "pipeline": "checks.pipeline",
}
"""The kind of job that does a check. Pipelines wait for others, so they have a queue of their own:
no number of them keeps what they wait for from being done."""


class Underway:
    """A run as its doer sees it. `known` is what the check's doer left behind the last time,
    `kept` what this run had found before its process died."""

    def __init__(
        self, db: Database, run: CheckRun, known: dict[str, Any], stop: asyncio.Event
    ) -> None:
        self._db = db
        self.run = run
        self.known = known
        self.stop = stop

    @property
    def kept(self) -> dict[str, Any]:
        """What this run found so far."""
        return self.run.result

    async def keep(
        self, result: dict[str, Any], *, cost_nano: int = 0, known: dict[str, Any] | None = None
    ) -> None:
        """Put down how far the run is, in one step, so that nothing is done twice."""

        def write(c: sa.Connection) -> None:
            store.set_run(c, self.run.id, result=result, cost_nano=cost_nano)
            if known is not None:
                store.set_check(c, self.run.check_id, state=known)

        await self._db.write(write)
        self.run = self.run.model_copy(update={"result": result, "cost_nano": cost_nano})
        self.known = self.known if known is None else known

    async def spent_since(self, since_ms: int) -> int:
        """Nano-dollars that the check cost since a time."""
        return await self._db.read(lambda c: store.spent_since(c, self.run.check_id, since_ms))


class Doer(Protocol):
    """Does one kind of check."""

    async def do(self, check: KeptCheck, underway: Underway) -> Outcome:
        """Once, from where it is to the end."""
        ...


class CheckJobs:
    """A handler of durable jobs for every kind that has a doer."""

    def __init__(self, db: Database, doers: Mapping[CheckKind, Doer]) -> None:
        self._db = db
        self._doers = dict(doers)

    async def handle(self, work: Work) -> None:
        """A run to its end."""
        run = await self._db.read(lambda c: store.run_by_id(c, work.job.subject))
        if run is None or run.state in ("done", "failed", "cancelled"):
            return
        kept = await self._db.read(lambda c: store.check_by_id(c, run.check_id))
        if kept is None:
            return
        started = int(run.started_ms or now_ms())
        await self._db.write(
            lambda c: store.set_run(c, run.id, state="running", started_ms=started)
        )
        underway = Underway(self._db, run, kept.state, work.stop)
        try:
            work.begin()
            outcome = await self._doers[run.kind].do(kept.check, underway)
        except StoreAway:
            raise
        except Exception as bad:
            error = f"{type(bad).__name__}: {bad}"[:2000]
            await self._settle(run, {"state": "failed", "error": error, "words": error}, None)
            raise
        if not work.stop.is_set():
            told = {name: getattr(outcome, name) for name in Outcome._fields if name != "state"}
            await self._settle(run, {"state": "done", **told}, outcome.state)

    async def _settle(
        self, run: CheckRun, values: dict[str, Any], state: dict[str, Any] | None
    ) -> None:
        def write(c: sa.Connection) -> None:
            store.set_run(c, run.id, finished_ms=now_ms(), **values)
            if state is not None:
                store.set_check(c, run.check_id, state=state)

        await self._db.write(write)
