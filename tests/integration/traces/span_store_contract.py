"""What every span store must do. An engine's test derives from `SpanStoreContract`.

    class TestMyEngine(SpanStoreContract):
        @pytest.fixture
        def opener(self, tmp_path): return lambda clock: MyStore(tmp_path, clock=clock)

`opener` gives a store over the same data each time it is called; stores are closed by the test.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import pytest

from stockpot.gateway import Shipment, Shipped
from stockpot.traces.arrivals import batch_of
from stockpot.traces.models import SpendBy, Totals, TraceFilter, TraceRow
from stockpot.traces.store import Outcome, SpanStore
from tests.unit.traces.made import AT_NS, make_shipment, make_shipped

Opener = Callable[[Callable[[], int]], SpanStore]
HOUR_NS = 3_600_000_000_000
EVERYTHING = TraceFilter()


class Clock:
    """A server's clock that tests move."""

    def __init__(self) -> None:
        self.ns = AT_NS + 1000 * HOUR_NS

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(opener: Opener, clock: Clock) -> Iterator[SpanStore]:
    opened = opener(clock)
    yield opened
    opened.close()


def ship(store: SpanStore, *items: Shipped, **place: Any) -> Outcome:
    return store.append([batch_of(make_shipment(*items, **place))])[0]


def rows(store: SpanStore, where: TraceFilter = EVERYTHING, limit: int = 500) -> list[TraceRow]:
    return [listed.row for listed in store.traces(where, limit=limit).items]


def ids(found: list[TraceRow]) -> list[str]:
    return [row.trace_id for row in found]


def trace_id(shipped: Shipped) -> str:
    return shipped.record.trace_id.hex()


def span_key(shipped: Shipped) -> tuple[str, str]:
    return shipped.record.trace_id.hex(), shipped.record.span_id.hex()


def everything(store: SpanStore, where: TraceFilter = EVERYTHING) -> list[tuple[str, str]]:
    """Identities of all matching spans, read page by page."""
    found, position = [], 0
    while True:
        page, following = store.spans(where, after=position, limit=7)
        found += [(span.trace_id, span.span_id) for span in page]
        if following is None:
            return found
        position = following


