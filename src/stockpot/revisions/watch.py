"""Deciding whether a release does harm on its first worker. Pure: figures in, a verdict out.

It is compared with the other workers in the same seconds, so that an upstream's bad hour is not
held against it; where they had too few calls, with all workers in the time before. It does harm
when it fails more by at least two calls in a hundred and by three standard errors of the difference
of two proportions, or when its 95th percentile is more than twice theirs and 0.1 s above.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stockpot.revisions.tally import Tally

ENOUGH = 20
"""Calls below which a group says nothing."""

MORE_ERRORS = 0.02
STANDARD_ERRORS = 3.0
SLOWER, SLOWER_BY_S = 2.0, 0.1
PATIENCE = 4
"""Windows after which a release goes on although it had too few calls to be compared."""


class Groups(NamedTuple):
    """The first worker since the release, the others since then, all before it."""

    canary: Tally = Tally()
    others: Tally = Tally()
    before: Tally = Tally()


class Verdict(NamedTuple):
    """Whether a release goes on to all workers, and why."""

    spread: bool
    reason: str


def verdict(groups: Groups, elapsed_s: float, window_s: float, min_calls: int) -> Verdict | None:
    """None while there is more to see. Harm is told as soon as it shows."""
    harm = _harm(groups, min_calls)
    if harm:
        return Verdict(False, harm)
    calls = groups.canary.calls
    if elapsed_s >= window_s and calls >= min_calls:
        return Verdict(True, f"{calls} calls on the first worker, no sign of harm")
    if elapsed_s >= window_s * PATIENCE:
        told = f"only {calls} of {min_calls} calls came to the first worker, no sign of harm"
        return Verdict(True, told)
    return None


def _harm(groups: Groups, min_calls: int) -> str:
    canary = groups.canary
    if canary.calls < min(ENOUGH, min_calls):
        return ""
    name, reference = _reference(groups)
    errors, usual = _share(canary), _share(reference)
    if errors - usual > max(MORE_ERRORS, STANDARD_ERRORS * _spread(canary, reference)):
        return (
            f"{errors:.1%} of {canary.calls} calls failed on the first worker, "
            f"{usual:.1%} of {reference.calls} {name}"
        )
    slow, usual_s = canary.p95_s(), reference.p95_s()
    if slow is None or usual_s is None or canary.calls < min_calls:
        return ""
    if slow > SLOWER * usual_s and slow - usual_s > SLOWER_BY_S:
        return (
            f"95 of 100 calls took up to {slow:.3g} s on the first worker, "
            f"up to {usual_s:.3g} s {name}"
        )
    return ""


def _reference(groups: Groups) -> tuple[str, Tally]:
    if groups.others.calls >= ENOUGH:
        return "on the others", groups.others
    if groups.before.calls >= ENOUGH:
        return "before", groups.before
    return "elsewhere", Tally()


def _share(tally: Tally) -> float:
    return tally.errors / tally.calls if tally.calls else 0.0


def _spread(one: Tally, other: Tally) -> float:
    """The standard error of the difference of two proportions, pooled."""
    calls = one.calls + other.calls
    pooled = (one.errors + other.errors) / calls if other.calls else 0.0
    return math.sqrt(pooled * (1 - pooled) * (1 / one.calls + 1 / max(1, other.calls)))
