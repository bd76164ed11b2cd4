"""Intervals that may be looked at always: they hold, and they are not wider than they must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from stockpot.stats import (
    Sums,
    boundary,
    difference_sequence,
    discoveries_of_e,
    holm,
    holm_of_e,
    mean_sequence,
    non_inferior_sequence,
    outlook,
    proportion_difference_sequence,
    proportion_sequence,
    ratio_evidence,
    sample_ratio,
    sequential_effect,
    share_spread_of,
    spread_of,
    widest,
)

PATHS, UNITS = 400, 4000
MOST_MISSES = int(binom.ppf(0.995, PATHS, 0.05))
"""So many of the paths may miss once before 5 % is refuted at 99 %."""


def sums(values: np.ndarray) -> Sums:
    return Sums(values.size, float(values.sum()), float((values**2).sum()))


@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_a_mean_stays_inside_its_sequence_at_every_look(kind: str) -> None:
    draw = np.random.default_rng(11)
    shape = (PATHS, UNITS)
    values, truth = draw.standard_normal(shape), 0.0
    if kind == "skewed":
        values, truth = np.exp(values), math.exp(0.5)
    n = np.arange(100, UNITS + 1)
    total, squares = values.cumsum(axis=1)[:, 99:], (values**2).cumsum(axis=1)[:, 99:]
    mean, variance = spread_of(n, total, squares)
    missed = np.abs(mean - truth) > boundary(n, 0.05) * np.sqrt(variance / n)
    assert missed.any(axis=1).sum() <= MOST_MISSES
    naive = np.abs(mean - truth) > 1.96 * np.sqrt(variance / n)
    assert naive.any(axis=1).mean() > 0.3
    last = mean_sequence(UNITS, float(total[0, -1]), float(squares[0, -1]))
    assert (last.low <= truth <= last.high) is not bool(missed[0, -1])


def test_a_share_stays_inside_its_exact_sequence_from_the_first_unit_on() -> None:
    draw = np.random.default_rng(12)
    for share in (0.02, 0.4):
        missed = 0
        looks = np.unique(np.geomspace(1, 1000, 40).astype(int))
        for hits in (draw.random((150, 1000)) < share).cumsum(axis=1):
            bands = [proportion_sequence(int(hits[n - 1]), int(n)) for n in looks]
            missed += any(not band.low <= share <= band.high for band in bands)
        assert missed <= binom.ppf(0.995, 150, 0.05)


@given(st.integers(0, 300), st.integers(0, 300))
def test_an_exact_sequence_holds_its_estimate_and_stays_a_share(hits: int, others: int) -> None:
    band = proportion_sequence(hits, hits + others)
    assert 0.0 <= band.low <= band.value <= band.high <= 1.0
    mirrored = proportion_sequence(others, hits + others)
    assert band.low == pytest.approx(1 - mirrored.high, abs=1e-9)


def test_the_sequence_leaves_0_exactly_when_its_evidence_reaches_1_by_alpha() -> None:
    for total in np.linspace(0, 600, 61):
        arms = Sums(2000, float(total), 2000.0), Sums(2000, 0.0, 2000.0)
        both, low = (difference_sequence(*arms, 0.05, side=side) for side in ("both", "low"))
        assert (both.low > 0) == (both.e >= 20)
        # one-sided the interval is a little wider than its evidence: a bound in closed form
        assert low.low <= 0 or low.e >= 20
        assert both.p == pytest.approx(min(1.0, 1 / both.e))


def test_nothing_is_said_before_the_burn_in() -> None:
    early = difference_sequence(Sums(99, 99.0, 200.0), Sums(5000, 0.0, 5000.0))
    assert not early.ready
    assert (early.low, early.high, early.p) == (-math.inf, math.inf, 1.0)
    assert not proportion_difference_sequence(50, 99, 10, 99).ready


def test_what_units_did_before_narrows_the_sequence_and_leaves_its_middle() -> None:
    draw = np.random.default_rng(13)
    arms = []
    for effect in (0.12, 0.0):
        pre = draw.normal(5, 2, 3000)
        values = pre + effect + draw.standard_normal(3000)
        more = (float(pre.sum()), float((pre**2).sum()), float((pre * values).sum()))
        arms.append(sums(values)._replace(pre=more[0], pre_squares=more[1], cross=more[2]))
    one, other = arms
    plain, told = (difference_sequence(one, other, adjusted=adjusted) for adjusted in (False, True))
    assert told.se < plain.se / 2
    assert told.low < 0.12 < told.high
    assert told.high - told.low < (plain.high - plain.low) / 2


def test_not_worse_is_said_of_what_is_not_worse_in_either_direction() -> None:
    draw = np.random.default_rng(14)
    control, same, worse = (sums(draw.normal(mean, 1, 4000)) for mean in (0.0, 0.0, -0.4))
    assert non_inferior_sequence(same, control, 0.2).holds
    verdict = non_inferior_sequence(worse, control, 0.2)
    assert (verdict.holds, verdict.refuted) == (False, True)
    dearer = non_inferior_sequence(control, worse, 0.2, higher_is_better=False)
    assert (dearer.holds, dearer.refuted) == (False, True)
    assert non_inferior_sequence(worse, control, 0.2, higher_is_better=False).holds
    assert non_inferior_sequence(same, control, 0.0).holds is False


def test_an_uneven_split_is_noticed_and_an_even_one_seldom_suspected() -> None:
    draw = np.random.default_rng(15)
    first = (draw.random((PATHS, UNITS)) < 0.9).cumsum(axis=1)[:, 9::10]
    n = np.arange(10, UNITS + 1, 10)
    alarms = (ratio_evidence([first, n - first], [9, 1]) >= math.log(20)).any(axis=1)
    assert alarms.sum() <= MOST_MISSES
    assert sample_ratio([52_000, 48_000], [1, 1]).alarm
    assert not sample_ratio([50_300, 49_700], [1, 1]).alarm
    assert sample_ratio([10, 1], [1, 0]).alarm
    assert sample_ratio([], []).e == 1.0
    assert sample_ratio([0, 0], [1, 1]).p == 1.0


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=7))
def test_adjusted_evidence_is_never_more_than_the_evidence(es: list[float]) -> None:
    adjusted = holm_of_e(es)
    assert all(now <= before * (1 + 1e-9) for now, before in zip(adjusted, es, strict=True))
    assert holm_of_e(es[:1]) == es[:1]
    found = discoveries_of_e(es)
    assert all(e >= 20 for e, yes in zip(es, found, strict=True) if yes)
    ps = holm([min(1.0, 1 / e) for e in es])
    best = max(range(len(es)), key=es.__getitem__)
    if ps[best] <= 0.05:  # Bonferroni's first step is in the closed test of means too
        assert adjusted[best] >= 20 * (1 - 1e-9)


def test_the_outlook_before_the_start_agrees_with_what_is_then_seen() -> None:
    effect = sequential_effect(1.0, 8000, power=0.8)
    told = outlook(effect, 1.0, 1000, 8)
    assert 0.8 <= told.power < 0.93
    assert told.median_days < 8 <= told.most_days
    draw = np.random.default_rng(16)
    n, decided = np.arange(100, 4001, 50), 0
    for _ in range(200):
        a, b = draw.normal(effect, 1, 4000).cumsum(), draw.standard_normal(4000).cumsum()
        z = (a - b)[n - 1] / n / np.sqrt(2 / n)
        decided += bool((np.abs(z) > boundary(2 * n, 0.05)).any())
    assert abs(decided / 200 - told.power) < 0.1
    assert outlook(0.0, 1.0, 1000, 8).power <= 0.06
    assert outlook(0.1, share_spread_of(0.2), 10, 5).median_days == math.inf


@given(st.integers(100, 10**6), st.floats(1, 1000), st.floats(0, 1))
def test_the_interval_of_units_that_come_again_is_wide_enough_for_every_precision_they_may_have(
    units: int, again: float, part: float
) -> None:
    between = units * again**part
    assert widest(units, units, 0.05) == boundary(units, 0.05)
    for side in ("both", "low"):
        wide = widest(units, units * again, 0.05, side=side)  # type: ignore[arg-type]
        assert wide >= boundary(between, 0.05, side=side) - 1e-9  # type: ignore[arg-type]
    once, often = (
        difference_sequence(Sums(units, 0.3 * units, units), Sums(units, 0.0, units), observed=n)
        for n in (0, int(2 * units * again))
    )
    assert often.low <= once.low <= once.high <= often.high
    assert often.p >= once.p
