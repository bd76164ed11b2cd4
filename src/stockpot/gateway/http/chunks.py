"""The chunked transfer coding, decoded strictly. Knows RFC 9112 section 7; knows no message."""

from __future__ import annotations

import re

from stockpot.gateway.http.fields import BARE_LF, TOKEN, Malformed, read_fields

_EXTENSION = rb";" + TOKEN + rb"+(?:=(?:" + TOKEN + rb"+|\"[\t !#-\[\]-~\x80-\xff]*+\"))?+"
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:" + _EXTENSION + rb")*+\r\n")
_LINE_MAX = 280
_TRAILERS_MAX = 8 * 1024
_OVERHEAD_MAX = 16 * 1024

_SIZE, _DATA, _DATA_END, _TRAILERS, _DONE = range(5)

_KNOWN_MAX = 4096
_known: dict[bytes, int] = {}
"""Size lines without extensions that were read before, and what they say."""


class ChunkedBody:
    """Decodes one chunked body. Chunk extensions and trailers are checked and dropped."""

    __slots__ = ("_held", "_left", "_overhead", "_state", "done", "rest")

    def __init__(self) -> None:
        self._state = _SIZE
        self._left = 0
        self._held = b""
        self._overhead = 0
        self.done = False
        self.rest = b""
        """Once `done`: the bytes after the body."""

    def one(self, data: bytes) -> bytes:
        """The body's bytes when `data` is one whole chunk, as model servers send each event; else
        nothing is done and b"" says that `feed` must read it."""
        if self._state != _SIZE or self._held:
            return b""
        at = data.find(b"\r\n", 0, 10)
        size = _known.get(data[:at])
        if size is None or at + size + 4 != len(data) or not data.endswith(b"\r\n"):
            return b""
        if self._overhead:
            self._overhead = max(0, self._overhead + at - 14 - 2 * size)
        return data[at + 2 : -2]

    def feed(self, data: bytes, out: list[bytes]) -> None:
        """Append the body's bytes found in `data` to `out`; raises Malformed."""
        if self._held:
            data = self._held + data
            self._held = b""
        at, end = 0, len(data)
        while at < end or self._state == _DONE:
            state = self._state
            if state == _DATA:
                at = self._read_data(data, at, out)
            elif state == _SIZE:
                at = self._read_size(data, at)
            elif state == _DATA_END:
                at = self._read_data_end(data, at)
            elif state == _TRAILERS:
                at = self._read_trailers(data, at)
            else:
                self.done = True
                self.rest = data[at:]
                return

    def _read_data(self, data: bytes, at: int, out: list[bytes]) -> int:
        piece = data[at : at + self._left]
        out.append(piece)
        self._left -= len(piece)
        if not self._left:
            self._state = _DATA_END
        return at + len(piece)

    def _read_data_end(self, data: bytes, at: int) -> int:
        if data.startswith(b"\r\n", at):
            self._state = _SIZE
            return at + 2
        if data[at:] == b"\r":
            self._held = b"\r"
            return len(data)
        raise Malformed("a chunk is longer or shorter than its size says")

    def _read_size(self, data: bytes, at: int) -> int:
        found = _SIZE_LINE.match(data, at)
        if found is None or found.end() - at > _LINE_MAX:
            if len(data) - at > _LINE_MAX or data.find(b"\n", at) >= 0:
                raise Malformed("a chunk has no valid size line")
            self._held = data[at:]
            return len(data)
        digits = found[1]
        size = int(digits, 16)
        if size and found.end() - at == len(digits) + 2 and len(_known) < _KNOWN_MAX:
            _known[digits] = size
        # A sender of mostly framing keeps this end busy with nothing: bound what is beyond 16 bytes
        # a chunk plus twice the data, as Go's net/http does since CVE-2023-39326.
        self._overhead = max(0, self._overhead + found.end() - at - 16 - 2 * size)
        if self._overhead > _OVERHEAD_MAX:
            raise Malformed("the chunks are mostly framing")
        self._left = size
        self._state = _DATA if size else _TRAILERS
        return found.end()

    def _read_trailers(self, data: bytes, at: int) -> int:
        if data.startswith(b"\r\n", at):
            self._state = _DONE
            return at + 2
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            if len(data) - at > _TRAILERS_MAX or BARE_LF.search(data, at):
                raise Malformed("the trailers of a chunked body are malformed")
            self._held = data[at:]
            return len(data)
        if end - at > _TRAILERS_MAX:
            raise Malformed("the trailers of a chunked body are malformed")
        read_fields([b"", *data[at:end].split(b"\r\n")])
        self._state = _DONE
        return end + 4
