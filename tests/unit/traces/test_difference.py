"""Two traces side by side."""

from __future__ import annotations

from typing import Any

from stockpot.traces.difference import PairRow, compared
from stockpot.traces.models import Span, Tokens

BASE: dict[str, Any] = {
    "trace_id": "t", "parent_id": None, "is_root": False, "project": "menu",
    "environment": "production", "status": "ok", "status_code": 200, "error": "",
    "error_message": "", "start_ms": 0.0, "duration_ms": 10.0, "received_ms": 0.0, "key_id": "",
    "endpoint": "", "provider": "", "target": "", "requested_model": "", "model": "",
    "served_model": "", "stream": False, "attempt": 0, "ttft_ms": None, "tpot_ms": None,
    "tokens": Tokens(), "cost_nano": None, "cost_detail": {}, "price_id": "", "finish_reason": "",
    "user": "", "session": "", "tags": (), "stages_ms": {}, "payload": "none", "params": {},
    "input_preview": "", "output_preview": "", "source": "otlp", "revision": 0, "provenance": "",
}  # fmt: skip


def span(ident: str, kind: str = "span", parent: str | None = None, **about: Any) -> Span:
    told = {"name": ident, **about}
    return Span(**{**BASE, "span_id": ident, "kind": kind, "parent_id": parent, **told})


def texts(one: Span) -> tuple[str, str]:
    return one.input_preview, one.output_preview


def shown(row: PairRow) -> tuple[str, str]:
    return (row.before.span_id if row.before else ""), (row.after.span_id if row.after else "")


def test_spans_answer_each_other_by_what_they_do() -> None:
    before = [span("a"), span("a1", "tool", "a", tool="find"), span("a2", "llm", "a")]
    after = [
        span("b", name="renamed"), span("b1", "tool", "b", tool="find"),
        span("b2", "tool", "b", tool="book"), span("b3", "llm", "b", name="other"),
    ]  # fmt: skip
    found = compared(before, after, texts)
    assert [shown(row) for row in found.rows] == [
        ("a", "b"),
        ("a1", "b1"),
        ("", "b2"),
        ("a2", "b3"),
    ]
    assert [row.depth for row in found.rows] == [0, 1, 1, 1]


def test_a_pair_tells_in_what_it_differs() -> None:
    before = span("a", "llm", model="mini", params={"seed": 1}, prompt_name="m", prompt_version="1",
                  cost_nano=100, output_preview="soup", tools=("x",))  # fmt: skip
    after = span("b", "llm", model="maxi", params={"seed": 2}, prompt_name="m", prompt_version="2",
                 cost_nano=250, output_preview="salad", duration_ms=25.0, tools=("x",))  # fmt: skip
    (row,) = compared([before], [after], texts).rows
    told = {d.what: (d.before, d.after, d.change) for d in row.differences}
    assert told == {
        "prompt": ("m@1", "m@2", None), "model": ("mini", "maxi", None),
        "params.seed": (1, 2, None), "output": ("soup", "salad", None),
        "cost_nano": (100, 250, 150), "duration_ms": (10.0, 25.0, 15.0),
    }  # fmt: skip


def test_equal_traces_are_the_same_but_for_their_time() -> None:
    before = [span("a"), span("a1", "llm", "a")]
    found = compared(before, [span("b", name="a"), span("b1", "llm", "b")], texts)
    assert found.same == len(found.rows) == 2
    assert {total.what for total in found.totals} >= {"cost_nano", "duration_ms", "spans"}


def test_cycles_and_orphans_end() -> None:
    knot = [span("a", parent="b"), span("b", parent="a"), span("c", parent="gone")]
    assert [shown(row) for row in compared(knot, knot, texts).rows] == [("c", "c")]
