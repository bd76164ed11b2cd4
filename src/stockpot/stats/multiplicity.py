"""Many tests at once. Knows p values and e values; knows nothing of what they test."""

from __future__ import annotations

import math
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


def holm_of_e(es: Sequence[float]) -> list[float]:
    """Adjusted e values: one that reaches 1/alpha is a discovery, with a chance of any false one of
    at most alpha, whatever the tests have in common, and at every look (Vovk and Wang 2021, Annals
    of Statistics 49:1736, algorithm 1: the least mean of any set that holds it)."""
    order = sorted(range(len(es)), key=lambda number: es[number])
    adjusted = [0.0] * len(es)
    for rank, number in enumerate(order):
        least, below = es[number], 0.0
        for size, other in enumerate(order[:rank], 2):
            below += es[other]
            least = min(least, (es[number] + below) / size)
        adjusted[number] = least
    return adjusted


def discoveries_of_e(es: Sequence[float], rate: float = 0.05) -> list[bool]:
    """Which e values are discoveries when at most this share of them may be false on average,
    whatever the tests have in common (e-BH: Wang and Ramdas 2022, JRSS B 84:822)."""
    ranked = sorted(es, reverse=True)
    bar = math.inf
    for rank, e in enumerate(ranked, 1):
        if e * rank >= len(es) / rate:
            bar = e
    return [e >= bar for e in es]
