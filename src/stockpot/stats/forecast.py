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
_MOST_CORRELATED = 0.8


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
    method = "weekday means" if weekly else "mean of days"
    return Prediction(value, value - half, value + half, len(days), method)


def _widening(rest: Sequence[float], squares: float, groups: int) -> float:
    """By how much the variance of a sum is greater than that of independent days."""
    if squares <= 0:
        return 1.0
    days = len(rest)
    next_to = math.fsum(one * other for one, other in itertools.pairwise(rest))
    r = (next_to / squares + 1 / days) / (1 - (3 + groups) / days)
    r = min(max(r, 0.0), _MOST_CORRELATED)
    return (1 + r) / (1 - r)
