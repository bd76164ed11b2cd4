"""The bytes of a spool: frames of the ledger and where payloads lie. Knows no file and no policy.

A stream is a folder `spool/<stream>/` with a `lock` that its living writer holds, and segments
`000001.ledger` + `000001.payload`. A ledger is a sequence of frames:

    magic 0x5053  version 1  kind  body length  CRC-32 of the body, begun with the kind  |  body
    u16           u8         u8    u32          u32                              (little-endian)

    kind 1  Start                                  body = MessagePack of the Start
    kind 2  Record without bodies                  body = MessagePack of the Record
    kind 3  Record with bodies in the payload file body = Bodies, then MessagePack of the Record

The payload file holds the bodies alone, end to end: what says where they are, how long and with
which checksum stands in the ledger, which is written after them. So a ledger entry that is whole
proves that its bodies reached the kernel, and bodies go out by writev without being copied.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = 0x5053
MAGIC_BYTES = b"SP\x01"
"""The first bytes of every frame: magic and version; damage is skipped up to the next ones."""

VERSION = 1
START, RECORD, RECORD_WITH_BODIES = 1, 2, 3

FRAME = struct.Struct("<HBBII")
PLACE = struct.Struct("<QIII")
MAX_BODY = 1 << 20
"""No ledger entry is longer (the writer sees to it); a frame that says so is damage."""

ABSENT = 0xFFFFFFFF
"""A length that stands for a body that was not kept."""

SHED = 3
"""`Record.payload` of a record whose bodies were given up for want of room."""

LEDGER, PAYLOAD, LOCK = ".ledger", ".payload", "lock"


class Bodies(NamedTuple):
    """Where a record's bodies lie in the payload file of its segment; None was not kept."""

    offset: int
    request: int | None
    response: int | None
    crc: int

    @property
    def length(self) -> int:
        return (self.request or 0) + (self.response or 0)


def unpack_bodies(place: bytes | memoryview) -> Bodies:
    """The Bodies at the front of an entry of kind RECORD_WITH_BODIES."""
    offset, request, response, crc = PLACE.unpack_from(place)
    return Bodies(
        offset,
        None if request == ABSENT else request,
        None if response == ABSENT else response,
        crc,
    )


def segment_name(number: int) -> str:
    """`000001` for 1; longer when a stream outlives a million segments."""
    return f"{number:06d}"
