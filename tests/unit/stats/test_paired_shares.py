"""Passing or failing on the same rows: what few changed rows can show, and what they cannot."""

from __future__ import annotations

import math

import pytest
from scipy.stats import multinomial

from stockpot.evals.measuring import Metric, measured
from stockpot.evals.models import Result, Verdict
from stockpot.stats import compare, mean, non_inferior, non_inferiority_p, paired_difference
from stockpot.stats.paired_shares import paired_shares

LEVEL = 0.025


def passes(n: int, margin: float, both: float, *, by_student: bool = False) -> float:
    """How often a candidate passes that is worse by just the margin, summed over all outcomes;
    `both` is the share of rows on which it is better."""
    chances = multinomial(n, [margin + both, both, 1 - margin - 2 * both])
    found = 0.0
    for worse in range(n + 1):
        for better in range(n - worse + 1):
            chance = float(chances.pmf([worse, better, n - worse - better]))
            if chance < 1e-9:
                continue
            rows = [-1.0] * worse + [1.0] * better + [0.0] * (n - worse - better)
            told = mean(rows) if by_student else paired_shares(better, worse, n)
            found += chance * non_inferior(told, margin)
    return found


@pytest.mark.parametrize("both", [0.0, 0.02, 0.1])
@pytest.mark.parametrize(("n", "margin"), [(20, 0.1), (30, 0.05), (40, 0.1)])
def test_a_candidate_that_is_worse_by_the_margin_passes_no_oftener_than_the_level(
    n: int, margin: float, both: float
) -> None:
    assert passes(n, margin, both) <= LEVEL * 1.1


def test_students_interval_lets_it_pass_far_too_often() -> None:
    assert passes(20, 0.1, 0.0, by_student=True) > 0.1


def test_the_interval_holds_just_the_differences_that_its_test_does_not_refuse() -> None:
    for better, worse, n in [(0, 0, 10), (0, 2, 100), (10, 5, 60), (0, 5, 7)]:
        found = paired_shares(better, worse, n)
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert non_inferiority_p(found, -found.low) == pytest.approx(LEVEL, abs=1e-4)
        mirrored = paired_shares(worse, better, n)
        assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
        if better != worse:
            mcnemar = (better - worse) ** 2 / (better + worse)
            assert found.p == pytest.approx(math.erfc(math.sqrt(mcnemar / 2)))


def test_rows_that_are_all_alike_are_no_proof() -> None:
    ten = compare([1.0] * 10, [1.0] * 10)
    assert not non_inferior(ten.difference, 0.05)
    assert non_inferior(compare([1.0] * 200, [1.0] * 200).difference, 0.05)
    scores = paired_difference([0.5, 0.25] * 5, [0.5, 0.25] * 5)
    assert (scores.low, scores.high) == pytest.approx((-0.3085, 0.3085), abs=1e-4)  # 0 of 10
    assert 0 < non_inferiority_p(scores, 0.3) < 0.05
    one_task = paired_difference([4.0, 2.0] * 10, [4.0, 2.0] * 10, ["a", "b"] * 10)
    assert one_task.high == pytest.approx(2 * (1 - LEVEL**0.5))  # 2 tasks on a scale that is 2 long
    lower = compare([-1.0] * 10, [-1.0] * 10)
    assert lower.difference.low == pytest.approx(ten.difference.low)


def test_a_score_that_all_rows_fail_or_pass_has_an_interval_of_its_number_of_rows() -> None:
    def rows(value: float) -> list[Result]:
        return [
            Result(item=f"{n}", scores={"said": Verdict(value=value)}, cluster=f"task{n % 4}")
            for n in range(20)
        ]

    partly = Metric("said", "higher", "share", share=False)
    failed, passed = measured(rows(0.0), partly), measured(rows(1.0), partly)
    assert failed is not None
    assert passed is not None
    assert (failed.n, failed.clusters, failed.low) == (20, 4, 0.0)
    assert failed.high == pytest.approx(0.4899, abs=1e-4)  # Wilson's for 0 of 4
    assert passed.low == pytest.approx(1 - 0.4899, abs=1e-4)
