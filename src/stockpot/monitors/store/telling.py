"""Channels, the messages to them, and silences."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.monitors.models import Channel, Delivery, Silence
from stockpot.monitors.store.tables import channels, deliveries, silences


class Sealed(NamedTuple):
    """A channel with what only the instance's key opens."""

    channel: Channel
    sealed_url: bytes
    sealed_secret: bytes | None


class Due(NamedTuple):
    """A message whose time has come."""

    delivery: Delivery
    message: dict[str, Any]


_SEALED = ("sealed_url", "sealed_secret")
_HIDDEN = ("message", "number")


def _sealed(row: sa.RowMapping) -> Sealed:
    shown = {name: value for name, value in row.items() if name not in _SEALED}
    return Sealed(Channel(**shown), row["sealed_url"], row["sealed_secret"])


def list_channels(c: sa.Connection, seen: frozenset[str] | None) -> tuple[Sealed, ...]:
    """Channels of the projects that are seen (None: all), by project and name."""
    query = sa.select(channels).order_by(channels.c.project, channels.c.name)
    if seen is not None:
        query = query.where(channels.c.project.in_(seen))
    return tuple(_sealed(row) for row in c.execute(query).mappings())


def channel_by_id(c: sa.Connection, channel_id: str) -> Sealed | None:
    """One channel."""
    row = c.execute(sa.select(channels).where(channels.c.id == channel_id)).mappings().first()
    return _sealed(row) if row else None


def put_channel(c: sa.Connection, row: Sealed) -> None:
    """Write a new channel, or what changed of one."""
    values = row.channel.model_dump(mode="json")
    values |= {"sealed_url": row.sealed_url, "sealed_secret": row.sealed_secret}
    changed = c.execute(sa.update(channels).where(channels.c.id == row.channel.id).values(**values))
    if not changed.rowcount:
        c.execute(sa.insert(channels).values(**values))


def remove_channel(c: sa.Connection, channel_id: str) -> None:
    """A channel, and the messages that still wait for it."""
    waiting = (deliveries.c.channel_id == channel_id) & (deliveries.c.state == "waiting")
    values = {"state": "dead", "next_ms": None, "error": "the channel was removed"}
    c.execute(sa.update(deliveries).where(waiting).values(**values))
    c.execute(sa.delete(channels).where(channels.c.id == channel_id))


# --- deliveries -----------------------------------------------------------------------------------


def _delivery(row: sa.RowMapping) -> Delivery:
    return Delivery(**{name: value for name, value in row.items() if name not in _HIDDEN})


def add_delivery(
    c: sa.Connection, delivery: Delivery, message: dict[str, Any], number: int
) -> bool:
    """Put a message in line, unless it is there already."""
    columns = deliveries.c
    same = sa.select(columns.id).where(
        columns.alert_id == delivery.alert_id,
        columns.channel_id == delivery.channel_id,
        columns.said == delivery.said,
        columns.number == number,
    )
    if c.scalar(same) is not None:
        return False
    values = delivery.model_dump(mode="json")
    c.execute(sa.insert(deliveries).values(**values, message=message, number=number))
    return True


def due_deliveries(c: sa.Connection, now_ms: float, limit: int = 100) -> tuple[Due, ...]:
    """Messages whose time has come, the oldest of each alert and channel: what was fired is told
    before that it was resolved."""
    columns, older = deliveries.c, deliveries.alias("older")
    first = ~sa.exists().where(
        older.c.alert_id == columns.alert_id,
        older.c.channel_id == columns.channel_id,
        older.c.state == "waiting",
        older.c.id < columns.id,
    )
    query = (
        sa.select(deliveries)
        .where(columns.state == "waiting", columns.next_ms <= now_ms, first)
        .order_by(columns.next_ms)
        .limit(limit)
    )
    return tuple(Due(_delivery(row), row["message"]) for row in c.execute(query).mappings())


def delivery_by_id(c: sa.Connection, delivery_id: str) -> Delivery | None:
    """One message, whatever became of it."""
    query = sa.select(deliveries).where(deliveries.c.id == delivery_id)
    row = c.execute(query).mappings().first()
    return _delivery(row) if row else None


def claim_delivery(c: sa.Connection, due: Delivery, until_ms: int) -> bool:
    """Take a message for one attempt; False when another sender took it since it was read."""
    columns = deliveries.c
    unclaimed = (columns.state == "waiting") & (columns.next_ms == due.next_ms)
    query = sa.update(deliveries).where(columns.id == due.id, unclaimed).values(next_ms=until_ms)
    return bool(c.execute(query).rowcount)


def change_delivery(c: sa.Connection, delivery_id: str, **values: Any) -> None:
    """What came of an attempt."""
    c.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


def list_deliveries(
    c: sa.Connection,
    *,
    seen: frozenset[str] | None,
    project: str | None = None,
    state: str | None = None,
    alert_id: str | None = None,
    before: str | None = None,
    limit: int = 100,
) -> tuple[Delivery, ...]:
    """Messages of the projects that are seen (None: all), newest first."""
    columns = deliveries.c
    query = sa.select(deliveries).order_by(columns.id.desc()).limit(limit)
    if seen is not None:
        query = query.where(columns.project.in_(seen))
    for name, value in {"project": project, "state": state, "alert_id": alert_id}.items():
        if value is not None:
            query = query.where(columns[name] == value)
    if before is not None:
        query = query.where(columns.id < before)
    return tuple(_delivery(row) for row in c.execute(query).mappings())


def prune_deliveries(c: sa.Connection, before_ms: int) -> int:
    """Forget what was told, or given up, long ago."""
    old = (deliveries.c.state != "waiting") & (deliveries.c.created_ms < before_ms)
    return c.execute(sa.delete(deliveries).where(old)).rowcount


# --- silences -------------------------------------------------------------------------------------


def list_silences(c: sa.Connection, now_ms: float | None = None) -> tuple[Silence, ...]:
    """Those in force at an instant, or all; newest first."""
    columns = silences.c
    query = sa.select(silences).order_by(columns.id.desc()).limit(500)
    if now_ms is not None:
        query = query.where(columns.ended_ms.is_(None), columns.until_ms > now_ms)
    return tuple(Silence(**row) for row in c.execute(query).mappings())


def silence_by_id(c: sa.Connection, silence_id: str) -> Silence | None:
    """One silence."""
    row = c.execute(sa.select(silences).where(silences.c.id == silence_id)).mappings().first()
    return Silence(**row) if row else None


def add_silence(c: sa.Connection, silence: Silence) -> None:
    """Somebody wants quiet."""
    c.execute(sa.insert(silences).values(**silence.model_dump(mode="json")))


def end_silence(c: sa.Connection, silence_id: str, now_ms: int) -> None:
    """The quiet is over before its time."""
    c.execute(sa.update(silences).where(silences.c.id == silence_id).values(ended_ms=now_ms))
