"""Figures of a slice: what the overview shows, step by step and in any window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stockpot.core.errors import InvalidInput
from stockpot.traces import SpanLog, TraceFilter
from stockpot.traces.measure import Measure
from stockpot.traces.store.embedded import SqliteSpanStore
from tests.unit.traces.made import AT_NS, make_shipment, make_shipped

START = AT_NS // 1_000_000_000 // 3600 * 3600
CALLS = 300


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SpanLog]:
    """Half a minute between calls; every tenth failed, every second is of another model."""
    made = SpanLog(SqliteSpanStore(tmp_path))
    made.ingest(
        make_shipment(
            *(
                make_shipped(
                    n,
                    start_ns=(START + 30 * n) * 1_000_000_000,
                    model=("a", "b")[n % 2],
                    **({"status": 500, "error": "upstream_error"} if n % 10 == 0 else {}),
                )
                for n in range(CALLS)
            )
        )
    )
    yield made
    made.close()


def told(measure: Measure) -> tuple[int, int, int, int]:
    return (measure.calls, measure.errors, measure.cost_nano, measure.latency.count)


@pytest.mark.parametrize("cut", [{}, {"project": "menu"}, {"project": "menu", "model": "b"}])
def test_windows_and_steps_say_what_the_overview_says(log: SpanLog, cut: dict[str, str]) -> None:
    end = START + 3 * 3600
    shown = log.overview(TraceFilter(**cut), START * 1000, end * 1000, 0).totals
    (whole,) = log.measures(cut, [(START, end)])
    assert (whole.calls, whole.errors) == (shown.calls, shown.errors)
    assert whole.cost_nano == shown.cost_nano
    assert round(whole.latency.quantiles(0.95)[0] / 1e6, 4) == shown.latency_ms.p95  # type: ignore[operator]
    for step in (60, 300, 3600):
        merged = Measure()
        for part in log.stepped(cut, START, end, step).values():
            merged.merge(part)
        assert told(merged) == told(whole)
        assert merged.latency.bins == whole.latency.bins


def test_a_window_begins_and_ends_where_it_says(log: SpanLog) -> None:
    first, second = log.measures({}, [(START, START + 600), (START + 600, START + 1200)])
    assert (first.calls, second.calls) == (20, 20)
    steps = log.stepped({}, START + 60, START + 960, 300)
    assert [(at - START, one.calls) for at, one in sorted(steps.items())] == [
        (60, 10), (360, 10), (660, 10),
    ]  # fmt: skip


def test_a_sketch_counts_what_lies_above_a_bound(log: SpanLog) -> None:
    (whole,) = log.measures({}, [(START, START + 3 * 3600)])
    assert whole.latency.above(0) == CALLS
    assert whole.latency.above(3e9) == 0
    half = whole.latency.quantiles(0.5)[0]
    assert half is not None
    assert abs(whole.latency.above(half) - CALLS / 2) <= CALLS * 0.03


def test_a_slice_that_rollups_do_not_keep_apart_is_refused_by_name(log: SpanLog) -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'model'"):
        log.measures({"modle": "x"}, [(START, START + 60)])