class TakingIn:
    def test_what_was_taken_is_listed_newest_first(self, store: SpanStore) -> None:
        items = [make_shipped(n) for n in range(5)]
        assert ship(store, *items) == Outcome(True, 500, 5, 0)
        assert ids(rows(store)) == [trace_id(item) for item in reversed(items)]

    def test_a_repeated_batch_is_refused_with_the_offset(self, store: SpanStore) -> None:
        items = [make_shipped(n) for n in range(3)]
        ship(store, *items)
        assert ship(store, *items) == Outcome(False, 300)
        assert len(rows(store)) == 3

    def test_a_batch_beyond_a_gap_is_refused_with_the_offset(self, store: SpanStore) -> None:
        ship(store, make_shipped(1))
        assert ship(store, make_shipped(2), begin=200) == Outcome(False, 100)
        assert ship(store, make_shipped(2), begin=100).taken

    def test_segments_and_streams_have_offsets_of_their_own(self, store: SpanStore) -> None:
        ship(store, make_shipped(1))
        assert ship(store, make_shipped(2), segment=2).taken
        assert ship(store, make_shipped(3), stream="host-1-1").taken

    def test_batches_of_one_call_may_follow_each_other(self, store: SpanStore) -> None:
        batches = [batch_of(make_shipment(make_shipped(n), begin=n * 100)) for n in range(3)]
        assert [outcome.offset for outcome in store.append(batches)] == [100, 200, 300]

    def test_a_refused_batch_does_not_affect_the_others(self, store: SpanStore) -> None:
        good = batch_of(make_shipment(make_shipped(1)))
        bad = batch_of(make_shipment(make_shipped(2), begin=900))
        other = batch_of(make_shipment(make_shipped(3), stream="host-1-1"))
        assert [o.taken for o in store.append([good, bad, other])] == [True, False, True]
        assert len(rows(store)) == 2

    def test_a_span_that_is_there_is_not_taken_again(self, store: SpanStore) -> None:
        first = make_shipped(1, said=("first", "one"))
        ship(store, first)
        again = make_shipped(1, said=("second", "two"), cost_nano=77)
        assert ship(store, again, make_shipped(2), stream="other-0-1") == Outcome(True, 200, 1, 1)
        assert len(rows(store)) == 2
        payload = store.payload(first.record.trace_id, first.record.span_id, None)
        assert payload is not None
        assert "first" in (payload.request or "")
        assert store.trace(first.record.trace_id, None)[0].cost_nano == 1_000

    def test_a_span_twice_in_one_batch_is_taken_once(self, store: SpanStore) -> None:
        assert ship(store, make_shipped(1), make_shipped(1)) == Outcome(True, 200, 1, 1)

    def test_projects_do_not_share_ids(self, store: SpanStore) -> None:
        ship(store, make_shipped(1, project="menu"), make_shipped(1, project="till"))
        number = make_shipped(1).record.trace_id
        assert len(store.trace(number, None)) == 2
        assert [span.project for span in store.trace(number, "till")] == ["till"]
        assert {row.root.project for row in rows(store)} == {"menu", "till"}
        assert {row.spans for row in rows(store)} == {1}

    def test_nothing_to_take_is_fine(self, store: SpanStore) -> None:
        assert store.append([]) == []
        assert ship(store) == Outcome(True, 0, 0, 0)

    def test_what_was_taken_is_there_after_reopening(self, opener: Opener, clock: Clock) -> None:
        first = opener(clock)
        ship(first, make_shipped(1, said=("soup", "leek")))
        first.close()
        second = opener(clock)
        assert len(rows(second)) == 1
        assert rows(second, TraceFilter(q="leek"))
        assert ship(second, make_shipped(2), begin=100).taken
        second.close()

    def test_a_clock_that_runs_ahead_is_not_believed(self, store: SpanStore, clock: Clock) -> None:
        ahead = make_shipped(1, start_ns=clock.ns + 50 * HOUR_NS)
        ship(store, ahead)
        ms = clock.ns / 1e6
        assert rows(store, TraceFilter(from_ms=ms - 60_000, to_ms=ms + 60_000))
        assert store.overview(EVERYTHING, ms - 60_000, ms + 1, 60_000).totals.calls == 1

    @pytest.mark.parametrize("seed", range(8))
    def test_whatever_is_shipped_again_in_whatever_order_counts_once(
        self, store: SpanStore, seed: int
    ) -> None:
        rng = random.Random(seed)
        streams = {
            f"host-{s}-1": [make_shipped(100 * s + n) for n in range(rng.randrange(1, 30))]
            for s in range(3)
        }
        reached = dict.fromkeys(streams, 0)
        while any(reached[name] < len(items) for name, items in streams.items()):
            shipments = [
                piece(rng, name, streams[name]) for name in rng.choices(list(streams), k=4)
            ]
            for shipment, outcome in zip(
                shipments, store.append([batch_of(s) for s in shipments]), strict=True
            ):
                reached[shipment.stream] = outcome.offset // 100
        sent = [span_key(item) for items in streams.values() for item in items]
        assert sorted(everything(store)) == sorted(sent)
        audit = store.audit()
        assert audit.problems == ()
        assert (audit.spans, audit.committed) == (len(sent), len(sent))
        assert all(audit.offsets[name, 1] == 100 * len(items) for name, items in streams.items())

    def test_segments_that_are_long_gone_are_forgotten_and_the_last_of_each_stream_is_not(
        self, store: SpanStore, clock: Clock
    ) -> None:
        def sent(number: int, stream: str, segment: int, begin: int = 0) -> bool:
            item = make_shipped(number)
            shipment = make_shipment(item, begin=begin, stream=stream, segment=segment)
            return store.append([batch_of(shipment)])[0].taken

        assert all([sent(1, "busy", 1), sent(2, "busy", 2), sent(3, "idle", 1)])
        clock.ns += 8 * 24 * HOUR_NS
        assert sent(4, "busy", 3)
        assert set(store.audit().offsets) == {("busy", 3), ("idle", 1)}
        clock.ns += 2 * 24 * HOUR_NS
        assert all([sent(5, "busy", 4), sent(6, "idle", 1, begin=100)])
        assert set(store.audit().offsets) == {("busy", 3), ("busy", 4), ("idle", 1)}
        assert not sent(7, "busy", 3), "where a segment is, is still known"
        assert (len(everything(store)), store.audit().problems) == (6, ())


