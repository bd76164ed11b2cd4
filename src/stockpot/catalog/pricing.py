"""Price rows out of the `genai-prices` package: bundled data, no network. Knows no store.

The package states a price per bucket, with variants by service tier, prices that change with the
length of the prompt, with the day or with the hour. Each combination becomes a row of its own that
says all prices in full. What the package does not know stays without rows, so that its cost is
unknown rather than zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from stockpot.prices import PriceRow

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, PriceVariant, Provider

_PICO_PER_TOKEN = Decimal(10**6)
"""Pico-dollars a token for one dollar per million tokens."""
_PICO_PER_PIECE = Decimal(10**9)
"""Pico-dollars a request or a search for one dollar per thousand."""

_TOKENS = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write", "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning", "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output", "cache_audio_read_mtok": "audio_cache_read",
    "input_image_mtok": "image_input", "output_image_mtok": "image_output",
    "cache_image_read_mtok": "image_cache_read",
}  # fmt: skip
_PIECES = {"requests_kcount": "request", "web_searches_kcount": "search"}
_HOURS = {"input_audio_hours": "audio_time"}
_PICO_PER_MS = Decimal(10**12) / 3_600_000
"""Pico-dollars a millisecond for one dollar per hour."""
_LETTERS = {"input_mchars": "characters"}
_SCALES = (
    (_TOKENS, _PICO_PER_TOKEN), (_PIECES, _PICO_PER_PIECE), (_HOURS, _PICO_PER_MS),
    (_LETTERS, _PICO_PER_TOKEN),
)  # fmt: skip
_ENOUGH = {"input", "request", "audio_time", "characters"}
"""A row needs one of these: what is priced by the picture or the page is not ours to count."""
_TIER_KEYS = ("service_tier", "processing", "speed")
"""What a variant may depend on and still be a service tier, in the package's words."""
_ORDINARY = "default"

Hours = tuple[int, int] | None


class _When(NamedTuple):
    """Which calls a row is for, besides its date."""

    tier: str
    hours: Hours
    above: int


@cache
def price_rows(prices_as: str, model: str) -> tuple[PriceRow, ...]:
    """All rows of a model, oldest first; none when it is unknown. `prices_as` is the package's name
    of the vendor."""
    known = _providers()
    provider = known.get(prices_as)
    found = provider.find_model(model, all_providers=list(known.values())) if provider else None
    if provider is None or found is None:
        return ()
    own = any(found is one for one in provider.models)
    # Another vendor's model is sold here without its tiers.
    variants = [v for v in found.price_variants or () if own and _tier(v)]
    return tuple(_rows(prices_as, found, variants))


@cache
def _providers() -> dict[str, Provider]:
    # Half a megabyte of rules: loaded when a priced vendor is first compiled, not at import.
    from genai_prices.data_snapshot import get_snapshot

    return {provider.id: provider for provider in get_snapshot().providers}


def _rows(prices_as: str, model: ModelInfo, variants: list[PriceVariant]) -> Iterator[PriceRow]:
    """Rows by date, then by tier; those of one tier from the general to the special."""
    standing: dict[str, list[dict[str, object]]] = {}
    tiers = ("", *dict.fromkeys(_tier(variant) for variant in variants))
    for day in _days(model, variants):
        for tier in tiers:
            rows = [
                row
                for hours in _hours(model)
                if (row_prices := _prices(model, variants, day, hours, tier)) is not None
                for row in _by_length(row_prices, tier, hours)
            ]
            if rows and standing.get(tier) != rows:
                standing[tier] = rows
                for row in rows:
                    yield _row(prices_as, model, day, row)


def _tier(variant: PriceVariant) -> str:
    """The service tier of a variant, '' when it is none or the ordinary one."""
    if len(variant.when) != 1:
        return ""
    ((key, word),) = variant.when.items()
    return word if key in _TIER_KEYS and word != _ORDINARY else ""


