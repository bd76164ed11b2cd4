"""The upstream side of the gateway: an HTTP/1.1 client with callbacks and a connection pool.

Knows running calls and their sweeper; knows nothing of what is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from stockpot.gateway.http.calls import CallTimeouts, FailureKind, Origin, Receiver
from stockpot.gateway.http.dial import AddressFilter, Dialer
from stockpot.gateway.http.pool import Pool
from stockpot.gateway.http.proxies import ProxyTable
from stockpot.gateway.http.sweeper import Sweeper
from stockpot.gateway.http.upstream_call import UpstreamCall

__all__ = [
    "AddressFilter",
    "CallTimeouts",
    "FailureKind",
    "Origin",
    "Receiver",
    "UpstreamCall",
    "UpstreamClient",
]

_SWEEP_S = 0.05
_IDLE_SWEEP_S = 1.0


class UpstreamClient:
    """Sends requests; keeps idle connections per origin, and lends the newest first.

    `proxy` None takes the proxies of the environment, an empty one takes none (`ProxyTable`).
    `max_age_s` bounds the life of a connection, so that a moved name is followed. With more calls
    at once than `max_idle_per_origin`, connections are made and closed all the time, which costs
    half a call in the clear and several with TLS; those that load leaves behind go after `idle_s`.
    """

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        proxy: str | None = None,
        max_idle_per_origin: int = 512,
        idle_s: float = 55,
        dns_ttl_s: float = 30,
        max_age_s: float = 600,
        address_filter: AddressFilter | None = None,
    ) -> None:
        self.dialer = Dialer(
            ca_file=ca_file,
            proxies=ProxyTable(proxy),
            dns_ttl_s=dns_ttl_s,
            address_filter=address_filter,
        )
        self.clock = Sweeper(self._sweep, _SWEEP_S)
        """Of the deadlines."""
        self._pool = Pool(self.dialer, self.clock, max_idle_per_origin, idle_s, max_age_s)
        self._lanes = self._pool.lanes
        self.active: set[UpstreamCall] = set()
        """Running calls."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def connections(self) -> int:
        """Open connections to upstreams, lent and idle."""
        return len(self._pool.open)

    def send(
        self, origin: Origin, head: bytes, body: bytes, receiver: Receiver, timeouts: CallTimeouts
    ) -> UpstreamCall:
        """Send one request; `head` is the complete head, from the method to the blank line.

        With an idle connection the request is written, and `on_connected` called, before this
        returns. A failure is always reported later, from the event loop.
        """
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._pool.lane(origin)
        if lane.prefix:
            head = lane.absolute(head)
        clock = self.clock
        if not clock.running:
            clock.start()
        now = clock.now
        call = UpstreamCall(self, lane, head, body, receiver, timeouts, now, now)
        self.active.add(call)
        connection = lane.take() if lane.idle else None
        if connection is not None:
            call.send_on(connection, True)
        elif self._closed:
            asyncio.get_running_loop().call_soon(call.fail, "connect", "the gateway is stopping")
        else:
            call.dial()
        return call

    async def close(self) -> None:
        """Cut running calls (they fail with `reset`) and close all connections."""
        self._closed = True
        for call in tuple(self.active):
            call.fail("reset", "the gateway is stopping")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.close()
        self.clock.stop()

    # --- for calls ----------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a piece of slow work, and keep it alive."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _sweep(self, now: float) -> float:
        for call in tuple(self.active):
            call.check(now)
        if self.active:
            return _SWEEP_S
        return _IDLE_SWEEP_S if self._pool.sweep() else 0.0
