"""What every span store must tell of traces that more than the gateway wrote."""

from __future__ import annotations

from typing import Any

import pytest

from stockpot.traces.models import Sight, TraceFilter, TraceRow
from stockpot.traces.store import Batch, NewPayload, NewSpan, SpanStore
from tests.unit.traces.made import asked, make_span

TRACE, APP, CALL, STEP = b"t" * 16, b"a" * 8, b"c" * 8, b"s" * 8
ABOUT = {
    "service": "kitchen", "release": "1.4.0", "trace_name": "order", "prompt_name": "menu",
    "prompt_version": "3", "prompt_label": "production", "experiment": "tone", "variant": "b",
    "dataset_run": "run-1", "dataset_item": "row-9", "agent": "cook", "tool": "oven",
}  # fmt: skip


def spans(*parts: NewSpan) -> list[tuple[NewSpan, NewPayload | None]]:
    return [(part, None) for part in parts]


def of_app() -> list[tuple[NewSpan, NewPayload | None]]:
    """An application's trace: its root, a call through the gateway in it, and a tool."""
    text = "which oven is warm"
    return [
        (make_span(1, trace_id=TRACE, span_id=CALL, parent_id=APP, model="mini",
                   prompt_name="menu", prompt_version="3", key_id="key_a", payload=1),
         NewPayload(asked(text), None, text)),
        (make_span(2, trace_id=TRACE, span_id=STEP, parent_id=APP, is_root=False, kind="tool",
                   tool="oven", agent="cook", error="timeout", status="error"), None),
        (make_span(0, trace_id=TRACE, span_id=APP, kind="workflow", name="order", source="otlp",
                   service="kitchen", release="1.4.0", key_id="key_b"), None),
    ]  # fmt: skip


class InsideContract:
    """Traces of applications."""

    def test_what_a_span_is_about_comes_back(self, store: SpanStore) -> None:
        store.append([Batch(spans(make_span(1, **ABOUT, sample_weight=10.0, dialect="otel")))])
        (span,) = store.trace(make_span(1).trace_id, None)
        assert {name: getattr(span, name) for name in ABOUT} == ABOUT
        assert (span.sample_weight, span.dialect) == (10.0, "otel")

    @pytest.mark.parametrize(
        "where",
        [{}, {"service": "kitchen"}, {"release": "1.4.0"}, {"model": "mini"}, {"kind": "tool"},
         {"tool": "oven"}, {"agent": "cook"}, {"prompt_name": "menu", "prompt_version": "3"},
         {"error": "timeout"}, {"q": "oven"}, {"q": '"oven is"'}],
    )  # fmt: skip
    def test_a_trace_is_one_row_by_its_applications_span(
        self, store: SpanStore, where: dict[str, Any]
    ) -> None:
        store.append([Batch([*of_app(), *spans(make_span(5, model="maxi"))])])
        found = self.found(store, TraceFilter(**where))
        assert [row.root.name for row in found if row.spans == 3] == ["order"]
        assert len(found) == (1 if where else 2)

    def test_conditions_must_hold_of_one_span(self, store: SpanStore) -> None:
        store.append([Batch(of_app())])
        assert self.found(store, TraceFilter(tool="oven", model="mini")) == []
        assert self.found(store, TraceFilter(dataset_run="run-1")) == []

    def test_nobody_sees_the_top_of_a_trace_that_is_not_theirs(self, store: SpanStore) -> None:
        store.append([Batch(of_app())])
        own = TraceFilter().seen_with(Sight(keys=frozenset({"key_a"})))
        assert [row.root.span_id for row in self.found(store, own)] == [CALL.hex()]

    def found(self, store: SpanStore, where: TraceFilter) -> list[TraceRow]:
        return [listed.row for listed in store.traces(where, limit=50).items]
