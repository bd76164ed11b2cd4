"""Idle upstream connections, per origin, newest first. Knows when one is too old to be lent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stockpot.gateway.http.calls import Origin
from stockpot.gateway.http.response_head import ResponseReader

if TYPE_CHECKING:
    from stockpot.gateway.http.dial import Dialer
    from stockpot.gateway.http.sweeper import Sweeper
    from stockpot.gateway.http.upstream_connection import UpstreamConnection


class Lane:
    """The connections to one origin."""

    __slots__ = (
        "_authorization",
        "_pool",
        "clock",
        "heads",
        "idle",
        "idle_s",
        "max_idle",
        "origin",
        "prefix",
    )

    def __init__(self, pool: Pool, origin: Origin) -> None:
        self._pool = pool
        self.origin = origin
        self.clock = pool.clock
        self.heads = ResponseReader()
        self.idle_s = pool.idle_s
        self.max_idle = pool.max_idle
        self.idle: list[UpstreamConnection] = []
        self.prefix = b""
        """Set when a proxy wants the absolute form: what goes before the path."""
        self._authorization = b""
        proxy = pool.dialer.proxy_for(origin)
        if proxy is not None and origin.scheme == "http":
            self.prefix = b"http://" + origin.host_header
            self._authorization = proxy.authorization

    def absolute(self, head: bytes) -> bytes:
        """The same request in the form that a proxy understands."""
        method, _, rest = head.partition(b" ")
        line, _, fields = rest.partition(b"\r\n")
        return b"%b %b%b\r\n%b%b" % (method, self.prefix, line, self._authorization, fields)

    def take(self) -> UpstreamConnection | None:
        """The connection that became idle last, if it can still be trusted."""
        idle = self.idle
        while idle:
            connection = idle.pop()
            if connection.transport.is_closing():
                continue
            if self.clock.real - connection.idle_since < connection.patience:
                return connection
            connection.drop()
        return None

    def opened(self, connection: UpstreamConnection) -> None:
        """A connection was made."""
        self._pool.open.add(connection)
        connection.old_at = self.clock.real + self._pool.max_age

    def give_back(self, connection: UpstreamConnection) -> None:
        """Its answer is complete: keep it for the next call."""
        now = self.clock.real
        if now > connection.old_at or len(self.idle) >= self.max_idle:
            connection.drop()
        else:
            connection.idle_since = now
            self.idle.append(connection)

    def closed(self, connection: UpstreamConnection) -> None:
        """A connection is no more."""
        self._pool.open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        if self._pool.emptied is not None and not self._pool.open:
            self._pool.emptied.set()


class Pool:
    """All lanes, and the rules of keeping."""

    def __init__(
        self, dialer: Dialer, clock: Sweeper, max_idle: int, idle_s: float, max_age_s: float
    ) -> None:
        self.dialer = dialer
        self.clock = clock
        """Its `real` time counts here: an upstream's patience goes on while we are stopped."""
        self.max_idle = max_idle
        self.max_age = max_age_s
        self.lanes: dict[Origin, Lane] = {}
        self.open: set[UpstreamConnection] = set()
        self.emptied: asyncio.Event | None = None
        self.idle_s = idle_s

    def lane(self, origin: Origin) -> Lane:
        """The lane of a new origin."""
        lane = self.lanes[origin] = Lane(self, origin)
        return lane

    def sweep(self) -> bool:
        """Close what has been idle too long; returns whether any is left."""
        left = False
        now = self.clock.real
        for lane in self.lanes.values():
            for connection in tuple(lane.idle):
                if now - connection.idle_since >= connection.patience:
                    lane.idle.remove(connection)
                    connection.drop()
            left = left or bool(lane.idle)
        return left

    async def close(self) -> None:
        """Close every connection and wait until it is."""
        for lane in self.lanes.values():
            lane.max_idle = 0
        self.emptied = asyncio.Event()
        for connection in tuple(self.open):
            connection.drop()
        if self.open:
            await self.emptied.wait()
