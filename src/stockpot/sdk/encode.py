"""Spans in OTLP's JSON, and values of applications as text. Knows no network."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, MappingView, Sequence, Set
from itertools import islice
from typing import Any, Protocol, cast

import msgspec

from stockpot.sdk.options import Mask

UNMASKED = "(not kept: the mask failed)"
_ERROR = 2
_INTERNAL = 1
_LOCAL, _REMOTE = 0x101, 0x301
"""Sampled, and whether the parent is another process's."""
_MOST_TRACE = 8000
_MOST_ITEMS, _MOST_SHOWN = 1000, 2000
_PLAIN = (dict, list, str, int, float, type(None))
_NAMED = {"tool": "gen_ai.tool.name", "agent": "gen_ai.agent.name"}


class Told(Protocol):
    """What is sent of a span."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    session: str
    user: str
    tags: tuple[str, ...]
    exposures: tuple[tuple[str, str, str], ...]
    attributes: dict[str, Any]
    failure: tuple[str, str, str] | None
    remote: bool

    @property
    def kind(self) -> str: ...


def _plain(value: Any) -> Any:
    """What JSON has no form for: models tell theirs, the rest shows itself.

    Only what can be read twice is read: a lazy thing (an answer that streams, a query) is the
    application's to consume. Methods are looked up on the type, so a stand-in that answers to
    every name is asked nothing.
    """
    kind = type(value)
    if hasattr(kind, "model_dump"):
        dumped = value.model_dump(mode="json")
        return dumped if isinstance(dumped, _PLAIN) else repr(value)[:_MOST_SHOWN]
    if isinstance(value, Mapping):
        return dict(islice(value.items(), _MOST_ITEMS))
    if isinstance(value, Sequence | Set | MappingView):
        return list(islice(cast("Iterable[Any]", value), _MOST_ITEMS))
    size = getattr(value, "size", None) if hasattr(kind, "tolist") else None
    if isinstance(size, int) and size <= _MOST_ITEMS:  # arrays of numpy and their scalars
        return value.tolist()
    return repr(value)[:_MOST_SHOWN]


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def text_of(value: Any, mask: Mask | None, most: int) -> str:
    """A value as JSON (text stays text), masked, of at most `most` characters."""
    if mask is not None:
        try:
            value = mask(value)
        except Exception:
            return UNMASKED
    if isinstance(value, str):
        text = value
    else:
        try:
            text = _encoder.encode(value).decode()
        except Exception:  # circles, odd keys, a model that cannot be dumped
            text = _shown(value)
    return text if len(text) <= most else f"{text[:most]} ... ({len(text)} characters)"


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"({type(value).__name__})"


def failure(error: BaseException, mask: Mask | None) -> tuple[str, str, str]:
    """Type, message and traceback of an exception; masked like an output."""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    lines = "".join(traceback.format_exception(error))[-_MOST_TRACE:]
    return name, text_of(_shown_error(error), mask, 2000), text_of(lines, mask, _MOST_TRACE + 100)


def _shown_error(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def span_json(span: Told, end_ns: int) -> bytes:
    """One span of an ExportTraceServiceRequest."""
    told: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": _INTERNAL,
        "flags": _REMOTE if span.remote else _LOCAL,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(end_ns),
        "attributes": attributes(_facts(span)),
    }
    if span.parent_id:
        told["parentSpanId"] = span.parent_id
    if span.failure is not None:
        kind, message, lines = span.failure
        told["status"] = {"code": _ERROR, "message": message}
        about = {"exception.type": kind, "exception.message": message}
        if lines:
            about["exception.stacktrace"] = lines
        event = {"timeUnixNano": str(end_ns), "name": "exception", "attributes": attributes(about)}
        told["events"] = [event]
    return encoded(told)


def encoded(value: Any) -> bytes:
    """As JSON, also where text has halves of characters that UTF-8 has no form for."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_whole(value))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_whole(key): _whole(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(inner) for inner in value]
    return value


def _facts(span: Told) -> dict[str, Any]:
    facts: dict[str, Any] = {"stockpot.kind": span.kind}
    if span.kind in _NAMED:
        facts[_NAMED[span.kind]] = span.name
    for name, value in (
        ("session.id", span.session),
        ("user.id", span.user),
        ("stockpot.tags", list(span.tags)),
    ):
        if value:
            facts[name] = value
    if span.exposures:
        told = zip(*span.exposures, strict=True)
        for name, values in zip(("name", "variant", "unit"), told, strict=True):
            single = len(span.exposures) == 1
            facts[f"stockpot.experiment.{name}"] = values[0] if single else list(values)
    if span.failure is not None:
        facts["error.type"] = span.failure[0]
    return facts | span.attributes


def attributes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """OTLP's form of attributes."""
    return [{"key": name, "value": any_value(value)} for name, value in facts.items()]


def any_value(value: Any) -> dict[str, Any]:
    """OTLP's AnyValue; what it has no form for is text."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return {"intValue": str(value)}
    if isinstance(value, float) and value - value == 0:  # JSON has no NaN
        return {"doubleValue": value}
    if hasattr(type(value), "__index__"):  # whole numbers of numpy
        return any_value(int(value)) if type(value) is not int else {"stringValue": str(value)}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [any_value(one) for one in value]}}
    return {"stringValue": text_of(value, None, 10_000)}


def resource(facts: Mapping[str, Any]) -> bytes:
    """The head of a request up to its first span."""
    scope = {"name": "stockpot"}
    about = _encoder.encode({"attributes": attributes(facts)})
    return b'{"resourceSpans":[{"resource":%b,"scopeSpans":[{"scope":%b,"spans":[' % (
        about,
        _encoder.encode(scope),
    )


TAIL = b"]}]}]}"
