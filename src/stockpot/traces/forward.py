"""Sending every span on to another backend as OTLP. Knows the span log and OTLP's JSON; knows no
backend.

Spans go in the order in which they arrived, in batches, each at least once: the place of the last
batch that was taken is kept in a file, so a restart goes on where it stopped. While the backend is
away nothing is lost, the span log waits. What the backend refuses for good is counted and passed
over, as the protocol asks (OTLP 1.9, "Failures").

Names follow the OpenTelemetry semantic conventions for generative AI (1.41); what they have no name
for begins with `stockpot.`. Bodies of requests and answers are never sent.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from stockpot import __version__
from stockpot.traces.models import Span, TraceFilter

if TYPE_CHECKING:
    from stockpot.traces.store import SpanStore

_log = logging.getLogger("stockpot.traces.forward")

BATCH = 500
IDLE_S, FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 1.0, 60.0
_LATER = frozenset((429, 502, 503, 504))
_CLIENT, _OK, _ERROR = 3, 1, 2
_OPERATIONS = {"completions": "text_completion", "embeddings": "embeddings"}
_OPERATIONS_BY_KIND = {
    "tool": "execute_tool", "agent": "invoke_agent", "workflow": "invoke_workflow",
    "retriever": "retrieval", "reranker": "rerank", "guardrail": "apply_guardrail",
}  # fmt: skip


class Forwarder:
    """`url` ends before `/v1/traces`; `headers` may hold a credential and are never logged."""

    def __init__(self, store: SpanStore, url: str, headers: dict[str, str], place: Path) -> None:
        self._store = store
        self._url = url.rstrip("/") + "/v1/traces"
        self._headers = {**headers, "content-type": "application/json"}
        self._place = place
        self.sent = self.refused = 0

    async def run(self) -> None:
        """Send until cancelled; then the span log's files are closed."""
        try:
            async with httpx.AsyncClient(timeout=30, headers=self._headers) as client:
                await self._send(client)
        finally:
            self.close()

    async def _send(self, client: httpx.AsyncClient) -> None:
        wait = FIRST_WAIT_S
        while True:
            try:
                more = await self.step(client)
            except (httpx.TransportError, BackendAway) as away:
                _log.warning("spans wait for %s: %r", self._url, away)
                await asyncio.sleep(_after(away, wait))
                wait = min(wait * 2, LONGEST_WAIT_S)
                continue
            wait = FIRST_WAIT_S
            if not more:
                await asyncio.sleep(IDLE_S)

    def close(self) -> None:
        """Let go of the span log's files."""
        self._store.close()

    async def step(self, client: httpx.AsyncClient) -> bool:
        """Send one batch; whether there is more. Raises BackendAway or httpx.TransportError."""
        place = self._read()
        spans, following = await asyncio.to_thread(self._next, place)
        if not spans:
            return False
        answer = await client.post(self._url, json=otlp(spans))
        if answer.status_code in _LATER:
            raise BackendAway(answer)
        if answer.is_success:
            self._took(len(spans), answer)
        else:
            self.refused += len(spans)
            _log.error("%s refuses %d spans: %d", self._url, len(spans), answer.status_code)
        self._write(following)
        return len(spans) == BATCH

    def _next(self, place: int) -> tuple[list[Span], int]:
        """The spans that follow, and the place behind them."""
        spans, behind = self._store.spans(TraceFilter(), after=place, limit=BATCH)
        if spans and behind is None:  # the store tells the place behind a full page only
            spans, behind = self._store.spans(TraceFilter(), after=place, limit=len(spans))
        return spans, place if behind is None else behind

    def _took(self, count: int, answer: httpx.Response) -> None:
        try:
            partial = answer.json().get("partialSuccess") or {}
        except ValueError:
            partial = {}
        refused = int(partial.get("rejectedSpans") or 0)
        self.sent += count - refused
        self.refused += refused
        if refused:
            _log.error("%s refuses %d of %d spans", self._url, refused, count)

    def _read(self) -> int:
        try:
            return int(self._place.read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    def _write(self, place: int) -> None:
        draft = self._place.with_suffix(".new")
        draft.write_text(str(place), "ascii")
        draft.replace(self._place)


class BackendAway(Exception):
    """The backend asks to come again later."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"status {answer.status_code}")
        told = answer.headers.get("retry-after", "")
        self.after_s = float(told) if told.isdigit() else 0.0


def _after(away: Exception, wait: float) -> float:
    told = away.after_s if isinstance(away, BackendAway) else 0.0
    return max(told, wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries


def otlp(spans: list[Span]) -> dict[str, Any]:
    """An ExportTraceServiceRequest in OTLP's JSON."""
    resource = [_attribute("service.name", "stockpot"), _attribute("service.version", __version__)]
    scope = {"name": "stockpot", "version": __version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": resource},
                "scopeSpans": [{"scope": scope, "spans": [_span(span) for span in spans]}],
            }
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    start = round(span.start_ms * 1e6)
    told = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": _name(span),
        "kind": _CLIENT,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(span.duration_ms * 1e6)),
        "attributes": [_attribute(name, value) for name, value in _facts(span) if value != ""],
        "status": _status(span),
    }
    return {**told, "parentSpanId": span.parent_id} if span.parent_id else told


