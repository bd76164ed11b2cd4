"""Another model's name in a client's body; all else keeps its bytes. Knows JSON, no dialect."""

from __future__ import annotations

import msgspec

from stockpot.providers.base import UNREADABLE, not_json

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


def renamed(body: bytes, model: str) -> bytes:
    """The JSON object `body` with another value of its outermost `model`, and with no second one:
    of two that a client sent, servers take the first or the last."""
    fields = _read(body)
    if _alone(body, fields):
        begin, end = _model_value(body)
        if end:
            seen = memoryview(body)  # slices of bytes would copy a large body twice
            return b"".join((seen[:begin], _encode(model), seen[end:]))
    # Servers in Go take a key in any case.
    others = {key: value for key, value in fields.items() if key.lower() != "model"}
    return _encode({"model": msgspec.Raw(_encode(model)), **others})


def named(body: bytes, asked: str, model: str) -> bytes:
    """The body that asks for `model`: as it came where it asks for that already, and only that."""
    if asked == model and _alone(body, _read(body)):
        return body
    return renamed(body, model)


def _read(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _fields.decode(body)
    except UNREADABLE as bad:
        raise not_json(bad) from None


def _alone(body: bytes, fields: dict[str, msgspec.Raw]) -> bool:
    """Whether a reader of any kind can find but one model: keys that were said twice are lost in
    `fields`, so that it would be shorter."""
    for key in fields:
        if len(key) == 5 and key != "model" and key.lower() == "model":
            return False
    if len(_encode(fields)) == len(body):
        return True
    return body.count(b'"model"') < 2 and b"\\u006" not in body


_MODEL = b'"model":"'


def _model_value(body: bytes) -> tuple[int, int]:
    """Where the model's name stands, quotes included, if that is plain to see; else two zeros.

    It is when the name comes first, or when nothing but plain values stands behind it: a quote in a
    string is escaped, so the mark is a key, and no object is open but the outermost.
    """
    at = 1 if body.startswith(b"{" + _MODEL) else body.rfind(_MODEL)
    if at < 0:
        return 0, 0
    begin = at + len(_MODEL)
    end = body.find(b'"', begin) + 1
    if b"\\" in body[begin:end]:
        return 0, 0
    if at > 1:
        rest = body[end:]
        if b"{" in rest or rest.count(b"}") != 1:
            return 0, 0
    return begin - 1, end
