"""Monitors, how they stand, and the episodes in which they fired."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.monitors.models import Alert, Monitor, Standing
from stockpot.monitors.store.tables import alerts, monitors, standings


class Stood(NamedTuple):
    """A monitor's row and how it stood when that was last written."""

    monitor: Monitor
    beyond_since_ms: float | None
    back_since_ms: float | None


_OWN = [column for column in standings.c if column.name != "monitor_id"]
_JOINED = sa.select(monitors, *(c.label(f"standing_{c.name}") for c in _OWN)).select_from(
    monitors.outerjoin(standings, standings.c.monitor_id == monitors.c.id)
)
_SHOWN = ("state", "since_ms", "severity", "value", "samples", "reason", "alert_id", "evaluated_ms")


def _stood(row: sa.RowMapping) -> Stood:
    own = {column.name: row[column.name] for column in monitors.c}
    told = {name: row[f"standing_{name}"] for name in _SHOWN}
    standing = Standing(**told) if told["state"] else Standing()
    return Stood(
        Monitor(**own, standing=standing),
        row["standing_beyond_since_ms"],
        row["standing_back_since_ms"],
    )


def list_monitors(c: sa.Connection, *, enabled: bool | None = None) -> tuple[Stood, ...]:
    """All by project and name, or those that are evaluated."""
    query = _JOINED.order_by(monitors.c.project, monitors.c.name)
    if enabled is not None:
        query = query.where(monitors.c.enabled == enabled)
    return tuple(_stood(row) for row in c.execute(query).mappings())


def monitor_by_id(c: sa.Connection, monitor_id: str) -> Stood | None:
    """One monitor."""
    row = c.execute(_JOINED.where(monitors.c.id == monitor_id)).mappings().first()
    return _stood(row) if row else None


def monitor_named(c: sa.Connection, project: str, name: str) -> str | None:
    """The id of a project's monitor of this name."""
    columns = monitors.c
    query = sa.select(columns.id).where(columns.project == project, columns.name == name)
    found = c.scalar(query)
    return None if found is None else str(found)


def put_monitor(c: sa.Connection, monitor: Monitor) -> None:
    """Write a new monitor, or what changed of one."""
    values = monitor.model_dump(mode="json", exclude={"standing", "spark"})
    changed = c.execute(sa.update(monitors).where(monitors.c.id == monitor.id).values(**values))
    if not changed.rowcount:
        c.execute(sa.insert(monitors).values(**values))


def remove_monitor(c: sa.Connection, monitor_id: str) -> None:
    """A monitor and how it stood; its alerts stay."""
    c.execute(sa.delete(standings).where(standings.c.monitor_id == monitor_id))
    c.execute(sa.delete(monitors).where(monitors.c.id == monitor_id))


def put_standing(c: sa.Connection, monitor_id: str, **values: Any) -> None:
    """How a monitor stands now; nothing when it is gone."""
    changed = c.execute(
        sa.update(standings).where(standings.c.monitor_id == monitor_id).values(**values)
    )
    if changed.rowcount or monitor_by_id(c, monitor_id) is None:
        return
    c.execute(sa.insert(standings).values(monitor_id=monitor_id, **values))


def forget_standing(c: sa.Connection, monitor_id: str) -> None:
    """A monitor begins anew: its rule is another one."""
    c.execute(sa.delete(standings).where(standings.c.monitor_id == monitor_id))


# --- alerts ---------------------------------------------------------------------------------------


def add_alert(c: sa.Connection, alert: Alert) -> None:
    """An episode begins."""
    c.execute(sa.insert(alerts).values(**alert.model_dump(mode="json")))


def change_alert(c: sa.Connection, alert_id: str, **values: Any) -> None:
    """What is new about an episode."""
    c.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(**values))


def alert_by_id(c: sa.Connection, alert_id: str) -> Alert | None:
    """One episode."""
    row = c.execute(sa.select(alerts).where(alerts.c.id == alert_id)).mappings().first()
    return Alert(**row) if row else None


def list_alerts(
    c: sa.Connection,
    *,
    seen: frozenset[str] | None,
    project: str | None = None,
    monitor_id: str | None = None,
    state: str | None = None,
    before: str | None = None,
    limit: int = 100,
) -> tuple[Alert, ...]:
    """Episodes of the projects that are seen (None: all), newest first."""
    columns = alerts.c
    query = sa.select(alerts).order_by(columns.id.desc()).limit(limit)
    if seen is not None:
        query = query.where(columns.project.in_(seen))
    asked = {"project": project, "monitor_id": monitor_id, "state": state}
    for name, value in asked.items():
        if value is not None:
            query = query.where(columns[name] == value)
    if before is not None:
        query = query.where(columns.id < before)
    return tuple(Alert(**row) for row in c.execute(query).mappings())


def prune_alerts(c: sa.Connection, before_ms: int) -> int:
    """Forget episodes that ended long ago."""
    return c.execute(sa.delete(alerts).where(alerts.c.resolved_ms < before_ms)).rowcount
