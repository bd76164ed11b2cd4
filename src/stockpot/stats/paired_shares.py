"""The difference of two shares on the same rows. Knows how many rows changed, and which way.

Where two arms pass nearly always, few rows differ, and the spread of those few says little: of
thirty rows that all pass in both arms Student's interval has no width. The score interval of Tango
(1998, "Equivalence test and confidence interval for the difference in proportions for the
paired-sample design", Statistics in Medicine 17:891) asks of each difference how well the counts
fit it, and is right also there; its test against no difference is McNemar's.
"""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from stockpot.stats.intervals import Estimate

_STEPS = 60


def paired_shares(better: int, worse: int, n: int, confidence: float = 0.95) -> Estimate:
    """The candidate's share less the base's, of `n` rows of which so many got better and worse."""
    if better < 0 or worse < 0 or not 0 < n >= better + worse:
        raise ValueError(f"{better} better and {worse} worse of {n} rows are no pairs")
    z = float(ndtri(0.5 + confidence / 2))
    value = (better - worse) / n
    low = _where(better, worse, n, z, -1.0, value)
    high = _where(better, worse, n, -z, value, 1.0)
    se = (high - low) / (2 * z)
    p = 2.0 * float(ndtr(-abs(score(better, worse, n, 0.0))))
    return Estimate(value, low, high, se, n, n, math.inf, p, "tango", (better, worse))


def below(better: int, worse: int, n: int, difference: float) -> float:
    """The one-sided p of "the difference is this one or a lower one"."""
    return float(ndtr(-score(better, worse, n, difference)))


def score(better: int, worse: int, n: int, difference: float) -> float:
    """How many standard errors the counts lie above a difference, were it the true one."""
    if abs(difference) >= 1:
        return math.copysign(math.inf, -difference)
    b = -better - worse + (2 * n - better + worse) * difference
    c = -worse * difference * (1 - difference)
    share = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    above = better - worse - n * difference
    if variance <= 0:
        return math.copysign(math.inf, above) if above else 0.0
    return above / math.sqrt(variance)


def _where(better: int, worse: int, n: int, z: float, low: float, high: float) -> float:
    """The difference of which the score is `z`; it falls as the difference grows."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if score(better, worse, n, middle) > z:
            low = middle
        else:
            high = middle
    return (low + high) / 2
