"""Looking back through the same eyes as live."""

from __future__ import annotations

from stockpot.monitors import BurnRateRule, ThresholdRule
from stockpot.monitors.figures import Part, Window
from stockpot.monitors.history import history, plan_of
from stockpot.monitors.models import BurnWindow
from stockpot.monitors.rules import read

NOW_S = 1_790_000_000.0


def test_a_bad_quarter_of_an_hour_would_have_fired_once() -> None:
    rule = ThresholdRule(metric="error_rate", threshold=0.1, window_s=300, for_s=120)
    plan = plan_of(rule, 6, NOW_S)
    bad_from = plan.start + 7200
    parts = {
        at: Part(5.0 if bad_from <= at < bad_from + 900 else 0.0, 10)
        for at in range(plan.since, plan.end, plan.grain)
    }
    seen = history(rule, "keep", plan, parts)
    (episode,) = seen.episodes
    assert episode.worst == 0.5
    assert 120 <= episode.from_ms / 1000 - bad_from <= 300
    assert episode.until_ms is not None
    assert 900 <= episode.until_ms / 1000 - bad_from <= 1500
    assert len(seen.series[0]) * seen.step_ms == seen.to_ms - seen.from_ms
    assert seen.lines == (0.1,)


def test_each_point_is_what_a_live_look_would_have_read() -> None:
    windows = (BurnWindow(long_s=3600, short_s=300, factor=5),)
    rule = BurnRateRule(objective=0.99, windows=windows, min_samples=10)
    plan = plan_of(rule, 3, NOW_S)
    starts = range(plan.since, plan.end, plan.grain)
    parts = {at: Part(float(n % 7 == 0), 4) for n, at in enumerate(starts)}
    seen = history(rule, "keep", plan, parts)
    for number, value in enumerate(seen.series[0]):
        now = plan.start + (number + 1) * plan.step
        live = {
            s: Window(*(p for at, p in parts.items() if now - s <= at < now)) for s in (3600, 300)
        }
        share = live[3600].share()
        assert share is not None
        assert value is not None
        assert abs(value - share / 0.01) < 1e-6
        assert read(rule, live).samples == live[3600].count


def test_a_long_look_back_has_few_points() -> None:
    rule = BurnRateRule(objective=0.999)
    plan = plan_of(rule, 24 * 14, NOW_S)
    assert (plan.end - plan.start) // plan.step <= 720
    assert plan.grain % 60 == 0
    assert (plan.start - plan.since) % plan.grain == 0
