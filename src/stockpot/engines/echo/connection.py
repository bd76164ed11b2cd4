"""One client connection of the test model: HTTP/1.1 in and out. Knows no dialect of any model.

Requests of a connection are answered one after the other, in order; a client that stops reading
stops its answer, and one that goes away cancels it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, NamedTuple

import httptools

_MAX_BODY: Final = 64 << 20
_MAX_HEAD: Final = 64 << 10
_MAX_QUEUE: Final = 32


class Request(NamedTuple):
    """A complete request. `refused` is the status of one that was not read to its end."""

    method: str
    path: str
    body: bytes
    keep_alive: bool
    refused: int = 0


Handler = Callable[[Request, "Connection"], Awaitable[None]]


class Connection(asyncio.Protocol):
    """Parses requests, hands them to `handle` in turn, and writes what it sends."""

    def __init__(self, handle: Handler, open_ones: set[Connection]) -> None:
        self._handle = handle
        self._open = open_ones
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Request] = deque()
        self.task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._closing = False
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._body: list[bytes] = []
        self._head_size = self._body_size = 0

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._enqueue(Request("", "", b"", keep_alive=False, refused=400))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._closing = True
        self._writable.set()
        if self.task is not None:
            self.task.cancel()

    # --- httptools ---

    def on_message_begin(self) -> None:
        self._reset()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > _MAX_HEAD:
            self._enqueue(Request("", "", b"", keep_alive=False, refused=431))
        elif name.lower() == b"expect" and value.lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > _MAX_BODY:
            self._enqueue(Request("", "", b"", keep_alive=False, refused=413))
        elif not self._closing:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._closing:
            return
        path = self._url.split(b"?", 1)[0].decode("latin-1")
        keep = self._parser.should_keep_alive()
        method = self._parser.get_method().decode("ascii")
        self._enqueue(Request(method, path, b"".join(self._body), keep))
        self._body = []

    # --- answering ---

    def _enqueue(self, request: Request) -> None:
        if self._closing:
            return
        self._closing = not request.keep_alive  # whatever follows is not part of the conversation
        self._queue.append(request)
        if len(self._queue) >= _MAX_QUEUE:
            self._transport.pause_reading()
        if self.task is None:
            self.task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._queue:
            request = self._queue.popleft()
            if not self._transport.is_reading() and not self._transport.is_closing():
                self._transport.resume_reading()
            await self._handle(request, self)
            if not request.keep_alive:
                self._transport.close()
                return
        self.task = None

    def close(self) -> None:
        """Close now if idle, else after the present answer."""
        self._closing = True
        if self.task is None:
            self._transport.close()

    async def send(self, data: bytes) -> None:
        """Write, and wait while the client does not read."""
        self._transport.write(data)
        await self._writable.wait()

    async def reply(self, status: int, body: bytes, *, keep_alive: bool, headers: str = "") -> None:
        """A complete JSON answer."""
        head = head_of(status, keep_alive=keep_alive, headers=headers)
        await self.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body)

    async def start_events(self, *, keep_alive: bool) -> None:
        """The head of a stream of events."""
        head = head_of(200, keep_alive=keep_alive, kind="text/event-stream; charset=utf-8")
        await self.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode("ascii"))

    async def event(self, data: bytes) -> None:
        """One event; empty `data` ends the stream."""
        if not data:
            await self.send(b"0\r\n\r\n")
            return
        await self.send(b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data))


def head_of(
    status: int, *, keep_alive: bool, kind: str = "application/json", headers: str = ""
) -> str:
    """A status line and the headers that every answer has, without the empty line."""
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: {kind}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n{headers}"
    )
