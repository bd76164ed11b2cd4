"""What a rule says of its windows, and what a monitor becomes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stockpot.monitors import BurnRateRule, ThresholdRule
from stockpot.monitors.figures import Part, Window, part_of, spoken
from stockpot.monitors.models import BurnWindow, Reading, recommended_windows
from stockpot.monitors.rules import Memory, read, step, windows_of
from stockpot.traces import Measure

MS = 1_000_000
SLOW = ThresholdRule(metric="latency_p95", threshold=200, back_at=150, for_s=120, back_for_s=60)


def calls(good: int, bad: int = 0, *, latency_ms: float = 100) -> Measure:
    measure = Measure()
    measure.calls, measure.errors = good + bad, bad
    for _ in range(good + bad):
        measure.latency.add(latency_ms * MS)
    return measure


def looked(rule: ThresholdRule, measure: Measure) -> Reading:
    return read(rule, {rule.window_s: Window(part_of(rule, measure))})


def beyond(value: float = 300, *, back: bool = False) -> Reading:
    return Reading(value, 50, not back, back, "page", "")


BETWEEN = Reading(180, 50, False, False, "page", "")
NOTHING = Reading(None, 0, None, None, "page", "")


def played(*readings: tuple[float, Reading], no_data: str = "keep") -> list[tuple[str, object]]:
    memory, seen = Memory(), []
    for at_s, reading in readings:
        memory, event = step(SLOW, no_data, memory, reading, at_s * 1000)  # type: ignore[arg-type]
        seen.append((memory.state, event))
    return seen


def test_one_bad_call_out_of_two_pages_nobody() -> None:
    rule = ThresholdRule(metric="error_rate", threshold=0.05)
    assert looked(rule, calls(1, 1)).beyond is None
    assert looked(rule, calls(10, 10)).beyond is True
    assert looked(rule, calls(100, 5)).beyond is False
    burn = BurnRateRule(objective=0.999)
    few = Window(part_of(burn, calls(1, 1)))
    assert read(burn, dict.fromkeys(windows_of(burn), few)).beyond is None


def test_a_latency_is_told_in_milliseconds_within_the_sketchs_accuracy() -> None:
    reading = looked(SLOW, calls(50, latency_ms=300))
    assert reading.value == pytest.approx(300, rel=0.01)
    assert reading.beyond is True
    assert "p95 of latency is" in reading.reason


def test_sums_are_zero_where_nothing_happened_and_shares_unknown() -> None:
    gone = ThresholdRule(metric="calls", op="below", threshold=1)
    assert looked(gone, Measure()).beyond is True
    assert looked(ThresholdRule(metric="error_rate", threshold=0), Measure()).value is None


def test_a_cost_without_any_price_is_unknown() -> None:
    rule = ThresholdRule(metric="cost", threshold=1)
    unpriced = calls(3)
    unpriced.unpriced = 3
    assert looked(rule, unpriced).beyond is None
    unpriced.cost_nano = 5
    assert looked(rule, unpriced).beyond is True


def test_it_is_pending_for_as_long_as_it_has_to_last_and_fires_once() -> None:
    found = played(*((at, beyond()) for at in (0, 60, 120, 180)))
    assert found == [
        ("pending", None), ("pending", None), ("firing", "fired"), ("firing", None),
    ]  # fmt: skip


def test_a_dip_while_pending_begins_the_wait_anew() -> None:
    found = played((0, beyond()), (100, beyond(back=True)), (110, beyond()), (200, beyond()))
    assert [state for state, _ in found] == ["pending", "ok", "pending", "pending"]


def test_a_value_that_dances_around_the_threshold_alerts_once() -> None:
    dance = [(0, beyond()), (130, beyond()), *((140 + 10 * n, BETWEEN) for n in range(30))]
    found = played(*dance, (500, beyond(100, back=True)), (561, beyond(100, back=True)))
    assert [event for _, event in found if event] == ["fired", "resolved"]
    assert found[-1] == ("resolved", "resolved")


@pytest.mark.parametrize(
    ("no_data", "states"),
    [
        ("keep", ["firing", "firing", "firing"]),
        ("resolve", ["firing", "firing", "resolved"]),
        ("alert", ["firing", "firing", "firing"]),
    ],
)
def test_what_silence_means_is_a_choice(no_data: str, states: list[str]) -> None:
    begun = [(0, beyond()), (130, beyond())]
    found = played(*begun, (140, NOTHING), (210, NOTHING), no_data=no_data)
    assert [state for state, _ in found[1:]] == states
    alone = played((0, NOTHING), (130, NOTHING), no_data=no_data)
    assert alone[-1][0] == ("firing" if no_data == "alert" else "no_data")


def test_a_recovered_monitor_is_shown_as_such_for_an_hour() -> None:
    good = beyond(100, back=True)
    begun = [(0, beyond()), (130, beyond()), (140, good), (210, good)]
    found = played(*begun, (3000, good), (210 + 3600, good))
    assert [state for state, _ in found[-2:]] == ["resolved", "ok"]


def test_the_workbooks_windows_are_those_that_it_prints() -> None:
    printed = [(w.long_s, w.short_s, w.factor, w.severity) for w in recommended_windows(30)]
    assert printed == [
        (3600, 300, 14.4, "page"), (21600, 1800, 6.0, "page"), (259200, 21600, 1.0, "ticket"),
    ]  # fmt: skip


def rates(rule: BurnRateRule, **bad: float) -> Reading:
    """A reading where each window, such as `s3600`, saw a share of bad calls."""
    windows = {
        seconds: Window(Part(bad.get(f"s{seconds}", 0.0) * 10_000, 10_000))
        for seconds in windows_of(rule)
    }
    return read(rule, windows)


def test_a_burn_fires_only_while_both_windows_burn() -> None:
    rule = BurnRateRule(objective=0.999)
    both = rates(rule, s3600=0.02, s300=0.03)
    assert (both.beyond, both.severity) == (True, "page")
    assert both.value == pytest.approx(20)
    assert rates(rule, s3600=0.02, s300=0.001).beyond is False  # it stopped
    assert rates(rule, s3600=0.01, s300=0.5).beyond is False  # it is young
    slow = rates(rule, s259200=0.002, s21600=0.0015)
    assert (slow.beyond, slow.severity) == (True, "ticket")


def test_a_ticket_that_becomes_a_page_is_told_again() -> None:
    rule = BurnRateRule(objective=0.999)
    memory, event = step(rule, "keep", Memory(), rates(rule, s259200=0.01, s21600=0.01), 0)
    assert (event, memory.severity) == ("fired", "ticket")
    page = rates(rule, s3600=0.1, s300=0.1)
    memory, event = step(rule, "keep", memory, page, 1000)
    assert (event, memory.severity, memory.state) == ("escalated", "page", "firing")
    assert step(rule, "keep", memory, page, 2000)[1] is None


def test_slow_calls_burn_the_budget_of_a_latency_objective() -> None:
    window = BurnWindow(long_s=600, short_s=60, factor=2)
    rule = BurnRateRule(indicator="latency", bound=250, objective=0.9, windows=(window,))
    measure = calls(80, latency_ms=100)
    measure.merge(calls(20, latency_ms=400))
    reading = read(rule, dict.fromkeys(windows_of(rule), Window(part_of(rule, measure))))
    assert reading.value == pytest.approx(2.0)
    assert reading.beyond is False
    measure.merge(calls(5, latency_ms=400))
    reading = read(rule, dict.fromkeys(windows_of(rule), Window(part_of(rule, measure))))
    assert reading.beyond is True


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2000)), min_size=1, max_size=40),
    st.integers(1, 10),
)
def test_a_window_that_slid_is_the_window_that_was_summed_anew(
    minutes: list[tuple[int, int]], width: int
) -> None:
    rule = ThresholdRule(metric="latency_p95", threshold=1)
    parts = [part_of(rule, calls(n, latency_ms=ms)) for n, ms in minutes]
    sliding = Window()
    for at, part in enumerate(parts):
        sliding.add(part)
        if at >= width:
            sliding.add(parts[at - width], -1)
        anew = Window(*parts[max(0, at - width + 1) : at + 1])
        assert (sliding.bins, sliding.count) == (anew.bins, anew.count)
        assert sliding.value(rule) == anew.value(rule)


@given(st.lists(st.sampled_from([beyond(), beyond(100, back=True), BETWEEN, NOTHING])))
def test_whatever_is_read_firing_and_resolving_alternate(readings: list[Reading]) -> None:
    rng = random.Random(len(readings))
    at, played_at = 0.0, []
    for reading in readings:
        at += rng.choice([1, 30, 90])
        played_at.append((at, reading))
    events = [event for _, event in played(*played_at) if event]
    assert events == ["fired", "resolved"] * (len(events) // 2) + ["fired"] * (len(events) % 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metric": "score_mean", "threshold": 1},
        {"metric": "calls", "score": "thumbs", "threshold": 1},
        {"metric": "calls", "threshold": 10, "back_at": 11},
        {"metric": "calls", "op": "below", "threshold": 10, "back_at": 9},
        {"metric": "calls", "threshold": float("nan")},
        {"metric": "calls", "threshold": 1, "window_s": 90},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ThresholdRule(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "said"), [(0, "0"), (0.0123, "0.0123"), (14.4, "14.4"), (12345.6, "12,346")]
)
def test_numbers_are_said_with_digits_that_count(amount: float, said: str) -> None:
    assert spoken(amount) == said