def _name(span: Span) -> str:
    named = span.source == "gateway" or not span.name
    return f"{_operation(span)} {span.requested_model}".strip() if named else span.name


def _operation(span: Span) -> str:
    """The conventions' word for what was done; '' where they have none."""
    if span.kind in ("llm", "embedding"):
        return _OPERATIONS.get(span.endpoint, span.endpoint or "chat")
    return _OPERATIONS_BY_KIND.get(span.kind, "")


def _status(span: Span) -> dict[str, Any]:
    if span.status == "ok":
        return {"code": _OK}
    return {"code": _ERROR, "message": span.error_message or span.error}


def _facts(span: Span) -> list[tuple[str, Any]]:
    tokens = span.tokens
    facts: list[tuple[str, Any]] = [
        ("gen_ai.operation.name", _operation(span)),
        ("gen_ai.provider.name", span.provider),
        ("gen_ai.request.model", span.requested_model),
        ("gen_ai.response.model", span.served_model),
        ("gen_ai.usage.input_tokens", tokens.input),
        ("gen_ai.usage.output_tokens", tokens.output),
        ("gen_ai.usage.cache_read.input_tokens", tokens.cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", tokens.cache_write),
        ("gen_ai.usage.reasoning.output_tokens", tokens.reasoning or ""),
        ("gen_ai.request.stream", span.stream or ""),
        ("gen_ai.response.finish_reasons", [span.finish_reason] if span.finish_reason else ""),
        ("error.type", span.error),
        ("http.response.status_code", span.status_code),
        ("user.id", span.user),
        ("session.id", span.session),
        ("deployment.environment.name", span.environment),
        ("stockpot.project", span.project),
        ("stockpot.key", span.key_id),
        ("stockpot.target", span.target),
        ("stockpot.attempt", span.attempt),
        ("stockpot.cache", span.cache),
        ("stockpot.route_reason", span.route_reason),
        ("stockpot.tags", list(span.tags) or ""),
        *_belonging(span),
    ]
    if span.cost_nano is not None:
        facts.append(("stockpot.cost_usd", span.cost_nano / 1e9))
    if span.ttft_ms is not None:
        facts.append(("gen_ai.server.time_to_first_token", span.ttft_ms / 1e3))
    return facts


def _belonging(span: Span) -> Iterator[tuple[str, Any]]:
    """What a span belongs to, by names that this product reads back."""
    yield from (
        ("stockpot.kind", span.kind),
        ("stockpot.root", span.is_root or ""),
        ("stockpot.model", span.model),
        ("stockpot.service", span.service),
        ("stockpot.release", span.release),
        ("stockpot.trace_name", span.trace_name),
        ("gen_ai.agent.name", span.agent),
        ("gen_ai.tool.name", span.tool),
        ("gen_ai.prompt.name", span.prompt_name),
        ("gen_ai.prompt.version", span.prompt_version),
        ("stockpot.prompt.label", span.prompt_label),
        *_experiments(span),
        ("stockpot.dataset.run", span.dataset_run),
        ("stockpot.dataset.item", span.dataset_item),
        ("stockpot.sample_weight", "" if span.sample_weight == 1 else float(span.sample_weight)),
    )


def _experiments(span: Span) -> Iterator[tuple[str, Any]]:
    """In which arms it was made: as lists, or the one of which no unit is known."""
    if not span.exposures:
        yield "stockpot.experiment", span.experiment
        yield "stockpot.variant", span.variant
        return
    told = zip(*span.exposures, strict=True)
    for name, values in zip(("name", "variant", "unit"), told, strict=True):
        yield f"stockpot.experiment.{name}", list(values)


def _attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": _value(value)}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}
