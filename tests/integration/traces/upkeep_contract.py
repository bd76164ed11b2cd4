"""What every span store must do about what is there already: expire, sample, erase, reprice."""

from __future__ import annotations

import random
from pathlib import Path
from statistics import mean, stdev

import pytest

from stockpot.traces.models import SubjectFilter, TraceFilter
from stockpot.traces.provenance import Window, WindowFigures
from stockpot.traces.service import SpanLog
from stockpot.traces.store import Batch, NewPayload, NewSpan, SpanStore
from stockpot.traces.store.orders import Done, Erase, Expire, Order, Priced, Reprice, Sample
from stockpot.traces.store.sqlite import connect
from tests.integration.traces.span_store_contract import HOUR_NS, Clock
from tests.unit.traces.made import AT_NS, answered, asked, make_span

EVERYTHING = TraceFilter()
NEVER = 1 << 62
WINDOW = Window(from_ms=AT_NS / 1e6, to_ms=AT_NS / 1e6 + 3_600_000)


def spoken(span: NewSpan, said: str) -> tuple[NewSpan, NewPayload]:
    span.payload, span.input_preview = 1, said
    return span, NewPayload(asked(said), answered("well"), said)


def perform(store: SpanStore, order: Order) -> Done:
    """All of an order; gives its sums."""
    spans = removed = 0
    traces: tuple[tuple[str, bytes], ...] = ()
    while True:
        done = store.perform(order)
        spans, removed, traces = spans + done.spans, removed + done.removed, traces + done.traces
        if not done.more:
            return Done(spans, removed, False, traces)


def left(store: SpanStore) -> list[str]:
    return [row.root.project for _, row in store.traces(EVERYTHING, limit=500).items]


def figures(store: SpanStore) -> WindowFigures:
    return SpanLog(store).changes(EVERYTHING, WINDOW, WINDOW).totals.now


