"""How fast ideas reach production, how often a release fails, and how long restoring takes. Pure.

Measures as in Forsgren, Humble and Kim 2018 (Accelerate): a release is a move of `production` to a
version that is newer than the one before; it failed when a later move takes it back.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from stockpot.evals.models import Lead, Release
from stockpot.evals.ports import Move

_HOUR_MS = 3_600_000


def releases_of(moves: Sequence[Move], from_ms: float, to_ms: float) -> list[Release]:
    """The releases of a window, newest first, out of all moves, oldest first. What took one of them
    back may lie after the window."""
    found: list[Release] = []
    live: dict[tuple[str, int], int] = {}
    for move in moves:
        if move.before is not None and move.after < move.before:
            place = live.pop((move.prompt, move.before), None)
            if place is not None:
                hours = (move.at_ms - found[place].at_ms) / _HOUR_MS
                told = {"failed": True, "restored_to": move.after, "restore_hours": hours}
                found[place] = found[place].model_copy(update=told)
            continue
        live[move.prompt, move.after] = len(found)
        lead = max(0.0, move.at_ms - move.made_ms) / _HOUR_MS
        found.append(
            Release(prompt=move.prompt, version=move.after, before=move.before, at_ms=move.at_ms,
                    lead_hours=lead)
        )  # fmt: skip
    return [one for one in reversed(found) if from_ms <= one.at_ms < to_ms]


def lead_of(hours: Sequence[float]) -> Lead:
    """Times in one: half took at most the median, nine of ten at most the 90th percentile."""
    if not hours:
        return Lead(n=0, median_hours=None, p90_hours=None)
    ranked = sorted(hours)
    p90 = ranked[math.ceil(0.9 * len(ranked)) - 1]
    return Lead(n=len(ranked), median_hours=statistics.median(ranked), p90_hours=p90)