def _days(model: ModelInfo, variants: list[PriceVariant]) -> list[date | None]:
    from genai_prices.types import StartDateConstraint

    conditions = [price.constraint for price in _dated(model)]
    conditions += [variant.constraint for variant in variants]
    starts = {c.start_date for c in conditions if isinstance(c, StartDateConstraint)}
    return [None, *sorted(starts)]


def _hours(model: ModelInfo) -> list[Hours]:
    from genai_prices.types import TimeOfDateConstraint

    conditions = [p.constraint for p in _dated(model)]
    daily = [c for c in conditions if isinstance(c, TimeOfDateConstraint)]
    return [None, *((_second(c.start_time), _second(c.end_time)) for c in daily)]


def _dated(model: ModelInfo) -> list[ConditionalPrice]:
    from genai_prices.types import ConditionalPrice

    given = model.prices
    return given if isinstance(given, list) else [ConditionalPrice(prices=given)]


def _prices(
    model: ModelInfo, variants: list[PriceVariant], day: date | None, hours: Hours, tier: str
) -> dict[str, Any] | None:
    """What the package charges then, by its names; None where no such tier or hours are known."""
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

    def holds(condition: object) -> bool:
        if isinstance(condition, StartDateConstraint):
            return day is not None and condition.start_date <= day
        if isinstance(condition, TimeOfDateConstraint):
            return hours == (_second(condition.start_time), _second(condition.end_time))
        return True

    active = [price for price in _dated(model) if holds(price.constraint)]
    if hours is not None and not any(
        isinstance(p.constraint, TimeOfDateConstraint) for p in active[-1:]
    ):
        return None  # a later price of all hours has taken their place
    standing = active[-1] if active else _dated(model)[0]
    prices = {k: v for k, v in vars(standing.prices).items() if v is not None}
    if not tier:
        return prices
    fitting = [v for v in variants if _tier(v) == tier and holds(v.constraint)]
    for variant in reversed(fitting):  # the first of them is the one that counts
        prices |= {k: v for k, v in vars(variant.prices).items() if v is not None}
    return prices if fitting else None


def _by_length(prices: dict[str, Any], tier: str, hours: Hours) -> Iterator[dict[str, object]]:
    """A row's prices for short prompts, then for those above each threshold."""
    steps = {step.start for price in prices.values() for step in getattr(price, "tiers", ())}
    for above in (0, *sorted(steps)):
        row: dict[str, object] = _When(tier, hours, above)._asdict()
        for names, scale in _SCALES:
            for theirs, ours in names.items():
                if (price := prices.get(theirs)) is not None:
                    row[ours] = round(_at(price, above) * scale)
        if not _ENOUGH & row.keys():
            return
        yield row


def _at(price: Any, above: int) -> Decimal:
    """A price for a prompt just above a threshold (0: a short one)."""
    fitting = [step.price for step in getattr(price, "tiers", ()) if step.start <= above]
    found: Decimal = fitting[-1] if above and fitting else getattr(price, "base", price)
    return found


def _row(prices_as: str, model: ModelInfo, day: date | None, row: dict[str, Any]) -> PriceRow:
    package = f"genai-prices {version('genai-prices')}"
    notes = [f"-{day:%Y-%m-%d}" if day else ""]
    notes += [f"+{row['tier']}"] if row["tier"] else []
    notes += [f"+from-{row['hours'][0] // 60}-to-{row['hours'][1] // 60}"] if row["hours"] else []
    notes += [f"+above-{row['above']}"] if row["above"] else []
    return PriceRow(
        id=f"{package.replace(' ', '-')}/{prices_as}/{model.id}{''.join(notes)}",
        valid_from_ms=_ms(day),
        source=f"{package}, valid from {day:%Y-%m-%d}" if day else package,
        **{"input": 0, "output": 0, **row},
    )


def _second(moment: time) -> int:
    """The second of the day in UTC; a time without a zone is in UTC."""
    offset = moment.utcoffset()
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return (seconds - int(offset.total_seconds() if offset else 0)) % 86_400


def _ms(day: date | None) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000 if day else 0
