"""AWS's binary event stream, cut into messages as it arrives. Knows frames; knows no event.

A message is its length, the length of its headers, a checksum of both, the headers, the payload and
a checksum of all before it.

Source: smithy.io, "Amazon Event Stream specification"; checked against botocore's parser.
"""

from __future__ import annotations

import struct
from typing import NamedTuple
from zlib import crc32

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CHECKSUM.size
_MOST = 24 * 1024 * 1024
_STRING, _BYTES = 7, 6
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of header values of fixed size, by type."""


class Message(NamedTuple):
    """`headers` are those whose values are strings."""

    headers: dict[str, str]
    payload: bytes


class Messages:
    """Cuts bytes into messages, whatever the chunks. `fault` says what is wrong with the stream;
    nothing more is read then."""

    __slots__ = ("_held", "fault")

    def __init__(self) -> None:
        self._held = b""
        self.fault = ""

    def feed(self, data: bytes) -> list[Message]:
        if self.fault:
            return []
        data = self._held + data if self._held else data
        found: list[Message] = []
        at = 0
        try:
            while (end := _end(data, at)) <= len(data):
                found.append(_message(data, at, end))
                at = end
        except ValueError as bad:
            self.fault = str(bad)
        self._held = data[at:]
        return found

    def end(self) -> None:
        """The stream ended; a message that is not whole is a fault."""
        if self._held and not self.fault:
            self.fault = "the event stream ended inside a message"


def _end(data: bytes, at: int) -> int:
    """Where the message at `at` ends, beyond the data while that is not known."""
    if len(data) - at < _PRELUDE.size:
        return len(data) + 1
    total, headers, checksum = _PRELUDE.unpack_from(data, at)
    if crc32(data[at : at + 8]) != checksum:
        raise ValueError("the event stream is damaged: the checksum of a message's head is wrong")
    if total > _MOST or total < _LEAST + headers:
        raise ValueError(f"the event stream is damaged: a message of {total} bytes")
    return at + int(total)


def _message(data: bytes, at: int, end: int) -> Message:
    (checksum,) = _CHECKSUM.unpack_from(data, end - 4)
    if crc32(data[at : end - 4]) != checksum:
        raise ValueError("the event stream is damaged: the checksum of a message is wrong")
    begin = at + _PRELUDE.size
    payload = begin + int.from_bytes(data[at + 4 : at + 8], "big")
    return Message(_headers(data[begin:payload]), data[payload : end - 4])


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            end = at + 1 + data[at]
            name, kind = data[at + 1 : end].decode(), data[end]
            at = end + 1
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            if kind not in (_STRING, _BYTES):
                raise ValueError(f"a header of the unknown type {kind}")
            size = int.from_bytes(data[at : at + 2], "big")
            if kind == _STRING:
                found[name] = data[at + 2 : at + 2 + size].decode()
            at += 2 + size
    except (IndexError, ValueError) as bad:
        raise ValueError(f"the event stream is damaged: {bad}") from None
    if at != len(data):
        raise ValueError("the event stream is damaged: a header is cut off")
    return found
