"""Corrected scores cover what people would say as often as they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from stockpot.stats import (
    careful_kappa,
    clustered_kappa,
    cohen_kappa,
    mean,
    prediction_powered_mean,
    rogan_gladen,
)

ROUNDS = 1500


def at_most_nominal(misses: int, rounds: int = ROUNDS, alpha: float = 0.05) -> bool:
    """Whether the 99 % interval of an error rate includes the nominal one or is better."""
    share = misses / rounds
    return share - float(ndtri(0.995)) * math.sqrt(alpha * (1 - alpha) / rounds) <= alpha


def test_both_corrections_cover_the_truth_where_the_judges_own_mean_does_not() -> None:
    rng = np.random.default_rng(7)
    truth, se, sp = 0.7, 0.7, 0.9
    missed = {"ppi": 0, "rogan-gladen": 0, "naive": 0}
    widths = {"ppi": 0.0, "labels": 0.0}
    for _ in range(ROUNDS):
        people = (rng.random(120) < truth).astype(float)
        judged = np.where(people == 1, rng.random(120) < se, rng.random(120) > sp).astype(float)
        hidden = rng.random(900) < truth
        spare = np.where(hidden, rng.random(900) < se, rng.random(900) > sp).astype(float)
        ppi = prediction_powered_mean(people.tolist(), judged.tolist(), spare.tolist())
        good, bad = judged[people == 1], judged[people == 0]
        lang = rogan_gladen(int(spare.sum()), 900, (int(good.sum()), good.size),
                            (int((1 - bad).sum()), bad.size))  # fmt: skip
        naive, labels = mean(spare.tolist()), mean(people.tolist())
        for name, one in (("ppi", ppi), ("rogan-gladen", lang), ("naive", naive)):
            missed[name] += not one.low <= truth <= one.high
        widths["ppi"] += ppi.high - ppi.low
        widths["labels"] += labels.high - labels.low
    assert at_most_nominal(missed["ppi"]), missed
    assert at_most_nominal(missed["rogan-gladen"]), missed
    assert missed["naive"] > ROUNDS / 2
    assert widths["ppi"] < widths["labels"]


def test_a_judge_that_says_nothing_of_people_leaves_the_labels_alone() -> None:
    rng = np.random.default_rng(3)
    people = rng.random(50).tolist()
    found = prediction_powered_mean(people, [0.5] * 50, [0.5] * 500)
    alone = mean(people)
    assert (found.value, found.low) == pytest.approx((alone.value, alone.low))
    coin = rogan_gladen(50, 100, (5, 10), (5, 10))
    assert math.isnan(coin.value)


def test_the_interval_of_lang_and_reiczigel_is_the_one_they_define() -> None:
    # Worked out by hand from equations 6, 7, 15 and 17 of the paper for 40 of 200 positives,
    # sensitivity 45 of 50 and specificity 95 of 100.
    z = 1.959963984540054
    n, ap = 200 + z * z, (40 + z * z / 2) / (200 + z * z)
    se, sp = 46 / 52, 96 / 102
    p = (ap + sp - 1) / (se + sp - 1)
    var_se, var_sp = se * (1 - se) / 52, sp * (1 - sp) / 102
    shift = 2 * z * z * (p * var_se - (1 - p) * var_sp)
    half = z * math.sqrt(ap * (1 - ap) / n + p * p * var_se + (1 - p) ** 2 * var_sp) / (se + sp - 1)
    found = rogan_gladen(40, 200, (45, 50), (95, 100))
    assert found.value == pytest.approx((0.2 + 0.95 - 1) / 0.85)
    assert (found.low, found.high) == pytest.approx((p + shift - half, p + shift + half))


def test_few_labels_that_all_agree_prove_little() -> None:
    word = ["pass", "fail"] * 30
    few, many = careful_kappa(word[:4], word[:4]), careful_kappa(word, word)
    assert few.value == many.value == 1.0
    assert few.low < 0.4 < 0.8 < many.low
    nearly = [*word[:-1], "pass"]
    assert careful_kappa(word, nearly).low < cohen_kappa(word, nearly).low


def test_kappa_over_items_that_were_rated_often_is_as_unsure_as_there_are_items() -> None:
    rng = np.random.default_rng(5)
    one = rng.integers(0, 2, 60)
    other = np.where(rng.random(60) < 0.8, one, 1 - one)
    plain = cohen_kappa(one.tolist(), other.tolist())
    ten = [np.repeat(x, 10).tolist() for x in (one, other, np.arange(60))]
    found = clustered_kappa(*ten)
    assert found.value == pytest.approx(plain.value)
    assert found.high - found.low == pytest.approx(plain.high - plain.low, rel=0.25)
