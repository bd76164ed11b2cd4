"""Means of a population out of a sample whose units were drawn with known, unequal probabilities.

Horvitz and Thompson 1952, "A generalization of sampling without replacement from a finite
universe", JASA 47; the ratio form and its linearised variance as in Hájek 1971 and Särndal,
Swensson and Wretman 1992, "Model Assisted Survey Sampling", section 5.7. Units are drawn
independently of each other (Poisson sampling). Shares have the score interval of Wilson 1927 on the
effective sample size (Korn and Graubard 1998, "Confidence intervals for proportions with small
expected number of positive counts estimated from survey data", Survey Methodology 24).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import special

Vector = Any


class Weighted(NamedTuple):
    """A mean of `n` units that stand for `stood_for`, its standard error and interval; `effective`
    is Kish's number of equally weighted units that would tell as much."""

    mean: float
    se: float | None
    low: float | None
    high: float | None
    n: int
    stood_for: float
    effective: float


def weighted_mean(values: Vector, weights: Vector, confidence: float = 0.95) -> Weighted | None:
    """The mean of a population; `weights` are one over each unit's probability of being drawn.
    None where nothing was drawn; no interval where it was one unit."""
    y, w = np.asarray(values, float), np.asarray(weights, float)
    if y.size == 0:
        return None
    total = float(w.sum())
    mean = float((w * y).sum() / total)
    effective = total * total / float((w * w).sum())
    if y.size < 2:
        return Weighted(mean, None, None, None, 1, total, effective)
    spread = float((w * w * (y - mean) ** 2).sum())
    se = float(np.sqrt(spread * y.size / (y.size - 1))) / total
    if np.isin(y, (0.0, 1.0)).all():
        low, high = _share(mean, se, effective, confidence)
    else:
        reach = float(special.stdtrit(max(1.0, effective - 1), 0.5 + confidence / 2)) * se
        low, high = mean - reach, mean + reach
    return Weighted(mean, se, low, high, int(y.size), total, effective)


def _share(share: float, se: float, effective: float, confidence: float) -> tuple[float, float]:
    """Wilson's interval for as many units as would tell as much: of ten that all passed, Student's
    would have no width."""
    n = share * (1 - share) / se**2 if se > 0 else effective
    z = float(special.ndtri(0.5 + confidence / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    low = 0.0 if share == 0 else max(0.0, middle - half)
    return low, 1.0 if share == 1 else min(1.0, middle + half)
