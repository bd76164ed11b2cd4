"""Usage in tokens, effective-dated prices in pico-dollars, cost in nano-dollars; all integers.

A token price such as $0.0375 per million is 37,500 pico-dollars a token, so no price in use needs a
fraction and no sum drifts.
"""

from __future__ import annotations

import msgspec

BUCKETS = (
    "input", "output", "cache_read", "cache_write", "reasoning", "request", "cache_write_1h",
    "audio_input", "audio_output", "audio_cache_read", "image_input", "image_output",
    "image_cache_read", "search", "audio_time", "characters",
)  # fmt: skip
"""What is billed apart, in the order of every array of quantities, unit prices and costs.

The order is kept in records for ever: it grows at its end, and arrays may end early (the rest is
zero). `input` is what is in no other input bucket (fresh text), `output` likewise; `cache_write` is
what lives five minutes. All are tokens but `request`, `search` and `characters`, which are counted,
and `audio_time`, milliseconds of sound.
"""

DETAIL = (
    "cache_write_1h", "audio_input", "audio_output", "image_input", "image_output", "searches",
    "cache_read_audio", "cache_read_image", "audio_ms", "characters",
)  # fmt: skip
"""Fields of Usage that records keep as one array, in its order; grows at its end."""


class Usage(msgspec.Struct, frozen=True, array_like=True):
    """Tokens of one attempt. `input` includes cache reads and writes (OTel GenAI conventions);
    `output` includes reasoning; audio and image tokens are parts of input and output too.

    `cache_write_1h` is the part of `cache_write` with the longer lifetime; `cache_read_audio` and
    `cache_read_image` are parts of `cache_read` as of `audio_input` and `image_input`. `searches`
    counts web searches as the vendor bills them. Where an answer has no tokens, `audio_ms` is how
    long the sound was that was heard, `characters` how long the text that was spoken. `tier` is the
    vendor's word for the service tier that served the call, in lower case, '' for the ordinary one.
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
    cache_read_audio: int = 0
    cache_read_image: int = 0
    audio_ms: int = 0
    characters: int = 0


class PriceRow(msgspec.Struct, frozen=True, array_like=True):
    """Pico-dollars per token (per request and search, per millisecond of sound in `audio_time`, per
    character of text that is spoken), valid from `valid_from_ms` until the
    next row.

    A bucket that is None costs what its parent costs: cache_read and cache_write fall back to
    input, cache_write_1h to cache_write, reasoning, audio_output and image_output to output,
    audio_input and image_input to input, and what is read from the cache of those to cache_read.

    A row holds for the service tier `tier`, for prompts of more than `above` input tokens, and
    within `hours` (seconds of the day in UTC, from and until; across midnight when until is less).
    Among rows of one date the later in the list is the more special.
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
    cache_write_1h: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    audio_cache_read: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    image_cache_read: int | None = None
    search: int = 0
    tier: str = ""
    above: int = 0
    hours: tuple[int, int] | None = None
    audio_time: int = 0
    characters: int = 0

    @property
    def units(self) -> tuple[int, ...]:
        """The price of every bucket, in the order of BUCKETS, with parents' prices filled in."""
        into, out = self.input, self.output
        read = into if self.cache_read is None else self.cache_read
        write = into if self.cache_write is None else self.cache_write
        return (
            into,
            out,
            read,
            write,
            out if self.reasoning is None else self.reasoning,
            self.request,
            write if self.cache_write_1h is None else self.cache_write_1h,
            into if self.audio_input is None else self.audio_input,
            out if self.audio_output is None else self.audio_output,
            read if self.audio_cache_read is None else self.audio_cache_read,
            into if self.image_input is None else self.image_input,
            out if self.image_output is None else self.image_output,
            read if self.image_cache_read is None else self.image_cache_read,
            self.search,
            self.audio_time,
            self.characters,
        )


class Cost(msgspec.Struct, frozen=True, gc=False):
    """What one attempt costs and why. `parts` are nano-dollars and `units` pico-dollars by bucket,
    in the order of BUCKETS; both may end early. `total` is the sum of the parts by construction.

    `saved` is what the vendor's prompt cache saved: the same tokens at the price of fresh ones,
    less what they cost. It is negative where writing cost more than reading brought.
    """

    price_id: str
    parts: tuple[int, ...]
    units: tuple[int, ...]
    source: str = ""
    saved: int = 0

    @property
    def total(self) -> int:
        return sum(self.parts)

    def of(self, bucket: str) -> int:
        """Nano-dollars of one bucket."""
        at = BUCKETS.index(bucket)
        return self.parts[at] if at < len(self.parts) else 0
