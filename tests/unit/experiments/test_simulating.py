"""Our statistics keep their promises where the truth is known, and the usual ones do not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from stockpot.cli import main
from stockpot.experiments.simulating import METHODS, SCENARIOS, Setting, _steps, simulate
from stockpot.stats import Sums, difference_sequence, outlook

SMALL = Setting(simulations=400, units=2_000, looks=200, effects=(0.2,))


def test_watching_all_the_time_raises_false_alarms_by_the_t_test_and_not_by_the_sequence() -> None:
    told = simulate(SMALL)
    assert told.sound
    assert len(told.errors) == len(SCENARIOS) * len(METHODS)
    for rate in told.errors:
        assert rate.low <= rate.rate <= rate.high
        if rate.method == "t test at every look":
            assert not rate.holds
            assert rate.rate > 0.15
        else:
            assert rate.holds, rate
    (power,) = told.powers
    expected = outlook(0.2, 1.0, 2_000, 1).power
    assert power.low - 0.05 <= expected <= power.high + 0.05
    assert power.power < power.once
    assert power.median_units
    assert power.median_units < 2_000
    assert told == simulate(SMALL), "fixed seeds"


def test_units_that_come_back_are_summed_as_if_each_look_counted_them_anew() -> None:
    draw = np.random.default_rng(3)
    unit, values = draw.integers(0, 30, 200), draw.standard_normal(200)
    steps = _steps(unit, values).cumsum(axis=1)
    for look in (1, 2, 57, 200):
        means = [values[:look][unit[:look] == one].mean() for one in set(unit[:look].tolist())]
        told = (len(means), sum(means), sum(mean**2 for mean in means))
        assert steps[:, look - 1] == pytest.approx(told)


def test_the_command_prints_both_and_says_by_its_status_whether_all_is_sound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = ["experiments", "simulate", "--simulations", "200", "--units", "1000", "--looks", "100"]
    done = CliRunner().invoke(main, [*call, "--effect", "0.5", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["sound"]
    assert {error["method"] for error in told["errors"]} == set(METHODS)
    assert told["powers"][0]["power"] > 0.95
    shown = CliRunner().invoke(main, [*call, "--effect", "0.5"]).stdout
    assert "t test at every look" in shown
    assert "FAILS" in shown
    # a sequence that pretends to need no more than a t test is caught
    monkeypatch.setattr("stockpot.experiments.simulating.widest", lambda *_: 1.96)
    assert CliRunner().invoke(main, call).exit_code == 1


def test_what_is_simulated_is_what_decides() -> None:
    """The arrays of the simulation and the sums of a live experiment give one verdict."""
    from stockpot.experiments.simulating import _looked, _so_far

    setting = Setting(units=1_000, looks=10)
    values = np.random.default_rng(5).standard_normal((3, 1_000))
    seen = _looked(setting, np.random.default_rng(6), values, effect=0.3)
    treated = np.random.default_rng(6).random(values.shape) < 0.5
    changed = values + 0.3 * treated
    for row in range(3):
        for look, end in enumerate(range(100, 1_001, 100)):
            arms = [changed[row, :end][treated[row, :end] == arm] for arm in (True, False)]
            band = difference_sequence(*(
                Sums(arm.size, float(arm.sum()), float((arm**2).sum())) for arm in arms
            ))  # type: ignore[arg-type]  # fmt: skip
            assert seen.ready[row, look] == band.ready
            assert seen.z[row, look] == pytest.approx(band.value / band.se)
    assert _so_far(values, np.array([1_000]))[:, 0] == pytest.approx(values.sum(axis=1))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("split", [0.5, 0.1])
def test_ten_thousand_experiments_of_each_sort_hold_their_error_rates(split: float) -> None:
    told = simulate(Setting(simulations=10_000, split=split))
    assert told.sound, [rate for rate in (*told.errors, *told.ratios) if not rate.holds]
    naive = [rate for rate in told.errors if rate.method == "t test at every look"]
    assert all(rate.rate > 0.1 and not rate.holds for rate in naive)
    assert all(math.isclose(rate.nominal, 0.05) for rate in naive)