def piece(rng: random.Random, stream: str, items: list[Shipped]) -> Shipment:
    """Some part of a stream, from anywhere to anywhere."""
    begin = rng.randrange(len(items))
    end = rng.randrange(begin, len(items)) + 1
    if rng.random() < 0.4:
        begin = 0
    return make_shipment(*items[begin:end], begin=100 * begin, stream=stream)


class Finding:
    def test_pages_cover_everything_once_while_more_arrives(self, store: SpanStore) -> None:
        items = [make_shipped(n) for n in range(25)]
        ship(store, *items)
        seen, before, late = [], None, 100
        while True:
            page = store.traces(EVERYTHING, before=before, limit=4)
            seen += ids([listed.row for listed in page.items])
            if page.next is None:
                break
            before = page.next
            ship(store, make_shipped(late), stream=f"late-{late}-1")
            late += 1
        assert seen == [trace_id(item) for item in reversed(items)]

    @pytest.mark.parametrize("seed", range(12))
    def test_a_filter_finds_what_a_scan_finds(self, store: SpanStore, seed: int) -> None:
        rng = random.Random(seed)
        items = [varied(rng, n) for n in range(60)]
        ship(store, *items)
        for _ in range(25):
            where, matches = asked(rng, items)
            expected = [trace_id(item) for item in reversed(items) if matches(item)]
            assert ids(rows(store, where)) == expected, where
            assert [t for t, _ in everything(store, where)] == expected[::-1], where

    def test_attempts_hang_below_their_root(self, store: SpanStore) -> None:
        root = make_shipped(1, attempt=2, cost_nano=50)
        below = {"trace_id": root.record.trace_id, "parent_id": root.record.span_id}
        failed = make_shipped(2, is_root=False, error="timeout", cost_nano=None, **below)
        ship(store, failed, root)
        (row,) = rows(store)
        assert (row.spans, row.errors, row.total_cost_nano, row.total_tokens) == (2, 1, 50, 36)
        assert row.root.attempt == 2
        spans = store.trace(root.record.trace_id, None)
        assert [span.parent_id for span in spans] == [None, row.root.span_id]

    def test_a_trace_of_unknown_price_has_no_cost(self, store: SpanStore) -> None:
        ship(store, make_shipped(1, cost_nano=None))
        assert rows(store)[0].total_cost_nano is None

    def test_a_trace_is_listed_once_at_its_newest_matching_root(self, store: SpanStore) -> None:
        first = make_shipped(1, key_id="key_a", said=("leek soup", "yes"))
        second = make_shipped(
            2, trace_id=first.record.trace_id, key_id="key_b", said=("pea soup", "no")
        )
        ship(store, first, make_shipped(3), second)
        assert len(rows(store)) == 2
        assert rows(store)[0].root.key_id == "key_b"
        assert rows(store)[0].spans == 2
        assert rows(store, TraceFilter(key_id="key_a"))[0].root.key_id == "key_a"
        assert rows(store, TraceFilter(q="leek"))[0].root.key_id == "key_a"
        assert [row.root.key_id for row in rows(store, TraceFilter(q="soup"))] == ["key_b"]
        page = store.traces(TraceFilter(q="soup"), limit=1)
        assert store.traces(TraceFilter(q="soup"), before=page.next, limit=5).items == []

    def test_an_unknown_trace_is_empty(self, store: SpanStore) -> None:
        assert store.trace(b"x" * 16, None) == []
        assert store.payload(b"x" * 16, b"y" * 8, None) is None

    def test_a_tail_goes_on_where_it_stopped(self, store: SpanStore) -> None:
        ship(store, make_shipped(1), make_shipped(2, is_root=False))
        position = store.traces(EVERYTHING, limit=1).items[0].position
        assert store.traces(EVERYTHING, after=position, limit=10).items == []
        items = [make_shipped(n) for n in (3, 4, 5)]
        ship(store, *items, begin=200)
        first = store.traces(EVERYTHING, after=position, limit=2)
        rest = store.traces(EVERYTHING, after=first.next, limit=2)
        found = [listed.row for listed in (*first.items, *rest.items)]
        assert ids(found) == [trace_id(item) for item in items]

    def test_a_span_tells_everything_that_its_record_told(self, store: SpanStore) -> None:
        ship(store, make_shipped(1, said=("what soup", "leek"), tags=("a", "b"), user="u"))
        (span,) = store.trace(make_shipped(1).record.trace_id, None)
        assert (span.requested_model, span.model, span.served_model) == (
            "fast", "gpt-4o-mini", "gpt-4o-mini-2024",
        )  # fmt: skip
        assert (span.ttft_ms, span.tpot_ms) == (90.0, 9.0)
        assert span.tokens.model_dump(exclude_defaults=True) == {
            "input": 11, "output": 7, "cache_read": 2, "reasoning": 1, "source": "provider",
        }  # fmt: skip
        assert span.cost_detail["output"] == 600
        assert span.stages_ms["upstream"] == 80.0
        assert (span.tags, span.user, span.payload) == (("a", "b"), "u", "full")
        assert (span.input_preview, span.output_preview) == ("what soup", "leek")
        assert span.start_ms == (AT_NS + 1_000_000_000) / 1e6


