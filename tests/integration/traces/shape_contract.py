"""What every span store must tell of the shape of traces and of what calls are made of."""

from __future__ import annotations

import time

from stockpot.traces.models import Sight, TraceFilter
from stockpot.traces.provenance import Window
from stockpot.traces.service import SpanLog
from stockpot.traces.store import Batch, NewSpan, SpanStore
from tests.unit.traces.made import AT_NS, make_span

TRACE = b"g" * 16


def append(store: SpanStore, *spans: NewSpan) -> None:
    store.append([Batch([(span, None) for span in spans])])


def giant(count: int) -> list[NewSpan]:
    """One trace: a root, steps below it, and calls below those."""
    root = make_span(0, trace_id=TRACE, kind="workflow", span_id=(0).to_bytes(8, "big"))
    rest = [
        make_span(
            n, trace_id=TRACE, is_root=False, source="otlp", span_id=n.to_bytes(8, "big"),
            parent_id=(0 if n % 10 == 1 else n - (n - 1) % 10).to_bytes(8, "big"),
            at_ns=AT_NS + n, start_ns=AT_NS + n, cost_nano=10, status="error" if n == 55 else "ok",
            kind="workflow" if n % 10 == 1 else "llm",
        )
        for n in range(1, count)
    ]  # fmt: skip
    return [root, *rest]


class ShapeContract:
    """Trees and set-ups."""

    def test_a_giant_trace_is_read_page_by_page(self, store: SpanStore) -> None:
        append(store, *giant(10_000))
        log = SpanLog(store)
        begun = time.process_time()
        page = log.tree(TRACE.hex())
        assert time.process_time() - begun < 0.5  # the bar is 0.2 s; this machine may be busy
        assert (page.total, page.errors, page.cost_nano) == (10_000, 1, 99_990)
        assert [row.depth for row in page.rows[:4]] == [0, 1, 2, 2]
        assert (page.rows[1].spans, page.rows[1].children, page.rows[1].cost_nano) == (10, 9, 100)
        seen, cursor = list(page.rows), page.next_cursor
        while cursor:
            page = log.tree(TRACE.hex(), cursor=cursor, limit=1000)
            seen, cursor = [*seen, *page.rows], page.next_cursor
        assert [row.at for row in seen] == list(range(10_000))
        assert len({row.span.span_id for row in seen}) == 10_000

    def test_what_hangs_below_one_span_is_read_alone(self, store: SpanStore) -> None:
        append(store, *giant(40))
        page = SpanLog(store).tree(TRACE.hex(), parent=(11).to_bytes(8, "big").hex(), limit=4)
        assert (page.total, page.next_cursor) == (9, "4")
        assert [row.at for row in page.rows] == [0, 1, 2, 3]
        assert {row.span.parent_id for row in page.rows} == {(11).to_bytes(8, "big").hex()}

    def test_a_tree_holds_what_somebody_may_see(self, store: SpanStore) -> None:
        append(store, *giant(5), make_span(9, trace_id=TRACE, project="till"))
        sight = Sight(projects=frozenset({"till"}))
        assert SpanLog(store).tree(TRACE.hex(), sight=sight).total == 1

    def test_what_changed_is_told_by_dimension(self, store: SpanStore) -> None:
        append(store, *(
            make_span(n, model="mini", prompt_name="menu", prompt_version="1", cost_nano=100)
            for n in range(20)
        ), *(
            make_span(n, model="mini", prompt_name="menu", prompt_version="2" if n % 2 else "1",
                      cost_nano=300, status="error" if n % 4 == 0 else "ok")
            for n in range(60, 80)
        ), make_span(90, kind="tool", model=""))  # fmt: skip
        start = AT_NS / 1e6
        base, now = (Window(from_ms=start + s, to_ms=start + s + 60_000) for s in (0, 60_000))
        found = SpanLog(store).changes(TraceFilter(project="menu"), base, now)
        first = found.dimensions[0]
        assert (first.dimension, first.distance) == ("prompt", 0.5)
        shifts = {value.value: value.shift for value in first.values}
        assert shifts == {"menu@1": -0.5, "menu@2": 0.5}
        assert all(d.distance == 0 for d in found.dimensions[1:])
        assert (found.totals.base.calls, found.totals.now.calls) == (20, 20)
        assert (found.totals.base.cost_nano, found.totals.now.errors) == (2_000, 5)
        assert found.totals.now.latency_ms.p95 is not None

    def test_a_span_counts_for_those_that_were_sampled_away(self, store: SpanStore) -> None:
        append(
            store,
            make_span(1, model="mini", sample_weight=10.0, cost_nano=5, duration_ns=10_000_000),
            make_span(2, model="maxi", cost_nano=7, duration_ns=90_000_000),
        )
        window = Window(from_ms=AT_NS / 1e6, to_ms=AT_NS / 1e6 + 60_000)
        totals = SpanLog(store).changes(TraceFilter(), window, window).totals.now
        assert (totals.calls, totals.cost_nano) == (11, 57)
        assert totals.latency_ms.p50 is not None
        assert 9.9 <= totals.latency_ms.p50 <= 10.1
