"""Units come to arms evenly, independently, and stay there."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from stockpot.assign import WHOLE, Arm, Document, Experiment, Splitter, assign, draw

UNITS = [f"user-{number}" for number in range(20_000)]


def made(salt: str = "s1", share: int = WHOLE, weights: tuple[int, ...] = (5000, 5000)) -> Splitter:
    arms = tuple(Arm(f"arm-{n}", weight, f"menu@{n}") for n, weight in enumerate(weights))
    return Splitter(
        Experiment(
            "x1", "soup", "shop", "label", "menu@production", "user", salt, arms, share, "arm-0"
        )
    )


def arms_of(splitter: Splitter) -> list[str | None]:
    return [drawn.arm.name if (drawn := splitter.draw(unit)) else None for unit in UNITS]


@pytest.mark.parametrize("weights", [(5000, 5000), (9000, 1000), (3333, 3333, 3334), (1, 9999)])
@pytest.mark.parametrize("share", [WHOLE, 2500])
def test_each_arm_gets_its_weight_of_the_units_and_the_ramp_its_share(
    weights: tuple[int, ...], share: int
) -> None:
    found = arms_of(made("even", share, weights))
    taking = [name for name in found if name]
    expected = len(UNITS) * share / WHOLE
    assert abs(len(taking) - expected) <= 4 * (expected * (1 - share / WHOLE)) ** 0.5
    counts = [taking.count(f"arm-{n}") for n in range(len(weights))]
    wanted = [weight / WHOLE * len(taking) for weight in weights]
    if min(wanted) >= 5:
        assert chisquare(counts, wanted).pvalue > 1e-3
    else:
        assert counts[0] <= 15


def test_two_experiments_do_not_lean_on_one_another() -> None:
    one, other = arms_of(made("a")), arms_of(made("b", 5000))
    table = [
        [sum(1 for a, b in zip(one, other, strict=True) if (a, b) == (x, y)) for y in
         ("arm-0", "arm-1", None)]
        for x in ("arm-0", "arm-1")
    ]  # fmt: skip
    assert chi2_contingency(table).pvalue > 1e-3


def test_who_comes_in_early_says_nothing_of_the_arm() -> None:
    everybody, first = arms_of(made()), arms_of(made(share=2000))
    table = [
        [sum(1 for a, b in zip(everybody, first, strict=True) if a == x and bool(b) == y) for y in
         (True, False)]
        for x in ("arm-0", "arm-1")
    ]  # fmt: skip
    assert chi2_contingency(table).pvalue > 1e-3


@given(
    st.text(max_size=40),
    st.lists(st.integers(0, WHOLE), min_size=2, max_size=6),
    st.integers(0, WHOLE),
)
def test_a_ramp_takes_in_and_lets_go_but_never_moves_a_unit_between_arms(
    unit: str, shares: list[int], cut: int
) -> None:
    weights = (cut, WHOLE - cut)
    at_full = made(weights=weights).draw(unit)
    assert at_full is not None
    assert at_full == made(weights=weights).draw(unit)
    taking = [made(share=share, weights=weights).draw(unit) for share in sorted(shares)]
    assert all(drawn in (None, at_full) for drawn in taking)
    assert all(before is None or after == before for before, after in pairwise(taking))
    assert made(share=0).draw(unit) is None


def test_an_arm_without_weight_gets_nobody_and_a_stopped_experiment_assigns_nobody() -> None:
    assert set(arms_of(made(weights=(0, 10_000)))) == {"arm-1"}
    assert set(arms_of(made(weights=(10_000, 0)))) == {"arm-0"}
    stopped = Experiment(
        "x", "soup", "shop", "alias", "chat", "user", "s", (Arm("a", WHOLE, "chat"),), WHOLE, "a",
        state="stopped",
    )  # fmt: skip
    assert assign(stopped, "anna") is None


def test_the_name_of_a_unit_in_records_differs_between_experiments_and_hides_the_unit() -> None:
    names = {draw(made(salt).experiment, "anna@example.com") for salt in ("a", "b")}
    units = {drawn.unit for drawn in names if drawn}
    assert len(units) == 2
    assert all(len(unit) == 24 and "anna" not in unit for unit in units)


@pytest.mark.parametrize(
    ("weights", "share", "said"),
    [((5000, 4000), WHOLE, "add up"), ((5000, 5000), WHOLE + 1, "share")],
)
def test_what_cannot_be_run_is_said(weights: tuple[int, ...], share: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(weights=weights, share=share)


def test_placing_a_unit_is_far_below_its_bar() -> None:
    splitter = made()
    best = 1.0
    for _ in range(5):
        began = perf_counter()
        for unit in UNITS[:2000]:
            splitter.draw(unit)
        best = min(best, (perf_counter() - began) / 2000)
    assert best < 20e-6


def test_units_are_where_they_always_were() -> None:
    """The vectors that every implementation of placing keeps to; sdk-ts reads the same file."""
    told = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
    document = msgspec.convert(told["document"], Document)
    splitters = {one.name: Splitter(one) for one in document.experiments}
    assert len(told["cases"]) > 200
    for name, unit, arm, hashed in told["cases"]:
        drawn = splitters[name].draw(unit)
        assert (drawn and drawn.arm.name, drawn.unit if drawn else "") == (arm, hashed)
