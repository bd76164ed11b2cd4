"""A call of an endpoint or of a function as a span, so that each row of a run is a trace.

Knows rows, answers and how OTLP spells a span in JSON; knows no network. What is called gets the
place of the span by W3C trace context, so what it tells of itself hangs below.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from stockpot.core import ids
from stockpot.evals.models import Row, Run
from stockpot.evals.scorers.base import as_text

ENVIRONMENT = "dev"
"""Where these calls are counted: an evaluation is no traffic of production."""

_ERROR = 2
_INTERNAL, _CLIENT = 1, 3
_MOST_CHARS = 256 * 1024
_MOST_SPANS, _MOST_TEXT = 500, 4 << 20


class Place(NamedTuple):
    """Where a call stands: its trace, its span, and when it began, in Unix nanoseconds."""

    trace_id: str
    span_id: str
    start_ns: int

    @classmethod
    def new(cls) -> Place:
        """The root of a new trace, that begins now."""
        return cls(ids.trace_id().hex(), ids.span_id().hex(), time.time_ns())

    @property
    def headers(self) -> dict[str, str]:
        """What whoever is called with goes on below this span."""
        return {"traceparent": f"00-{self.trace_id}-{self.span_id}-01"}


class Called(NamedTuple):
    """One call that is over. `error` is '' for one that was answered."""

    place: Place
    name: str
    row: Row
    repeat: int
    output: str
    error: str
    end_ns: int


Note = Callable[[Called], None]


def batches_of(calls: Iterable[Called]) -> Iterator[list[Called]]:
    """Calls in requests that a server takes: of at most 500 spans and about 4 MB."""
    batch: list[Called] = []
    size = 0
    for call in calls:
        more = len(as_text(call.row.input)[:_MOST_CHARS]) + len(call.output[:_MOST_CHARS])
        if batch and (len(batch) == _MOST_SPANS or size + more > _MOST_TEXT):
            yield batch
            batch, size = [], 0
        batch.append(call)
        size += more
    if batch:
        yield batch


def spans_of(run: Run, calls: Iterable[Called]) -> dict[str, Any]:
    """Calls as an ExportTraceServiceRequest: of the run's project, with input, output and how each
    ended, tied to the run and to the row of its data set."""
    about = {
        "stockpot.project": run.project,
        "deployment.environment.name": ENVIRONMENT,
        "service.name": "stockpot-evals",
    }
    resource = {"attributes": _attributes(about)}
    spans = [_span(run, call) for call in calls]
    scoped = {"scope": {"name": "stockpot"}, "spans": spans}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scoped]}]}


def _span(run: Run, call: Called) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "stockpot.kind": "workflow",
        "stockpot.trace_name": f"eval {run.suite}",
        "stockpot.dataset.run": run.id,
        "stockpot.dataset.item": call.row.id,
        "stockpot.metadata.repeat": call.repeat,
        "stockpot.input": as_text(call.row.input)[:_MOST_CHARS],
    }
    told: dict[str, Any] = {
        "traceId": call.place.trace_id,
        "spanId": call.place.span_id,
        "name": call.name,
        "kind": _CLIENT if run.spec.target.kind == "http" else _INTERNAL,
        "startTimeUnixNano": str(call.place.start_ns),
        "endTimeUnixNano": str(call.end_ns),
    }
    if call.error:
        facts["error.type"] = "error"
        told["status"] = {"code": _ERROR, "message": call.error[:2000]}
    else:
        facts["stockpot.output"] = call.output[:_MOST_CHARS]
    return {**told, "attributes": _attributes(facts)}


def _attributes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int)
         else {"stringValue": value}}
        for name, value in facts.items()
    ]  # fmt: skip
