"""Aliases: routes that were defined by hand."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from stockpot.catalog.models import RouteChoice, RouteSettings
from stockpot.catalog.store.tables import routes

_COLUMNS = ("kind", "targets", "attempts", "retry_on", "timeouts")


class RouteRow(NamedTuple):
    """An alias and when it was made."""

    name: str
    settings: RouteSettings
    created_ms: int


def list_routes(c: sa.Connection) -> tuple[RouteRow, ...]:
    """All by name."""
    rows = c.execute(sa.select(routes).order_by(routes.c.name)).mappings()
    return tuple(RouteRow(r["name"], _settings(r), r["created_ms"]) for r in rows)


def _settings(row: sa.RowMapping) -> RouteSettings:
    return RouteSettings(**{name: row[name] for name in _COLUMNS}, **row["choice"])


def put_route(c: sa.Connection, name: str, settings: RouteSettings, now_ms: int) -> None:
    """Define an alias, or replace it."""
    remove_route(c, name)
    values = settings.model_dump(mode="json")
    choice = {field: values.pop(field) for field in RouteChoice.model_fields}
    c.execute(sa.insert(routes).values(name=name, created_ms=now_ms, choice=choice, **values))


def remove_route(c: sa.Connection, name: str) -> int:
    """Remove an alias; returns how many there were."""
    return c.execute(sa.delete(routes).where(routes.c.name == name)).rowcount
