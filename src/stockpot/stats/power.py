"""What a comparison can see before it is paid for. Knows spreads and sizes; knows no price."""

from __future__ import annotations

import math

from stockpot.stats.intervals import quantile_of_t


def minimum_detectable_effect(
    spread: float,
    n: int,
    *,
    cluster_size: float = 1.0,
    icc: float = 0.0,
    confidence: float = 0.95,
    power: float = 0.8,
) -> float:
    """The smallest true difference that `n` pairs show with this power (Bloom 1995, Evaluation
    Review 19:547). `spread` is the standard deviation of the differences; rows in clusters count
    for less, by the design effect 1 + (m - 1) icc (Kish 1965, Survey Sampling, 5.4)."""
    groups = n / cluster_size
    if groups <= 1:
        return math.inf
    factor = _factor(groups - 1, confidence, power)
    return factor * spread * math.sqrt(_design(cluster_size, icc) / n)


def sample_size(
    spread: float,
    effect: float,
    *,
    cluster_size: float = 1.0,
    icc: float = 0.0,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int:
    """The pairs that it takes to see a true difference of `effect` with this power: the inverse of
    `minimum_detectable_effect`."""
    if effect <= 0:
        raise ValueError("no number of rows shows a difference of 0")
    n = math.ceil(2 * cluster_size)
    for _ in range(100):  # the quantiles depend a little on what is looked for
        df = max(1.0, n / cluster_size - 1)
        factor = _factor(df, confidence, power)
        wanted = math.ceil(factor**2 * spread**2 * _design(cluster_size, icc) / effect**2)
        wanted = max(wanted, math.ceil(2 * cluster_size))
        if abs(wanted - n) <= 1:
            return max(wanted, n)
        n = wanted
    return n


def _factor(df: float, confidence: float, power: float) -> float:
    return quantile_of_t(df, 0.5 + confidence / 2) + quantile_of_t(df, power)


def _design(cluster_size: float, icc: float) -> float:
    return 1.0 + (cluster_size - 1.0) * icc
