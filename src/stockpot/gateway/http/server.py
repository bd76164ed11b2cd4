"""The client side of the gateway: an HTTP/1.1 server on raw asyncio protocols.

Knows listening, limits, draining; knows nothing of what is served.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from stockpot.gateway.http.messages import (
    Exchange,
    Handler,
    Headers,
    Request,
    Responder,
    ServerLimits,
)

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


@dataclass(frozen=True, slots=True)
class Cors:
    """Which web origins may call from a browser, and what they may send and read."""

    origins: tuple[str, ...]
    """Exact origins (`https://app.example.com`), or a single `*`."""
    headers: str = "authorization, content-type, x-api-key"
    expose: str = "retry-after, server-timing, x-request-id"
    methods: str = "GET, POST, OPTIONS"
    max_age_s: int = 600


class HttpServer:
    """One listening face; many connections, each an `asyncio.Protocol`."""

    def __init__(
        self,
        handler: Handler,
        limits: ServerLimits | None = None,
        trusted_proxies: Sequence[str] = (),
        cors: Cors | None = None,
    ) -> None:
        self.handler = handler
        self.limits = limits or ServerLimits()
        self.trusted_proxies = trusted_proxies
        self.cors = cors

    @property
    def connections(self) -> int:
        """Open client connections."""
        raise NotImplementedError

    def protocol_factory(self) -> asyncio.Protocol:
        """For `loop.create_server`; `listen` does that."""
        raise NotImplementedError

    async def listen(
        self, host: str, port: int, *, tls: ssl.SSLContext | None = None, backlog: int = 2048
    ) -> int:
        """Accept connections (SO_REUSEPORT where there is one); returns the port."""
        raise NotImplementedError

    async def drain(self, timeout_s: float) -> int:
        """Stop accepting, let running answers finish, then cut the rest; returns how many."""
        raise NotImplementedError
