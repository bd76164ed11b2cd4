"""The tables of checks and all SQL on them. Functions work inside their caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.monitors.checks.models import CheckRun, KeptCheck, Schedule

metadata = sa.MetaData()

checks = sa.Table(
    "checks",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("every_s", sa.Integer),
    sa.Column("cron", sa.String(200), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("next_ms", sa.BigInteger),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("seen", sa.JSON, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("project", "kind", "name"),
)
runs = sa.Table(
    "check_runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column(
        "check_id", sa.String(40), sa.ForeignKey("checks.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("check", sa.String(100), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("cause", sa.String(300), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("alarm", sa.Boolean),
    sa.Column("value", sa.Float),
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Index("check_runs_by_check", "check_id", "id"),
)
KEPT = 500
"""Runs of one check that are kept."""

_TOLD = ("schedule", "last", "badges")
"""What a check tells beside its own columns."""

_ENDED = ("done", "failed", "cancelled")
_TIMES = ("created_ms", "started_ms", "finished_ms")


class Kept(NamedTuple):
    """A check with what only its doer reads, and the triggers as they were seen last."""

    check: KeptCheck
    state: dict[str, Any]
    seen: dict[str, str]


def put_check(c: sa.Connection, check: KeptCheck) -> None:
    """Write a check, in the place of one with its id; what its doer knows stays."""
    values = check.model_dump(mode="json", exclude=set(_TOLD))
    values |= {"every_s": check.schedule.every_s, "cron": check.schedule.cron}
    for name in ("created_ms", "updated_ms", "next_ms"):
        values[name] = _whole(values[name])
    same = checks.c.id == check.id
    if c.scalar(sa.select(checks.c.id).where(same)) is None:
        c.execute(sa.insert(checks).values(**values, state={}, seen={}))
    else:
        c.execute(sa.update(checks).where(same).values(**values))


def remove_check(c: sa.Connection, check_id: str) -> None:
    """Forget a check with its runs."""
    c.execute(sa.delete(runs).where(runs.c.check_id == check_id))
    c.execute(sa.delete(checks).where(checks.c.id == check_id))


def check_by_id(c: sa.Connection, check_id: str) -> Kept | None:
    """One check."""
    return _one(c, checks.c.id == check_id)


def check_named(c: sa.Connection, project: str, kind: str, name: str) -> Kept | None:
    """One check by its name."""
    return _one(
        c, (checks.c.project == project) & (checks.c.kind == kind) & (checks.c.name == name)
    )


def list_checks(
    c: sa.Connection, project: str | None = None, kind: str | None = None
) -> tuple[Kept, ...]:
    """Checks by project, kind and name, each with its newest run."""
    query = sa.select(checks).order_by(checks.c.project, checks.c.kind, checks.c.name)
    if project is not None:
        query = query.where(checks.c.project == project)
    if kind is not None:
        query = query.where(checks.c.kind == kind)
    newest = sa.select(sa.func.max(runs.c.id)).group_by(runs.c.check_id)
    found = c.execute(sa.select(runs).where(runs.c.id.in_(newest))).mappings()
    last = {row["check_id"]: _run(row) for row in found}
    return tuple(_kept(row, last.get(row["id"])) for row in c.execute(query).mappings())


def set_check(c: sa.Connection, check_id: str, **values: Any) -> None:
    """Set columns of a check."""
    c.execute(sa.update(checks).where(checks.c.id == check_id).values(**values))


def add_run(c: sa.Connection, run: CheckRun) -> None:
    """A new run; the oldest beyond those that are kept go."""
    values = run.model_dump(mode="json")
    c.execute(
        sa.insert(runs).values(**{**values, **{name: _whole(values[name]) for name in _TIMES}})
    )
    mine = sa.select(runs.c.id).where(runs.c.check_id == run.check_id)
    oldest = c.scalar(mine.order_by(runs.c.id.desc()).offset(KEPT).limit(1))
    if oldest is not None:
        c.execute(sa.delete(runs).where(runs.c.check_id == run.check_id, runs.c.id <= oldest))


def set_run(c: sa.Connection, run_id: str, **values: Any) -> None:
    """Set columns of a run."""
    c.execute(sa.update(runs).where(runs.c.id == run_id).values(**values))


def forget_quotes(c: sa.Connection, project: str, names: Sequence[str]) -> int:
    """Remove what results of a project's runs have by these names; gives how many runs had it."""
    changed = 0
    overwrite_what_goes(c)
    query = sa.select(runs.c.id, runs.c.result).where(runs.c.project == project)
    for run_id, result in c.execute(query).all():
        kept = {name: value for name, value in result.items() if name not in names}
        if kept != result:
            set_run(c, run_id, result=kept)
            changed += 1
    return changed


def overwrite_what_goes(c: sa.Connection) -> None:
    """From now on pages keep no copy of what stood there."""
    if c.dialect.name == "sqlite":
        c.exec_driver_sql("PRAGMA secure_delete = ON")


def run_by_id(c: sa.Connection, run_id: str) -> CheckRun | None:
    """One run."""
    row = c.execute(sa.select(runs).where(runs.c.id == run_id)).mappings().first()
    return _run(row) if row else None


def list_runs(
    c: sa.Connection, check_id: str, *, before: str | None = None, limit: int = 100,
    state: str | None = None, since_ms: float | None = None,
) -> tuple[CheckRun, ...]:  # fmt: skip
    """Runs of a check, newest first, older than `before`."""
    query = sa.select(runs).where(runs.c.check_id == check_id).order_by(runs.c.id.desc())
    if before is not None:
        query = query.where(runs.c.id < before)
    if state is not None:
        query = query.where(runs.c.state == state)
    if since_ms is not None:
        query = query.where(runs.c.created_ms >= int(since_ms))
    return tuple(_run(row) for row in c.execute(query.limit(limit)).mappings())


def unfinished(c: sa.Connection, check_id: str) -> CheckRun | None:
    """The run of a check that waits or is under way."""
    open_ = (runs.c.check_id == check_id) & runs.c.state.not_in(_ENDED)
    row = c.execute(sa.select(runs).where(open_).limit(1)).mappings().first()
    return _run(row) if row else None


def spent_since(c: sa.Connection, check_id: str, since_ms: int) -> int:
    """Nano-dollars that a check's runs cost since a time."""
    mine = (runs.c.check_id == check_id) & (runs.c.created_ms >= since_ms)
    return int(c.scalar(sa.select(sa.func.sum(runs.c.cost_nano)).where(mine)) or 0)


def _one(c: sa.Connection, which: sa.ColumnElement[bool]) -> Kept | None:
    row = c.execute(sa.select(checks).where(which)).mappings().first()
    if row is None:
        return None
    last = list_runs(c, row["id"], limit=1)
    return _kept(row, last[0] if last else None)


def _kept(row: sa.RowMapping, last: CheckRun | None) -> Kept:
    plain = {name: row[name] for name in KeptCheck.model_fields if name not in _TOLD}
    schedule = Schedule.model_construct(every_s=row["every_s"], cron=row["cron"])
    return Kept(KeptCheck(**plain, schedule=schedule, last=last), row["state"], row["seen"])


def _run(row: sa.RowMapping) -> CheckRun:
    return CheckRun(**{name: row[name] for name in CheckRun.model_fields})


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
