"""What a worker's heartbeat says of its calls: how many, how many failed, how long they took. Pure.

Knows the names of the counters that a heartbeat carries (`gateway.meters`). A call failed that was
answered with 400 or more: a release that refuses what was served before is found by the same
figure as one that leads nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stockpot.revisions.models import Figures

_CALLS = "stockpot_calls_total{"
_TIMES = "gen_ai_server_request_duration_seconds_bucket{"


class Tally(NamedTuple):
    """Totals since a worker's start, or between two of its heartbeats. `up_to` counts calls by the
    upper edge of their duration in seconds, each edge including those below it."""

    calls: int = 0
    errors: int = 0
    up_to: tuple[tuple[float, int], ...] = ()

    def minus(self, earlier: Tally) -> Tally:
        """What happened since."""
        known = dict(earlier.up_to)
        up_to = tuple((edge, count - known.get(edge, 0)) for edge, count in self.up_to)
        return Tally(self.calls - earlier.calls, self.errors - earlier.errors, up_to)

    def p95_s(self) -> float | None:
        """The 95th percentile, as if calls lay evenly between two edges; None without a call."""
        total = self.up_to[-1][1] if self.up_to else 0
        if total <= 0:
            return None
        wanted, below, counted = 0.95 * total, 0.0, 0
        for edge, count in self.up_to:
            if count >= wanted:
                if math.isinf(edge):
                    return below
                return below + (edge - below) * (wanted - counted) / (count - counted)
            below, counted = edge, count
        return below

    def figures(self) -> Figures:
        """For people."""
        p95 = self.p95_s()
        return Figures(
            calls=self.calls,
            errors=self.errors,
            p95_ms=None if p95 is None else round(p95 * 1000, 3),
        )


def tally_of(counters: Mapping[str, float]) -> Tally:
    """The totals of all calls in a heartbeat's counters."""
    calls = errors = 0
    up_to: dict[float, int] = {}
    for name, value in counters.items():
        if name.startswith(_CALLS):
            calls += int(value)
            status = name.rpartition('status="')[2].partition('"')[0]
            if not status.isdigit() or not 200 <= int(status) < 400:
                errors += int(value)
        elif name.startswith(_TIMES):
            edge = float(name.rpartition('le="')[2].partition('"')[0].replace("+Inf", "inf"))
            up_to[edge] = up_to.get(edge, 0) + int(value)
    return Tally(calls, errors, tuple(sorted(up_to.items())))


def together(tallies: Iterable[Tally]) -> Tally:
    """The sum of several workers'."""
    calls = errors = 0
    up_to: dict[float, int] = {}
    for tally in tallies:
        calls += tally.calls
        errors += tally.errors
        for edge, count in tally.up_to:
            up_to[edge] = up_to.get(edge, 0) + count
    return Tally(calls, errors, tuple(sorted(up_to.items())))
