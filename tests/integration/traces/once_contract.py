"""What every span store must tell of one call that several tell: it counts once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from stockpot.traces.models import SubjectFilter, TraceFilter
from stockpot.traces.store import Batch, NewSpan, SpanStore
from tests.unit.traces.made import AT_NS, make_span

TRACE = b"t" * 16
AGENT, FRAMEWORK, LIBRARY, HTTP, GATEWAY = (name * 8 for name in (b"a", b"f", b"l", b"h", b"g"))


def told_by(span_id: bytes, parent: bytes, **changes: Any) -> NewSpan:
    usual = {
        "source": "otlp",
        "cost_nano": 0,
        "is_root": False,
        "kind": "llm",
        "provider": "openai",
        "model": "m",
    }
    return make_span(1, trace_id=TRACE, span_id=span_id, parent_id=parent, **{**usual, **changes})


def of_one_call() -> list[NewSpan]:
    """One call: an agent's, told by a framework, by a library, and by the gateway."""
    used = {"input_tokens": 10, "output_tokens": 5}
    return [
        told_by(AGENT, b"", is_root=True, kind="agent", provider="", model="", session="s"),
        told_by(FRAMEWORK, AGENT, cost_nano=70, cost_source="provided", **used),
        told_by(LIBRARY, FRAMEWORK, cost_nano=None, **used),
        told_by(HTTP, LIBRARY, kind="span", provider="", model=""),
        told_by(GATEWAY, HTTP, source="gateway", is_root=True, target="t", cost_nano=60, **used),
    ]  # fmt: skip


def figures(store: SpanStore, project: str = "menu") -> set[tuple[int, int, int, int]]:
    """Calls, tokens, cost and what has no price, as every sum tells them: one where all agree."""
    window = (AT_NS / 1e6 - 3_600_000, AT_NS / 1e6 + 3_600_000)
    where = TraceFilter(project=project)
    day = store.overview(where, *window, 0)
    spent = store.spending(where, "provider", (*window, 3_600_000), 9).totals
    sums = (day.totals, *(group.totals for group in (*day.by_model, *day.by_provider)), spent)
    return {
        (one.calls, one.input_tokens + one.output_tokens, one.cost_nano, one.unpriced)
        for one in sums
    }  # fmt: skip


class OnceContract:
    """One call of a model, told by several."""

    @pytest.mark.parametrize("together", [1, 2, 5])
    def test_a_call_that_several_tell_counts_once_in_whatever_order_they_come(
        self, store: SpanStore, together: int
    ) -> None:
        orders = list(itertools.permutations(range(5)))[::7]
        for number, order in enumerate(orders):
            spans = of_one_call()
            for span in spans:
                span.trace_id = bytes([number + 1]) * 16
                span.session = span.session and f"s{number}"
            for begin in range(0, 5, together):
                some = [spans[place] for place in order[begin : begin + together]]
                store.append([Batch([(span, None) for span in some])])
        n = len(orders)
        assert figures(store) == {(n, 15 * n, 60 * n, 0)}
        for session in store.subjects("session", SubjectFilter(), offset=0, limit=500).items:
            assert (session.spans, session.calls, session.unpriced) == (5, 1, 0)
            assert (session.input_tokens, session.cost_nano) == (10, 60)

    def test_calls_with_a_tool_between_them_are_two(self, store: SpanStore) -> None:
        spans = of_one_call()
        spans[3].kind = "tool"
        for span in spans:
            store.append([Batch([(span, None)])])
        assert figures(store) == {(2, 30, 60, 1)}

    def test_another_projects_call_stands_for_itself(self, store: SpanStore) -> None:
        spans = of_one_call()
        spans[4].project = "till"
        store.append([Batch([(span, None) for span in spans])])
        assert (figures(store), figures(store, "till")) == ({(1, 15, 0, 1)}, {(1, 15, 60, 0)})
