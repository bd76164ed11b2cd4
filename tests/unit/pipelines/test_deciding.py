"""Verdicts on candidates: what passes, what is refused, and what nobody can tell yet."""

from __future__ import annotations

import numpy as np
import pytest

from stockpot.evals import ScorerSpec
from stockpot.pipelines.rightsize.deciding import Question, Told, decided
from stockpot.pipelines.rightsize.service.running import judge_behind
from tests.unit.pipelines.made import QUESTION, arm

HARD = np.random.default_rng(7).normal(0.6, 0.2, 4000)
"""What a row is worth by itself: it is in both arms and falls out."""


def shifted(by: float, n: int, seed: int, spread: float = 0.1) -> list[float]:
    noise = np.random.default_rng(seed).normal(by, spread, n)
    return [float(value) for value in HARD[:n] + noise]


def word(base: Told, candidate: Told, question: Question = QUESTION) -> tuple[str, str]:
    (one,) = decided(question, base, [candidate]).candidates
    return one.verdict, one.reason


def test_a_candidate_passes_that_is_as_good_and_costs_less() -> None:
    base = arm("big", shifted(0, 100, 1))
    report = decided(QUESTION, base, [arm("small", shifted(0, 100, 2), cost=10)])
    (one,) = report.candidates
    assert (one.verdict, report.recommended) == ("passes", "small")
    assert one.low is not None
    assert one.low > -0.1
    assert one.saved_share == pytest.approx(0.9)
    assert report.warnings == ()


def test_worse_is_refused_also_where_the_margin_lies_inside_the_interval() -> None:
    base = arm("big", shifted(0, 60, 1, 0.2))
    assert word(base, arm("small", shifted(-0.12, 60, 2, 0.2), cost=1)) == (
        "refused", "it is worse, and not shown to keep within 0.1"
    )  # fmt: skip
    assert word(base, arm("tiny", shifted(-0.5, 60, 3, 0.2), cost=1)) == (
        "refused", "it is worse by more than 0.1"
    )  # fmt: skip


def test_as_good_but_no_cheaper_is_refused_and_unknown_costs_are_said() -> None:
    base = arm("big", shifted(0, 100, 1))
    assert word(base, arm("same", shifted(0, 100, 2), cost=100))[0] == "refused"
    report = decided(QUESTION, base, [arm("free", shifted(0, 100, 2), cost=None)])
    assert report.candidates[0].verdict == "passes"
    assert report.candidates[0].saved_share is None
    assert any("'free'" in warning and "prices set" in warning for warning in report.warnings)


def test_too_few_rows_say_how_many_it_takes_and_so_many_then_tell() -> None:
    base = arm("big", shifted(0, 24, 1, 0.3))
    few = decided(QUESTION, base, [arm("small", shifted(0, 24, 2, 0.3), cost=1)])
    (one,) = few.candidates
    assert one.verdict == "not enough data"
    assert one.needed is not None
    assert 24 < one.needed < 2000
    shown = 0
    for seed in range(20):
        many = one.needed
        base = arm("big", shifted(0, many, 100 + seed, 0.3))
        shown += word(base, arm("small", shifted(0, many, 200 + seed, 0.3), cost=1))[0] == "passes"
    assert shown >= 10  # planned for 8 in 10


def test_answers_without_a_score_do_not_help_a_candidate_to_pass() -> None:
    scores: list[float | None] = list(shifted(0, 100, 2))
    base = arm("big", shifted(0, 100, 1))
    assert word(base, arm("small", scores, cost=1))[0] == "passes"
    mute = [None if n < 25 else score for n, score in enumerate(scores)]
    report = decided(QUESTION, base, [arm("mute", mute, cost=1)])
    (one,) = report.candidates
    assert (one.verdict, one.figures.unscored, one.n) == ("not enough data", 25, 75)
    assert "25 answers without a score" in one.reason
    assert any("25 answers of 'mute' got no score" in said for said in report.warnings)
    broken = arm("broken", scores, cost=1, errors=range(30))
    assert word(base, broken)[0] == "not enough data"


def test_rows_that_belong_together_count_as_one() -> None:
    noise = np.repeat(np.random.default_rng(5).normal(0, 0.15, 12), 20)
    places = [HARD[n] for n in range(240)]
    same = [float(value + noise[(n % 12) * 20]) for n, value in enumerate(places)]
    apart = decided(QUESTION, arm("big", places), [arm("small", same, cost=1)]).candidates[0]
    together = decided(
        QUESTION, arm("big", places, clusters=12), [arm("small", same, cost=1, clusters=12)]
    ).candidates[0]
    assert (apart.clusters, together.clusters) == (240, 12)
    assert together.high is not None
    assert apart.high is not None
    assert together.high - (together.low or 0) > 2 * (apart.high - (apart.low or 0))


def test_less_is_better_turns_everything_round() -> None:
    question = QUESTION._replace(direction="lower")
    base = arm("big", shifted(0, 100, 1))
    (one,) = decided(question, base, [arm("small", shifted(0.5, 100, 2), cost=1)]).candidates
    assert one.verdict == "refused"
    assert one.difference is not None
    assert 0.4 < (one.low or 0) < one.difference < (one.high or 0) < 0.6


def test_of_many_bad_candidates_hardly_one_passes_by_chance() -> None:
    """Each is worse by just the margin. At a one-sided 2.5 % over all ten, 300 rounds may show
    about 7.5 wrong ones; 15 is the 99 % binomial bound."""
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        base = arm("big", rng.normal(0, 0.2, 40).tolist())
        candidates = [
            arm(f"c{n}", rng.normal(-0.1, 0.2, 40).tolist(), cost=1, tokens=0) for n in range(10)
        ]
        report = decided(QUESTION, base, candidates)
        wrong += any(one.verdict == "passes" for one in report.candidates)
    assert wrong <= 15


def test_only_verdicts_of_judges_need_a_certificate() -> None:
    def behind(use: str, **options: str) -> str:
        return judge_behind(ScorerSpec(use=use, options=dict(options)))

    assert behind("judge:polite@2") == "polite@2"
    assert behind("recorded", judge="gpt-4") == "gpt-4"
    assert behind("recorded") == "an unnamed judge"
    assert behind("autoevals", metric="Factuality") == "autoevals:Factuality"
    assert behind("autoevals", metric="Levenshtein") == behind("mentions") == ""