class UpkeepContract:
    """Retention, sampling, erasure, repricing."""

    def test_spans_go_when_their_project_says_so_and_sums_stay(
        self, store: SpanStore, clock: Clock, tmp_path: Path
    ) -> None:
        for day in range(3):
            store.append([Batch([
                spoken(make_span(n, project=project, session=f"s{day}", at_ns=clock.ns,
                                 cost_nano=5), "soup")
                for n, project in ((10 * day, "menu"), (10 * day + 1, "till"))
            ])])  # fmt: skip
            clock.ns += 24 * HOUR_NS
        before = store.overview(EVERYTHING, 0, clock.ns / 1e6, 0).totals
        done = perform(store, Expire("menu", clock.ns - 36 * HOUR_NS))
        assert (done.removed, sorted(left(store))) == (2, ["menu", "till", "till", "till"])
        assert perform(store, Expire("menu", clock.ns - 36 * HOUR_NS)).removed == 0
        assert store.overview(EVERYTHING, 0, clock.ns / 1e6, 0).totals == before
        assert [len(store.traces(TraceFilter(q="soup"), limit=9).items)] == [4]
        sessions = store.subjects("session", SubjectFilter(project="menu"), offset=0, limit=9)
        assert [one.name for one in sessions.items] == ["s2"]
        audit = store.audit()
        assert (audit.problems, audit.missing_payloads) == ((), 0)
        for project in ("menu", "till"):
            assert list((tmp_path / "spans/payloads").glob("*.db")) != []
            perform(store, Expire(project, clock.ns))
        assert list((tmp_path / "spans/payloads").glob("*.db*")) == [], "their disk is free again"
        assert (left(store), store.audit().problems) == ([], ())
        log = connect(tmp_path / "spans/spans.db")
        assert log.execute("SELECT count(*) FROM minutes").fetchone() == (0,), "no index of nothing"
        log.close()

    def test_payloads_go_before_their_spans_and_a_file_with_the_last_of_them(
        self, store: SpanStore, clock: Clock, tmp_path: Path
    ) -> None:
        span, other = make_span(1, project="menu"), make_span(2, project="till")
        store.append([Batch([spoken(span, "leek"), spoken(other, "pea")])])
        clock.ns += 72 * HOUR_NS
        assert perform(store, Expire("menu", clock.ns, payloads_only=True)).spans == 1
        kept = store.payload(span.trace_id, span.span_id, "menu")
        assert kept is not None
        assert (kept.state, kept.request) == ("expired", None)
        assert len(list((tmp_path / "spans/payloads").glob("*.db"))) == 1
        assert perform(store, Expire("till", clock.ns, payloads_only=True)).spans == 1
        assert list((tmp_path / "spans/payloads").glob("*.db*")) == []
        assert (len(left(store)), store.audit().problems) == (2, ())

    def test_what_is_worth_keeping_is_kept_and_the_rest_by_rate(self, store: SpanStore) -> None:
        usual = [make_span(n, duration_ns=1_000, cost_nano=1) for n in range(1000)]
        low = make_span(2000, duration_ns=1_000)
        worth = [
            make_span(2001, status="error"), make_span(2002, duration_ns=9_000_000_000), low,
            make_span(2003, duration_ns=1_000, cost_nano=900),
        ]  # fmt: skip
        child = make_span(2004, trace_id=worth[0].trace_id, is_root=False, duration_ns=1_000)
        store.append([Batch([(span, None) for span in (*usual, *worth, child)])])
        order = Sample("menu", NEVER, 0.1, slow_ns=8_000_000_000, cost_nano=500,
                       low=(low.trace_id,))  # fmt: skip
        done = perform(store, order)
        spans, _ = store.spans(EVERYTHING, after=0, limit=2000)
        weights = {span.span_id: span.sample_weight for span in spans}
        assert all(weights[span.span_id.hex()] == 1.0 for span in (*worth, child))
        rest = [weight for weight in weights.values() if weight != 1.0]
        assert set(rest) == {10.0}
        assert 65 <= len(rest) <= 140
        assert done.removed == 1000 - len(rest)
        assert perform(store, order).spans == 0
        assert store.audit().problems == ()
        totals = store.overview(EVERYTHING, WINDOW.from_ms, WINDOW.to_ms, 0).totals
        assert totals.calls == 1004

    def test_what_is_told_of_spans_stays_unbiased_when_most_are_sampled_away(
        self, store: SpanStore
    ) -> None:
        """150 logs of 250 traces: the mean error of every figure is within three standard errors
        of nothing, and totals out of rollups are exact."""
        errors: dict[str, list[float]] = {}
        for seed in range(150):
            rng = random.Random(seed)
            project = f"p{seed}"
            spans = [
                make_span(
                    seed * 1000 + n, project=project, trace_id=rng.randbytes(16), model="mini",
                    at_ns=AT_NS + n, duration_ns=int(rng.lognormvariate(20, 0.7)),
                    cost_nano=rng.randrange(1, 2000), input_tokens=rng.randrange(500),
                    status="error" if rng.random() < 0.08 else "ok",
                )
                for n in range(250)
            ]  # fmt: skip
            store.append([Batch([(span, None) for span in spans])])
            log, where = SpanLog(store), TraceFilter(project=project)
            whole = log.overview(where, WINDOW.from_ms, WINDOW.to_ms, 60_000)
            true = log.changes(where, WINDOW, WINDOW).totals.now
            done = perform(store, Sample(project, NEVER, 0.25, cost_nano=1900))
            assert 100 < done.removed < 230
            told = log.changes(where, WINDOW, WINDOW).totals.now
            assert told.errors == true.errors  # all of them are kept
            for name in ("calls", "cost_nano", "input_tokens"):
                errors.setdefault(name, []).append(getattr(told, name) / getattr(true, name) - 1)
            assert true.latency_ms.p50 is not None
            assert told.latency_ms.p50 is not None
            errors.setdefault("p50", []).append(told.latency_ms.p50 / true.latency_ms.p50 - 1)
            assert log.overview(where, WINDOW.from_ms, WINDOW.to_ms, 60_000) == whole
        for name, found in errors.items():
            z = mean(found) / (stdev(found) / len(found) ** 0.5)
            assert abs(z) <= 3, (name, z)

    def test_an_erased_user_leaves_figures_and_no_word(
        self, store: SpanStore, tmp_path: Path
    ) -> None:
        secret = "persimmon"
        theirs = make_span(1, user="ann", session="s1", cost_nano=7)
        child = make_span(2, trace_id=theirs.trace_id, is_root=False)
        other = make_span(3, user="bob")
        many = [make_span(n) for n in range(10, 700)]  # so that a dictionary is trained
        store.append([Batch([
            spoken(theirs, f"{secret} one"), spoken(child, f"{secret} two"), spoken(other, "bread"),
            *(spoken(span, f"soup number {n} of the day") for n, span in enumerate(many)),
        ])])  # fmt: skip
        store.append([Batch([spoken(make_span(9), "late")])])
        done = perform(store, Erase("ann"))
        assert (done.spans, done.traces) == (2, (("menu", theirs.trace_id),))
        assert store.traces(TraceFilter(q=secret), limit=5).items == []
        assert store.traces(TraceFilter(user="ann"), limit=5).items == []
        assert len(store.traces(TraceFilter(q="soup"), limit=500).items) == 500
        kept = store.payload(theirs.trace_id, theirs.span_id, None)
        assert kept is not None
        assert (kept.state, kept.request) == ("erased", None)
        spans = store.trace(theirs.trace_id, None)
        assert [(s.user, s.session, s.input_preview) for s in spans] == [("", "", "")] * 2
        assert spans[0].cost_nano == 7 or spans[1].cost_nano == 7
        assert store.subjects("session", SubjectFilter(), offset=0, limit=5).items == ()
        names = [
            one.name for one in store.subjects("user", SubjectFilter(), offset=0, limit=5).items
        ]
        assert names == ["bob"]
        for path in (tmp_path / "spans").rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes(), path
        assert store.audit().problems == ()
        late = make_span(5000)
        store.append([Batch([spoken(late, "bread again")])])
        again = store.payload(late.trace_id, late.span_id, None)
        assert again is not None
        assert "bread again" in (again.request or "")

    @pytest.mark.parametrize("before", [100, None])
    def test_a_corrected_price_corrects_every_sum(
        self, store: SpanStore, clock: Clock, before: int | None
    ) -> None:
        span = make_span(1, cost_nano=before, user="ann", model="mini", target="t", at_ns=AT_NS)
        store.append([Batch([(span, None), (make_span(2, cost_nano=5, at_ns=AT_NS), None)])])
        clock.ns += 48 * HOUR_NS
        store.append([Batch([(make_span(3, cost_nano=0, at_ns=AT_NS), None)])])  # widths close
        number = 1
        perform(store, Reprice((Priced(number, 40, "[40]", "[4]", "new", "own", 0),)))
        day = (AT_NS / 1e6 - 86_400_000, AT_NS / 1e6 + 86_400_000)
        for bucket in (60_000 * 1440, 0):
            totals = store.overview(EVERYTHING, *day, bucket).totals
            assert (totals.cost_nano, totals.unpriced) == (45, 0)
        (ann,) = store.subjects("user", SubjectFilter(), offset=0, limit=5).items
        assert (ann.cost_nano, ann.unpriced) == (40, 0)
        (told,) = store.trace(span.trace_id, None)
        assert (told.cost_nano, told.price_id, told.price_source) == (40, "new", "own")
        assert store.audit().problems == ()
