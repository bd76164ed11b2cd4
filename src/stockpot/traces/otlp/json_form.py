"""Reading OTLP's JSON. Knows its spellings: ids in hex (base64 from old senders), big numbers as
text, `camelCase` names, enums as numbers or names."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from stockpot.traces.otlp.incoming import (
    JSON,
    Attributes,
    Event,
    Incoming,
    Link,
    Piece,
    Under,
    Unreadable,
)

_DEEPEST = 32
_STATUS = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_NOTHING = msgspec.Raw(b"{}")


class _KeyValue(msgspec.Struct):
    key: str = ""
    value: dict[str, Any] | None = None


class _Resource(msgspec.Struct):
    attributes: list[_KeyValue] = []


class _Scope(msgspec.Struct):
    name: str = ""
    version: str = ""


class _Told(msgspec.Struct, rename="camel"):
    """An event or a link."""

    name: str = ""
    time_unix_nano: int | str = 0
    trace_id: str = ""
    span_id: str = ""
    attributes: list[_KeyValue] = []


class _Status(msgspec.Struct):
    code: int | str = 0
    message: str = ""


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    flags: int = 0
    attributes: list[_KeyValue] = []
    events: list[_Told] = []
    links: list[_Told] = []
    status: _Status = msgspec.field(default_factory=_Status)


class _ScopeSpans(msgspec.Struct):
    scope: msgspec.Raw = _NOTHING
    spans: list[msgspec.Raw] = []


class _ResourceSpans(msgspec.Struct, rename="camel"):
    resource: msgspec.Raw = _NOTHING
    scope_spans: list[_ScopeSpans] = []


class _Request(msgspec.Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] = []


_encode = msgspec.json.Encoder().encode
_request = msgspec.json.Decoder(_Request).decode
_resource = msgspec.json.Decoder(_Resource).decode
_scope = msgspec.json.Decoder(_Scope).decode
_span = msgspec.json.Decoder(_Span).decode


def read(body: bytes) -> Iterator[Incoming]:
    """The spans of an ExportTraceServiceRequest, in order. Raises Unreadable."""
    try:
        for group in _request(body).resource_spans:
            for part in group.scope_spans:
                under = _under(bytes(group.resource), bytes(part.scope))
                for raw in part.spans:
                    yield _incoming(under, bytes(raw), JSON)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as bad:
        raise Unreadable(str(bad)) from None


def read_piece(piece: Piece) -> Incoming:
    """One span out of the bytes that were kept of it."""
    return _incoming(_under(piece.resource, piece.scope), piece.span, JSON)


def _under(resource: bytes, scope: bytes) -> Under:
    told = _scope(scope or b"{}")
    attributes = _attributes(_resource(resource or b"{}").attributes)
    return Under(attributes, told.name, told.version, resource, scope)


def _incoming(under: Under, raw: bytes, form: str) -> Incoming:
    told = _span(raw)
    return Incoming(
        under=under,
        form=form,
        raw=raw,
        trace_id=_ident(told.trace_id, 16),
        span_id=_ident(told.span_id, 8),
        parent_id=_ident(told.parent_span_id, 8),
        name=told.name,
        start_ns=_number(told.start_time_unix_nano),
        end_ns=_number(told.end_time_unix_nano),
        status=_code(told.status.code),
        message=told.status.message,
        flags=told.flags,
        attributes=_attributes(told.attributes),
        events=[Event(e.name, _number(e.time_unix_nano), _attributes(e.attributes))
                for e in told.events],
        links=[Link(_ident(k.trace_id, 16), _ident(k.span_id, 8), _attributes(k.attributes))
               for k in told.links],
    )  # fmt: skip


def _attributes(told: list[_KeyValue]) -> Attributes:
    return {one.key: _value(one.value, 0) for one in told}


def _value(value: Any, depth: int) -> Any:
    if not isinstance(value, dict) or not value:
        return None
    if depth > _DEEPEST:
        raise Unreadable("a value is nested too deeply")
    kind, inner = next(iter(value.items()))
    if kind == "intValue":
        return _number(inner)
    if kind == "doubleValue":
        return float(inner) if isinstance(inner, int | float | str) else None
    if kind == "arrayValue":
        values = inner.get("values") if isinstance(inner, dict) else None
        return [_value(one, depth + 1) for one in values or ()]
    if kind == "kvlistValue":
        values = inner.get("values") if isinstance(inner, dict) else None
        return {one.get("key", ""): _value(one.get("value"), depth + 1) for one in values or ()}
    return inner


def _number(told: Any) -> int:
    try:
        return int(told)
    except (TypeError, ValueError, OverflowError):
        return 0


def _code(told: int | str) -> int:
    return told if isinstance(told, int) else _STATUS.get(told, 0)


def _ident(told: str, length: int) -> bytes:
    """An id: in hex, or in base64 from senders that follow protobuf's own mapping."""
    try:
        if len(told) == 2 * length:
            return bytes.fromhex(told)
        return base64.b64decode(told, validate=True)
    except ValueError:
        return b""


# --- writing --------------------------------------------------------------------------------------


def rewritten(span: Incoming) -> Incoming:
    """The same span with bytes that say what its fields say now."""
    under = span.under
    scope = {"name": under.scope, "version": under.scope_version}
    under = msgspec.structs.replace(
        under,
        raw_resource=_encode({"attributes": _told(under.resource)}),
        raw_scope=_encode(scope),
    )
    told = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_id.hex(),
        "name": span.name,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "flags": span.flags,
        "attributes": _told(span.attributes),
        "events": [
            {"name": e.name, "timeUnixNano": str(e.at_ns), "attributes": _told(e.attributes)}
            for e in span.events
        ],
        "links": [
            {"traceId": k.trace_id.hex(), "spanId": k.span_id.hex(),
             "attributes": _told(k.attributes)}
            for k in span.links
        ],
        "status": {"code": span.status, "message": span.message},
    }  # fmt: skip
    return msgspec.structs.replace(span, under=under, form=JSON, raw=_encode(told))


def _told(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": name, "value": _any_value(value)} for name, value in attributes.items()]


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(one) for one in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _told(value)}}
    return {} if value is None else {"stringValue": str(value)}
