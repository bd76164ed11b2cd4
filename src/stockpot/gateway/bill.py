"""What an attempt used and what that costs. Knows usage and price rows; knows no record, no spool.

What the provider reported is billed as it is, unless it cannot be: a number below zero would be
credit for other calls. Of an answer that was cut off, what is missing is
counted here: the prompt by its length, the answer by its pieces.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stockpot.prices import DETAIL, Usage, price_of

if TYPE_CHECKING:
    from stockpot.gateway.attempt import Attempt
    from stockpot.gateway.models import Record
    from stockpot.providers import Answer, Ask

NO_USAGE = Usage()
_UNCOUNTED = frozenset({"speech", "transcriptions", "translations", "images", "image_edits"})
"""Endpoints whose answers' pieces are no tokens."""
_detail = attrgetter(*DETAIL)
_MOST = 1 << 40
"""More of anything is no usage of one call, and its cost might not fit a record."""


class Bill(NamedTuple):
    """`nano` None means that no price or no usage is known. `parts` and `units` are in the order of
    `prices.BUCKETS`; see `prices.Cost`."""

    nano: int | None
    parts: tuple[int, ...] = ()
    price_id: str = ""
    units: tuple[int, ...] = ()
    source: str = ""
    saved: int = 0


_FREE = Bill(0, price_id="free")
_NOTHING = Bill(0)
_UNKNOWN = Bill(None)


def usage_of(attempt: Attempt) -> tuple[Usage, str]:
    """What the upstream reported; else, for an answer that was under way, what was counted here."""
    if attempt.outrun:
        return _outrun(attempt)
    ask = attempt.call.ask
    assert ask is not None
    return heard(ask, attempt.answer, counting=attempt.streaming and not attempt.unbilled)


def heard(ask: Ask, answer: Answer | None, *, counting: bool) -> tuple[Usage, str]:
    """Usage and where it comes from. `counting` says that what the provider left out is counted
    here."""
    if answer is None:
        return NO_USAGE, "none"
    usage = _reported(answer)
    counting = counting and ask.endpoint not in _UNCOUNTED
    if usage is not None:
        if not counting or answer.ended or answer.finish_reason or usage.output >= answer.pieces:
            return usage, "provider"
        # Some report the prompt at the beginning and the answer at the end, which never came.
        return msgspec.structs.replace(usage, output=answer.pieces), "estimated"
    if not counting:
        return NO_USAGE, "none"
    return Usage(ask.input_tokens, answer.pieces), "estimated"


def _reported(answer: Answer) -> Usage | None:
    u = answer.usage
    if u is None:
        return None
    # All numbers at once: negative when one is, and as long as the longest.
    bits = u.input | u.output | u.cache_read | u.cache_write | u.reasoning | u.cache_write_1h
    bits |= u.audio_input | u.audio_output | u.image_input | u.image_output | u.searches
    bits |= u.cache_read_audio | u.cache_read_image | u.audio_ms | u.characters
    return u if 0 <= bits < _MOST else None


def _outrun(attempt: Attempt) -> tuple[Usage, str]:
    """The vendor had the prompt, and no word came back: whether it bills that, it does not say."""
    if attempt.unbilled:
        return NO_USAGE, "none"
    answer, ask = attempt.answer, attempt.call.ask
    assert ask is not None
    reported = _reported(answer) if answer is not None else None
    return reported or Usage(ask.input_tokens, answer.pieces if answer else 0), "estimated"


def bill_of(attempt: Attempt, usage: Usage, source: str) -> Bill:
    """What an attempt costs by the row that was valid when it began."""
    spec = attempt.target.spec
    if spec.free:
        return _FREE
    if source == "none":
        return _NOTHING if attempt.answer is None else _UNKNOWN
    cost = price_of(usage, spec.prices, attempt.start_ns // 1_000_000)
    if cost is None:
        return _UNKNOWN
    return Bill(cost.total, cost.parts, cost.price_id, cost.units, cost.source, cost.saved)


def detail_of(usage: Usage) -> tuple[int, ...]:
    """The usage beyond its first five figures, as records keep it."""
    detail: tuple[int, ...] = _detail(usage)
    return detail if any(detail) else ()


def usage_in(record: Record) -> Usage:
    """What a record says was used: the reverse of `detail_of`."""
    detail = dict(zip(DETAIL, record.usage_detail, strict=False))
    return Usage(
        record.input_tokens, record.output_tokens, record.cache_read_tokens,
        record.cache_write_tokens, record.reasoning_tokens, tier=record.service_tier, **detail,
    )  # fmt: skip
