"""The audit log: an append-only chain of entries, and the head that the next one follows."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access import chain
from stockpot.access.models import AuditEntry, AuditFilter
from stockpot.access.store.tables import audit_head, audit_log


class Head(NamedTuple):
    """The last entry's number and hash; 0 and nothing before the first."""

    number: int
    hash: str


def head(c: sa.Connection) -> Head:
    """Where the chain ends now."""
    row = c.execute(sa.select(audit_head.c.number, audit_head.c.hash)).first()
    return Head(*row) if row else Head(0, "")


def append(c: sa.Connection, entry: dict[str, Any]) -> None:
    """Add an entry at the end. The head's row is taken first, so that writers queue up for it."""
    taken = sa.update(audit_head).values(number=audit_head.c.number + 1)
    number, previous = c.execute(taken.returning(audit_head.c.number, audit_head.c.hash)).one()
    numbered = {**entry, "number": number}
    hashed = chain.link(previous, numbered)
    c.execute(sa.insert(audit_log).values(**numbered, hash=hashed))
    c.execute(sa.update(audit_head).values(hash=hashed))


def entries(
    c: sa.Connection,
    where: AuditFilter,
    projects: frozenset[str] | None,
    limit: int,
    before: str | None,
) -> tuple[AuditEntry, ...]:
    """Entries, newest first, older than the entry `before`; of some projects, or of all."""
    query = _matching(where, projects).order_by(audit_log.c.number.desc()).limit(limit)
    if before is not None:
        number = sa.select(audit_log.c.number).where(audit_log.c.id == before).scalar_subquery()
        query = query.where(audit_log.c.number < number)
    return tuple(AuditEntry(**row) for row in c.execute(query).mappings())


def last_at(c: sa.Connection, action: str, projects: tuple[str, ...]) -> float | None:
    """The time of the newest entry of an action in some projects."""
    same = (audit_log.c.action == action) & audit_log.c.project.in_(projects)
    found: float | None = c.scalar(sa.select(sa.func.max(audit_log.c.at_ms)).where(same))
    return found


def after(
    c: sa.Connection, where: AuditFilter, projects: frozenset[str] | None, number: int, limit: int
) -> tuple[AuditEntry, ...]:
    """Entries, oldest first, newer than the entry with this number."""
    query = _matching(where, projects).where(audit_log.c.number > number)
    rows = c.execute(query.order_by(audit_log.c.number).limit(limit)).mappings()
    return tuple(AuditEntry(**row) for row in rows)


def chained(c: sa.Connection, number: int, limit: int) -> list[dict[str, Any]]:
    """Rows as they are hashed, oldest first, newer than the entry with this number."""
    query = sa.select(audit_log).where(audit_log.c.number > number)
    rows = c.execute(query.order_by(audit_log.c.number).limit(limit)).mappings()
    return [dict(row) for row in rows]


def _matching(where: AuditFilter, projects: frozenset[str] | None) -> sa.Select[Any]:
    columns = audit_log.c
    query = sa.select(audit_log)
    if projects is not None:
        query = query.where(columns.project.in_(projects))
    if where.actor is not None:
        either = (columns.actor_id == where.actor) | (columns.actor == where.actor)
        query = query.where(either | columns.actor.startswith(f"{where.actor} (", autoescape=True))
    if where.action is not None and where.action.endswith("*"):
        query = query.where(columns.action.startswith(where.action[:-1], autoescape=True))
    elif where.action is not None:
        query = query.where(columns.action == where.action)
    if where.subject is not None:
        query = query.where(columns.subject == where.subject)
    if where.project is not None:
        query = query.where(columns.project == where.project)
    if where.from_ms is not None:
        query = query.where(columns.at_ms >= where.from_ms)
    if where.to_ms is not None:
        query = query.where(columns.at_ms < where.to_ms)
    return query
