"""How long something lasts is told in a unit that leaves a number one can grasp."""

from __future__ import annotations

import pytest

from stockpot.core.durations import lasting


@pytest.mark.parametrize(
    ("days", "told"),
    [(1234.5, "1,234 days"), (14, "14 days"), (3.25, "3.2 days"), (1.9, "46 hours"),
     (0.0908, "2.2 hours"), (0.05, "72 minutes"), (0.0001, "2 minutes at most")],
)  # fmt: skip
def test_a_duration_is_told_in_the_unit_that_suits_it(days: float, told: str) -> None:
    assert lasting(days) == told
