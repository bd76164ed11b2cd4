"""Reading a spool: whole entries of a ledger, the bodies that belong to them, what segments exist.

Knows the format; changes nothing. A last entry that is not whole ends the reading: in a living
stream it is being written, in a dead one it is torn. Damage in the middle, which only a lost power
supply or a bad disk can cause, is skipped up to the next whole entry and reported.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool.format import (
    FRAME,
    LEDGER,
    MAGIC,
    MAGIC_BYTES,
    MAX_BODY,
    PAYLOAD,
    PLACE,
    RECORD,
    RECORD_WITH_BODIES,
    START,
    VERSION,
    Bodies,
    segment_name,
    unpack_bodies,
)

_CHUNK = 1 << 18
_start = msgspec.msgpack.Decoder(Start)
_record = msgspec.msgpack.Decoder(Record)

Entry = tuple[int, Start | Record, Bodies | None]
Damage = Callable[[int, int], None]


def segments(stream: Path) -> list[int]:
    """Numbers of the segments of a stream that have a ledger, in order."""
    names = (name.removesuffix(LEDGER) for name in os.listdir(stream) if name.endswith(LEDGER))
    return sorted(int(name) for name in names if name.isdigit())  # else it is a draft


def ledger_path(stream: Path, segment: int) -> Path:
    return stream / (segment_name(segment) + LEDGER)


def payload_path(stream: Path, segment: int) -> Path:
    return stream / (segment_name(segment) + PAYLOAD)


def read_entries(path: Path, offset: int = 0, damage: Damage | None = None) -> Iterator[Entry]:
    """Whole entries of a ledger from `offset` on: (offset after it, Start or Record, its bodies).

    `damage(begin, end)` is told of bytes that were skipped. A torn tail is not skipped but ends the
    iteration, so it is what lies between the last offset and the end of the file.
    """
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        held = b""
        while chunk := file.read(_CHUNK):
            held += chunk
            at = 0
            while (found := _next(held, at)) is not None:
                begin, end, entry, place = found
                if begin > at and damage is not None:
                    damage(offset + at, offset + begin)
                at = end
                yield offset + end, entry, place
            held = held[at:]
            offset += at


def sample_records(path: Path, offset: int) -> tuple[int, int]:
    """Whole entries at the front of what follows `offset`: their bytes, and how many Records."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            held = file.read(_CHUNK)
    except FileNotFoundError:
        return 0, 0
    at = records = 0
    while at + FRAME.size <= len(held):
        magic, _, kind, length, _ = FRAME.unpack_from(held, at)
        if magic != MAGIC or at + FRAME.size + length > len(held):
            break
        at += FRAME.size + length
        records += kind != START
    return at, records


def _next(held: bytes, at: int) -> tuple[int, int, Start | Record, Bodies | None] | None:
    """The first whole entry at or after `at`: (begin, end, entry, bodies), or None: not there yet.

    A frame that is not complete is never searched for frames inside it: a half-written text of a
    caller could hold one.
    """
    while True:
        if len(held) - at < FRAME.size:
            return None
        magic, version, kind, length, crc = FRAME.unpack_from(held, at)
        if magic == MAGIC and version == VERSION and length <= MAX_BODY:
            begin, end = at + FRAME.size, at + FRAME.size + length
            if end > len(held):
                return None
            body = held[begin:end]
            if zlib.crc32(body, kind) == crc:
                try:
                    return (at, end, *_decode(kind, body))
                except (msgspec.MsgspecError, ValueError):
                    pass
        at = held.find(MAGIC_BYTES, at + 1)
        if at < 0:
            return None


def _decode(kind: int, body: bytes) -> tuple[Start | Record, Bodies | None]:
    if kind == RECORD_WITH_BODIES:
        return _record.decode(memoryview(body)[PLACE.size :]), unpack_bodies(body)
    if kind == RECORD:
        return _record.decode(body), None
    if kind == START:
        return _start.decode(body), None
    raise ValueError(f"unknown kind of entry: {kind}")


def read_bodies(file: int, place: Bodies) -> tuple[bytes | None, bytes | None] | None:
    """Request and response out of an open payload file, or None when they are not what was written.

    `file` is a descriptor: who reads many records opens the payload file once.
    """
    data = os.pread(file, place.length, place.offset)
    if len(data) != place.length or zlib.crc32(data) != place.crc:
        return None
    cut = place.request or 0
    return (
        None if place.request is None else data[:cut],
        None if place.response is None else data[cut:],
    )
