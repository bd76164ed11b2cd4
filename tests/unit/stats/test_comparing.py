"""Comparisons find what is there, and no more than they should of what is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as reference

from stockpot.stats import (
    bootstrap,
    compare,
    effect_size,
    exact_paired,
    holm,
    minimum_detectable_effect,
    non_inferior,
    paired_difference,
    pass_all,
    pass_any,
    sample_size,
)


def test_a_paired_comparison_equals_the_reference() -> None:
    rng = np.random.default_rng(3)
    base = rng.normal(0, 1, 40)
    candidate = base + rng.normal(0.3, 0.5, 40)
    found = compare(base.tolist(), candidate.tolist())
    wanted = reference.ttest_rel(candidate, base)
    interval = wanted.confidence_interval()
    assert found.test == "paired t"
    assert found.p == pytest.approx(wanted.pvalue)
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval))
    assert found.better + found.worse == 40
    assert found.effect == pytest.approx(wanted.statistic / np.sqrt(40))


def test_two_outcomes_are_tested_exactly() -> None:
    base = [1.0] * 30 + [0.0] * 10
    candidate = [0.0] * 9 + [1.0] * 21 + [1.0] * 1 + [0.0] * 9
    found = compare(base, candidate)
    assert (found.test, found.better, found.worse) == ("exact McNemar", 1, 9)
    assert found.p == pytest.approx(reference.binomtest(1, 10).pvalue)
    assert exact_paired(0, 0) == 1.0


def test_rows_in_clusters_count_for_less() -> None:
    rng = np.random.default_rng(4)
    shift = np.repeat(rng.normal(0.1, 0.3, 12), 10)
    base = rng.normal(0, 0.1, 120)
    clusters = np.repeat(np.arange(12), 10).tolist()
    plain = paired_difference(base.tolist(), (base + shift).tolist())
    grouped = paired_difference(base.tolist(), (base + shift).tolist(), clusters)
    assert grouped.se > 2 * plain.se
    assert grouped.clusters == 12


def test_many_tests_raise_few_false_alarms() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    rng = np.random.default_rng(5)
    alarms = sum(min(holm(rng.random(10).tolist())) < 0.05 for _ in range(2000))
    assert alarms <= reference.binom.ppf(0.995, 2000, 0.05)


def test_the_detectable_effect_is_detected_as_often_as_it_says() -> None:
    n, rng = 60, np.random.default_rng(6)
    effect = minimum_detectable_effect(1.0, n)
    found = sum(mean_p(rng.normal(effect, 1.0, n)) < 0.05 for _ in range(2000))
    assert reference.binom.ppf(0.005, 2000, 0.8) <= found <= reference.binom.ppf(0.995, 2000, 0.8)
    assert sample_size(1.0, effect) == pytest.approx(n, abs=1)
    assert minimum_detectable_effect(1.0, n, cluster_size=4, icc=0.5) > 1.5 * effect


def mean_p(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return compare([0.0] * values.size, values.tolist()).p


def test_not_worse_than_the_margin_is_said_only_when_the_interval_says_it() -> None:
    same = paired_difference([1.0] * 100, [1.0] * 98 + [0.0] * 2)
    assert non_inferior(same, 0.08)
    assert not non_inferior(same, 0.02)
    with pytest.raises(ValueError, match="margin"):
        non_inferior(same, -0.1)


def test_no_difference_is_no_effect_and_no_evidence() -> None:
    found = compare([0.5, 0.7], [0.5, 0.7])
    assert (found.p, found.effect, found.difference.value) == (1.0, 0.0, 0.0)
    assert effect_size([1.0], [2.0]) == 0.0


def test_a_bootstrap_of_a_mean_agrees_with_its_formula() -> None:
    values = np.random.default_rng(7).normal(1, 1, 100)
    found = bootstrap(lambda rows: float(values[rows].mean()), 100)
    assert found.se == pytest.approx(values.std(ddof=1) / 10, rel=0.1)
    grouped = bootstrap(lambda rows: float(values[rows].mean()), 100, [n // 10 for n in range(100)])
    assert grouped.clusters == 10


def test_all_of_k_trials_and_any_of_them() -> None:
    tasks = [[True, True, False, False], [True] * 4]
    assert pass_all(tasks, 1).value == pytest.approx(0.75)
    assert pass_all(tasks, 2).value == pytest.approx((1 / 6 + 1) / 2)
    assert pass_any(tasks, 2).value == pytest.approx((5 / 6 + 1) / 2)
    with pytest.raises(ValueError, match="cannot tell"):
        pass_all(tasks, 5)
