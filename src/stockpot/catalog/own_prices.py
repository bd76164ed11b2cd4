"""Prices that people state themselves, with their source, and how they stand above published ones.

Records and pure functions. Knows price rows; knows no store and no package. From its day on an own
price stands for its model at its provider in every way: in tiers, at hours and for lengths of
prompts that it says nothing about too.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, model_validator

from stockpot.catalog.models import Frozen, Name
from stockpot.prices import BUCKETS, PriceRow

_TOKEN, _PIECE = Decimal(10**6), Decimal(10**9)
"""Pico-dollars of one token for a dollar per million, of one piece for one per thousand."""
_OTHERS = {
    "request": _PIECE, "search": _PIECE, "audio_time": Decimal(10**12) / 3_600_000,
    "characters": _TOKEN,
}  # fmt: skip
"""Of what is no token; a millisecond of sound is priced by the hour."""
_DIGITS = {"audio_time": 5}
"""Decimals that whole pico-dollars keep, where that is fewer than may be stated."""

Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]
Bucket = Literal[
    "input", "output", "cache_read", "cache_write", "reasoning", "request", "cache_write_1h",
    "audio_input", "audio_output", "audio_cache_read", "image_input", "image_output",
    "image_cache_read", "search", "audio_time", "characters",
]  # fmt: skip


class NewPrice(Frozen):
    """Dollars per million tokens by bucket; per thousand requests and searches, per hour of sound
    (`audio_time`), per million characters of text that is spoken. `source` says where they come
    from: a page, a contract. They hold from `valid_from_ms` on (0: always), for prompts of more
    than `above` tokens, in one service tier ('' is the ordinary one)."""

    provider: Name
    model: Name
    dollars: dict[Bucket, Dollars]
    source: str = Field(min_length=3, max_length=500)
    valid_from_ms: int = Field(0, ge=0, lt=10**14)
    tier: str = Field("", max_length=40)
    above: int = Field(0, ge=0, le=10**9)

    @model_validator(mode="after")
    def _says_enough(self) -> NewPrice:
        if not {"input", "request", "audio_time", "characters"} & set(self.dollars):
            raise ValueError(
                "a price needs a price of input, of a request, of sound or of characters"
            )
        return self


class OwnPrice(NewPrice):
    """One that was stated."""

    id: str
    created_ms: int
    created_by: str


class Price(Frozen):
    """One price row as people read it: what `NewPrice` says, and whether it is one. `hours` are
    seconds of the day in UTC, from and until."""

    id: str
    provider: str
    model: str
    dollars: dict[str, float]
    source: str
    own: bool
    valid_from_ms: int
    tier: str
    above: int
    hours: tuple[int, int] | None


class ModelPrices(Frozen):
    """All rows of a model at a provider, oldest first, and the one that an ordinary short prompt is
    billed by now (its id; None where the price is unknown)."""

    provider: str
    model: str
    free: bool
    present: str | None
    rows: tuple[Price, ...]


def row_of(own: OwnPrice) -> PriceRow:
    """As the gateway takes it."""
    prices: dict[str, Any] = {"input": 0, "output": 0}
    prices |= {str(name): round(d * _OTHERS.get(name, _TOKEN)) for name, d in own.dollars.items()}
    return PriceRow(
        id=f"own/{own.id}",
        valid_from_ms=own.valid_from_ms,
        source=own.source,
        tier=own.tier,
        above=own.above,
        **prices,
    )


def with_own(published: tuple[PriceRow, ...], own: Iterable[OwnPrice]) -> tuple[PriceRow, ...]:
    """Published rows until the first own one is valid, and from there the own ones alone."""
    stated = sorted((row_of(price) for price in own), key=_order)
    if not stated:
        return published
    kept = tuple(row for row in published if row.valid_from_ms < stated[0].valid_from_ms)
    own_tiers = {row.tier for row in stated}
    others = sorted({row.tier for row in kept} - own_tiers)
    copies = [
        msgspec.structs.replace(row, tier=tier) for row in stated if not row.tier for tier in others
    ]
    return (*kept, *sorted((*stated, *copies), key=_order))


def _order(row: PriceRow) -> tuple[int, str, int]:
    return row.valid_from_ms, row.tier, row.above


def shown(provider: str, model: str, row: PriceRow) -> Price:
    """A row in dollars, in the measures of `NewPrice`; buckets that cost what their parent costs
    are left out."""
    picos = {name: getattr(row, name) for name in BUCKETS}
    dollars = {
        name: round(float(pico / _OTHERS.get(name, _TOKEN)), _DIGITS.get(name, 6))
        for name, pico in picos.items()
        if pico is not None and (pico or name not in _OTHERS)
    }
    return Price(
        id=row.id,
        provider=provider,
        model=model,
        dollars=dollars,
        source=row.source,
        own=row.id.startswith("own/"),
        valid_from_ms=row.valid_from_ms,
        tier=row.tier,
        above=row.above,
        hours=row.hours,
    )
