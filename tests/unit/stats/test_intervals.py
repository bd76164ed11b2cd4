"""Intervals hold what they promise, and closed forms equal what they abbreviate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from stockpot.stats import Estimate, binary_f1, clustered_mean, macro_f1, mean, wilson
from stockpot.stats.intervals import _df

ROUNDS = 2000
Draw = Callable[[np.random.Generator], Estimate]


def holds(draw: Draw, truth: float, rounds: int, seed: int = 20261122) -> tuple[bool, float]:
    """Whether simulated coverage passes: the 99 % binomial interval around it includes 95 % or is
    better."""
    rng = np.random.default_rng(seed)
    inside = 0
    for _ in range(rounds):
        found = draw(rng)
        inside += found.low <= truth <= found.high
    return bool(inside >= binom.ppf(0.005, rounds, 0.95)), inside / rounds


def plain_normal(rng: np.random.Generator) -> Estimate:
    return mean(rng.normal(0.42, 2.0, 30).tolist())


def plain_share(rng: np.random.Generator) -> Estimate:
    return wilson(int(rng.binomial(100, 0.42)), 100)


def clustered(groups: int, least: int, most: int) -> Draw:
    """Tasks of different difficulty with some trials each."""

    def draw(rng: np.random.Generator) -> Estimate:
        trials = rng.integers(least, most + 1, groups)
        chance = np.repeat(rng.beta(0.84, 1.16, groups), trials)
        passed = (rng.random(chance.size) < chance).astype(float)
        return clustered_mean(passed.tolist(), np.repeat(np.arange(groups), trials).tolist())

    return draw


CASES: dict[str, Draw] = {
    "plain, normal, n=30": plain_normal,
    "plain, share, n=100": plain_share,
    "clustered, 50 x 4": clustered(50, 4, 4),
    "clustered, 30 x 1..9": clustered(30, 1, 9),
}


@pytest.mark.parametrize("case", CASES)
def test_a_95_percent_interval_holds_the_truth_95_times_in_a_hundred(case: str) -> None:
    passed, coverage = holds(CASES[case], 0.42, ROUNDS)
    assert passed, coverage


@pytest.mark.nightly
@pytest.mark.parametrize("case", CASES)
def test_coverage_over_ten_thousand_simulations(case: str) -> None:
    passed, coverage = holds(CASES[case], 0.42, 10_000)
    assert passed, coverage


def test_an_interval_that_ignores_clusters_is_seen_to_be_too_narrow() -> None:
    def ignoring(rng: np.random.Generator) -> Estimate:
        chance = np.repeat(rng.beta(0.84, 1.16, 50), 4)
        return mean((rng.random(200) < chance).astype(float).tolist())

    passed, coverage = holds(ignoring, 0.42, 500)
    assert not passed
    assert coverage < 0.9


@pytest.mark.parametrize("independent", [True, False])
def test_degrees_of_freedom_in_closed_form_equal_the_matrices(independent: bool) -> None:
    sizes = np.array([1.0, 2.0, 3.0, 7.0, 4.0])
    v = sizes if independent else sizes**2
    p, w = sizes / sizes.sum(), 1 / (1 - sizes / sizes.sum())
    centring = np.eye(5) - np.outer(p, np.ones(5))
    spread = np.diag(np.sqrt(w))
    form: Any = spread @ centring @ np.diag(v) @ centring.T @ spread
    assert _df(v, p, w) == pytest.approx(np.trace(form) ** 2 / np.trace(form @ form))


def test_clusters_of_one_row_are_no_clusters() -> None:
    values = [0.1, 0.9, 0.4, 0.7, 0.2]
    plain, single = mean(values), clustered_mean(values, list("abcde"))
    assert single[:4] == pytest.approx(plain[:4])
    assert single.df == pytest.approx(plain.df)


def test_one_value_or_one_cluster_has_no_interval() -> None:
    assert math.isinf(mean([0.5]).high)
    assert math.isinf(clustered_mean([0.5, 0.7], ["a", "a"]).high)
    with pytest.raises(ValueError, match="at least one"):
        mean([])


def test_a_share_at_its_end_keeps_an_interval_inside_0_and_1() -> None:
    found = wilson(20, 20)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.8389, abs=1e-4)  # Wilson (1927) at z = 1.96


def test_f1_and_its_interval() -> None:
    expected = ["a"] * 8 + ["b"] * 4
    found = ["a"] * 6 + ["b"] * 2 + ["b"] * 3 + ["a"]
    scored = binary_f1(expected, found, "a")
    assert scored.f1.value == pytest.approx(12 / 15)
    assert scored.f1.low < 0.8 < scored.f1.high
    assert (scored.true_positives, scored.false_positives, scored.false_negatives) == (6, 1, 2)
    macro = macro_f1(expected, found)
    assert macro.value == pytest.approx((12 / 15 + 6 / 9) / 2)
    assert macro.low < macro.value < macro.high
    assert macro == macro_f1(expected, found)  # the draw is the same each time
