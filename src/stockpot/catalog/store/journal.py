"""What happened: events for people, revisions for workers."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.catalog.models import Event
from stockpot.catalog.store.tables import events, revisions
from stockpot.core.ids import record_id


class Revision(NamedTuple):
    """A published state of the snapshot. `digest` tells whether two states are the same."""

    revision: int
    digest: str
    created_ms: int


def add_event(c: sa.Connection, now_ms: int, **values: Any) -> None:
    """Append an event."""
    event = Event(id=record_id("evt"), at_ms=now_ms, **values)
    c.execute(sa.insert(events).values(**event.model_dump()))


def list_events(
    c: sa.Connection, limit: int, before: str | None, about: frozenset[str] | None = None
) -> tuple[Event, ...]:
    """Events, newest first, older than the event `before`; about some subjects, or all."""
    query = sa.select(events).order_by(events.c.id.desc()).limit(limit)
    if about is not None:
        query = query.where(events.c.subject.in_(about))
    if before is not None:
        query = query.where(events.c.id < before)
    return tuple(Event(**row) for row in c.execute(query).mappings())


def latest_revision(c: sa.Connection) -> Revision | None:
    """The state that was published last."""
    query = sa.select(revisions).order_by(revisions.c.revision.desc()).limit(1)
    row = c.execute(query).mappings().first()
    return Revision(row["revision"], row["digest"], row["created_ms"]) if row else None


def add_revision(c: sa.Connection, revision: Revision, reason: str) -> None:
    """Note a published state."""
    c.execute(sa.insert(revisions).values(**revision._asdict(), reason=reason))
