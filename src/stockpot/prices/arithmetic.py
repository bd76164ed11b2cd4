"""From usage to a cost: which row holds, how much is in each bucket, what that comes to.

Rounding: each bucket is quantity times unit price in pico-dollars, rounded half up to a whole
nano-dollar; nothing else is rounded. So a bill is off by half a nano-dollar a bucket at most.
"""

from __future__ import annotations

from stockpot.prices.models import Cost, PriceRow, Usage

_DAY_S = 86_400


def price_of(usage: Usage, rows: tuple[PriceRow, ...], at_ms: int) -> Cost | None:
    """Cost at a time, or None when no row was valid then: unknown is never zero.

    `rows` are sorted by `valid_from_ms`, oldest first.
    """
    row = row_for(rows, usage.tier, usage.input, at_ms)
    if row is None:
        return None
    if (
        usage.cache_read
        or usage.cache_write
        or usage.reasoning
        or usage.audio_input
        or usage.audio_output
        or usage.image_input
        or usage.image_output
        or usage.searches
        or usage.audio_ms
        or usage.characters
    ):
        if _unpriced(usage, row):
            return None
        return _in_full(usage, row)
    into, out, request = row.input, row.output, row.request
    parts = ((usage.input * into + 500) // 1000, (usage.output * out + 500) // 1000)
    if request:
        each = (*parts, 0, 0, 0, (request + 500) // 1000)
        return Cost(row.id, each, (into, out, 0, 0, 0, request), row.source)
    return Cost(row.id, parts, (into, out), row.source)


def _in_full(usage: Usage, row: PriceRow) -> Cost:
    amounts, units = quantities(usage), row.units
    parts = [(n * unit + 500) // 1000 for n, unit in zip(amounts, units, strict=True)]
    used = [unit if n else 0 for n, unit in zip(amounts, units, strict=True)]
    while parts and not parts[-1] and not used[-1]:
        parts.pop()
        used.pop()
    return Cost(row.id, tuple(parts), tuple(used), row.source, _saved(amounts, units))


def _unpriced(usage: Usage, row: PriceRow) -> bool:
    """Whether all that is known of an answer is a length that this row has no price for."""
    if usage.input or usage.output:
        return False
    return bool(
        (usage.audio_ms and not row.audio_time) or (usage.characters and not row.characters)
    )


def _saved(amounts: tuple[int, ...], units: tuple[int, ...]) -> int:
    into, audio, image = units[0], units[7], units[10]
    pico = (
        amounts[2] * (into - units[2])
        + amounts[3] * (into - units[3])
        + amounts[6] * (into - units[6])
        + amounts[9] * (audio - units[9])
        + amounts[12] * (image - units[12])
    )
    return (pico + 500) // 1000


def quantities(usage: Usage) -> tuple[int, ...]:
    """How much is in each of BUCKETS. Every token is in one bucket only; of numbers that contradict
    each other (more cached than there was), the special bucket is believed."""
    read_audio, read_image = usage.cache_read_audio, usage.cache_read_image
    audio, image = usage.audio_input - read_audio, usage.image_input - read_image
    read = usage.cache_read - read_audio - read_image
    write = usage.cache_write - usage.cache_write_1h
    fresh = usage.input - usage.cache_read - usage.cache_write - max(0, audio) - max(0, image)
    plain = usage.output - usage.reasoning - usage.audio_output - usage.image_output
    return (
        max(0, fresh),
        max(0, plain),
        max(0, read),
        max(0, write),
        usage.reasoning,
        1,
        usage.cache_write_1h,
        max(0, audio),
        usage.audio_output,
        read_audio,
        max(0, image),
        usage.image_output,
        read_image,
        usage.searches,
        usage.audio_ms,
        usage.characters,
    )


def row_for(
    rows: tuple[PriceRow, ...], tier: str, input_tokens: int, at_ms: int
) -> PriceRow | None:
    """The row that holds: the newest of the tier, else the newest ordinary one.

    A tier without a price of its own is billed as the ordinary one and not left unpriced, or a
    client could pass by its budget by asking for a tier.
    """
    found = None
    for row in reversed(rows):
        if (
            row.valid_from_ms > at_ms
            or (row.above and input_tokens <= row.above)
            or (row.hours is not None and not _within(row.hours, at_ms))
        ):
            continue
        if row.tier == tier:
            return row
        if found is None and not row.tier:
            found = row
    return found


def ordinary_row(rows: tuple[PriceRow, ...], at_ms: int) -> PriceRow | None:
    """What a short prompt costs in the ordinary tier at a time."""
    return row_for(rows, "", 0, at_ms)


def _within(hours: tuple[int, int], at_ms: int) -> bool:
    begin, end = hours
    second = at_ms // 1000 % _DAY_S
    return begin <= second < end if begin <= end else second >= begin or second < end
