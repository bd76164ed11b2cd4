"""Masking one JSON document. Knows JSON's values; knows nothing of what the document means."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec

from stockpot.gateway.mask.detectors import DEFAULT, Detector, mask_text

MaskText = Callable[[str], str]

UNREADABLE = "[UNREADABLE]"
"""Stands for a document that is nested too deeply to be checked."""

_LONG_NAME = 20
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def mask(data: bytes, detectors: tuple[Detector, ...] = DEFAULT) -> bytes:
    """A request or answer with everything detected replaced; what is no JSON is masked as text."""
    try:
        value = decode(data)
        result = mask_value(value, lambda text: mask_text(text, detectors))
        return data if result is value else encode(without_logprobs(result))
    except RecursionError:
        return _encode(UNREADABLE)
    except ValueError:
        return mask_bytes(data, detectors)


def mask_bytes(data: bytes, detectors: tuple[Detector, ...] = DEFAULT) -> bytes:
    """What is no JSON, masked as plain text; bytes that are no UTF-8 stay as they are."""
    text = data.decode("utf-8", "surrogateescape")
    masked = mask_text(text, detectors)
    return data if masked == text else masked.encode("utf-8", "surrogateescape")


def decode(data: bytes | str) -> Any:
    """What msgspec decodes, or else what the more lenient json does; ValueError when neither."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(data)


def encode(value: Any) -> bytes:
    """The shortest JSON of a decoded value."""
    try:
        return _encode(value)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        return json.dumps(value, separators=(",", ":")).encode()


def mask_value(value: Any, text: MaskText) -> Any:
    """The value itself when nothing is found in it, else a masked copy."""
    kind = type(value)
    if kind is str:
        return _mask_string(value, text)
    if kind is dict:
        return _mask_object(value, text)
    if kind is list:
        items = [mask_value(item, text) for item in value]
        return value if all(map(_same, items, value)) else items
    if kind is int and value >= 10**9:  # a number that is long enough to be somebody's
        written = str(value)
        masked = text(written)
        return value if masked == written else masked
    if kind is float and not math.isfinite(value):  # out of range; no encoder may write it
        return str(value)
    return value


def _same(one: object, other: object) -> bool:
    return one is other


def _mask_object(value: dict[str, Any], text: MaskText) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    changed = False
    for key, item in value.items():
        name = key
        if len(key) >= _LONG_NAME or not key.isidentifier():
            name = text(key)
            while name != key and name in masked:  # two masked names may not become one
                name += "'"
            changed = changed or name != key
        result = mask_value(item, text)
        if result is not item:
            changed = True
        masked[name] = result
    return masked if changed else value


def _mask_string(whole: str, text: MaskText) -> str:
    if whole[:1] in _OPENING:
        if whole[-1:] in ("}", "]"):
            try:
                inner = decode(whole)
            except (ValueError, RecursionError):
                return text(whole)
            result = mask_value(inner, text)
            return whole if result is inner else encode(result).decode()
    elif whole.startswith("data:") and ";base64," in whole[:128]:
        return whole  # an image or a sound: nothing in it can be told from chance
    masked = text(whole)
    return whole if masked == whole else masked


_OPENING = ("{", "[")


def without_logprobs(value: Any) -> Any:
    """The value without `logprobs`, which repeat an answer token by token."""
    if isinstance(value, dict):
        return {
            key: None if key == "logprobs" and isinstance(item, dict) else without_logprobs(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_logprobs(item) for item in value]
    return value
