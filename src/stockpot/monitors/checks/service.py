"""The verbs of checks: put, remove, start, look. Knows who may; knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, Role, audit, demand, demand_project
from stockpot.catalog import project_names
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.core.jobs import JobQueue
from stockpot.monitors.checks import store
from stockpot.monitors.checks.doing import JOBS
from stockpot.monitors.checks.models import CheckKind, CheckRun, KeptCheck, NewCheck, Outcome
from stockpot.monitors.checks.timing import next_due
from stockpot.monitors.models import CheckRule, Monitor
from stockpot.monitors.rules import Ran
from stockpot.monitors.store import monitors as monitor_store
from stockpot.monitors.store import telling
from stockpot.traces import Badge

Judges = Callable[[str, str], Awaitable[tuple[Badge, ...]]]
"""The certificates of the judges behind the scores of a name, in a project."""

_LAST = 20
"""So many runs a monitor looks back, which may ask for as many in a row."""


_QUOTES = ("examples", "changed", "answers")
"""What of a result are words of calls."""


class CheckService:
    """Checks of projects and their runs. `clock` gives Unix seconds."""

    def __init__(
        self, db: Database, queue: JobQueue, judges: Judges, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = db
        self.queue = queue
        self._judges = judges
        self._clock = clock

    async def all(
        self, actor: Principal, project: str | None = None, kind: CheckKind | None = None
    ) -> tuple[KeptCheck, ...]:
        """What the caller sees, by project, kind and name."""
        rows = await self._db.read(lambda c: store.list_checks(c, project, kind))
        seen = [row.check for row in rows if actor.may("viewer", row.check.project)]
        return tuple([await self._badged(check) for check in seen])

    async def forget(self, project: str, traces: Sequence[str]) -> int:
        """Erase what runs quote of calls, as some traces were erased; gives how many runs quoted.
        A quotation does not tell whose it is, so those of the whole project go; figures stay."""
        if not traces:
            return 0
        return await self._db.write(lambda c: store.forget_quotes(c, project, _QUOTES))

    async def of_project(self, project: str) -> tuple[KeptCheck, ...]:
        """Every check of a project."""
        rows = await self._db.read(lambda c: store.list_checks(c, project))
        return tuple(row.check for row in rows)

    async def forget_states(self, checks: Sequence[str]) -> None:
        """Let these checks begin anew: what they keep from run to run goes."""

        def write(c: sa.Connection) -> None:
            store.overwrite_what_goes(c)
            for check_id in checks:
                store.set_check(c, check_id, state={})

        await self._db.write(write)

    async def one(self, actor: Principal, check_id: str) -> KeptCheck:
        """One check."""
        found = await self._db.read(lambda c: _check(c, actor, "viewer", check_id))
        return await self._badged(found)

    async def put(self, actor: Principal, new: NewCheck) -> KeptCheck:
        """A new check, or the new settings of the one with its name. What is done every so often is
        due at once."""
        now = self._now()

        def write(c: sa.Connection) -> KeptCheck:
            demand_project(actor, "editor", new.project, project_names(c))
            kept = store.check_named(c, new.project, new.kind, new.name)
            before = kept.check if kept else None
            due = now if new.schedule.every_s is not None else None
            if new.schedule.cron:
                due = next_due(None, new.schedule.cron, now)
            told = new.model_dump(exclude={"alert", "schedule"})
            after = KeptCheck(
                **told, schedule=new.schedule, next_ms=due,
                id=before.id if before else record_id("chk"), updated_ms=now,
                created_ms=before.created_ms if before else now,
                created_by=before.created_by if before else actor.label,
            )  # fmt: skip
            store.put_check(c, after)
            verb = "change" if before else "create"
            said: dict[str, Any] = {"project": new.project, "name": new.name, "kind": new.kind}
            audit(c, actor, f"check.{verb}", after.id, before=before, after=after, **said)
            if new.alert is not None:
                _watch(c, actor, after, new.alert, now)
            return after

        return await self._db.write(write)

    async def remove(self, actor: Principal, check_id: str) -> None:
        """A check is gone with its runs; scores that it wrote stay."""

        def write(c: sa.Connection) -> None:
            before = _check(c, actor, "editor", check_id)
            store.remove_check(c, check_id)
            said: dict[str, Any] = {
                "project": before.project, "name": before.name, "kind": before.kind,
            }  # fmt: skip
            audit(c, actor, "check.remove", check_id, before=before, **said)

        await self._db.write(write)

    async def start(self, actor: Principal, check_id: str) -> CheckRun:
        """Do a check now; one that waits or runs already is that."""
        now = self._now()

        def write(c: sa.Connection) -> CheckRun:
            check = _check(c, actor, "editor", check_id)
            said: dict[str, Any] = {"project": check.project, "name": check.name}
            audit(c, actor, "check.run", check_id, **said)
            there = store.unfinished(c, check_id)
            return there or begin(c, self.queue, check, f"asked for by {actor.label}", now)

        run = await self._db.write(write)
        self.queue.wake()
        return run

    async def settle(
        self, actor: Principal, check_id: str, kind: CheckKind, verb: str, reason: str,
        change: Callable[[dict[str, Any]], Outcome],
    ) -> CheckRun:  # fmt: skip
        """Change by hand what a check knows. A run of its own says so, with who and why: whoever
        looks at the check's history sees it, and a monitor beside the check hears of it."""
        now = self._now()

        def write(c: sa.Connection) -> CheckRun:
            kept = _kept(c, actor, "editor", check_id)
            check = kept.check
            if check.kind != kind:
                raise Conflict(f"{check.name!r} is no {kind}, it is a {check.kind}")
            if store.unfinished(c, check_id) is not None:
                raise Conflict(f"{check.name!r} runs just now", hint="ask again when it is done")
            outcome = change(kept.state)
            told = {name: getattr(outcome, name) for name in Outcome._fields if name != "state"}
            run = CheckRun(
                id=record_id("chr"), check_id=check.id, project=check.project, kind=check.kind,
                check=check.name, state="done", cause=f"{verb} by {actor.label}: {reason}"[:300],
                created_ms=now, started_ms=now, finished_ms=now, **told,
            )  # fmt: skip
            store.add_run(c, run)
            store.set_check(c, check_id, state=outcome.state or kept.state)
            said: dict[str, Any] = {"project": check.project, "name": check.name, "reason": reason}
            audit(c, actor, f"check.{verb}", check_id, before=check.last, after=run, **said)
            return run

        return await self._db.write(write)

    async def runs(
        self, actor: Principal, check_id: str, before: str | None, limit: int
    ) -> tuple[CheckRun, ...]:
        """Runs of a check, newest first."""

        def read(c: sa.Connection) -> tuple[CheckRun, ...]:
            _check(c, actor, "viewer", check_id)
            return store.list_runs(c, check_id, before=before, limit=limit)

        return await self._db.read(read)

    async def run(self, actor: Principal, run_id: str) -> CheckRun:
        """One run."""
        found = await self._db.read(lambda c: store.run_by_id(c, run_id))
        absent = NotFound(f"no run {run_id!r} of a check")
        if found is None:
            raise absent
        demand(actor, "viewer", found.project, absent)
        return found

    async def at_work(self, project: str) -> tuple[str, ...]:
        """What scores or checks a project's answers on a schedule and came to an end once."""
        rows = await self._db.read(lambda c: store.list_checks(c, project))
        return tuple(
            f"{row.check.kind} {row.check.name}"
            for row in rows
            if row.check.enabled and row.check.kind != "pipeline" and row.check.next_ms is not None
            and row.check.last is not None and row.check.last.state == "done"
        )  # fmt: skip

    async def _badged(self, check: KeptCheck) -> KeptCheck:
        """With the certificates of its judges: no judge's figure is shown without."""
        score = check.spec.get("score")
        if not score:
            return check
        badges = await self._judges(check.project, str(score))
        return check.model_copy(update={"badges": badges})

    def _now(self) -> int:
        return int(self._clock() * 1000)


