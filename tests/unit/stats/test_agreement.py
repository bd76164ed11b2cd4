"""Agreement beyond chance is what the published worked examples say."""

from __future__ import annotations

import math
import random

import pytest

from stockpot.stats.agreement import (
    Level,
    cohen_kappa,
    fleiss_kappa,
    kappa_of_table,
    krippendorff_alpha,
    share_agreed,
)

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve
# units, missing values.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = tuple(zip(*OBSERVERS, strict=True))

# Fleiss 1971, Psychological Bulletin 76:378: Diagnoses of thirty patients by six psychiatrists have
# kappa .430; the table of ten subjects, fourteen raters and five categories is the usual short one.
TEN = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_that_of_krippendorffs_own_example(level: Level, alpha: float) -> None:
    found = krippendorff_alpha(UNITS, level)
    assert round(found.value, 3) == alpha
    assert found.low < found.value < found.high <= 1
    assert found.n == 11, "the unit that one observer rated says nothing"


def test_alpha_of_names_needs_no_numbers() -> None:
    named = [[v and "abcdef"[v] for v in unit] for unit in UNITS]
    assert round(krippendorff_alpha(named).value, 3) == 0.743


def test_kappa_is_that_of_the_textbook() -> None:
    """Fleiss, Levin and Paik 2003, "Statistical Methods for Rates and Proportions", table 18.1:
    two raters, a hundred subjects, three diagnoses."""
    table = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    found = kappa_of_table(table)
    assert round(found.value, 2) == 0.68
    assert round(found.se, 3) == 0.088
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(table[i][j])]
    one, other = zip(*pairs, strict=True)
    assert cohen_kappa(one, other).value == pytest.approx(found.value)


def test_kappa_of_fifty_grants() -> None:
    """The example of the article "Cohen's kappa" in Wikipedia: 20, 5, 10, 15 give .4."""
    assert kappa_of_table([[20, 5], [10, 15]]).value == pytest.approx(0.4)


def test_weighted_kappa_forgives_neighbours() -> None:
    one, other = [1, 2, 3, 4, 5, 1, 3, 5], [1, 3, 3, 5, 5, 2, 3, 4]
    plain = cohen_kappa(one, other).value
    linear = cohen_kappa(one, other, "linear").value
    quadratic = cohen_kappa(one, other, "quadratic").value
    assert plain < linear < quadratic < 1


def test_kappa_of_many_raters_is_that_of_the_known_table() -> None:
    found = fleiss_kappa(TEN)
    assert round(found.value, 3) == 0.210
    assert found.low < 0.210 < found.high


def test_chance_alone_gives_nothing_and_the_interval_holds_it() -> None:
    rng = random.Random(7)
    units = [[rng.choice("ab"), rng.choice("ab")] for _ in range(400)]
    found = krippendorff_alpha(units)
    assert found.low < 0 < found.high
    one, other = zip(*units, strict=True)
    assert cohen_kappa(one, other).low < 0 < cohen_kappa(one, other).high


def test_where_only_one_value_was_given_nothing_is_said() -> None:
    same = [["a", "a"]] * 5
    assert math.isnan(krippendorff_alpha(same).value)
    assert math.isnan(cohen_kappa("aaa", "aaa").value)
    with pytest.raises(ValueError, match="two raters"):
        krippendorff_alpha([[1], [None, 2]])


def test_a_share_counts_units_that_two_rated() -> None:
    assert share_agreed([["a", "a"], ["a", "b"], ["a", None], ["b", "b", "b"]]) == (2, 3)
