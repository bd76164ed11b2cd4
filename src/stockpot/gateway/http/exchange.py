"""Writing the answer to one request: framing, the head, back-pressure.

Knows how an answer looks on the wire; knows nothing of how requests are read.
"""

from __future__ import annotations

import http
from email.utils import formatdate
from typing import TYPE_CHECKING

import msgspec

from stockpot.gateway.http.messages import Headers, Request

if TYPE_CHECKING:
    from stockpot.gateway.http.server_connection import ServerConnection

_OURS = frozenset(
    (b"connection", b"content-length", b"date", b"keep-alive", b"transfer-encoding", b"upgrade")
)
_LARGE = 64 * 1024
"""From here on bytes go to the transport as they are: a second write is cheaper than a copy."""

_REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}

_BODILESS = frozenset((204, 304))

_OPEN, _STARTED, _DONE = range(3)


class StatusLines(dict[int, bytes]):
    """Start of each answer (status line and `date`); cleared every second."""

    def __missing__(self, status: int) -> bytes:
        reason = _REASONS.get(status, b"Unknown")
        date = formatdate(usegmt=True).encode()
        line = self[status] = b"HTTP/1.1 %d %b\r\ndate: %b\r\n" % (status, reason, date)
        return line


def answer_head(start: bytes, headers: Headers, framing: bytes) -> bytes:
    """A head; refuses what would let a header's value end the head (RFC 9112 section 11.1)."""
    lines = [b": ".join(field) for field in headers if field[0] not in _OURS]
    if not lines:
        return start + framing
    block = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if block.count(b"\n") != breaks or block.count(b"\r") != breaks:
        raise ValueError("a header of an answer holds a line break")
    return b"%b%b\r\n%b" % (start, block, framing)


class ServerExchange(msgspec.Struct, eq=False, gc=False):
    """The `Exchange` of one request on one connection."""

    _connection: ServerConnection
    request: Request
    _keep_alive: bool
    _state: int = _OPEN
    _framed: bool = False
    """Whether what is written goes out in HTTP chunks."""

    def __repr__(self) -> str:
        """Without what the request holds."""
        return f"ServerExchange({self.request!r})"

    @property
    def started(self) -> bool:
        return self._state != _OPEN

    @property
    def writable(self) -> bool:
        return self._connection.exchange is self and not self._connection.blocked

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        connection = self._connection
        server = connection.server
        if self._state != _OPEN or connection.exchange is not self:
            return self._refuse_call("respond")
        if server.cors is not None:
            headers = self._with_cors(headers)
        request = self.request
        closing = not self._keep_alive or server.draining
        if closing or request.http_1_0 or status in _BODILESS:
            framing = self._framing(status, len(body), closing)
        else:
            framing = b"content-length: %d\r\n\r\n" % len(body)
        head = answer_head(server.status_lines[status], headers, framing)
        self._state = _DONE
        if request.method == b"HEAD" or status in _BODILESS:
            body = b""
        transport = connection.transport
        if not transport.is_closing():  # else the loss of the connection is about to be told
            if len(body) < _LARGE:
                transport.write(head + body)
            else:
                transport.writelines((head, body))
        return connection.answered(closing)

    def start(self, status: int, headers: Headers, first: bytes) -> None:
        connection = self._connection
        if self._state != _OPEN or connection.exchange is not self:
            return self._refuse_call("start")
        if status in _BODILESS:
            raise ValueError(f"an answer with status {status} has no body: use respond()")
        if self.request.http_1_0:
            self._keep_alive = False
        closing = not self._keep_alive or connection.server.draining
        self._keep_alive = not closing
        framing = self._framing(status, -1, closing)
        if connection.server.cors is not None:
            headers = self._with_cors(headers)
        head = answer_head(connection.server.status_lines[status], headers, framing)
        self._state = _STARTED
        self._framed = not self.request.http_1_0 and self.request.method != b"HEAD"
        self._send(head, first, b"")
        return None

    def write(self, chunk: bytes) -> None:
        connection = self._connection
        if self._state != _STARTED or connection.exchange is not self:
            return self._refuse_call("write")
        size = len(chunk)
        if not self._framed or size >= _LARGE:
            self._send(b"", chunk, b"")
        elif size and not connection.transport.is_closing():
            connection.transport.write(b"%x\r\n%b\r\n" % (size, chunk))
        return None

    def finish(self, last: bytes = b"") -> None:
        connection = self._connection
        if self._state != _STARTED or connection.exchange is not self:
            return self._refuse_call("finish")
        self._state = _DONE
        self._send(b"", last, b"" if self.request.http_1_0 else b"0\r\n\r\n")
        return connection.answered(not self._keep_alive)

    def abort(self) -> None:
        connection = self._connection
        self._state = _DONE
        if connection.exchange is self:
            connection.cut()

    def _send(self, before: bytes, data: bytes, after: bytes) -> None:
        """`data` as one chunk, between bytes that are framed already, in one write."""
        transport = self._connection.transport
        if transport.is_closing():
            return
        if self.request.method == b"HEAD":
            data = after = b""
        elif data and self._framed:
            if len(data) < _LARGE:
                transport.write(b"%b%x\r\n%b\r\n%b" % (before, len(data), data, after))
                return
            before = b"%b%x\r\n" % (before, len(data))
            after = b"\r\n" + after
        parts = [part for part in (before, data, after) if part]
        if parts:
            transport.writelines(parts)

    def _framing(self, status: int, length: int, closing: bool) -> bytes:
        """The server's own headers and the end of the head; `length` -1 is unknown."""
        if length >= 0:
            framing = b"" if status in _BODILESS else b"content-length: %d\r\n" % length
        elif self.request.http_1_0:
            framing = b""
        else:
            framing = b"transfer-encoding: chunked\r\n"
        if closing:
            return framing + b"connection: close\r\n\r\n"
        if self.request.http_1_0:
            return framing + b"connection: keep-alive\r\n\r\n"
        return framing + b"\r\n"

    def _with_cors(self, headers: Headers) -> Headers:
        cors = self._connection.server.cors
        assert cors is not None
        return [*headers, *cors.answer_headers(self.request.header(b"origin") or b"")]

    def _refuse_call(self, name: str) -> None:
        """After the client went all calls are idle; after the answer's end they are mistakes."""
        if not self._connection.gone:
            raise RuntimeError(f"{name}() on an answer that is {_STATES[self._state]}")


_STATES = ("not started", "started", "finished")
