"""One client connection: reading requests in order, and bounding a slow client.

Knows the order of events on a connection; leaves the grammar to `request_head` and `chunks`, and
the answer to `exchange`. A client that half-closes its side while its answer is pending counts as
gone, as on most servers: nothing tells it from one that closed.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter_ns
from typing import TYPE_CHECKING, cast

from stockpot.gateway.http import own_answers
from stockpot.gateway.http.cors import is_preflight
from stockpot.gateway.http.exchange import ServerExchange
from stockpot.gateway.http.fields import BARE_LF, HEAD_END
from stockpot.gateway.http.messages import Request, Responder
from stockpot.gateway.http.own_answers import call_safely
from stockpot.gateway.http.request_body import PendingBody
from stockpot.gateway.http.request_head import (
    Head,
    HeadReader,
    Refused,
    may_begin,
    refused_line,
)
from stockpot.gateway.http.sweeper import FOREVER

if TYPE_CHECKING:
    from stockpot.gateway.http.server import HttpServer

_HEAD, _BODY, _ANSWER, _CLOSING = range(4)

_PIPELINE_MAX = 64 * 1024
"""Bytes that may wait behind an unfinished answer before we stop reading."""
_BURST = 16
"""Requests of one connection that are handled before others have their turn."""
_PROGRESS = 16 * 1024
"""Bytes that a body, or an answer's reader, must advance by within its timeout."""
_LINGER_S = 2.0
"""How long we go on reading after a refusal, so that a reset does not destroy our answer."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_UNPAUSED = (3, 12) <= sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)
"""Whether asyncio's own `writelines` lets a buffer grow without end (CVE-2024-12254)."""


