"""The table of waivers and all SQL on it. Functions work inside their caller's transaction."""

from __future__ import annotations

import sqlalchemy as sa

from stockpot.usecases.models import Waiver

metadata = sa.MetaData()

waivers = sa.Table(
    "readiness_waivers",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("need", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until_ms", sa.BigInteger, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Index("readiness_waivers_by_project", "project", "need"),
)


def add_waiver(c: sa.Connection, waiver: Waiver) -> None:
    """A new waiver, in the place of the project's other ones for the same need."""
    same = (waivers.c.project == waiver.project) & (waivers.c.need == waiver.need)
    c.execute(sa.delete(waivers).where(same))
    values = waiver.model_dump()
    times = {name: int(values[name]) for name in ("until_ms", "created_ms")}
    c.execute(sa.insert(waivers).values(**{**values, **times}))


def waiver_by_id(c: sa.Connection, waiver_id: str) -> Waiver | None:
    """One waiver."""
    row = c.execute(sa.select(waivers).where(waivers.c.id == waiver_id)).mappings().first()
    return Waiver(**row) if row else None


def waivers_of(c: sa.Connection, project: str, now_ms: float) -> tuple[Waiver, ...]:
    """Those of a project that hold now."""
    held = (waivers.c.project == project) & (waivers.c.until_ms > int(now_ms))
    rows = c.execute(sa.select(waivers).where(held).order_by(waivers.c.id)).mappings()
    return tuple(Waiver(**row) for row in rows)


def remove_waiver(c: sa.Connection, waiver_id: str) -> None:
    """Take a waiver back."""
    c.execute(sa.delete(waivers).where(waivers.c.id == waiver_id))
