"""Another model's name in a client's body; all else keeps its bytes. Knows JSON, no dialect."""

from __future__ import annotations

import msgspec

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


def renamed(body: bytes, model: str) -> bytes:
    """The JSON object `body` with another value of its outermost `model`."""
    begin, end = _model_value(body)
    if end:
        seen = memoryview(body)  # slices of bytes would copy a large body twice
        return b"".join((seen[:begin], _encode(model), seen[end:]))
    fields = _fields.decode(body)
    fields["model"] = msgspec.Raw(_encode(model))
    return _encode(fields)


_MODEL = b'"model":"'
_NAME = b'"model"'
_ESCAPED = b"\\u006"
"""How every letter of `model` begins where it is escaped."""


def _model_value(body: bytes) -> tuple[int, int]:
    """Where the model's name stands, quotes included, if that is plain to see; else two zeros.

    It is when nothing but plain values stands behind it: a quote in a string is escaped, so the
    mark is a key, and no object is open but the outermost. A name that comes first is no such
    case: a second one behind it, however it is written, would be the one that servers read.
    """
    if body.startswith(b"{" + _MODEL):
        return 0, 0
    at = body.rfind(_MODEL)
    if at < 0:
        return 0, 0
    begin = at + len(_MODEL)
    end = body.find(b'"', begin) + 1
    rest = body[end:]
    if b"\\" in body[begin:end] or b"{" in rest or rest.count(b"}") != 1:
        return 0, 0
    if _NAME in rest or _ESCAPED in rest:
        return 0, 0
    return begin - 1, end
