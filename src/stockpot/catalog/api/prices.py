"""Routes of prices. A model's name may hold slashes."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockpot.catalog.api.who import Admin, Viewer
from stockpot.catalog.own_prices import ModelPrices, NewPrice, Price
from stockpot.catalog.service.prices import PriceService


def price_routes(routes: APIRouter, prices: PriceService) -> None:
    """List, state, remove."""

    @routes.get("/prices", tags=["prices"])
    async def list_prices(
        _: Viewer,
        provider: Annotated[str | None, Query(max_length=200)] = None,
        model: Annotated[str | None, Query(max_length=200)] = None,
    ) -> tuple[ModelPrices, ...]:
        """Price rows of the models that are routed to; with provider and model, of that one."""
        if provider is not None and model is not None:
            return (await prices.of(provider, model),)
        found = await prices.all()
        return tuple(
            p for p in found if provider in (None, p.provider) and model in (None, p.model)
        )

    @routes.post("/prices", status_code=201, tags=["prices"])
    async def set_price(new: NewPrice, principal: Admin) -> Price:
        """State a price with its source; it stands above published ones."""
        return await prices.state(principal, new)

    @routes.delete("/prices/{price_id}", status_code=204, tags=["prices"])
    async def remove_price(price_id: str, principal: Admin) -> None:
        """Take an own price back."""
        await prices.remove(principal, price_id)
