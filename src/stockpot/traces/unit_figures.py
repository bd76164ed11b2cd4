"""What the units of an experiment did, summed by arm. Records alone.

A unit counts once: of each unit and metric the mean of its calls is one observation.
"""

from __future__ import annotations

from typing import NamedTuple

UNIT_METRICS = ("calls", "cost", "latency_ms", "ttft_ms", "tokens", "error")
"""`cost` is in nano-dollars; `error` is 1 for a call that failed."""


class UnitSums(NamedTuple):
    """Of one arm and metric: how many units there are, the sum of their means, of their squares,
    and of their calls. Of those whose end user was here before (`known`): the sums of what they did
    before, of its squares, of the products with what they do now, and of the latter alone."""

    n: int
    total: float
    squares: float
    calls: int
    known: int = 0
    before: float = 0.0
    before_squares: float = 0.0
    products: float = 0.0
    known_total: float = 0.0


class UnitFigures(NamedTuple):
    """An experiment's units: sums by (metric, arm), and those units (by name) that were seen in two
    arms, which are in no sum."""

    sums: dict[tuple[str, str], UnitSums]
    crossed: frozenset[str]
