"""When checks are due, and what a monitor reads out of their runs."""

from __future__ import annotations

import datetime

import pytest

from stockpot.monitors import CheckRule
from stockpot.monitors.checks.timing import checked_cron, next_cron, next_due
from stockpot.monitors.history import history_of_runs
from stockpot.monitors.rules import Ran, read_runs


def after(cron: str, then: str) -> str:
    start = datetime.datetime.fromisoformat(f"{then}+00:00").timestamp() * 1000
    found = next_cron(cron, start)
    assert found is not None
    return datetime.datetime.fromtimestamp(found / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("cron", "then", "found"),
    [
        ("* * * * *", "2026-03-01T10:00:00", "2026-03-01 10:01"),
        ("*/15 9-17 * * 1-5", "2026-03-06T17:50:00", "2026-03-09 09:00"),
        ("0 3 * * *", "2026-03-01T03:00:00", "2026-03-02 03:00"),
        ("30 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29 00:30"),
        ("0 0 13 * 5", "2026-03-01T00:00:00", "2026-03-06 00:00"),
        ("0 12 * * 7", "2026-03-01T12:00:00", "2026-03-08 12:00"),
        ("5,10 1/6 1 */3 *", "2026-03-31T23:59:59", "2026-04-01 01:05"),
    ],
)
def test_a_cron_expression_names_its_next_minute(cron: str, then: str, found: str) -> None:
    assert after(cron, then) == found


@pytest.mark.parametrize(
    "cron", ["* * * *", "60 * * * *", "5-1 * * * *", "0 0 31 2 *", "a * * * *"]
)
def test_an_expression_that_names_no_time_is_refused_in_words(cron: str) -> None:
    with pytest.raises(ValueError, match=r"cron|minute|ends|no day"):
        checked_cron(cron)


def test_what_has_no_schedule_is_due_when_somebody_asks() -> None:
    assert next_due(None, "", 5) is None
    assert next_due(60, "", 5) == 60_005


def ran(alarm: bool | None) -> Ran:
    return Ran(alarm, 0.5, 10, "words")


def test_a_monitor_fires_after_as_many_alarms_in_a_row_as_it_asks_for() -> None:
    rule = CheckRule(check="drift:inputs", runs=2)
    assert read_runs(rule, []).beyond is None
    assert read_runs(rule, [ran(None)]).beyond is None
    assert not read_runs(rule, [ran(True)]).beyond
    assert not read_runs(rule, [ran(True), ran(False)]).beyond
    assert read_runs(rule, [ran(True), ran(None), ran(True)]).beyond
    back = read_runs(rule, [ran(False), ran(True), ran(True)])
    assert (back.beyond, back.back) == (False, True)


def test_a_look_back_tells_when_it_would_have_fired() -> None:
    hour = 3_600_000.0
    now = 100 * hour
    runs = [(now - 3.5 * hour, ran(False)), (now - 2.5 * hour, ran(True)),
            (now - 1.5 * hour, ran(False))]  # fmt: skip
    found = history_of_runs(CheckRule(check="canary:menu"), "keep", runs, 4, now)
    (episode,) = found.episodes
    assert episode.from_ms == pytest.approx(now - 2.5 * hour, abs=60_000)
    assert episode.until_ms == pytest.approx(now - 1.5 * hour, abs=60_000)
    assert found.samples == 30
