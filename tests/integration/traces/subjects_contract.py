"""What every span store must tell of sessions, users and tags."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from stockpot.traces.models import Sight, Subject, SubjectFilter, SubjectKind
from stockpot.traces.store import Batch, NewSpan, SpanStore
from tests.unit.traces.made import AT_NS, make_span

KINDS: tuple[SubjectKind, ...] = ("session", "user", "tag")


def append(store: SpanStore, *spans: NewSpan) -> None:
    store.append([Batch([(span, None) for span in spans])])


def listed(store: SpanStore, kind: SubjectKind, **where: Any) -> list[Subject]:
    filter_ = SubjectFilter(**where)
    return list(store.subjects(kind, filter_, offset=0, limit=500).items)


def foreign(rng: random.Random, number: int) -> NewSpan:
    """One of a few spans of one of a few traces, with names or without."""
    trace = rng.randrange(12)
    return make_span(
        number, trace_id=bytes([trace]) * 16, project=("menu", "till")[trace % 2], source="otlp",
        is_root=rng.random() < 0.3, session=rng.choice(("", "", f"s{trace % 5}")),
        user=rng.choice(("", "u1")), tags=rng.choice(("", '["x"]', '["x","y"]')),
        status=rng.choice(("ok", "ok", "error")), input_tokens=rng.randrange(50),
        output_tokens=rng.randrange(50), cost_nano=rng.choice((None, 10, 300)),
    )  # fmt: skip


def names(span: NewSpan, kind: SubjectKind) -> list[str]:
    if kind == "tag":
        return list(msgspec.json.decode(span.tags)) if span.tags else []
    return [name] if (name := str(getattr(span, kind))) else []


def expected(spans: list[NewSpan], kind: SubjectKind) -> dict[tuple[str, str], tuple[int, ...]]:
    """The same figures, counted plainly: a name belongs to the whole of a trace."""
    traces: dict[tuple[str, str], set[bytes]] = {}
    for span in spans:
        for name in names(span, kind):
            traces.setdefault((span.project, name), set()).add(span.trace_id)
    told = {}
    for key, ids in traces.items():
        of = [span for span in spans if span.trace_id in ids]
        told[key] = (
            len(of), len(ids), sum(span.status != "ok" for span in of),
            sum(span.input_tokens + span.output_tokens for span in of),
            sum(span.cost_nano or 0 for span in of), min(span.at_ns for span in of) // 1000,
        )  # fmt: skip
    return told


class SubjectsContract:
    """Sessions, users, tags."""

    @pytest.mark.parametrize("seed", range(5))
    def test_a_name_counts_its_traces_whole_in_whatever_order_they_come(
        self, store: SpanStore, seed: int
    ) -> None:
        rng = random.Random(seed)
        spans = [foreign(rng, number) for number in range(120)]
        begin = 0
        while begin < len(spans):
            size = rng.randrange(1, 30)
            append(store, *spans[begin : begin + size])
            begin += size
        for kind in KINDS:
            found = {
                (s.project, s.name): (s.spans, s.traces, s.errors,
                                      s.input_tokens + s.output_tokens, s.cost_nano,
                                      round(s.first_ms * 1000))
                for s in listed(store, kind)
            }  # fmt: skip
            assert found == expected(spans, kind), kind

    def test_a_repeated_span_counts_once(self, store: SpanStore) -> None:
        span = make_span(1, session="s", cost_nano=5)
        append(store, span)
        append(store, msgspec.structs.replace(span), make_span(2, session="s", cost_nano=7))
        (session,) = listed(store, "session")
        assert (session.traces, session.cost_nano) == (2, 12)

    def test_lists_are_filtered_ordered_and_paged(self, store: SpanStore) -> None:
        append(store, *(
            make_span(n, session=f"s{n}", user=f"u{n % 2}", cost_nano=100 * (n % 3), duration_ns=9)
            for n in range(1, 7)
        ))  # fmt: skip
        append(store, make_span(9, session="other", project="till", environment="staging"))
        assert [s.name for s in listed(store, "session", project="menu")][:2] == ["s6", "s5"]
        assert [s.name for s in listed(store, "session", order="cost")][:2] == ["s2", "s5"]
        assert [s.name for s in listed(store, "session", user="u0")] == ["s6", "s4", "s2"]
        assert [s.name for s in listed(store, "session", q="OTH")] == ["other"]
        assert [s.name for s in listed(store, "session", environment="staging")] == ["other"]
        late = AT_NS / 1e6 + 8_000
        assert [s.name for s in listed(store, "session", from_ms=late)] == ["other"]
        page = store.subjects("session", SubjectFilter(), offset=5, limit=1)
        assert ([s.name for s in page.items], page.next_cursor) == (["s2"], "6")

    def test_nobody_sees_what_is_not_theirs(self, store: SpanStore) -> None:
        append(
            store,
            make_span(1, session="s", project="menu", key_id="key_a", cost_nano=5),
            make_span(2, session="s", project="menu", key_id="key_b", cost_nano=7),
            make_span(3, session="t", project="till", key_id="key_b", tags='["x"]'),
        )
        of_project = SubjectFilter().seen_with(Sight(projects=frozenset({"till"})))
        found = store.subjects("session", of_project, offset=0, limit=9).items
        assert [s.name for s in found] == ["t"]
        own = SubjectFilter().seen_with(Sight(keys=frozenset({"key_a"})))
        found = store.subjects("session", own, offset=0, limit=9).items
        assert [(s.name, s.cost_nano) for s in found] == [("s", 5)]
        assert store.subjects("tag", own, offset=0, limit=9).items == ()
        both = Sight(keys=frozenset({"key_a", "key_b"}))
        for order, first in (("newest", "t"), ("cost", "s")):
            ordered = SubjectFilter.model_validate({"order": order}).seen_with(both)
            found = store.subjects("session", ordered, offset=0, limit=9).items
            assert found[0].name == first
