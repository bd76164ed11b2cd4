"""Means and shares with intervals, plain and clustered. Knows numbers; knows nothing of runs.

Rows that belong together (trials of one task, questions on one document) are a cluster: they err
together, and an interval that ignores it is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value with its interval. `low` and `high` are infinite where the data say nothing of the
    spread; `p` is the two-sided one against 0; `pairs` counts rows that got better and worse where
    the interval rests on them."""

    value: float
    low: float
    high: float
    se: float
    n: int
    clusters: int
    df: float
    p: float
    method: str
    pairs: tuple[int, int] | None = None


def mean(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean with Student's interval (Student 1908, Biometrika 6:1)."""
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        raise ValueError("a mean needs at least one value")
    se = float(x.std(ddof=1) / math.sqrt(x.size)) if x.size > 1 else math.inf
    return _student(float(x.mean()), se, x.size - 1, x.size, x.size, confidence, "student")


def clustered_mean(
    values: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95
) -> Estimate:
    """The mean with a cluster-robust interval.

    The variance is CR2 of Bell and McCaffrey (2002, Survey Methodology 28:169), unbiased when rows
    are independent; the degrees of freedom are Satterthwaite's, the fewer of those for independent
    rows and for rows that are equal inside a cluster (Imbens and Kolesár 2016, Review of Economics
    and Statistics 98:701). For evaluations: Miller 2024, arXiv:2411.00640.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        raise ValueError("a mean needs at least one value")
    sizes, sums = _by_cluster(x, clusters)
    groups, n, centre = sizes.size, x.size, float(x.mean())
    if groups < 2:
        return _student(centre, math.inf, 0, n, groups, confidence, "clustered")
    weights = 1.0 / (1.0 - sizes / n)
    residuals = sums - sizes * centre
    se = math.sqrt(float((weights * residuals**2).sum())) / n
    df = _satterthwaite(sizes, weights)
    return _student(centre, se, df, n, groups, confidence, "clustered")


def wilson(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """A share with the score interval (Wilson 1927, JASA 22:209). It never leaves 0..1 and is
    right also near its ends, where Student's is not."""
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} of {n} is no share")
    z = float(ndtri(0.5 + confidence / 2))
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    se = math.sqrt(share * (1 - share) / n)
    return Estimate(share, low, high, se, n, n, math.inf, math.nan, "wilson")


def binomial_interval(successes: int, n: int, confidence: float = 0.99) -> tuple[float, float]:
    """Between what and what a chance lies that came true so often: exact, so never too narrow
    (Clopper and Pearson 1934, Biometrika 26:404). A simulated error rate passes when its interval
    includes the nominal one or lies below."""
    tail = (1.0 - confidence) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return low, high


def _by_cluster(x: Floats, clusters: Sequence[Hashable]) -> tuple[Floats, Floats]:
    """Sizes and sums of the clusters."""
    if len(clusters) != x.size:
        raise ValueError(f"{x.size} values have {len(clusters)} cluster names")
    numbers: dict[Hashable, int] = {}
    index = np.fromiter((numbers.setdefault(name, len(numbers)) for name in clusters), np.intp)
    sums = np.bincount(index, weights=x).astype(np.float64)
    return np.bincount(index).astype(np.float64), sums


def _satterthwaite(sizes: Floats, weights: Floats) -> float:
    """Degrees of freedom of the CR2 variance of a mean, in closed form for both working models."""
    n = float(sizes.sum())
    share = sizes / n
    return min(_df(sizes, share, weights), _df(sizes**2, share, weights))


def _df(v: Floats, p: Floats, w: Floats) -> float:
    """(trace P)^2 / trace P^2 for P = D C D, where C is the covariance of the residual sums when
    the clusters' sums have the variances `v`, and D^2 = diag(w)."""
    total = float(v.sum())
    off = -2.0 * p * v + total * p**2
    spp, svv, spv = float(w @ p**2), float(w @ v**2), float(w @ (p * v))
    squares = 2 * spp * svv + 2 * spv**2 + total**2 * spp**2 - 4 * total * spp * spv
    squares += float((w * w) @ ((v + off) ** 2 - off**2))
    trace = float(w @ (v + off))
    return trace**2 / squares if squares > 0 else 1.0


def _student(
    value: float, se: float, df: float, n: int, clusters: int, confidence: float, method: str
) -> Estimate:
    if not math.isfinite(se) or df <= 0:
        return Estimate(
            value, -math.inf, math.inf, math.inf, n, clusters, max(df, 0.0), math.nan, method
        )
    half = float(stdtrit(df, 0.5 + confidence / 2)) * se
    p = 2.0 * float(stdtr(df, -abs(value) / se)) if se > 0 else (1.0 if value == 0 else 0.0)
    return Estimate(value, value - half, value + half, se, n, clusters, df, p, method)


def quantile_of_t(df: float, probability: float) -> float:
    """Student's quantile, the normal one where `df` is infinite."""
    found: Any = ndtri(probability) if math.isinf(df) else stdtrit(df, probability)
    return float(found)
