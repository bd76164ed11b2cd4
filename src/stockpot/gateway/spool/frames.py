"""Turning entries into frames. Knows the format and MessagePack's limits; writes nothing."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool.format import (
    ABSENT,
    FRAME,
    MAGIC,
    MAX_BODY,
    PLACE,
    RECORD,
    RECORD_WITH_BODIES,
    START,
    VERSION,
)

_encode = msgspec.msgpack.Encoder().encode
_crc32 = zlib.crc32
_pack = FRAME.pack
_LONGEST_TEXT, _MOST_ITEMS, _INT_MAX = 4096, 64, (1 << 63) - 1


def start_frame(entry: Start) -> bytes:
    """The frame of a Start."""
    body = _body(entry)
    return _pack(MAGIC, VERSION, START, len(body), _crc32(body, START)) + body


def record_frame(record: Record, place: bytes | None) -> bytes:
    """The frame of a Record; `place` says where its bodies are, None that it has none."""
    body = _body(record)
    if place is None:
        return _pack(MAGIC, VERSION, RECORD, len(body), _crc32(body, RECORD)) + body
    body = place + body
    crc = _crc32(body, RECORD_WITH_BODIES)
    return _pack(MAGIC, VERSION, RECORD_WITH_BODIES, len(body), crc) + body


def place_of(offset: int, request: bytes | None, response: list[bytes] | None) -> tuple[bytes, int]:
    """Where two bodies will be when they are written at `offset`, packed, and their length."""
    first = ABSENT if request is None else len(request)
    second = ABSENT
    crc = _crc32(request) if request else 0
    total = len(request) if request else 0
    if response is not None:
        second = 0
        for chunk in response:
            second += len(chunk)
            crc = _crc32(chunk, crc)
        total += second
    return PLACE.pack(offset, first, second, crc), total


def _body(entry: Start | Record) -> bytes:
    try:
        body = _encode(entry)
    except (UnicodeEncodeError, OverflowError):
        body = _encode(_mended(entry))
    if len(body) > MAX_BODY - PLACE.size:
        body = _encode(_mended(entry))
    return body


def _mended(entry: Start | Record) -> Start | Record:
    """The same entry, with what is too long or cannot be encoded cut down to what can."""
    return type(entry)(*(_fitting(getattr(entry, name)) for name in entry.__struct_fields__))


def _fitting(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return max(-_INT_MAX, min(_INT_MAX, value))
    if isinstance(value, tuple):
        return tuple(_fitting(item) for item in value[:_MOST_ITEMS])
    return value