WORDS = ("leek", "pea", "soup", "salt")


def varied(rng: random.Random, number: int) -> Shipped:
    failed = rng.random() < 0.3
    return make_shipped(
        number,
        said=(" ".join(rng.choices(WORDS, k=3)), "done"),
        project=rng.choice(("menu", "till")),
        key_id=rng.choice(("key_a", "key_b")),
        route=rng.choice(("asked", "other")),
        model=rng.choice(("mini", "maxi")),
        provider=rng.choice(("openai", "local")),
        user=rng.choice(("", "u1", "u2")),
        session=rng.choice(("", "s1")),
        tags=tuple(rng.sample(("x", "y"), rng.randrange(3))),
        error="timeout" if failed else "",
        cost_nano=rng.choice((None, 5, 500)),
        start_ns=AT_NS + number * HOUR_NS // 7,
    )


def asked(
    rng: random.Random, items: list[Shipped]
) -> tuple[TraceFilter, Callable[[Shipped], bool]]:
    """A filter, and the same as a function."""
    moment = rng.choice(items).record.start_ns // 1000 * 1000
    choices: dict[str, tuple[Any, Callable[[Shipped], bool]]] = {
        "project": ("till", lambda i: i.record.project == "till"),
        "key_id": ("key_a", lambda i: i.record.key_id == "key_a"),
        "model": ("mini", lambda i: i.record.model == "mini"),
        "provider": ("local", lambda i: i.record.provider == "local"),
        "user": ("u1", lambda i: i.record.user == "u1"),
        "session": ("s1", lambda i: i.record.session == "s1"),
        "tag": ("x", lambda i: "x" in i.record.tags),
        "status": ("error", lambda i: i.record.error != ""),
        "error": ("timeout", lambda i: i.record.error == "timeout"),
        "failed": (True, lambda i: i.record.error != ""),
        "requested_model": ("asked", lambda i: i.record.route == "asked"),
        "unpriced": (True, lambda i: i.record.cost_nano is None),
        "min_cost_nano": (100, lambda i: (i.record.cost_nano or 0) >= 100),
        "min_duration_ms": (1500.0, lambda i: i.record.duration_ns >= 1_500_000_000),
        "from_ms": (moment / 1_000_000, lambda i: i.record.start_ns >= moment),
        "to_ms": (moment / 1_000_000, lambda i: i.record.start_ns < moment),
        "trace_prefix": ("4", lambda i: trace_id(i).startswith("4")),
        "q": ("leek soup", lambda i: {"leek", "soup"} <= words_of(i)),
        "environment": ("staging", lambda i: False),
        "kind": ("llm", lambda i: True),
    }
    taken = rng.sample(list(choices), rng.randrange(1, 4))
    where = TraceFilter(**{name: choices[name][0] for name in taken})
    return where, lambda item: all(choices[name][1](item) for name in taken)


