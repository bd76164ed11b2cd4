"""What the gateway's records become in the span log. Knows records and spans; knows no engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from stockpot.core.errors import InvalidInput
from stockpot.gateway import Record, Shipment, Shipped, otlp
from stockpot.traces import excerpt
from stockpot.traces.names import MOST_TAGS, short
from stockpot.traces.receiving.batches import Receiver, Taken
from stockpot.traces.receiving.pricing import Prices, no_prices
from stockpot.traces.receiving.spans import Origin
from stockpot.traces.store import Batch, NewPayload, NewSpan
from stockpot.traces.verdicts import verdict_spans

_BIGGEST = 1 << 43
_KINDS = {"embeddings": "embedding", "rerank": "reranker"}
_CUT_SHORT = frozenset({"interrupted", "client_disconnect", "hedge_lost"})
_USUAL = frozenset({
    "", "weighted", "priority", "least_latency", "least_cost", "least_busy", "fallback", "retry",
})  # fmt: skip
"""Reasons for a target that the route and the number of the attempt tell already."""
_encode = msgspec.json.Encoder().encode


class Arrived(NamedTuple):
    """A shipment as the store takes it, and what of it could not be kept: so many spans (-1: a
    whole request), because of `message`."""

    batch: Batch
    rejected: int = 0
    message: str = ""


def batch_of(shipment: Shipment) -> Batch:
    """A shipment of calls alone, as the store takes it."""
    return arrived(shipment, Receiver(Prices(no_prices))).batch


def arrived(shipment: Shipment, receiver: Receiver) -> Arrived:
    """A shipment's calls, and the spans in the requests of applications that it carries."""
    rows: list[tuple[NewSpan, NewPayload | None]] = []
    rejected, why = 0, ""
    for item in shipment.items:
        if item.record.endpoint != otlp.ENDPOINT:
            made = arrival(item)
            rows.append(made)
            rows += [(span, None) for span in verdict_spans(item.record)]
            continue
        taken = _spans_in(item, receiver)
        rows += taken.rows
        rejected, why = rejected + taken.rejected, why or taken.message
    place = (shipment.stream, shipment.segment, shipment.begin, shipment.end)
    return Arrived(Batch(rows, *place), rejected, why)


def _spans_in(item: Shipped, receiver: Receiver) -> Taken:
    record = item.record
    if item.request is None:
        return Taken([], -1, "the spool lost what was sent")
    form, encoding, *more = record.tags
    origin = Origin(
        record.project, record.environment, record.key_id, record.payload, record.client,
        otlp.CLEAN in more,
    )  # fmt: skip
    try:
        return receiver.take(item.request, form, encoding, origin)
    except InvalidInput as bad:
        return Taken([], -1, bad.message)


def arrival(shipped: Shipped) -> tuple[NewSpan, NewPayload | None]:
    """One record with its payload, as a span and what is kept beside it."""
    record, request, response = shipped.record, shipped.request, shipped.response
    kept = request is not None or response is not None
    embedding = record.endpoint == "embeddings"
    said = excerpt.read(request, None if embedding else response) if kept else _NOTHING
    model = record.model or record.route
    span = NewSpan(
        trace_id=record.trace_id, span_id=record.span_id, parent_id=record.parent_id,
        is_root=record.is_root, project=record.project, environment=record.environment,
        at_ns=record.start_ns, start_ns=record.start_ns, duration_ns=record.duration_ns,
        dialect=record.dialect, kind=_KINDS.get(record.endpoint, "llm"),
        name=_name(record, model), status=_status(record), status_code=record.status,
        error=record.error, error_message=record.error_message, key_id=record.key_id,
        endpoint=record.endpoint, route=record.route, provider=record.provider,
        target=record.target, model=model, served_model=record.served_model,
        stream=record.stream, attempt=record.attempt, ttft_ns=record.ttft_ns or None,
        tpot_ns=record.tpot_ns or None, input_tokens=_fit(record.input_tokens),
        output_tokens=_fit(record.output_tokens), cache_read_tokens=_fit(record.cache_read_tokens),
        cache_write_tokens=_fit(record.cache_write_tokens),
        reasoning_tokens=_fit(record.reasoning_tokens), usage_source=record.usage_source,
        cost_nano=None if record.cost_nano is None else _fit(record.cost_nano),
        cost_detail=_array(record.cost_detail), cost_source="computed" if record.price_id else "",
        price_id=record.price_id, finish_reason=record.finish_reason, user=short(record.user),
        session=short(record.session), tags=_tags(record.tags), params=said.params,
        tools=said.tools, input_preview=said.input_preview, output_preview=said.output_preview,
        client=record.client, response_id=record.response_id, stages=_array(record.stages),
        request_bytes=record.request_bytes, response_bytes=record.response_bytes,
        payload=record.payload, revision=record.revision,
        provenance=_provenance(record, said.setup) if kept else b"",
    )  # fmt: skip
    _explain(span, record)
    if not kept:
        return span, None
    text = f"{said.input_text}\n{said.output_text}" if said.output_text else said.input_text
    return span, NewPayload(request, response, text)


def _tags(tags: Sequence[str]) -> str:
    """As the spans of applications have them."""
    return _array([short(tag) for tag in tags[:MOST_TAGS]])


_NOTHING = excerpt.Excerpt()


def _name(record: Record, model: str) -> str:
    """What was done, and why there where that is not the route's usual way."""
    name = f"{record.endpoint} {model}"
    return name if record.route_reason in _USUAL else f"{name} ({record.route_reason})"


def _explain(span: NewSpan, record: Record) -> None:
    """Why it costs what it costs, and why it went where it went."""
    span.usage_detail, span.service_tier = _array(record.usage_detail), record.service_tier
    span.unit_prices, span.price_source = _array(record.unit_prices), record.price_source
    span.saved_nano = max(-_BIGGEST, min(record.saved_nano, _BIGGEST))
    span.cache = record.cache
    span.dataset_run, span.dataset_item = record.dataset_run, record.dataset_item
    span.prompt_name, span.prompt_version = record.prompt_name, record.prompt_version
    span.prompt_label = record.prompt_label
    if record.exposures:
        span.experiment, span.variant, _ = record.exposures[0]
        span.exposures = _array(record.exposures)
    span.degraded, span.route_reason = _array(record.degraded), record.route_reason


def _status(record: Record) -> str:
    if not record.error:
        return "ok"
    if record.error in _CUT_SHORT:
        return "interrupted"
    return "error" if record.target else "refused"


def _provenance(record: Record, setup: bytes) -> bytes:
    """What an answer came from: which model served it, with which parameters and tools."""
    served = f"{record.provider}\0{record.target}\0{record.model}\0{record.served_model}\0"
    return blake2b(served.encode() + setup, digest_size=8).digest()


def _array(values: Iterable[object]) -> str:
    return _encode(values).decode() if values else ""


def _fit(count: int) -> int:
    """A number of a vendor, as far as a sum of many fits a column."""
    return count if 0 <= count < _BIGGEST else min(max(count, 0), _BIGGEST)
