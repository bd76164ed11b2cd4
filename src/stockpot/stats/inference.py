"""What people would say on average, from few of their labels and many of a judge's. Pure.

Both methods hold as far as labelled and unlabelled rows come from the same place. Knows numbers;
knows no judge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from stockpot.stats.intervals import Estimate, mean, quantile_of_t

Floats = NDArray[np.float64]


def prediction_powered_mean(
    people: Sequence[float],
    judged: Sequence[float],
    unlabelled: Sequence[float],
    confidence: float = 0.95,
) -> Estimate:
    """The mean that people would give, of `people` and `judged` on the same rows and the judge's
    values on rows that no person saw.

    Prediction-powered inference (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023, Science
    382:669), power-tuned as PPI++ (Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453, example
    6.1): a judge that says nothing of people gets the weight 0, and the interval is then that of
    the labels alone. The interval is Student's with n - 1 degrees of freedom, wider than the
    paper's normal one where labels are few.
    """
    y, f, u = (np.asarray(values, dtype=np.float64) for values in (people, judged, unlabelled))
    if y.size != f.size or y.size == 0:
        raise ValueError("people and judge must have rated the same rows, and at least one")
    if u.size == 0 or y.size < 2:
        return mean(y.tolist(), confidence)
    n, many = y.size, u.size
    weight = _power_tuned(y, f, u)
    value = float(y.mean() + weight * (u.mean() - f.mean()))
    spread = float(np.var(y - weight * f, ddof=1)) / n
    spread += weight**2 * float(np.var(np.concatenate([f, u]), ddof=1)) / many
    se = math.sqrt(spread)
    half = quantile_of_t(n - 1, 0.5 + confidence / 2) * se
    p = 2 * float(stdtr(n - 1, -abs(value) / se)) if se else math.nan
    return Estimate(value, value - half, value + half, se, n, n, n - 1, p, "ppi++")


def _power_tuned(y: Floats, f: Floats, u: Floats) -> float:
    """The weight of the judge that makes the interval shortest, from 0 to 1."""
    spread = float(np.var(np.concatenate([f, u]), ddof=1))
    if spread <= 0:
        return 0.0
    shared = float(np.cov(y, f, ddof=1)[0, 1])
    return min(1.0, max(0.0, shared / ((1 + y.size / u.size) * spread)))


def rogan_gladen(
    positive: int,
    judged: int,
    sensitivity: tuple[int, int],
    specificity: tuple[int, int],
    confidence: float = 0.95,
) -> Estimate:
    """The share of good rows, out of the share that a judge calls good and its errors.

    `sensitivity` is (good rows that the judge called good, good rows), `specificity` (bad rows that
    it called bad, bad rows), both by people. The estimate is that of Rogan and Gladen (1978,
    American Journal of Epidemiology 107:71), the interval that of Lang and Reiczigel (2014,
    Preventive Veterinary Medicine 113:13), which counts that the judge's errors are estimates too.
    A judge that is no better than a coin says nothing: the value is then not a number.
    """
    caught, good = sensitivity
    refused, bad = specificity
    if judged < 1 or good < 1 or bad < 1:
        raise ValueError("the correction needs judged rows, and labelled ones of both kinds")
    apparent, se, sp = positive / judged, caught / good, refused / bad
    n = judged + good + bad
    if se + sp <= 1:
        return Estimate(math.nan, 0.0, 1.0, math.inf, n, n, math.inf, math.nan, "rogan-gladen")
    value = min(1.0, max(0.0, (apparent + sp - 1) / (se + sp - 1)))
    z = float(ndtri(0.5 + confidence / 2))
    # The primes of the paper: a few rows of both kinds added to each share.
    se1, sp1 = (caught + 1) / (good + 2), (refused + 1) / (bad + 2)
    apparent1 = (positive + z * z / 2) / (judged + z * z)
    youden = se1 + sp1 - 1
    if youden <= 0:
        return Estimate(value, 0.0, 1.0, math.inf, n, n, math.inf, math.nan, "rogan-gladen")
    centre = (apparent1 + sp1 - 1) / youden
    of_se, of_sp = se1 * (1 - se1) / (good + 2), sp1 * (1 - sp1) / (bad + 2)
    shift = 2 * z * z * (centre * of_se - (1 - centre) * of_sp)
    spread = apparent1 * (1 - apparent1) / (judged + z * z)
    spread += centre**2 * of_se + (1 - centre) ** 2 * of_sp
    error = math.sqrt(spread) / youden
    low, high = centre + shift - z * error, centre + shift + z * error
    low, high = min(1.0, max(0.0, low)), min(1.0, max(0.0, high))
    return Estimate(value, low, high, error, n, n, math.inf, math.nan, "rogan-gladen")
