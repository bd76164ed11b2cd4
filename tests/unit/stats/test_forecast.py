"""A sum to come is told with an interval that holds as often as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stockpot.stats import FEWEST_DAYS, sum_to_come

ROUNDS = 1000
WEEK = (10.0, 11.0, 12.0, 11.0, 10.0, 3.0, 2.0)


def coming(first: int, days: int, part: float) -> dict[int, float]:
    """Days after a part of one."""
    shares = dict.fromkeys(range(7), 0.0)
    shares[first % 7] += part
    for at in range(1, days + 1):
        shares[(first + at) % 7] += 1
    return shares


def errors_of(kind: str, rng: np.random.Generator, count: int) -> np.ndarray:
    """Days around their level: even, with a heavy tail to the right, or alike to the day before."""
    if kind == "skewed":
        return rng.lognormal(0.0, 1.0, count) - math.exp(0.5)
    made = rng.normal(size=count)
    if kind == "following":
        made[0] /= 0.8
        for at in range(1, count):
            made[at] += 0.6 * made[at - 1]
    return made


@pytest.mark.parametrize("known", [7, 14, 28])
@pytest.mark.parametrize("kind", ["normal", "skewed", "following"])
def test_ninety_of_a_hundred_sums_lie_in_the_interval(known: int, kind: str) -> None:
    rng = np.random.default_rng(11)
    held = 0
    for turn in range(ROUNDS):
        first, days = turn % 7, 1 + turn % 25
        week = np.array([WEEK[(first + at) % 7] for at in range(known + days)])
        level = week if known >= 21 else np.full(known + days, 10.0)
        all_days = level + errors_of(kind, rng, known + days)
        shares = coming(first + known - 1, days, 0.0)
        told = sum_to_come(list(all_days[:known]), first, shares)
        held += told.low <= all_days[known:].sum() <= told.high
    assert 0.88 <= held / ROUNDS <= 0.98


def test_three_weeks_teach_what_a_weekend_costs() -> None:
    days = [WEEK[at % 7] for at in range(21)]
    told = sum_to_come(days, 0, {5: 1.0, 6: 0.5})
    assert (told.value, told.method, told.days) == (4.0, "weekday means", 21)
    assert told.low == pytest.approx(told.high)
    assert sum_to_come(days[:14], 0, {5: 2.0}).value == pytest.approx(2 * sum(WEEK) / 7)


def test_a_further_horizon_is_less_certain_and_too_few_days_tell_nothing() -> None:
    days = [float(at % 3) for at in range(10)]
    near, far = (sum_to_come(days, 2, {0: count}) for count in (1.0, 4.0))
    assert 0 < near.high - near.low < far.high - far.low
    assert sum_to_come(days, 2, {}).high == 0
    with pytest.raises(ValueError, match="7 are needed"):
        sum_to_come(days[: FEWEST_DAYS - 1], 0, {0: 1.0})