class ServerConnection(asyncio.Protocol):
    """The protocol of one client connection."""

    __slots__ = (
        "_body",
        "_clock",
        "_heads",
        "_held",
        "_limits",
        "_paused",
        "_peer",
        "_proxied",
        "_responder",
        "_started_ns",
        "_state",
        "_watermark",
        "blocked",
        "deadline",
        "exchange",
        "gone",
        "server",
        "transport",
        "used",
    )

    transport: asyncio.Transport

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self._limits = server.limits
        self._clock = server.clock
        self._heads = HeadReader(server.limits)
        self.exchange: ServerExchange | None = None
        self.blocked = False
        self.gone = False
        self.used = False
        self.deadline = FOREVER
        self._state = _HEAD
        self._responder: Responder | None = None
        self._held = b""
        self._paused = False
        self._body: PendingBody | None = None
        self._started_ns = 0
        self._watermark = 0
        self._peer = ""
        self._proxied = False

    # --- events of the transport ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if _UNPAUSED and type(transport).__module__ == "asyncio.selector_events":
            write = self.transport.write
            vars(transport)["writelines"] = lambda parts: write(b"".join(parts))
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._peer = str(peer[0])  # the loops set TCP_NODELAY by themselves
        self._proxied = self.server.proxies.trusts(self._peer)
        refusal = self.server.admit(self)
        if refusal is not None:
            self._refuse(refusal)
        else:
            self.deadline = self._clock.now + self._limits.header_timeout_s

    def data_received(self, data: bytes) -> None:
        """Read as many requests as may be handled now, and hold the rest."""
        burst = _BURST
        try:
            while data:
                state = self._state
                if state == _HEAD:
                    if not burst:
                        self._hold(data)
                        asyncio.get_running_loop().call_soon(self._read_held)
                        return
                    burst -= 1
                    data = self._read_head(data)
                elif state == _BODY:
                    data = self._read_body(data)
                else:
                    if state == _ANSWER:
                        self._hold(data)
                    return
        except Refused as refused:
            self._refuse(refused)

    def eof_received(self) -> None:
        self._client_left()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client_left()
        self.gone = True
        self._drop_body()
        self.server.forget(self)

    def pause_writing(self) -> None:
        self.blocked = True
        if self._state == _HEAD:
            self._state = _ANSWER  # the last answer is still on its way out
        self._watch_writing()
        if self._responder is not None:
            call_safely(self._responder.client_blocked)

    def resume_writing(self) -> None:
        self.blocked = False
        if self._state == _CLOSING:
            return
        self.deadline = FOREVER
        if self._body is not None:
            self._watch_body(self._body)
        elif self.exchange is None:
            self._next()
        elif self._responder is not None:
            call_safely(self._responder.client_writable)

    # --- reading ----------------------------------------------------------------------------

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _PIPELINE_MAX and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _read_head(self, data: bytes) -> bytes:
        if self._held:
            data = self._held + data
            self._held = b""
        if data[0] == 13:  # RFC 9112 section 2.2: blank lines before a request are ignored
            while data.startswith(b"\r\n"):
                data = data[2:]
            if not data:
                return data
        started = self._started_ns or perf_counter_ns()
        end = data.find(HEAD_END)
        if end < 0 or end > self._limits.max_head:
            self._hold_head(data, started)
            return b""
        heads = self._heads
        head = heads.read(data[:end])
        self._started_ns = 0
        client = self._peer
        if self._proxied and head.forwarded is not None:
            client = self.server.proxies.client(client, head.forwarded)
        request = Request(
            head.method, head.target, head.path, head.query, heads.fields, head.http_1_0,
            b"", client, started,
        )  # fmt: skip
        end += 4
        last = end + heads.length
        if end <= last <= len(data):
            request.body = data[end:last]
            self._handle(request, head.keep_alive)
            return data[last:]
        data = data[end:]
        self._begin_body(request, head, bool(data))
        return data

    def _hold_head(self, data: bytes, started: int) -> None:
        limit = self._limits.max_head
        if data != b"\r" and not may_begin(data):
            raise refused_line(data)
        if len(data) > limit:
            raise Refused(431, "headers_too_large", f"the head is larger than {limit} bytes")
        if BARE_LF.search(data):
            raise Refused(400, "bad_request", "a line ends without CR LF")
        self._held = data
        if not self._started_ns:
            self._started_ns = started
            self.deadline = self._clock.now + self._limits.header_timeout_s

    def _begin_body(self, request: Request, head: Head, more: bool) -> None:
        length = self._heads.length
        body = PendingBody(request, head.keep_alive, length, self._limits, self.server.room)
        self._body = body
        self._state = _BODY
        self._watch_body(body)
        if head.expects and not more:
            self.transport.write(_CONTINUE)

    def _read_body(self, data: bytes) -> bytes:
        body = self._body
        assert body is not None
        rest = body.feed(data)
        if body.done:
            body.request.body = body.join()
            self._drop_body()
            self._handle(body.request, body.keep_alive)
        return rest

    def _drop_body(self) -> None:
        if self._body is not None:
            self._body.drop()
            self._body = None

    # --- answering --------------------------------------------------------------------------

    def _handle(self, request: Request, keep_alive: bool) -> None:
        request.complete_ns = perf_counter_ns()
        self._state = _ANSWER
        self.deadline = FOREVER
        exchange = self.exchange = ServerExchange(self, request, keep_alive)
        server = self.server
        if self.blocked:
            self._watch_writing()
        if server.cors is not None and is_preflight(request):
            return own_answers.preflight(exchange, server.cors)
        try:
            responder = server.handler.handle(request, exchange)
        except Exception as error:
            return own_answers.handler_failed(exchange, error)
        if responder is not None and self.exchange is exchange:
            self._responder = responder
            if self.blocked:
                call_safely(responder.client_blocked)
        return None

    def answered(self, closing: bool) -> None:
        """The answer's last byte is with the transport."""
        self.exchange = None
        self._responder = None
        self.used = True
        if closing:
            self._close()
        elif not self.blocked:
            self._next()

    def _next(self) -> None:
        """Ready for the next request; what came meanwhile is read outside of the caller."""
        self._state = _HEAD
        self.deadline = self._clock.now + self._limits.keepalive_s
        if self.server.draining:
            self._close()
        elif self._held or self._paused:
            asyncio.get_running_loop().call_soon(self._read_held)

    def _read_held(self) -> None:
        if self._state != _HEAD or self.gone:
            return
        held, self._held = self._held, b""
        self.data_received(held)
        if self._paused and self._state != _ANSWER:
            self._paused = False
            self.transport.resume_reading()

    def _refuse(self, refused: Refused) -> None:
        """Answer instead of the handler, and close: after a fault nothing more can be trusted."""
        self.server.refused += 1
        self._drop_body()
        self.transport.write(own_answers.refusal(refused, self.server.status_lines))
        self._close(linger=True)

    # --- ending -----------------------------------------------------------------------------

    def cut(self) -> None:
        """Break the connection off, without a word to whoever is answering."""
        self.exchange = None
        self._responder = None
        self.gone = True
        self._state = _CLOSING
        self.transport.abort()

    def _client_left(self) -> None:
        if self.exchange is None:
            return
        responder, self._responder = self._responder, None
        self.exchange = None
        self.gone = True
        if responder is not None:
            call_safely(responder.client_gone)

    def _close(self, linger: bool = False) -> None:
        """Close once all is written. With bytes unread, a plain close would reset the connection
        and could destroy the answer on its way: then stop writing first, and read on a while."""
        linger = linger or bool(self._held) or self._paused
        self._flush()
        if not linger:
            self.transport.close()
            return
        self.deadline = self._clock.now + _LINGER_S
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _flush(self) -> None:
        self._state = _CLOSING
        self._held = b""
        self._watch_writing()

    # --- deadlines --------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Between two requests, with no byte of the next."""
        return self._state == _HEAD and not self._held

    def _watch_body(self, body: PendingBody) -> None:
        self._watermark = body.size + _PROGRESS
        self.deadline = self._clock.now + self._limits.body_timeout_s

    def _watch_writing(self) -> None:
        self._watermark = self.transport.get_write_buffer_size() - _PROGRESS
        self.deadline = self._clock.now + self._limits.write_timeout_s

    def expire(self) -> None:
        """The deadline is over: who made no progress is refused or cut off."""
        body = self._body
        if body is not None and not self.blocked:
            if body.size >= self._watermark:
                self._watch_body(body)
            else:
                self._timed_out("the body came too slowly")
        elif self._state == _HEAD:
            if self._held:
                self._timed_out("the head of the request came too slowly")
            else:
                self._close()
        else:
            self._expire_writing()

    def _expire_writing(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if self._state == _CLOSING and not unsent:
            self.cut()
        elif unsent <= self._watermark:
            self._watch_writing()
        else:
            self.server.cut += 1
            self.cut_off()

    def _timed_out(self, message: str) -> None:
        self.server.cut += 1
        self._refuse(Refused(408, "request_timeout", message))

    def cut_off(self) -> None:
        """Break the connection off and tell whoever is answering."""
        self._client_left()
        self.cut()

    def leave(self, grace_s: float) -> None:
        """The server drains and this connection is idle: close it, after a grace."""
        if grace_s <= 0:
            self._close()
        else:
            self.deadline = min(self.deadline, self._clock.now + grace_s)
