"""Reading history again when conventions are known better. Knows rows and dialects; a store does
the reading and the writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from stockpot.traces.otlp import read_piece
from stockpot.traces.receiving.pricing import Prices
from stockpot.traces.receiving.spans import Origin, row
from stockpot.traces.store import NewSpan
from stockpot.traces.store.beneath import count_nothing
from stockpot.traces.store.rewriting import Change, KeptSpan, Stretch
from stockpot.traces.store.rollups import BENEATH
from stockpot.traces.store.within import unmarked

_KEPT = (
    "id", "received_ns", "payload_day", "at_ns", "start_ns", "duration_ns", "retention", "revision",
    "source", "environment", "is_root", "payload", "client",
)  # fmt: skip
"""What a row keeps, whatever its sender's words mean now."""

_COST = (
    "cost_nano", "cost_detail", "cost_source", "price_id", "price_source", "unit_prices",
    "saved_nano",
)  # fmt: skip
_USED = (
    "kind", "provider", "model", "served_model", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "usage_detail", "service_tier",
)  # fmt: skip


class History(Protocol):
    """What a store offers for this."""

    def kept_spans(self, stretch: Stretch) -> tuple[list[KeptSpan], int | None]:
        """Spans with what was sent of them, and the number to go on from."""
        ...

    def rewrite(self, changes: Sequence[Change]) -> None:
        """Put rows in the place of others, in every sum too."""
        ...


class Renormalised(msgspec.Struct):
    """How many spans were read again, how many mean something else now, and where to go on."""

    read: int
    changed: int
    following: int | None = None


def renormalise(history: History, stretch: Stretch, prices: Prices) -> Renormalised:
    """One piece of a stretch, committed."""
    found, following = history.kept_spans(stretch)
    changes = [change for one in found if (change := _change(one, prices)) is not None]
    if changes:
        history.rewrite(changes)
    return Renormalised(len(found), len(changes), following)


def _change(one: KeptSpan, prices: Prices) -> Change | None:
    before = one.row
    origin = Origin(before.project, before.environment, before.key_id, before.payload)
    now, payload = row(read_piece(one.piece), origin, prices)
    for name in _KEPT:
        setattr(now, name, getattr(before, name))
    if before.cost_source == BENEATH:
        count_nothing(now)
    elif all(getattr(now, name) == getattr(before, name) for name in _USED):
        for name in _COST:  # it may have been priced anew since
            setattr(now, name, getattr(before, name))
    if now.exposures in ("", unmarked(before.exposures)):
        now.exposures = before.exposures
        now.experiment, now.variant = before.experiment, before.variant
    if before.sample_weight is not None:
        now.sample_weight = before.sample_weight
    if _same(before, now):
        return None
    return Change(before, now, payload.text if payload is not None else "")


def _same(before: NewSpan, now: NewSpan) -> bool:
    return all(getattr(before, n) == getattr(now, n) for n in NewSpan.__struct_fields__)
