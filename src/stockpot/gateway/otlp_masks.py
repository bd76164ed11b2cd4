"""Requests full of spans with personal data replaced, before anything of them touches a disk. Knows
OTLP's shape, in protobuf and in JSON; knows no dialect and no policy.

Protobuf is rewritten where something is found and copied where nothing is. Of what has a length,
only fields that are known pass: text in a field of tomorrow would pass unseen.
"""

from __future__ import annotations

from typing import Any

from stockpot.core.errors import InvalidInput
from stockpot.gateway import mask, varint
from stockpot.gateway.mask.document import decode, encode
from stockpot.gateway.otlp_encoding import unpacked

MOST_UNPACKED = 256 << 20
"""Bytes that one request may have once it is unpacked."""

_CUT = "a message ends too early"


class _Leaf:
    """What a field holds that is no message of ours."""


_TEXT, _KEPT = _Leaf(), _Leaf()
_Fields = dict[int, Any]

_VALUE: _Fields = {1: _TEXT, 7: _KEPT}
_PAIR: _Fields = {1: _KEPT, 2: _VALUE}
_VALUE |= {5: {1: _VALUE}, 6: {1: _PAIR}}
_SPAN: _Fields = {
    1: _KEPT, 2: _KEPT, 3: _KEPT, 4: _KEPT, 5: _TEXT, 9: _PAIR, 15: {2: _TEXT},
    11: {2: _TEXT, 3: _PAIR}, 13: {1: _KEPT, 2: _KEPT, 3: _KEPT, 4: _PAIR},
}  # fmt: skip
_SCOPE_SPANS: _Fields = {1: {1: _KEPT, 2: _KEPT, 3: _PAIR}, 2: _SPAN, 3: _KEPT}
_REQUEST: _Fields = {1: {1: {1: _PAIR}, 2: _SCOPE_SPANS, 1000: _SCOPE_SPANS, 3: _KEPT}}
"""Numbers of fields (OTLP 1.9) and what to do with each."""

_AS_THEY_ARE = frozenset({
    "key", "traceId", "spanId", "parentSpanId", "traceState", "startTimeUnixNano", "bytesValue",
    "endTimeUnixNano", "timeUnixNano", "intValue", "schemaUrl", "kind", "code", "version",
    "trace_id", "span_id", "parent_span_id", "trace_state", "start_time_unix_nano",
    "end_time_unix_nano", "time_unix_nano", "int_value", "bytes_value", "schema_url",
})  # fmt: skip


def masked(body: bytes, form: str, encoding: str) -> bytes:
    """The request, unpacked, with everything detected replaced. Raises InvalidInput for what cannot
    be read: what cannot be read cannot be cleaned."""
    whole = unpacked(body, encoding, MOST_UNPACKED)
    try:
        if form == "json":
            return _masked_json(whole)
        found = _message(whole, 0, len(whole), _REQUEST)
    except (IndexError, ValueError, RecursionError) as bad:
        raise InvalidInput(f"not an ExportTraceServiceRequest: {bad}") from None
    return whole if found is None else found


def _message(buf: bytes, at: int, end: int, fields: _Fields) -> bytes | None:
    """A message without what is personal; None where nothing had to change."""
    out: list[bytes] = []
    kept = at
    while at < end:
        begin = at
        tag, at = varint.read(buf, at)
        wire = tag & 7
        if wire == 2:
            length, at = varint.read(buf, at)
            begun, at = at, at + length
            if at > end:
                raise ValueError(_CUT)
            new = _field(buf, begun, at, fields.get(tag >> 3))
            if new is not None:
                out.append(buf[kept:begin])
                out += new and (varint.written(tag), varint.written(len(new[0])), new[0])
                kept = at
        elif wire == 0:
            _, at = varint.read(buf, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} is not used by OTLP")
    if at != end:
        raise ValueError(_CUT)
    if not out:
        return None
    out.append(buf[kept:end])
    return b"".join(out)


def _field(buf: bytes, at: int, end: int, known: Any) -> tuple[bytes] | tuple[()] | None:
    """What takes a field's place: nothing where it is not known; None where it stays."""
    if known is _KEPT:
        return None
    if known is None:
        return ()
    if known is not _TEXT:
        new = _message(buf, at, end, known)
    else:
        told = buf[at:end]
        new = _text(told) if end - at >= mask.SHORTEST else told
        if new is told:
            return None
    return None if new is None else (new,)


def _text(told: bytes) -> bytes:
    """A text, which may be JSON and then stays JSON; itself where nothing is found."""
    if told[:1] in (b"{", b"["):
        return mask.mask(told)
    if told[:5] == b"data:" and b";base64," in told[:128]:
        return told  # an image or a sound: nothing in it can be told from chance
    text = told.decode("utf-8", "surrogateescape")
    new = mask.mask_text(text)
    return told if new == text else new.encode("utf-8", "surrogateescape")


def _masked_json(body: bytes) -> bytes:
    told = decode(body)
    new = _value(told)
    return body if new is told else encode(new)


def _value(value: Any) -> Any:
    """The value itself when nothing is found in it, else a masked copy."""
    if isinstance(value, dict):
        new = {k: v if k in _AS_THEY_ARE and isinstance(v, str | int) else _value(v)
               for k, v in value.items()}  # fmt: skip
        return new if any(new[name] is not value[name] for name in value) else value
    if isinstance(value, list):
        items = [_value(one) for one in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, str) and len(value) >= mask.SHORTEST:
        told = value.encode("utf-8", "surrogatepass")
        new_text = _text(told)
        return value if new_text is told else new_text.decode("utf-8", "surrogatepass")
    return value
