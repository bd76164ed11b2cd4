"""A transport in memory, and ends that write down what they hear: the faces without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import httptools

from stockpot.gateway.http.messages import Exchange, Headers, Request, Responder
from stockpot.gateway.http.server import HttpServer, ServerLimits
from stockpot.gateway.http.server_connection import ServerConnection


class Wire(asyncio.Transport):
    """Keeps what is written; delivers the end of the connection as an event loop would."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("192.0.2.7", 5555)})
        self.protocol = protocol
        self.sent = b""
        self.reading = True
        self.closing = False
        self.ended = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else super().get_extra_info(name, default)

    def setsockopt(self, *args: int) -> None:
        """The wire has no delays."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closing, "a write on a closing transport fails on uvloop"
        assert not self.ended
        self.sent += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


class Notebook:
    """A handler that answers with the number of the request, at once or a moment later."""

    def __init__(self, late: bool = False) -> None:
        self.late = late
        self.requests: list[Request] = []

    def handle(self, request: Request, exchange: Exchange) -> Responder | None:
        self.requests.append(request)
        answer = b"answer %d" % len(self.requests)
        if self.late:
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, exchange.respond, 200, [], answer)
        else:
            exchange.respond(200, [], answer)
        return None


class Answers:
    """What a client reads, by another parser than ours."""

    def __init__(self, sent: bytes) -> None:
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)  # type: ignore[no-untyped-call]
        self._body = b""
        self._parser.feed_data(sent)

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self.statuses.append(self._parser.get_status_code())
        self.bodies.append(self._body)
        self._body = b""


def shape(request: Request) -> tuple[bytes, bytes, Headers, bytes]:
    """A request without what depends on the clock."""
    return request.method, request.target, sorted(request.headers), request.body


def in_loop(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine in a loop of its own."""
    asyncio.run(body())


async def settle() -> None:
    """Let everything happen that is due."""
    for _ in range(8):
        await asyncio.sleep(0)


async def talk(
    pieces: Iterable[bytes], *, late: bool = False, limits: ServerLimits | None = None
) -> tuple[Notebook, Wire]:
    """Send pieces over one connection to a server and let it answer."""
    notebook = Notebook(late)
    server = HttpServer(notebook, limits)
    connection = ServerConnection(server)
    wire = Wire(connection)
    connection.connection_made(wire)
    for piece in pieces:
        if wire.closing:
            break
        while not wire.reading:
            await settle()
        if piece:
            connection.data_received(piece)
    for _ in range(4):
        await settle()
    server.clock.stop()
    return notebook, wire


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` in pieces of these sizes, the sizes again and again."""
    pieces = []
    at = index = 0
    while at < len(data):
        size = sizes[index % len(sizes)] if sizes else len(data)
        pieces.append(data[at : at + size])
        at += size
        index += 1
    return pieces
