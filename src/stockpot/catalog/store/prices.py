"""Prices that were stated here."""

from __future__ import annotations

import sqlalchemy as sa

from stockpot.catalog.own_prices import OwnPrice
from stockpot.catalog.store.tables import own_prices

_PLACE = ("provider", "model", "tier", "above", "valid_from_ms")


def list_prices(c: sa.Connection) -> tuple[OwnPrice, ...]:
    """All of them, in the order of their places."""
    columns = [own_prices.c[name] for name in _PLACE]
    rows = c.execute(sa.select(own_prices).order_by(*columns)).mappings()
    return tuple(OwnPrice.model_validate(dict(row)) for row in rows)


def put_price(c: sa.Connection, price: OwnPrice) -> None:
    """State a price; one of the same model, tier, length and day gives way."""
    same = sa.and_(*(own_prices.c[name] == getattr(price, name) for name in _PLACE))
    c.execute(sa.delete(own_prices).where(same))
    c.execute(sa.insert(own_prices).values(**price.model_dump(mode="json")))


def remove_price(c: sa.Connection, price_id: str) -> bool:
    """Whether there was one."""
    return bool(c.execute(sa.delete(own_prices).where(own_prices.c.id == price_id)).rowcount)
