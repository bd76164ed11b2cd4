"""Samples with known chances give unbiased means; drift is found, and no drift is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as reference

from stockpot.stats import (
    Repeats,
    classes_shift,
    energy,
    mean_shift,
    mmd,
    repeats_shift,
    weighted_mean,
)


def test_a_mean_weighted_by_the_chances_is_that_of_the_population_and_a_plain_one_is_not() -> None:
    """Failures are drawn ten times as often, and score lower: 400 samples of 4,000 spans."""
    rng = np.random.default_rng(7)
    failed = rng.random(4000) < 0.05
    values = np.where(failed, 0.2, 0.8) + rng.normal(0, 0.05, 4000)
    chance = np.where(failed, 0.5, 0.05)
    weighted, plain, covered = [], [], 0
    for _ in range(400):
        drawn = rng.random(4000) < chance
        found = weighted_mean(values[drawn], 1 / chance[drawn])
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        weighted.append(found.mean)
        plain.append(values[drawn].mean())
        covered += found.low <= values.mean() <= found.high
    error = np.std(weighted, ddof=1) / np.sqrt(400)
    assert abs(np.mean(weighted) - values.mean()) < 3 * error
    assert abs(np.mean(plain) - values.mean()) > 0.1
    assert reference.binomtest(covered, 400).proportion_ci(0.99, "exact").high >= 0.95


def test_weights_that_are_all_one_give_the_plain_mean_and_its_interval() -> None:
    values = [0.1, 0.5, 0.9, 0.4]
    found = weighted_mean(values, [1, 1, 1, 1])
    assert found is not None
    ordinary = reference.t.interval(0.95, 3, np.mean(values), reference.sem(values))
    assert (found.low, found.high) == pytest.approx(ordinary)
    assert weighted_mean([], []) is None


def false_alarms(test: object, alpha: float, times: int) -> int:
    return sum(test(seed).p < alpha for seed in range(times))  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["mmd", "energy", "classes", "mean"])
def test_without_drift_a_test_alarms_no_oftener_than_it_says(kind: str) -> None:
    def one(seed: int) -> object:
        rng = np.random.default_rng(1000 + seed)
        if kind == "classes":
            said = rng.integers(0, 3, 60).tolist()
            return classes_shift(said[:30], said[30:], seed, 99)
        if kind == "mean":
            return mean_shift(rng.random(60).tolist(), rng.random(40).tolist())
        rows = rng.normal(size=(50, 6))
        return (mmd if kind == "mmd" else energy)(rows[:25], rows[25:], seed, 99)

    times = 300
    found = false_alarms(one, 0.05, times)
    assert reference.binomtest(found, times).proportion_ci(0.99, "exact").low <= 0.05


def test_a_shift_is_found_with_its_size() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.normal(size=(80, 8)), rng.normal(size=(80, 8)) + 0.8
    for test in (mmd, energy):
        same, moved = test(before[:40], before[40:]), test(before, after)
        assert (moved.p, same.p > 0.01) == (0.001, True)
        assert moved.effect > 3 * same.effect
    assert classes_shift(["de"] * 40, ["de"] * 20 + ["fr"] * 20).effect == 0.5
    down = mean_shift(rng.normal(0.8, 0.1, 100).tolist(), rng.normal(0.7, 0.1, 60).tolist())
    assert down.p == 0.001
    assert down.statistic == pytest.approx(-0.1, abs=0.03)
    assert down.effect == pytest.approx(1.0, abs=0.3)


def answered(rng: np.random.Generator, share: float, swapped: bool) -> Repeats:
    """Four reference answers and two now; `share` of answers are drawn from three wordings."""
    told = [int(rng.integers(0, 3)) if rng.random() < share else 0 for _ in range(6)]
    if swapped:
        told[4:] = [9, 9]
    apart = np.array([[float(a != b) for b in told] for a in told])
    return Repeats(apart, 4)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_model_that_scatters_does_not_alarm_and_one_that_changed_does(share: float) -> None:
    rng = np.random.default_rng(5)
    times, alpha = 60, 0.05
    quiet = sum(
        repeats_shift([answered(rng, share, False) for _ in range(12)], s, 199).p < alpha
        for s in range(times)
    )
    assert reference.binomtest(quiet, times).proportion_ci(0.99, "exact").low <= alpha
    changed = repeats_shift([answered(rng, share, True) for _ in range(12)])
    assert changed.p == 1 / 2000
    assert changed.effect > 0.3