def begin(c: sa.Connection, queue: JobQueue, check: KeptCheck, cause: str, now: int) -> CheckRun:
    """Put a run in line, inside the caller's transaction."""
    run = CheckRun(
        id=record_id("chr"), check_id=check.id, project=check.project, kind=check.kind,
        check=check.name, state="queued", cause=cause[:300], created_ms=now,
    )  # fmt: skip
    store.add_run(c, run)
    queue.add(c, JOBS[check.kind], run.id, {})
    return run


def _watch(
    c: sa.Connection, actor: Principal, check: KeptCheck, named: tuple[str, ...], now: int
) -> None:
    """Keep a monitor beside a check, which tells these channels."""
    found = [row.channel for row in telling.list_channels(c, None)]
    there = {one.name: one for one in found} | {one.id: one for one in found}
    for one in named:
        if one not in there or there[one].project not in ("", check.project):
            near = did_you_mean(one, there)
            raise NotFound(f"no channel {one!r}.{near}", hint="stockpot monitors channels list")
    name = f"{check.kind} {check.name}"[:100]
    channels = tuple(there[one].id for one in named)
    known = monitor_store.monitor_named(c, check.project, name)
    row = monitor_store.monitor_by_id(c, known) if known else None
    if row is not None:
        monitor = row.monitor.model_copy(update={"channels": channels, "updated_ms": now})
    else:
        rule = CheckRule(check=f"{check.kind}:{check.name}")
        monitor = Monitor(
            name=name, project=check.project, rule=rule, channels=channels, id=record_id("mon"),
            created_ms=now, created_by=actor.label, updated_ms=now,
        )  # fmt: skip
    monitor_store.put_monitor(c, monitor)
    said: dict[str, Any] = {"project": check.project, "name": name}
    verb = "change" if row is not None else "create"
    audit(c, actor, f"monitor.{verb}", monitor.id, after=monitor, **said)


def _check(c: sa.Connection, actor: Principal, role: Role, check_id: str) -> KeptCheck:
    return _kept(c, actor, role, check_id).check


def _kept(c: sa.Connection, actor: Principal, role: Role, check_id: str) -> store.Kept:
    kept = store.check_by_id(c, check_id)
    absent = NotFound(f"no check {check_id!r}", hint="stockpot pipelines list")
    if kept is None:
        raise absent
    demand(actor, role, kept.check.project, absent)
    return kept


class RunsOfChecks:
    """Runs of checks as monitors read them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ran(
        self, project: str, kind: str, name: str, since_ms: float | None
    ) -> list[tuple[float, Ran]]:
        """See `RunFigures.ran`."""

        def read(c: sa.Connection) -> tuple[CheckRun, ...]:
            kept = store.check_named(c, project, kind, name)
            if kept is None:
                return ()
            limit = _LAST if since_ms is None else store.KEPT
            return store.list_runs(c, kept.check.id, limit=limit, state="done", since_ms=since_ms)

        return [
            (run.finished_ms or run.created_ms, Ran(run.alarm, run.value, run.samples, run.words))
            for run in await self._db.read(read)
        ]
