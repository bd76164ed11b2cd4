"""Usage in tokens, effective-dated prices in pico-dollars, cost in nano-dollars; all integers.

A token price such as $0.0375 per million is 37,500 pico-dollars a token, so no price in use needs a
fraction and no sum drifts.
"""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, array_like=True):
    """Tokens of one attempt. `input` includes cache reads and writes (OTel GenAI conventions);
    `output` includes reasoning; audio and image tokens are parts of input and output too.

    `cache_write_1h` is the part of `cache_write` with the longer lifetime. `searches` counts web
    searches that the vendor ran, which it bills apart. `tier` is the vendor's word for the service
    tier that served the call, '' for the ordinary one.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    audio_output: int = 0
    image_input: int = 0
    image_output: int = 0
    searches: int = 0
    tier: str = ""


class PriceRow(msgspec.Struct, frozen=True, array_like=True):
    """Pico-dollars per token (and per request), valid from `valid_from_ms` until the next row.

    A bucket that is None costs what its parent costs: cache_read and cache_write fall back to
    input, reasoning to output.
    """

    id: str
    valid_from_ms: int
    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    request: int = 0
    source: str = ""


class Cost(msgspec.Struct, frozen=True, array_like=True):
    """Nano-dollars by bucket; `total` is their sum by construction."""

    price_id: str
    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int
    request: int

    @property
    def total(self) -> int:
        return (
            self.input
            + self.output
            + self.cache_read
            + self.cache_write
            + self.reasoning
            + self.request
        )


def price_of(usage: Usage, rows: tuple[PriceRow, ...], at_ms: int) -> Cost | None:
    """Cost at a time, or None when no row was valid then: unknown is never zero.

    `rows` are sorted by `valid_from_ms`, oldest first.
    """
    row = None
    for candidate in rows:
        if candidate.valid_from_ms > at_ms:
            break
        row = candidate
    if row is None:
        return None
    if not (usage.cache_read or usage.cache_write or usage.reasoning):
        into, out = (usage.input * row.input + 500) // 1000, (usage.output * row.output + 500)
        return Cost(row.id, into, out // 1000, 0, 0, 0, (row.request + 500) // 1000)
    fresh = max(0, usage.input - usage.cache_read - usage.cache_write)
    plain = max(0, usage.output - usage.reasoning)
    read = row.input if row.cache_read is None else row.cache_read
    write = row.input if row.cache_write is None else row.cache_write
    reason = row.output if row.reasoning is None else row.reasoning
    return Cost(  # each bucket rounded half up to a whole nano-dollar
        row.id,
        (fresh * row.input + 500) // 1000,
        (plain * row.output + 500) // 1000,
        (usage.cache_read * read + 500) // 1000,
        (usage.cache_write * write + 500) // 1000,
        (usage.reasoning * reason + 500) // 1000,
        (row.request + 500) // 1000,
    )