def words_of(item: Shipped) -> set[str]:
    body = (item.request or b"").decode()
    return {word for word in WORDS if word in body}


class Bodies:
    def test_bodies_come_back_byte_for_byte_as_text(self, store: SpanStore) -> None:
        item = Shipped(make_shipped(1, payload=1).record, b'{"a":"\xc3\xa9"}', b"\xff not text")
        ship(store, item)
        payload = store.payload(item.record.trace_id, item.record.span_id, "menu")
        assert payload is not None
        assert (payload.state, payload.request) == ("full", '{"a":"é"}')
        assert payload.response == "� not text"

    @pytest.mark.parametrize(("flag", "state"), [(0, "none"), (3, "shed")])
    def test_bodies_that_were_not_kept_say_why(
        self, store: SpanStore, flag: int, state: str
    ) -> None:
        item = make_shipped(1, payload=flag)
        ship(store, item)
        payload = store.payload(item.record.trace_id, item.record.span_id, None)
        assert payload is not None
        assert (payload.state, payload.request, payload.response) == (state, None, None)

    def test_many_bodies_of_many_sizes_come_back(self, store: SpanStore) -> None:
        rng = random.Random(7)
        items = [
            make_shipped(
                n, said=(" ".join(rng.choices(WORDS, k=rng.randrange(400))), f"answer {n}")
            )
            for n in range(1300)
        ]
        for begin in range(0, 1300, 130):
            ship(store, *items[begin : begin + 130], begin=100 * begin)
        for item in rng.sample(items, 60):
            payload = store.payload(item.record.trace_id, item.record.span_id, None)
            assert payload is not None
            assert payload.request == (item.request or b"").decode()
            assert payload.response == (item.response or b"").decode()


class Searching:
    @pytest.fixture
    def spoken(self, store: SpanStore, clock: Clock) -> list[Shipped]:
        """One call a day, each saying something else."""
        texts = ("leek soup and salt", "salt and pea soup", "Crème brûlée", "soup of leek",
                 "返品ポリシー", "salted leek", "leek-soup?")  # fmt: skip
        items = [make_shipped(n, said=(text, "well")) for n, text in enumerate(texts)]
        for number, item in enumerate(items):
            ship(store, item, begin=100 * number)
            clock.ns += 24 * HOUR_NS
        return items

    @pytest.mark.parametrize(
        ("asked_for", "numbers"),
        [
            ("leek", [6, 5, 3, 0]),
            ("LEEK soup", [6, 3, 0]),
            ('"leek soup"', [6, 0]),
            ("salt*", [5, 1, 0]),
            ("salt -pea", [0]),
            ("creme", [2]),
            ("返品", [4]),
            ("well", [6, 5, 4, 3, 2, 1, 0]),
            ("nothing", []),
        ],
    )
    def test_text_is_found_over_days_newest_first(
        self, store: SpanStore, spoken: list[Shipped], asked_for: str, numbers: list[int]
    ) -> None:
        where = TraceFilter(q=asked_for)
        expected = [trace_id(spoken[n]) for n in numbers]
        assert ids(rows(store, where)) == expected
        assert [t for t, _ in everything(store, where)] == expected[::-1]

    def test_a_search_is_paged(self, store: SpanStore, spoken: list[Shipped]) -> None:
        seen: list[str] = []
        before = None
        while True:
            page = store.traces(TraceFilter(q="well"), before=before, limit=3)
            seen += ids([listed.row for listed in page.items])
            if page.next is None:
                break
            before = page.next
        assert seen == [trace_id(item) for item in reversed(spoken)]

    def test_a_tail_may_search(self, store: SpanStore, spoken: list[Shipped]) -> None:
        found = store.traces(TraceFilter(q="leek"), after=1, limit=2)
        assert ids([f.row for f in found.items]) == [trace_id(spoken[3]), trace_id(spoken[5])]

    def test_near_misses_do_not_hide_what_is_behind_them(self, store: SpanStore) -> None:
        hit = make_shipped(0, said=("pea soup", "yes"))
        misses = [make_shipped(n, said=("soup of pea", "no")) for n in range(1, 2500)]
        ship(store, hit, *misses)
        where, before = TraceFilter(q='"pea soup"'), None
        for _ in range(5):
            page = store.traces(where, before=before, limit=10)
            if page.items:
                break
            assert page.next is not None
            before = page.next
        assert ids([listed.row for listed in page.items]) == [trace_id(hit)]


