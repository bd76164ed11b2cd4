"""Where a budget's period begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.catalog.periods import Period, PeriodName, period_at


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("name", "at", "start", "end"),
    [
        ("day", ms(2026, 2, 28, 23, 59), ms(2026, 2, 28), ms(2026, 3, 1)),
        ("day", ms(2026, 3, 1), ms(2026, 3, 1), ms(2026, 3, 2)),
        ("week", ms(2026, 11, 22, 12), ms(2026, 11, 16), ms(2026, 11, 23)),
        ("week", ms(2026, 11, 23), ms(2026, 11, 23), ms(2026, 11, 30)),
        ("month", ms(2024, 2, 29), ms(2024, 2, 1), ms(2024, 3, 1)),
        ("month", ms(2026, 12, 31, 23), ms(2026, 12, 1), ms(2027, 1, 1)),
        ("total", ms(2026, 1, 1), 0, 0),
    ],
)
def test_a_period_is_of_the_calendar(name: PeriodName, at: int, start: int, end: int) -> None:
    assert period_at(name, at) == Period(start, end)


@given(
    at=st.integers(ms(2000, 1, 1), ms(2100, 1, 1)), name=st.sampled_from(["day", "week", "month"])
)
def test_periods_follow_each_other_without_a_gap(at: int, name: PeriodName) -> None:
    period = period_at(name, at)
    assert period.start_ms <= at < period.end_ms
    assert period_at(name, period.end_ms).start_ms == period.end_ms
    assert period_at(name, period.start_ms) == period
