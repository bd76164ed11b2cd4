"""Providers that were connected by hand, with their sealed secrets."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.catalog.store.tables import providers


class ProviderRow(NamedTuple):
    """A connected provider. `sealed_secret` opens with the instance's key only, `secret_ref` names
    a variable or a file. `models` were chosen; without them it offers those that it `listed`."""

    name: str
    vendor: str
    base_url: str
    sealed_secret: bytes | None
    secret_hint: str
    models: tuple[str, ...]
    created_ms: int
    secret_ref: str = ""
    listed: tuple[str, ...] = ()


def list_providers(c: sa.Connection) -> tuple[ProviderRow, ...]:
    """All by name."""
    rows = c.execute(sa.select(providers).order_by(providers.c.name)).mappings()
    return tuple(
        ProviderRow(**{**row, "models": tuple(row["models"]), "listed": tuple(row["listed"])})
        for row in rows
    )


def put_provider(c: sa.Connection, row: ProviderRow) -> None:
    """Connect a provider, or replace it."""
    remove_provider(c, row.name)
    values: dict[str, Any] = {
        **row._asdict(),
        "models": list(row.models),
        "listed": list(row.listed),
    }
    c.execute(sa.insert(providers).values(**values))


def remove_provider(c: sa.Connection, name: str) -> int:
    """Disconnect; returns how many there were."""
    return c.execute(sa.delete(providers).where(providers.c.name == name)).rowcount
