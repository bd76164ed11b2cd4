"""Price rows out of the `genai-prices` package: bundled data, no network. Knows no store.

A row is what the package says for plain text tokens: where a price has tiers by prompt length it is
the first tier's, where it changes by the hour it is the standing price, and the row says so. What
the package does not know stays without rows, so that its cost is unknown rather than zero.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from stockpot.prices import PriceRow

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, Provider

_PICO_PER_TOKEN = Decimal(10**6)
"""Pico-dollars a token for one dollar per million tokens."""
_PICO_PER_REQUEST = Decimal(10**9)
"""Pico-dollars a request for one dollar per thousand requests."""


@cache
def price_rows(prices_as: str, model: str) -> tuple[PriceRow, ...]:
    """All rows of a model, oldest first; none when it is unknown. `prices_as` is the package's name
    of the vendor."""
    known = _providers()
    provider = known.get(prices_as)
    found = provider.find_model(model, all_providers=list(known.values())) if provider else None
    if found is None:
        return ()
    rows = (_row(prices_as, found, valid_from, price) for valid_from, price in _dated(found))
    return tuple(row for row in rows if row is not None)


@cache
def _providers() -> dict[str, Provider]:
    # Half a megabyte of rules: loaded when a priced vendor is first compiled, not at import.
    from genai_prices.data_snapshot import get_snapshot

    return {provider.id: provider for provider in get_snapshot().providers}


def _dated(model: ModelInfo) -> list[tuple[date | None, ConditionalPrice]]:
    """The price from each date on; later entries of the package's list take precedence."""
    from genai_prices.types import ConditionalPrice, StartDateConstraint

    given = model.prices
    prices = given if isinstance(given, list) else [ConditionalPrice(prices=given)]
    standing = [p for p in prices if p.constraint is None]
    by_date = [p for p in prices if isinstance(p.constraint, StartDateConstraint)]
    begins: list[tuple[date | None, ConditionalPrice]] = [(None, (standing or prices[:1])[-1])]
    for price in by_date:
        assert isinstance(price.constraint, StartDateConstraint)
        start = price.constraint.start_date
        begins = [(d, p) for d, p in begins if d is None or d < start]
        begins.append((start, price))
    return begins


def _row(
    prices_as: str, model: ModelInfo, valid_from: date | None, dated: ConditionalPrice
) -> PriceRow | None:
    price = dated.prices
    into, out = _pico(price, "input_mtok"), _pico(price, "output_mtok")
    request = _pico(price, "requests_kcount", _PICO_PER_REQUEST)
    if into is None and request is None:
        return None  # priced by the picture, the second or the page: not ours to count
    start = f"-{valid_from:%Y-%m-%d}" if valid_from else ""
    return PriceRow(
        id=f"genai-prices-{version('genai-prices')}/{prices_as}/{model.id}{start}",
        valid_from_ms=_ms(valid_from),
        input=into or 0,
        output=out or 0,
        cache_read=_pico(price, "cache_read_mtok"),
        cache_write=_pico(price, "cache_write_mtok"),
        reasoning=_pico(price, "output_reasoning_mtok"),
        request=request or 0,
        source=_source(model, valid_from, price),
    )


def _source(model: ModelInfo, valid_from: date | None, price: ModelPrice) -> str:
    from genai_prices.types import TieredPrices, TimeOfDateConstraint

    prices = model.prices if isinstance(model.prices, list) else []
    notes = [f"genai-prices {version('genai-prices')}"]
    if valid_from:
        notes.append(f"valid from {valid_from:%Y-%m-%d}")
    if any(isinstance(value, TieredPrices) for value in vars(price).values()):
        notes.append("first tier; long prompts cost more")
    if any(isinstance(p.constraint, TimeOfDateConstraint) for p in prices):
        notes.append("standing price; some hours cost otherwise")
    return ", ".join(notes)


def _pico(price: ModelPrice, key: str, scale: Decimal = _PICO_PER_TOKEN) -> int | None:
    value = vars(price).get(key)
    base = getattr(value, "base", value)
    return None if base is None else round(base * scale)


def _ms(day: date | None) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000 if day else 0
