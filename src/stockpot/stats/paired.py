"""Comparing two arms on the same rows. Knows pairs of numbers; knows no run.

A comparison on the same rows looks at the differences, row by row: what makes a row hard is in both
arms and falls out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, ndtr, stdtr

from stockpot.stats.intervals import Estimate, clustered_mean, mean, quantile_of_t
from stockpot.stats.paired_shares import below, paired_shares

Floats = NDArray[np.float64]


class Comparison(NamedTuple):
    """The candidate against its base. `difference` is candidate - base; `p` tests that it is 0, by
    the method named; `worse` and `better` count rows."""

    base: float
    candidate: float
    difference: Estimate
    p: float
    test: str
    effect: float
    better: int
    worse: int


def paired_difference(
    base: Sequence[float],
    candidate: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The mean of the differences: by Student's interval (1908) or, clustered, by that of
    `clustered_mean`. Rows of two outcomes that are no clusters have that of `paired_shares`. Where
    all rows differ alike, however few they are, see `_alike`."""
    differences = _differences(base, candidate)
    if clusters is None and _two_outcomes(base, candidate):
        better, worse = int((differences > 0).sum()), int((differences < 0).sum())
        return paired_shares(better, worse, differences.size, confidence)
    if clusters is None:
        found = mean(differences.tolist(), confidence)
    else:
        found = clustered_mean(differences.tolist(), clusters, confidence)
    return _alike(found, base, candidate, confidence) if found.se == 0 else found


def _alike(
    found: Estimate, base: Sequence[float], candidate: Sequence[float], confidence: float
) -> Estimate:
    """A difference that is the same in every row, with an interval all the same: of `n` rows alike
    at most a share of 1 - (alpha / 2)^(1 / n) of all others is unlike (Clopper and Pearson 1934),
    and each of those may be off by the range of the values, which is at least that of a share."""
    values = np.concatenate([base, candidate])
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high))
    reach = 1.0 if largest <= 1.0 else high - low or largest
    half = reach * (1.0 - float(((1.0 - confidence) / 2) ** (1.0 / found.clusters)))
    se = half / quantile_of_t(found.df, 0.5 + confidence / 2)
    p = 2.0 * float(stdtr(found.df, -abs(found.value) / se))
    return found._replace(low=found.value - half, high=found.value + half, se=se, p=p)


def exact_paired(better: int, worse: int) -> float:
    """The two-sided p of McNemar's test in its exact form: the discordant pairs against a fair
    coin (McNemar 1947, Psychometrika 12:153; exact: Cochran 1950, Biometrika 37:256)."""
    n, fewer = better + worse, min(better, worse)
    return min(1.0, 2.0 * float(bdtr(fewer, n, 0.5))) if n else 1.0


def effect_size(base: Sequence[float], candidate: Sequence[float]) -> float:
    """Cohen's d of paired values: the mean difference in standard deviations of the differences
    (Cohen 1988, Statistical Power Analysis, 2.3.5). 0 where nothing differs."""
    differences = _differences(base, candidate)
    if differences.size < 2:
        return 0.0
    spread = float(differences.std(ddof=1))
    centre = float(differences.mean())
    return centre / spread if spread > 0 else math.copysign(math.inf, centre) if centre else 0.0


def compare(
    base: Sequence[float],
    candidate: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """One metric of two arms. Rows of two outcomes without clusters are tested exactly; all else by
    the interval's own t test."""
    differences = _differences(base, candidate)
    found = paired_difference(base, candidate, clusters, confidence)
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    p, test = found.p, "clustered t" if clusters is not None else "paired t"
    if clusters is None and _two_outcomes(base, candidate):
        p, test = exact_paired(better, worse), "exact McNemar"
    return Comparison(
        float(np.mean(base)), float(np.mean(candidate)), found, 1.0 if math.isnan(p) else p, test,
        effect_size(base, candidate), better, worse,
    )  # fmt: skip


def non_inferior(difference: Estimate, margin: float) -> bool:
    """Whether the candidate is at most `margin` worse: the interval's lower end lies above -margin
    (Blackwelder 1982, Controlled Clinical Trials 3:345). With a 95 % interval that is a one-sided
    test at 2.5 %."""
    if margin < 0:
        raise ValueError("a margin is how much worse is still accepted: it is not negative")
    return difference.low > -margin


def non_inferiority_p(difference: Estimate, margin: float) -> float:
    """The one-sided p of "the candidate is worse by `margin` or more" (Blackwelder 1982), for a
    difference in which higher is better. Below (1 - confidence) / 2 just where `non_inferior` holds
    of the interval; it is what is adjusted where several candidates are looked at."""
    if margin < 0:
        raise ValueError("a margin is how much worse is still accepted: it is not negative")
    if difference.pairs is not None:
        return below(*difference.pairs, difference.n, -margin)
    if not math.isfinite(difference.se) or difference.df <= 0:
        return 1.0
    above = difference.value + margin
    if difference.se == 0:
        return 0.0 if above > 0 else 1.0
    if math.isinf(difference.df):
        return float(ndtr(-above / difference.se))
    return float(stdtr(difference.df, -above / difference.se))


def quantile_difference(
    base: Sequence[float],
    candidate: Sequence[float],
    share: float,
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = 0.95,
    rounds: int = 1000,
) -> Estimate:
    """A quantile of the candidate less that of its base, with `bootstrap`'s interval: pairs are
    drawn whole, so what makes a row slow in both arms falls out."""
    arms = np.array([base, candidate], dtype=np.float64)

    def apart(rows: NDArray[np.intp]) -> float:
        low, high = np.quantile(arms[:, rows], share, axis=1)
        return float(high - low)

    return bootstrap(apart, arms.shape[1], clusters, confidence=confidence, rounds=rounds)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = 0.95,
    rounds: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The percentile interval of a statistic of row numbers (Efron 1979, Annals of Statistics 7:1),
    whole clusters at a time where there are (Field and Welsh 2007, JRSS B 69:369). For what is no
    mean, such as F1."""
    rng = np.random.default_rng(seed)
    groups = None if clusters is None else _rows_of(clusters)
    size = n if groups is None else len(groups)
    value = statistic(np.arange(n))
    drawn = np.empty(rounds)
    for number in range(rounds):
        picks = rng.integers(0, size, size)
        rows = picks if groups is None else np.concatenate([groups[pick] for pick in picks])
        drawn[number] = statistic(rows)
    low, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2])
    tail = min(float((drawn <= 0).mean()), float((drawn >= 0).mean()))
    p = min(1.0, max(2 * tail, 1 / rounds))
    se = float(drawn.std(ddof=1))
    return Estimate(value, float(low), float(high), se, n, size, math.inf, p, "bootstrap")


def _rows_of(clusters: Sequence[Hashable]) -> list[NDArray[np.intp]]:
    rows: dict[Hashable, list[int]] = {}
    for number, name in enumerate(clusters):
        rows.setdefault(name, []).append(number)
    return [np.array(found) for found in rows.values()]


def _differences(base: Sequence[float], candidate: Sequence[float]) -> Floats:
    if len(base) != len(candidate):
        raise ValueError(f"{len(base)} rows cannot be paired with {len(candidate)}")
    return np.asarray(candidate, dtype=np.float64) - np.asarray(base, dtype=np.float64)


def _two_outcomes(base: Sequence[float], candidate: Sequence[float]) -> bool:
    found = set(np.unique([base, candidate]).tolist())
    return found <= {0.0, 1.0} or found <= {0.0, -1.0}
