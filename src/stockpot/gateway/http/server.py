"""The client side of the gateway: an HTTP/1.1 server on raw asyncio protocols.

Knows listening, limits, draining; knows nothing of what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Sequence
from time import time

from stockpot.gateway.http.cors import Cors
from stockpot.gateway.http.exchange import StatusLines
from stockpot.gateway.http.messages import (
    Exchange,
    Handler,
    Headers,
    Request,
    Responder,
    ServerLimits,
)
from stockpot.gateway.http.peers import TrustedProxies
from stockpot.gateway.http.request_body import Room
from stockpot.gateway.http.request_head import Refused
from stockpot.gateway.http.server_connection import ServerConnection
from stockpot.gateway.http.sweeper import Sweeper

__all__ = [
    "Cors",
    "Exchange",
    "Handler",
    "Headers",
    "HttpServer",
    "Request",
    "Responder",
    "ServerLimits",
]

_GRACE_S = 1.0
_QUEUE_S = 0.05
_REFUSALS_AT_ONCE = 256
_SWEEP_MAX_S = 0.5


class HttpServer:
    """One face towards clients: any number of listening sockets, many connections."""

    def __init__(
        self,
        handler: Handler,
        limits: ServerLimits | None = None,
        trusted_proxies: Sequence[str] = (),
        cors: Cors | None = None,
    ) -> None:
        self.handler = handler
        self.limits = limits or ServerLimits()
        self.proxies = TrustedProxies(trusted_proxies)
        self.cors = cors
        self.draining = False
        self.status_lines = StatusLines()
        self.room = Room()
        self.accepted = 0
        """Connections since the start."""
        self.refused = 0
        """Requests that the server itself refused since the start."""
        self.cut = 0
        """Clients cut off for slowness since the start."""
        self._open: set[ServerConnection] = set()
        self._listeners: list[asyncio.Server] = []
        self._emptied: asyncio.Event | None = None
        self._second = 0
        self.clock = Sweeper(self._sweep, _sweep_interval(self.limits))
        """Of the deadlines."""

    @property
    def connections(self) -> int:
        """Open client connections."""
        return len(self._open)

    def protocol_factory(self) -> ServerConnection:
        """For `loop.create_server`; `listen` does that."""
        return ServerConnection(self)

    async def listen(
        self, host: str, port: int, *, tls: ssl.SSLContext | None = None, backlog: int = 2048
    ) -> int:
        """Accept connections, beside other processes on the same port where the system can;
        returns the port."""
        server = await asyncio.get_running_loop().create_server(
            self.protocol_factory,
            host,
            port,
            ssl=tls,
            backlog=backlog,
            reuse_port=True if hasattr(socket, "SO_REUSEPORT") else None,
            ssl_handshake_timeout=self.limits.header_timeout_s if tls else None,
        )
        self._listeners.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def drain(self, timeout_s: float) -> int:
        """Stop accepting, let running requests end, then cut the rest; returns how many.

        A client that is just about to use its kept connection still gets an answer, which tells it
        to open another one; so do connections that the kernel has accepted for us already.
        """
        await self._stop_listening()
        self.draining = True
        grace = min(_GRACE_S, timeout_s)
        for connection in tuple(self._open):
            if connection.idle:
                connection.leave(grace)
        if self._open:
            self._emptied = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), timeout_s)
        left = tuple(self._open)
        for connection in left:
            connection.cut_off()
        if left and self._emptied is not None:
            await self._emptied.wait()
        self.clock.stop()
        return len(left)

    async def _stop_listening(self) -> None:
        for listener in self._listeners:
            for sock in listener.sockets:
                with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as s:
                    s.listen(0)  # from here on the kernel sends new ones to other processes
        await asyncio.sleep(_QUEUE_S if self._listeners else 0)  # and those in its queue to us
        for listener in self._listeners:
            listener.close()

    # --- for connections ----------------------------------------------------------------------

    def admit(self, connection: ServerConnection) -> Refused | None:
        """Take a new connection in; a refusal when there are too many."""
        count = len(self._open)
        self._open.add(connection)
        self.accepted += 1
        if not self.clock.running:
            self.status_lines.clear()
            self.clock.start()
        if count < self.limits.max_connections:
            return None
        if count >= self.limits.max_connections + _REFUSALS_AT_ONCE:
            connection.cut()
            return None
        return Refused(503, "overloaded", "the gateway is at its limit of connections; try again")

    def forget(self, connection: ServerConnection) -> None:
        """The connection is closed."""
        self._open.discard(connection)
        if self._emptied is not None and not self._open:
            self._emptied.set()

    def _sweep(self, now: float) -> float:
        second = int(time())
        if second != self._second:
            self._second = second
            self.status_lines.clear()
        for connection in tuple(self._open):
            if now >= connection.deadline:
                connection.expire()
        return _sweep_interval(self.limits) if self._open else 0.0


def _sweep_interval(limits: ServerLimits) -> float:
    """An eighth of the shortest timeout: coarse for the clock, fine enough for the deadline."""
    shortest = min(
        limits.header_timeout_s,
        limits.body_timeout_s,
        limits.write_timeout_s,
        limits.keepalive_s,
    )
    return max(0.01, min(shortest / 8, _SWEEP_MAX_S))
