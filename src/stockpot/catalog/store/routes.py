"""Aliases: routes that were defined by hand."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from stockpot.catalog.models import RouteSettings
from stockpot.catalog.store.tables import routes


class RouteRow(NamedTuple):
    """An alias and when it was made."""

    name: str
    settings: RouteSettings
    created_ms: int


def list_routes(c: sa.Connection) -> tuple[RouteRow, ...]:
    """All by name."""
    rows = c.execute(sa.select(routes).order_by(routes.c.name)).mappings()
    return tuple(
        RouteRow(
            r["name"],
            RouteSettings(**{name: r[name] for name in RouteSettings.model_fields}),
            r["created_ms"],
        )
        for r in rows
    )


def put_route(c: sa.Connection, name: str, settings: RouteSettings, now_ms: int) -> None:
    """Define an alias, or replace it."""
    remove_route(c, name)
    values = settings.model_dump(mode="json")
    c.execute(sa.insert(routes).values(name=name, created_ms=now_ms, **values))


def remove_route(c: sa.Connection, name: str) -> int:
    """Remove an alias; returns how many there were."""
    return c.execute(sa.delete(routes).where(routes.c.name == name)).rowcount
