"""The routes of the span log: overview, list, tail, export, detail, payload, verification."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from stockpot.traces import outlook
from stockpot.traces.api.who import Member, Seen, Viewer
from stockpot.traces.models import (
    CostForecast,
    Frozen,
    Named,
    OfProject,
    Overview,
    Payload,
    SpendBy,
    Spending,
    Trace,
    TraceFilter,
    TracePage,
    Verification,
)
from stockpot.traces.service import SpanLog

_LOOK_EVERY_S = 0.4
_SIGN_OF_LIFE_S = 15.0
_EXPORTED_AT_ONCE = 128 << 10
_CONTENT_OF_TAIL = {"text/event-stream": {"schema": {"type": "string"}}}
_CONTENT_OF_EXPORT = {"application/jsonl": {"schema": {"type": "string"}}}


class TracesQuery(TraceFilter):
    """A filter, and which page of what it finds."""

    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(50, ge=1, le=500)


class ExportQuery(TraceFilter):
    """A filter, and how to write what it finds."""

    format: Literal["jsonl"] = "jsonl"
    payloads: bool = False


class OverviewQuery(Frozen):
    """A window (the last day when not given) and the width of the chart's buckets."""

    project: OfProject | None = None
    environment: Named | None = None
    from_ms: float | None = Field(None, ge=0, le=1e14)
    to_ms: float | None = Field(None, ge=0, le=1e14)
    bucket_ms: float | None = Field(None, ge=1000, le=1e11)


class ForecastQuery(Frozen):
    """Whose spending to look into."""

    project: OfProject | None = None
    environment: Named | None = None
    key_id: Named | None = None
    model: Named | None = None
    provider: Named | None = None


class SpendingQuery(OverviewQuery):
    """A window, by what to tell it apart, and whose spending to look into."""

    by: SpendBy = "key"
    key_id: Named | None = None
    model: Named | None = None
    provider: Named | None = None
    limit: int = Field(100, ge=1, le=1000)


def log_routes(routes: APIRouter, service: SpanLog) -> None:
    """Lists, the tail, exports and single traces."""
    _looking(routes, service)
    _forecasting(routes, service)
    _following(routes, service)
    _one(routes, service)


def _looking(routes: APIRouter, service: SpanLog) -> None:
    @routes.get("/overview")
    def get_overview(_: Member, sight: Seen, asked: Annotated[OverviewQuery, Query()]) -> Overview:
        """Traffic, spend, latency and errors of a window, from rollups."""
        where = TraceFilter(project=asked.project, environment=asked.environment)
        return service.overview(where.seen_with(sight), asked.from_ms, asked.to_ms, asked.bucket_ms)

    @routes.get("/spending")
    def get_spending(_: Member, sight: Seen, asked: Annotated[SpendingQuery, Query()]) -> Spending:
        """Cost, and what caches saved, by key, project, environment, model, provider or day."""
        where = TraceFilter(
            project=asked.project,
            environment=asked.environment,
            key_id=asked.key_id,
            model=asked.model,
            provider=asked.provider,
        )
        return service.spending(
            where.seen_with(sight),
            asked.by,
            asked.from_ms,
            asked.to_ms,
            asked.bucket_ms,
            asked.limit,
        )

    @routes.get("/traces")
    def list_traces(_: Member, sight: Seen, asked: Annotated[TracesQuery, Query()]) -> TracePage:
        """Traces, newest first. A page of a search may be short and still have a next one."""
        return service.traces(asked.seen_with(sight), asked.cursor, asked.limit)

    @routes.get("/traces/verify")
    def verify_traces(_: Viewer) -> Verification:
        """Reconcile the spool of this host with the span log."""
        return service.verify()


def _forecasting(routes: APIRouter, service: SpanLog) -> None:
    @routes.get("/spending/forecast")
    def forecast_spending(
        _: Member, sight: Seen, asked: Annotated[ForecastQuery, Query()]
    ) -> CostForecast:
        """What this month will have cost at its end, with an interval, from the last four weeks."""
        where = TraceFilter(**asked.model_dump()).seen_with(sight)
        return outlook.month_end(service, where, time.time() * 1000)


def _following(routes: APIRouter, service: SpanLog) -> None:
    @routes.get(
        "/traces/tail",
        response_class=StreamingResponse,
        responses={200: {"content": _CONTENT_OF_TAIL}},
    )
    async def tail_traces(
        _: Member,
        sight: Seen,
        asked: Annotated[TraceFilter, Query()],
        last_event_id: Annotated[str, Header(max_length=18)] = "",
    ) -> StreamingResponse:
        """Each TraceRow as its root arrives, as server-sent events. A client that reconnects with
        the `Last-Event-ID` it saw misses nothing."""
        seen = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else None
        return StreamingResponse(
            _tail(service, asked.seen_with(sight), seen),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},  # a proxy in between must not wait for more
        )

    @routes.get(
        "/traces/export",
        response_class=StreamingResponse,
        responses={200: {"content": _CONTENT_OF_EXPORT}},
    )
    def export_traces(
        _: Member, sight: Seen, asked: Annotated[ExportQuery, Query()]
    ) -> StreamingResponse:
        """Every matching span as JSON lines, in the order of arrival, with bodies on request."""
        lines = _lines(service, asked.seen_with(sight), payloads=asked.payloads)
        first = next(lines)  # a filter that is at fault is refused, not cut off
        return StreamingResponse(
            itertools.chain((first,), lines),
            media_type="application/jsonl",
            headers={"content-disposition": 'attachment; filename="traces.jsonl"'},
        )


def _one(routes: APIRouter, service: SpanLog) -> None:
    @routes.get("/traces/{trace_id}")
    def get_trace(_: Member, sight: Seen, trace_id: str, project: OfProject | None = None) -> Trace:
        """All spans of one trace that the caller may see."""
        return service.trace(trace_id, project, sight)

    @routes.get("/traces/{trace_id}/spans/{span_id}/payload")
    def get_payload(
        _: Member, sight: Seen, trace_id: str, span_id: str, project: OfProject | None = None
    ) -> Payload:
        """Request and response of one span, as far as they were kept."""
        return service.payload(trace_id, span_id, project, sight)


async def _tail(service: SpanLog, where: TraceFilter, seen: int | None) -> AsyncIterator[str]:
    position = await asyncio.to_thread(service.newest) if seen is None else seen
    spoke = time.monotonic()
    yield ": following\n\n"
    while service.following:
        found, position = await asyncio.to_thread(service.since, where, position)
        for listed in found:
            yield f"id: {listed.position}\nevent: trace\ndata: {listed.row.model_dump_json()}\n\n"
        if found:
            spoke = time.monotonic()
        elif time.monotonic() - spoke > _SIGN_OF_LIFE_S:
            spoke = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(_LOOK_EVERY_S)


def _lines(service: SpanLog, where: TraceFilter, *, payloads: bool) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for span in service.export(where, payloads=payloads):
        held.append(span.model_dump_json() + "\n")
        size += len(held[-1])
        if size > _EXPORTED_AT_ONCE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
