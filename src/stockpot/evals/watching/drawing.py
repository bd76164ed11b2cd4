"""Drawing spans at random, each with a probability that is known. Pure.

Whether a span is drawn follows from its ids and the rule's salt alone, so that the same span is
drawn again when a run is repeated, and two rules draw independently of each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import NamedTuple

from stockpot.evals.watching.models import OnlineSpec, Stratum
from stockpot.traces import Span


class Drawn(NamedTuple):
    """A span that was drawn, and how many spans it stands for."""

    span: Span
    weight: float
    stratum: str


def place(salt: str, span: Span) -> float:
    """A number from 0 up to 1 that belongs to a span."""
    told = f"{salt}\0{span.project}\0{span.trace_id}\0{span.span_id}"
    return int.from_bytes(blake2b(told.encode(), digest_size=8).digest()) / 2**64


def stratum_of(spec: OnlineSpec, span: Span, disliked: Collection[str]) -> Stratum | None:
    """The first stratum that a span is in; `disliked` are traces with low feedback."""
    for stratum in spec.strata:
        match stratum.when:
            case "error":
                inside = span.status != "ok"
            case "low_feedback":
                inside = span.trace_id in disliked
            case "slow":
                inside = span.duration_ms > stratum.above
            case "costly":
                inside = (span.cost_nano or 0) > stratum.above
            case _:
                inside = stratum.tag in span.tags
        if inside:
            return stratum
    return None


def drawn(
    spec: OnlineSpec, salt: str, spans: Sequence[Span], disliked: Collection[str],
    thinned: float = 1.0,
) -> list[Drawn]:  # fmt: skip
    """Those of some spans that are drawn. With `thinned` below 1 each rate is so much smaller, and
    each weight so much larger: the mean stays what it was."""
    found = []
    for span in spans:
        stratum = stratum_of(spec, span, disliked)
        chance = (spec.rate if stratum is None else stratum.rate) * thinned
        if chance > 0 and place(salt, span) < chance:
            name = stratum.when if stratum else ""
            found.append(Drawn(span, span.sample_weight / chance, name))
    return found
