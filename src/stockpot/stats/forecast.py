"""What the rest of a period will add up to, from whole days that are over. Knows daily numbers.

Days are independent draws around a mean, or around a mean of their weekday once there are three
weeks of them. The sum of days to come is then predicted as any sum of new observations is, with
Student's interval from the variance of the sum and that of the means it is taken from (Hahn and
Meeker 1991, Statistical Intervals, chapter 4; for means by group it is the prediction of a linear
regression, Draper and Smith 1998). Days that follow their neighbours carry less news than their
number: the variance grows by (1 + r) / (1 - r), r being the correlation of a day with the next
where it is positive (Bayley and Hammersley 1946, JRSS Supplement 8:184). Measured in n days r is
too small by about (1 + 4 r) / n (Marriott and Pope 1954, Biometrika 41:390), more after each mean
that was taken out; it is set right before it is used. No trend is drawn into the future.

Few days show neither their correlation nor their tail. So r is taken a standard error, 1 over the
root of n, above its estimate, and the side of the interval that the days lean to is widened by a
part of their skewness (after Johnson 1978, JASA 73:536; the parts are calibrated by simulation).
Where 90 in a hundred are meant, 7 to 28 days with 1 to 25 to come gave in 4,000 simulations each
96 of normal days, 90 to 96 of skewed ones (lognormal, sigma .6 and 1), and 90 to 98 of days that
follow their neighbours (r .4 and .6): the interval errs on the wide side.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stockpot.stats.intervals import quantile_of_t

FEWEST_DAYS = 7
"""Whole days below which nothing is predicted."""

_WEEKDAYS_FROM = 21
_WEEK = 7
_MOST_CORRELATED = 0.85
_ERRORS_ABOVE = 1.0
_LEANING = 0.25


class Prediction(NamedTuple):
    """A sum to come with its prediction interval."""

    value: float
    low: float
    high: float
    days: int
    method: str


def sum_to_come(
    days: Sequence[float],
    first_weekday: int,
    to_come: Mapping[int, float],
    confidence: float = 0.9,
) -> Prediction:
    """The sum of days to come from whole days in order, the first of which is a `first_weekday`
    (0..6). `to_come` tells how many days of each weekday, with parts of days; a part of a day has
    its part of the mean and of the variance."""
    if len(days) < FEWEST_DAYS:
        raise ValueError(f"{len(days)} days are too few, {FEWEST_DAYS} are needed")
    weekly = len(days) >= _WEEKDAYS_FROM
    groups = _WEEK if weekly else 1
    members: list[list[float]] = [[] for _ in range(groups)]
    for at, day in enumerate(days):
        members[(first_weekday + at) % groups].append(day)
    means = [math.fsum(group) / len(group) for group in members]
    rest = [day - means[(first_weekday + at) % groups] for at, day in enumerate(days)]
    wanted = [0.0] * groups
    for weekday, share in to_come.items():
        wanted[weekday % groups] += share
    df = len(days) - groups
    squares = math.fsum(one * one for one in rest)
    of_means = math.fsum(w * w / len(m) for w, m in zip(wanted, members, strict=True))
    variance = squares / df * (math.fsum(wanted) + of_means) * _widening(rest, squares, groups)
    value = math.fsum(w * m for w, m in zip(wanted, means, strict=True))
    half = quantile_of_t(df, 0.5 + confidence / 2) * math.sqrt(variance)
    lean = _LEANING * _skewness(rest, squares)
    low, high = value - half * (1 + max(0.0, -lean)), value + half * (1 + max(0.0, lean))
    method = "weekday means" if weekly else "mean of days"
    return Prediction(value, low, high, len(days), method)


def _skewness(rest: Sequence[float], squares: float) -> float:
    days = len(rest)
    if squares <= 0:
        return 0.0
    spread = math.sqrt(squares / days)
    return math.fsum((one / spread) ** 3 for one in rest) / days


def _widening(rest: Sequence[float], squares: float, groups: int) -> float:
    """By how much the variance of a sum is greater than that of independent days."""
    if squares <= 0:
        return 1.0
    days = len(rest)
    next_to = math.fsum(one * other for one, other in itertools.pairwise(rest))
    r = (next_to / squares + 1 / days) / (1 - (3 + groups) / days) + _ERRORS_ABOVE / math.sqrt(days)
    r = min(max(r, 0.0), _MOST_CORRELATED)
    return (1 + r) / (1 - r)
