"""What passes between the HTTP server and the code behind it: requests, answers, callbacks, limits.

Knows the shape of an HTTP exchange; knows no socket and no parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

Headers = list[tuple[bytes, bytes]]
"""Header fields in wire order, names lower-cased, values without outer blanks."""


class Request(msgspec.Struct, eq=False, gc=False):
    """One complete request. Created when its head is complete, handed over with its body."""

    method: bytes
    target: bytes
    """As it came; `path` and `query` are its parts before and after the first `?`."""
    path: bytes
    query: bytes
    headers: Headers
    http_1_0: bool = False
    body: bytes = b""
    client: str = ""
    """The peer's address, or behind trusted proxies the nearest address that is not theirs."""
    received_ns: int = 0
    """`time.perf_counter_ns()` at the first byte of the head."""
    complete_ns: int = 0
    """`time.perf_counter_ns()` at the end of the body."""

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, by its lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def __repr__(self) -> str:
        """Without headers and body, which hold secrets."""
        return f"Request({self.method!r}, {self.path!r})"


class Exchange(Protocol):
    """How a handler answers one request.

    Either `respond`, or `start`, any number of `write`, and `finish`. `abort` ends the connection
    so that the client can tell that the answer is not whole. Once the client is gone all calls do
    nothing; a call after the end of the answer raises RuntimeError. Names of headers are given in
    lower case; `connection`, `content-length`, `date`, `keep-alive` and `transfer-encoding` are
    the server's own and are dropped from what the handler gives.
    """

    @property
    def request(self) -> Request: ...

    @property
    def writable(self) -> bool:
        """False while the client reads too slowly (between `client_blocked` and
        `client_writable`) and once it is gone."""
        ...

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole answer in one write."""
        ...

    def start(self, status: int, headers: Headers, first: bytes) -> None:
        """Begin an answer of unknown length: head and first bytes leave in one segment."""
        ...

    def write(self, chunk: bytes) -> None:
        """More of a started answer, as one HTTP chunk. An empty chunk is ignored."""
        ...

    def finish(self, last: bytes = b"") -> None:
        """The last bytes of a started answer together with its end, in one write."""
        ...

    def abort(self) -> None:
        """Close the connection without a clean end."""
        ...


class Responder(Protocol):
    """What a handler returns to hear of its client until its answer is finished."""

    def client_gone(self) -> None:
        """The client closed, half-closed or broke the connection before the answer was finished.
        Called at most once; nothing can be written afterwards."""
        ...

    def client_writable(self) -> None:
        """The client caught up: go on writing."""
        ...

    def client_blocked(self) -> None:
        """The client reads too slowly: pause the source of the answer."""
        ...


class Handler(Protocol):
    """The code behind a server."""

    def handle(self, request: Request, exchange: Exchange) -> Responder | None:
        """Called once for each complete request, synchronously; the answer may come later.

        Requests of one connection never overlap: the next one comes after the answer's end.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of the server. Sizes in bytes, times in seconds."""

    max_body: int = 32 * 1024 * 1024
    max_head: int = 32 * 1024
    header_timeout_s: float = 10.0
    """From the first byte of a head (or the connection's start) to its end."""
    body_timeout_s: float = 30.0
    """The longest silence inside a body."""
    write_timeout_s: float = 60.0
    """A client that cannot take another 16 KiB within this time is cut off."""
    keepalive_s: float = 75.0
    max_connections: int = 10_000
    max_headers: int = 100
    max_buffered: int = 512 * 1024 * 1024
    """Bytes of incomplete bodies over all connections; beyond it new ones get 503."""
