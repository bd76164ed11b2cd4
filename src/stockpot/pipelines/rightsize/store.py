"""The table of runs and all SQL on it. Functions work inside their caller's transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from stockpot.core.db import storable
from stockpot.pipelines.rightsize.models import RightsizeRun

metadata = sa.MetaData()

runs = sa.Table(
    "rightsize_runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("asked", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("source", sa.String(400), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("arms", sa.JSON, nullable=False),
    sa.Column("spent_nano", sa.BigInteger, nullable=False),
    sa.Column("unpriced", sa.JSON, nullable=False),
    sa.Column("traffic", sa.JSON(none_as_null=True)),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("report", sa.JSON(none_as_null=True)),
    sa.Column("applied", sa.String(200), nullable=False),
    sa.Column("experiment", sa.String(100), nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Index("rightsize_runs_by_project", "project", "id"),
)

_TIMES = ("created_ms", "started_ms", "finished_ms")


def add(c: sa.Connection, run: RightsizeRun) -> None:
    """A new run."""
    values = run.model_dump(mode="json")
    values |= {name: None if values[name] is None else int(values[name]) for name in _TIMES}
    c.execute(sa.insert(runs).values(**values))


def by_id(c: sa.Connection, run_id: str) -> RightsizeRun | None:
    """One run."""
    row = c.execute(sa.select(runs).where(runs.c.id == run_id)).mappings().first()
    return RightsizeRun.model_validate(dict(row)) if row else None


def listed(c: sa.Connection, project: str, limit: int) -> tuple[RightsizeRun, ...]:
    """Runs of a project, newest first."""
    query = sa.select(runs).where(runs.c.project == project).order_by(runs.c.id.desc())
    found = c.execute(query.limit(limit)).mappings()
    return tuple(RightsizeRun.model_validate(dict(row)) for row in found)


def applied(c: sa.Connection, project: str) -> tuple[RightsizeRun, ...]:
    """Runs of a project whose candidate was given traffic, oldest first."""
    query = sa.select(runs).where(runs.c.project == project, runs.c.experiment != "")
    found = c.execute(query.order_by(runs.c.id)).mappings()
    return tuple(RightsizeRun.model_validate(dict(row)) for row in found)


def change(c: sa.Connection, run_id: str, **values: Any) -> None:
    """Set columns of a run; records are written as JSON."""
    plain = {name: _plain(value) for name, value in values.items()}
    c.execute(sa.update(runs).where(runs.c.id == run_id).values(**plain))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
