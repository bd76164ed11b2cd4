"""A check on a score's mean alarms as often as it says, whatever the score is like."""

from __future__ import annotations

import numpy as np
import pytest

from stockpot.evals.watching.drift import decided, scores_drift, windows_of
from stockpot.evals.watching.models import DriftSpec
from stockpot.stats import binomial_interval, weighted_mean


def drawn(
    rng: np.random.Generator, n: int, share: float, *, by_strata: bool
) -> tuple[list[float], list[float]]:
    """Verdicts, and what each stands for: all of them, or failures eight times as often."""
    if not by_strata:
        return (rng.random(n) < share).astype(float).tolist(), [1.0] * n
    failed = rng.random(6 * n) < 0.1
    passed = rng.random(6 * n) < np.where(failed, share - 0.4, share)
    chance = np.where(failed, 0.8, 0.1)
    taken = rng.random(6 * n) < chance
    return passed[taken].astype(float).tolist(), (1 / chance[taken]).tolist()


def alarms(times: int, sizes: tuple[int, int], *, alpha: float, by_strata: bool) -> int:
    spec = DriftSpec(of="score", score="polite", alpha=alpha, min_effect=0)
    at, rng, found = windows_of(spec, 1e12), np.random.default_rng(11), 0
    for _ in range(times):
        before, now = (drawn(rng, n, 0.95, by_strata=by_strata) for n in sizes)
        shift = scores_drift(spec, (before[0], now[0]), (before[1], now[1]))
        found += bool(decided(spec, {"mean": shift}, sizes, at).alarm)
    return found


def test_without_drift_few_verdicts_that_nearly_all_pass_alarm_no_oftener_than_alpha() -> None:
    """Student's distribution alarms here in 20 of 100 looks instead of 5."""
    times = 150
    found = alarms(times, (200, 30), alpha=0.05, by_strata=False)
    assert binomial_interval(found, times)[0] <= 0.05


@pytest.mark.nightly
@pytest.mark.parametrize("by_strata", [False, True])
@pytest.mark.parametrize("sizes", [(200, 30), (30, 30), (300, 100)])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_without_drift_2000_looks_alarm_no_oftener_than_alpha(
    alpha: float, sizes: tuple[int, int], by_strata: bool
) -> None:
    found = alarms(2000, sizes, alpha=alpha, by_strata=by_strata)
    assert binomial_interval(found, 2000)[0] <= alpha


def test_of_verdicts_that_all_passed_the_interval_says_how_few_they_are() -> None:
    few, many = weighted_mean([1.0] * 10, [10.0] * 10), weighted_mean([1.0] * 500, [10.0] * 500)
    assert few is not None
    assert many is not None
    assert few.low == pytest.approx(1 / (1 + 1.96**2 / 10), abs=0.001)  # Wilson's for 10 of 10
    assert (few.high, many.high) == (1.0, 1.0)
    assert many.low == pytest.approx(0.992, abs=0.001)
