"""One connection to an upstream: writing requests, reading answers, being lent again.

Knows the order of events on a connection; leaves the grammar to `response_head` and `chunks`,
deadlines and retries to the call.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from stockpot.gateway.http.chunks import ChunkedBody
from stockpot.gateway.http.fields import BARE_LF, HEAD_END, Malformed
from stockpot.gateway.http.response_head import CHUNKED

if TYPE_CHECKING:
    from stockpot.gateway.http.pool import Lane
    from stockpot.gateway.http.upstream_call import UpstreamCall

_HEAD_MAX = 64 * 1024
_SKIPPED_MAX = 16
"""1xx heads before the answer; more is an upstream that plays for time."""
_LARGE = 64 * 1024

_IDLE, _HEAD, _LENGTH, _CHUNKS, _UNTIL_CLOSE, _CLOSED = range(6)


class UpstreamConnection(asyncio.Protocol):
    """The protocol of one upstream connection. Lent to one call at a time."""

    __slots__ = (
        "_call",
        "_chunks",
        "_clock",
        "_first",
        "_held",
        "_keep_alive",
        "_left",
        "_skipped",
        "_state",
        "idle_since",
        "lane",
        "old_at",
        "patience",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, lane: Lane, call: UpstreamCall) -> None:
        self.lane = lane
        self.idle_since = 0.0
        self.old_at = 0.0
        self.patience = lane.idle_s
        """Seconds that the upstream lets it be idle."""
        self._clock = lane.clock
        self._call: UpstreamCall | None = None
        self._first: UpstreamCall | None = call
        self._state = _IDLE
        self._held = b""
        self._left = 0
        self._skipped = 0
        self._keep_alive = False
        self._chunks: ChunkedBody | None = None

    # --- for the call -------------------------------------------------------------------------

    def send(self, call: UpstreamCall, head: bytes, body: bytes) -> None:
        """Write a request; its answer goes to `call`."""
        self._call = call
        self._state = _HEAD
        if len(body) < _LARGE:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))

    def set_reading(self, wanted: bool) -> None:
        """Pause or resume the answer."""
        if self.transport.is_closing():
            return
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def drop(self) -> None:
        """Close at once; nothing more is said to the call."""
        self._call = None
        self._state = _CLOSED
        self.transport.abort()

    # --- events of the transport --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.lane.opened(self)
        call, self._first = self._first, None
        if call is not None:
            call.connected(self)

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None:
            self.drop()  # nobody asked: the connection cannot be trusted any more
            return
        call.since = self._clock.now
        state = self._state
        try:
            if state == _CHUNKS:
                piece = self._chunks.one(data)  # type: ignore[union-attr]
                if piece:
                    call.receiver.on_body(piece)
                else:
                    self._read_chunks(call, data)
            elif state == _HEAD:
                self._read_head(call, data)
            elif state == _LENGTH:
                self._read_length(call, data)
            else:
                call.receiver.on_body(data)
        except Malformed as fault:
            call.fail("protocol", str(fault))
        except Exception as error:
            call.receiver_failed(error)

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        self._state = _CLOSED
        self.lane.closed(self)

    def _ended(self, exc: Exception | None) -> None:
        call, state = self._call, self._state
        if call is None:
            return
        self._call = None
        if state == _HEAD and not self._held and not self._skipped:
            call.connection_ended_early(exc)
        elif exc is not None:
            call.fail("reset", f"the upstream broke the connection: {exc}")
        elif state == _UNTIL_CLOSE:
            call.end()
        else:
            call.fail("truncated", "the upstream closed the connection inside its answer")

    # --- reading ------------------------------------------------------------------------------

    def _read_head(self, call: UpstreamCall, data: bytes) -> None:
        if self._held:
            data = self._held + data
            self._held = b""
        end = data.find(HEAD_END)
        if end < 0 or end > _HEAD_MAX:
            self._hold_head(data)
            return
        heads = self.lane.heads
        head = heads.read(data[:end])
        data = data[end + 4 :]
        if head.status < 200:
            self._skip(call, head.status, data)
            return
        self._skipped = 0
        self._keep_alive = head.keep_alive
        if head.idle_s:
            self.patience = min(head.idle_s, self.patience)
        length = 0 if call.bodiless else heads.length
        call.begin()
        call.receiver.on_head(head.status, heads.fields)
        if self._call is not call:
            return
        if length < 0:
            self._begin_unmeasured(call, length, data)
            return
        self._state = _LENGTH
        self._left = length
        if data or not length:
            self._read_length(call, data)

    def _skip(self, call: UpstreamCall, status: int, rest: bytes) -> None:
        """An interim answer; the final one follows."""
        self._skipped += 1
        if status == 101 or self._skipped > _SKIPPED_MAX:
            raise Malformed(f"unexpected status {status}")
        if rest:
            self._read_head(call, rest)

    def _begin_unmeasured(self, call: UpstreamCall, length: int, data: bytes) -> None:
        if length == CHUNKED:
            self._state = _CHUNKS
            self._chunks = ChunkedBody()
            if data:
                self._read_chunks(call, data)
        else:
            self._state = _UNTIL_CLOSE
            if data:
                call.receiver.on_body(data)

    def _hold_head(self, data: bytes) -> None:
        if len(data) > _HEAD_MAX:
            raise Malformed(f"the head of the answer is larger than {_HEAD_MAX} bytes")
        if BARE_LF.search(data):
            raise Malformed("a line of the answer's head ends without CR LF")
        self._held = data

    def _read_length(self, call: UpstreamCall, data: bytes) -> None:
        left = self._left
        size = len(data)
        if size < left:
            self._left = left - size
            call.receiver.on_body(data)
            return
        if left:
            call.receiver.on_body(data if size == left else data[:left])
        if self._call is call:
            self._complete(call, size > left)

    def _read_chunks(self, call: UpstreamCall, data: bytes) -> None:
        chunks = self._chunks
        assert chunks is not None
        pieces: list[bytes] = []
        try:
            chunks.feed(data, pieces)
        finally:
            if pieces:
                call.receiver.on_body(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if chunks.done and self._call is call:
            self._complete(call, bool(chunks.rest))

    def _complete(self, call: UpstreamCall, surplus: bool) -> None:
        """The answer is whole: be free before the call hears of it, it may want to send again."""
        self._call = None
        self._chunks = None
        self._state = _IDLE
        if call.paused:
            self.set_reading(True)
        if surplus or not self._keep_alive or self.transport.get_write_buffer_size():
            self.drop()
        else:
            self.lane.give_back(self)
        call.end()
