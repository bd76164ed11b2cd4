"""Many tests at once. Knows p values; knows nothing of what they test."""

from __future__ import annotations

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p values: the chance of any false alarm among all tests stays below the level
    (Holm 1979, Scandinavian Journal of Statistics 6:65)."""
    order = sorted(range(len(ps)), key=lambda number: ps[number])
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, number in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[number]))
        adjusted[number] = highest
    return adjusted
