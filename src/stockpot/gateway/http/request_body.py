"""Collecting a request's body that comes in more than one piece, within bounds.

Knows the two ways a body is delimited; knows no socket and no deadline.
"""

from __future__ import annotations

from stockpot.gateway.http.chunks import ChunkedBody
from stockpot.gateway.http.fields import Malformed
from stockpot.gateway.http.messages import Request, ServerLimits
from stockpot.gateway.http.request_head import CHUNKED, Refused, too_large


class Room:
    """Bytes of incomplete bodies over all connections of a server."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


class PendingBody:
    """A body under way. `drop` must follow, whether it completes or not."""

    __slots__ = (
        "_chunks",
        "_limits",
        "_missing",
        "_parts",
        "_room",
        "done",
        "keep_alive",
        "request",
        "size",
    )

    def __init__(
        self, request: Request, keep_alive: bool, length: int, limits: ServerLimits, room: Room
    ) -> None:
        self.request = request
        self.keep_alive = keep_alive
        self.size = 0
        self.done = False
        self._limits = limits
        self._room = room
        self._parts: list[bytes] = []
        self._missing = length
        self._chunks = ChunkedBody() if length == CHUNKED else None

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body; returns the bytes after it. May raise Refused."""
        if self._chunks is not None:
            return self._feed_chunks(self._chunks, data)
        piece = data[: self._missing]
        self._parts.append(piece)
        self._missing -= len(piece)
        self.done = not self._missing
        self._grow(len(piece))
        return data[len(piece) :]

    def _feed_chunks(self, chunks: ChunkedBody, data: bytes) -> bytes:
        known = len(self._parts)
        try:
            chunks.feed(data, self._parts)
        except Malformed as fault:
            raise Refused(400, "bad_request", str(fault)) from None
        self.done = chunks.done
        self._grow(sum(map(len, self._parts[known:])))
        return chunks.rest

    def _grow(self, size: int) -> None:
        self.size += size
        self._room.used += size
        if self.size > self._limits.max_body:
            raise too_large(self._limits)
        if self._room.used > self._limits.max_buffered:
            raise Refused(503, "overloaded", "too many large requests at once; try again")

    def join(self) -> bytes:
        """The whole body."""
        return b"".join(self._parts)

    def drop(self) -> None:
        """Give the room back."""
        self._room.used -= self.size
        self.size = 0
        self._parts.clear()