class Counting:
    @pytest.mark.parametrize("seed", range(6))
    def test_rollups_add_up_to_a_scan(self, store: SpanStore, clock: Clock, seed: int) -> None:
        rng = random.Random(seed)
        items = [self.spread(rng, n) for n in range(150)]
        for begin in range(0, 150, 30):
            ship(store, *items[begin : begin + 30], begin=100 * begin)
            clock.ns += rng.randrange(1, 30) * HOUR_NS
        for bucket_ms in (60_000 * 15, 3_600_000, 86_400_000):
            for project in (None, "till"):
                self.compare(store, items, bucket_ms, project)
        assert store.audit().problems == ()

    @staticmethod
    def spread(rng: random.Random, number: int) -> Shipped:
        """A call some time in five days, often an attempt or a failure."""
        changes: dict[str, Any] = {
            "start_ns": AT_NS + rng.randrange(120) * HOUR_NS + rng.randrange(HOUR_NS)
        }
        if rng.random() < 0.2:
            changes |= {"error": "budget_exceeded", "target": "", "model": "", "cost_nano": 0}
        elif rng.random() < 0.3:
            changes |= {"error": "timeout", "is_root": rng.random() < 0.5, "cost_nano": None}
        return make_shipped(number, project=rng.choice(("menu", "till")), **changes)

    @staticmethod
    def compare(
        store: SpanStore, items: list[Shipped], bucket_ms: float, project: str | None
    ) -> None:
        first, last = AT_NS / 1e6, AT_NS / 1e6 + 121 * 3_600_000
        found = store.overview(TraceFilter(project=project), first, last, bucket_ms)
        chosen = [i.record for i in items if project in (None, i.record.project)]
        calls = [record for record in chosen if record.is_root]
        assert found.totals.calls == len(calls)
        assert found.totals.errors == sum(record.error != "" for record in calls)
        assert found.totals.cost_nano == sum(record.cost_nano or 0 for record in chosen)
        assert found.totals.unpriced == sum(record.cost_nano is None for record in chosen)
        assert found.totals.output_tokens == sum(record.output_tokens for record in chosen)
        for point in found.series:
            begin = point.start_ms * 1e6
            inside = [r for r in calls if begin <= r.start_ns < begin + bucket_ms * 1e6]
            assert point.totals.calls == len(inside)
        assert sum(point.totals.cost_nano for point in found.series) == found.totals.cost_nano
        assert {g.key: g.totals.calls for g in found.by_error} == {
            error: sum(r.error == error for r in chosen)
            for error in {r.error for r in chosen} - {""}
        }
        slow = sorted(r.duration_ns / 1e6 for r in calls if r.target)
        within(found.totals, slow)

    @pytest.mark.parametrize("by", ["key", "project", "environment", "model", "provider", "day"])
    def test_spending_adds_up_whatever_it_is_told_apart_by(
        self, store: SpanStore, clock: Clock, by: SpendBy
    ) -> None:
        rng = random.Random(7)
        items = [self.spread(rng, number) for number in range(150)]
        for begin in range(0, 150, 50):
            ship(store, *items[begin : begin + 50], begin=100 * begin)
            clock.ns += 30 * HOUR_NS
        window = (AT_NS / 1e6, AT_NS / 1e6 + 121 * 3_600_000, 3_600_000.0)
        found = store.spending(EVERYTHING, by, window, 100)
        whole = store.overview(EVERYTHING, window[0], window[1], 3_600_000).totals
        assert found.totals.cost_nano == whole.cost_nano == sum(found.costs)
        assert found.totals.unpriced == whole.unpriced
        assert sum(group.totals.cost_nano for group in found.groups) == whole.cost_nano
        assert all(sum(group.costs) == group.totals.cost_nano for group in found.groups)
        if by != "provider":
            assert found.totals.calls == whole.calls

    def test_spending_of_the_dearest_leaves_a_rest(self, store: SpanStore) -> None:
        costs = {"key_a": 5, "key_b": 70, "key_c": 9}
        ship(
            store,
            *(
                make_shipped(n, key_id=key, cost_nano=cost)
                for n, (key, cost) in enumerate(costs.items())
            ),
        )
        window = (AT_NS / 1e6 - 1e6, AT_NS / 1e6 + 1e6, 60_000.0)
        found = store.spending(EVERYTHING, "key", window, 1)
        assert [group.key for group in found.groups] == ["key_b"]
        assert (found.more, found.rest.cost_nano, found.totals.cost_nano) == (2, 14, 84)

    def test_what_was_saved_here_is_told_from_what_a_vendor_saved(self, store: SpanStore) -> None:
        ship(
            store,
            make_shipped(1, saved_nano=700, cache="miss"),
            make_shipped(2, saved_nano=-200),
            make_shipped(3, saved_nano=1_000, cost_nano=0, cache="hit", provider="cache"),
            make_shipped(4, cost_nano=None),
        )
        window = (AT_NS / 1e6 - 1e6, AT_NS / 1e6 + 1e6, 60_000.0)
        found = store.spending(EVERYTHING, "model", window, 10).totals
        assert (found.saved_by_vendor_nano, found.saved_here_nano) == (500, 1_000)
        assert (found.cache_hits, found.unpriced, found.cost_nano) == (1, 1, 2_000)

    def test_an_empty_window_has_no_quantiles(self, store: SpanStore) -> None:
        found = store.overview(EVERYTHING, 0, 3_600_000, 60_000)
        assert found.totals.calls == 0
        assert found.totals.latency_ms.p50 is None
        assert len(found.series) == 60

    def test_groups_are_the_largest_first(self, store: SpanStore) -> None:
        ship(store, *(make_shipped(n, key_id="key_b" if n % 3 else "key_a") for n in range(9)))
        found = store.overview(EVERYTHING, AT_NS / 1e6 - 1e6, AT_NS / 1e6 + 1e6, 60_000)
        assert [(g.key, g.totals.calls) for g in found.by_key] == [("key_b", 6), ("key_a", 3)]

    def test_what_each_target_of_a_route_was_asked_is_told_with_every_attempt(
        self, store: SpanStore
    ) -> None:
        lost = make_shipped(0, route="fast", provider="lab", is_root=False, error="connect")
        ship(store, lost, *(make_shipped(n, route="fast", provider="desk") for n in (1, 2)))
        found = store.overview(EVERYTHING, AT_NS / 1e6 - 1e6, AT_NS / 1e6 + 1e6, 60_000)
        told = [(g.route, g.provider, g.totals.calls, g.totals.errors) for g in found.by_target]
        assert told == [("fast", "desk", 2, 0), ("fast", "lab", 1, 1)]
        assert [(g.key, g.totals.calls) for g in found.by_route] == [("fast", 2)]

    def test_without_a_chart_there_are_figures_only(self, store: SpanStore) -> None:
        ship(store, make_shipped(1), make_shipped(2, key_id="key_b"))
        found = store.overview(TraceFilter(key_id="key_b"), 0, AT_NS / 1e6 + 1e9, 0)
        assert (found.series, found.totals.calls, found.totals.cost_nano) == ((), 1, 1_000)


def within(totals: Totals, values: list[float]) -> None:
    """Quantiles are those of the values, to one percent."""
    if not values:
        assert totals.latency_ms.p50 is None
        return
    for q, found in ((0.5, totals.latency_ms.p50), (0.99, totals.latency_ms.p99)):
        assert found == pytest.approx(values[max(ceil(q * len(values)) - 1, 0)], rel=0.0101)


class SpanStoreContract(TakingIn, Finding, Bodies, Searching, Counting):
    """All of it."""
