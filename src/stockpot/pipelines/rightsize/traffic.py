"""Logged calls as rows to ask again, and how often a model is called. Knows the span log alone."""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from stockpot.core.errors import StockpotError
from stockpot.evals import Row
from stockpot.pipelines.rightsize.models import Traffic
from stockpot.playground import recorded_call
from stockpot.traces import Payload, Span, SpanLog, TraceFilter

_DAY_MS = 86_400_000
_MONTH_DAYS = 30.4
_WINDOW_DAYS = 7
_RECENT = 2000
_NOT_PARAMETERS = frozenset({
    "model", "messages", "tools", "stream", "stream_options", "user", "metadata", "store",
})  # fmt: skip


class Logged(NamedTuple):
    """Rows out of traffic, and what had to be left out."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def logged_rows(spans: SpanLog, project: str, route: str, from_ms: float, most: int) -> Logged:
    """At most so many calls of a route since a time, drawn evenly by the hash of their trace: the
    same calls each time. Calls of one session, else of one trace, are a cluster. Calls that
    evaluations made, and answers out of the gateway's cache, are no traffic."""
    where = TraceFilter(project=project, kind="llm", status="ok", from_ms=from_ms,
                        requested_model=route or None)  # fmt: skip
    matching, unkept = 0, 0
    drawn: list[tuple[str, int, Span]] = []
    for span in spans.export(where):
        if span.dataset_run or span.cache == "hit":
            continue
        matching += 1
        if span.payload not in ("full", "masked"):
            unkept += 1
            continue
        place = hashlib.sha256(f"{span.trace_id}{span.span_id}".encode()).hexdigest()
        # the largest of what is kept goes when a smaller one comes
        entry = (_turned(place), matching, span)
        (heapq.heappush if len(drawn) < most else heapq.heappushpop)(drawn, entry)
    rows, unread = [], 0
    for _, _, chosen in sorted(drawn, key=lambda one: one[1]):
        row = _row(spans, chosen)
        unread += row is None
        rows += [row] if row is not None else []
    return Logged(tuple(rows), tuple(_notes(matching, len(rows), unkept, unread)))


def _turned(place: str) -> str:
    """A hexadecimal text that sorts the other way round."""
    return "".join(f"{15 - int(digit, 16):x}" for digit in place)


def _row(spans: SpanLog, span: Span) -> Row | None:
    payload: Payload = spans.payload(span.trace_id, span.span_id, span.project)
    try:
        request = recorded_call(span, payload).request
    except StockpotError:
        return None
    said = request.get("messages")
    if not isinstance(said, list) or not said:
        return None
    given: dict[str, Any] = {"messages": said}
    if isinstance(request.get("tools"), list):
        given["tools"] = request["tools"]
    own = {name: value for name, value in request.items() if name not in _NOT_PARAMETERS}
    if own:
        given["parameters"] = own
    metadata = {"trace_id": span.trace_id, "belongs_to": span.session or span.trace_id}
    return Row(id=f"{span.trace_id}-{span.span_id}", input=given, metadata=metadata)


def _notes(matching: int, taken: int, unkept: int, unread: int) -> Iterator[str]:
    if matching > taken + unkept + unread:
        yield f"{taken} of {matching} logged calls were drawn, evenly by the hash of their trace."
    if unkept:
        yield f"{unkept} logged calls kept no payload and cannot be asked again."
    if unread:
        yield f"{unread} logged calls are no chats that can be asked again."


def traffic_of(spans: SpanLog, project: str, route: str, own_keys: tuple[str, ...]) -> Traffic:
    """How often a route is called, told from the last week, or from the first call on where that
    is less. Without calls of the route, the whole project counts. Calls by `own_keys` (those of
    evaluations) are no traffic."""
    now = time.time() * 1000
    start = now - _WINDOW_DAYS * _DAY_MS
    seen = [spans.overview(TraceFilter(project=project), start, now)]
    seen += [
        spans.overview(TraceFilter(project=project, key_id=key), start, now) for key in own_keys
    ]
    by_route = [{g.key: g.totals.calls for g in one.by_route} for one in seen]
    calls = by_route[0].get(route, 0) - sum(one.get(route, 0) for one in by_route[1:])
    named = route if calls > 0 else ""
    if not named:
        calls = seen[0].totals.calls - sum(one.totals.calls for one in seen[1:])
    first = next((p.start_ms for p in seen[0].series if p.totals.calls), start)
    days = min(float(_WINDOW_DAYS), max((now - first) / _DAY_MS, 1 / 24))
    calls = max(0, calls)
    return Traffic(
        route=named, calls=calls, days=round(days, 3), calls_per_month=calls / days * _MONTH_DAYS
    )


def logged_unit(spans: SpanLog, project: str, route: str) -> str:
    """Whose calls can be told apart: `session` or `user` where most of the last calls of a route
    tell it, else `key`."""
    recent = [
        span
        for span in spans.recent(_RECENT)
        if span.project == project and span.requested_model == route and not span.dataset_run
    ]
    half = len(recent) / 2
    for unit in ("session", "user"):
        if sum(bool(getattr(span, unit)) for span in recent) > half:
            return unit
    return "key" if recent else "user"
