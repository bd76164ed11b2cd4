"""Rows out of traces: what went in, what came out or should have. Knows spans and their bodies;
knows no data set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from stockpot.core.errors import NotFound
from stockpot.datasets.content import canonical
from stockpot.datasets.models import NewRow
from stockpot.traces import Score, Sight, Span, SpanLog, output_text

Expected = Literal["output", "correction", "none"]
_INPUT = ("system", "systemInstruction", "instructions", "messages", "contents", "prompt", "input")
"""Members of a request that are its input, in whichever dialect."""

_VARIABLES = "prompt_variables"
_KINDS = ("llm", "agent", "workflow", "embedding", "retriever", "tool")
_TOLD = 50


class Harvest:
    """Rows of one project's traces, as far as somebody may see them."""

    def __init__(
        self, spans: SpanLog, project: str, sight: Sight | None, expected: Expected
    ) -> None:
        self._spans = spans
        self._project = project
        self._sight = sight
        self._expected = expected
        self.skipped: list[str] = []
        """What made no row, and why."""

    def rows(
        self, trace_ids: Iterable[str], scores: Mapping[str, Sequence[Score]], split: str
    ) -> list[NewRow]:
        """One row for each trace that has what it takes."""
        found = []
        for trace_id in trace_ids:
            said = self._row(trace_id, scores.get(trace_id, ()), split)
            if isinstance(said, NewRow):
                found.append(said)
            elif len(self.skipped) < _TOLD:
                self.skipped.append(f"{trace_id}: {said}")
        return found

    def _row(self, trace_id: str, scores: Sequence[Score], split: str) -> NewRow | str:
        correction = next((s for s in scores if s.correction is not None), None)
        if self._expected == "correction" and correction is None:
            return "nobody corrected it"
        try:
            spans = self._spans.trace(trace_id, self._project, self._sight).spans
        except NotFound:
            return f"no such trace in the project {self._project!r}"
        span = source_span(spans, correction.span_id if correction else None)
        if span is None:
            return "its payload was not kept"
        if span.status != "ok" and correction is None and self._expected == "output":
            return f"its call did not end ok: {span.error or span.status}"
        body = self._spans.payload(trace_id, span.span_id, span.project, self._sight)
        given = input_of(body.request)
        if given is None:
            return "its request has no input that can be read"
        expected: Any = None
        if correction is not None and self._expected != "none":
            expected = correction.correction
        elif self._expected == "output":
            expected = output_text(body.response)
        return NewRow(
            input=given,
            expected=expected,
            metadata=metadata_of(span, scores),
            source_trace=trace_id,
            source_span=span.span_id,
            split=split,
        )


def source_span(spans: Sequence[Span], named: str | None = None) -> Span | None:
    """The span that a row comes from: the one named, else the root where its payload was kept, else
    the first call of a model."""
    kept = [span for span in spans if span.payload in ("full", "masked")]
    if named:
        return next((span for span in kept if span.span_id == named), None)
    root = next((span for span in kept if span.is_root), None)
    rest = sorted(kept, key=lambda span: _KINDS.index(span.kind) if span.kind in _KINDS else 99)
    return root or next(iter(rest), None)


def input_of(request: str | None) -> dict[str, Any] | None:
    """What a request asks, without how: its variables where a prompt was rendered, else its
    messages."""
    if not request:
        return None
    try:
        body = json.loads(request)
        canonical(body)  # no NaN, which is no JSON
    except (ValueError, RecursionError):
        return {"input": request}
    if not isinstance(body, dict):
        return {"input": body}
    variables = body.get(_VARIABLES)
    if isinstance(variables, dict) and variables:
        return variables
    found = {name: body[name] for name in _INPUT if body.get(name) is not None}
    return found or body or None


def metadata_of(span: Span, scores: Sequence[Score]) -> dict[str, Any]:
    """What can be sliced by: how the call was made, and how it was found."""
    told: dict[str, Any] = {
        "model": span.model, "environment": span.environment, "user": span.user,
        "session": span.session, "prompt": span.prompt_name, "prompt_version": span.prompt_version,
        "tags": list(span.tags),
    }  # fmt: skip
    found = {name: value for name, value in told.items() if value}
    rated = {s.name: s.label or s.value for s in reversed(scores) if s.label or s.value is not None}
    comments = [s.comment for s in scores if s.comment]
    if rated:
        found["scores"] = rated
    if comments:
        found["comment"] = comments[0]
    return found
