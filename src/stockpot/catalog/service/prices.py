"""What models cost here: published prices, and own ones that stand above them."""

from __future__ import annotations

import time

import sqlalchemy as sa

from stockpot.access import Principal, audit
from stockpot.catalog.own_prices import ModelPrices, NewPrice, OwnPrice, Price, shown, with_own
from stockpot.catalog.pricing import price_rows
from stockpot.catalog.publish import Published, Publisher
from stockpot.catalog.store import prices
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.prices import PriceRow, ordinary_row


class PriceService:
    """Price rows by provider and model."""

    def __init__(self, db: Database, publisher: Publisher) -> None:
        self._db = db
        self._publisher = publisher

    async def all(self) -> tuple[ModelPrices, ...]:
        """Every model that is routed to, with its rows."""
        published = await self._publisher.current()
        return tuple(
            _prices(target.provider, target.model, target.free, target.prices)
            for target in published.compiled.part.targets
        )

    async def of(self, provider: str, model: str) -> ModelPrices:
        """The rows of any model at a connected provider, routed to or not."""
        published = await self._publisher.current()
        for target in published.compiled.part.targets:
            if (target.provider, target.model) == (provider, model):
                return _prices(provider, model, target.free, target.prices)
        offer = next((o for o in published.offers if o.name == provider), None)
        if offer is None:
            raise _unknown(published, provider)
        stated = await self._db.read(prices.list_prices)
        own = [p for p in stated if (p.provider, p.model) == (provider, model)]
        free = offer.free and not own
        rows = () if offer.free else price_rows(offer.prices_as, model)
        return _prices(provider, model, free, with_own(rows, own))

    async def state(self, actor: Principal, new: NewPrice) -> Price:
        """State a price; from its day on it stands above what is published."""
        published = await self._publisher.current()
        if not any(offer.name == new.provider for offer in published.offers):
            raise _unknown(published, new.provider)
        made = OwnPrice(
            **new.model_dump(), id=record_id("price"), created_ms=now_ms(), created_by=actor.label
        )

        def write(c: sa.Connection) -> None:
            prices.put_price(c, made)
            audit(c, actor, "price.set", made.id, after=made, **new.model_dump(mode="json"))

        await self._db.write(write)
        await self._publisher.refresh(f"price of {new.provider}/{new.model} stated")
        (row,) = with_own((), (made,))
        return shown(new.provider, new.model, row)

    async def remove(self, actor: Principal, price_id: str) -> None:
        """Take an own price back; what is published holds again."""
        ident = price_id.removeprefix("own/")

        def write(c: sa.Connection) -> None:
            known = prices.list_prices(c)
            if not prices.remove_price(c, ident):
                near = did_you_mean(ident, [price.id for price in known])
                hint = "stockpot prices list --own"
                raise NotFound(f"no own price {price_id!r}{near and '.' + near}", hint=hint)
            before = next(price for price in known if price.id == ident)
            audit(c, actor, "price.remove", ident, before=before)

        await self._db.write(write)
        await self._publisher.refresh(f"price {ident} removed")


def _prices(provider: str, model: str, free: bool, rows: tuple[PriceRow, ...]) -> ModelPrices:
    present = ordinary_row(rows, time.time_ns() // 1_000_000)
    return ModelPrices(
        provider=provider,
        model=model,
        free=free,
        present=present.id if present is not None else None,
        rows=tuple(shown(provider, model, row) for row in rows),
    )


def _unknown(published: Published, provider: str) -> NotFound:
    known = sorted({offer.name for offer in published.offers})
    near = did_you_mean(provider, known)
    return NotFound(f"no provider {provider!r}.{near}", hint="stockpot providers list")
