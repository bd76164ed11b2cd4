"""How often running experiments are looked at."""

from __future__ import annotations

import pytest

from stockpot.experiments.service.watching import Rests


@pytest.mark.parametrize("took", [0.001, 0.15, 1.0, 2.9])
def test_looks_take_a_twentieth_of_the_time_however_many_units_there_are(took: float) -> None:
    rests, now, spent = Rests(), 100.0, 0.0
    while now < 1100.0:
        if rests.due("tone", now):
            rests.looked("tone", now, now + took)
            now, spent = now + took, spent + took
        now += 3.0
    assert 0 < spent <= 1000 * 0.05 + took
    assert spent >= min(1000 * 0.04, 1000 / 3.1 * took), "and no less often than that allows"


def test_an_endless_look_is_made_again_within_a_minute_and_holds_up_no_other() -> None:
    rests = Rests()
    rests.looked("large", 0.0, 30.0)
    assert (rests.due("large", 80.0), rests.due("large", 90.0)) == (False, True)
    assert rests.due("small", 30.0)
    rests.only({"small"})
    assert rests.due("large", 31.0)
