"""The upstream side of the gateway: an HTTP/1.1 client with callbacks and a connection pool."""

from __future__ import annotations

from stockpot.gateway.http.calls import CallTimeouts, FailureKind, Origin, Receiver

__all__ = ["CallTimeouts", "FailureKind", "Origin", "Receiver", "UpstreamCall", "UpstreamClient"]


class UpstreamCall:
    """One request on its way. After `cancel`, or the end, nothing is called back."""

    __slots__ = ()

    def pause(self) -> None:
        """Stop reading the answer (back-pressure)."""
        raise NotImplementedError

    def resume(self) -> None:
        """Go on reading."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Close the upstream connection; no callback afterwards."""
        raise NotImplementedError


class UpstreamClient:
    """Sends requests; keeps idle connections per origin, newest first."""

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        proxy: str | None = None,
        max_idle_per_origin: int = 64,
        idle_s: float = 55,
        dns_ttl_s: float = 30,
    ) -> None:
        raise NotImplementedError

    def send(
        self, origin: Origin, head: bytes, body: bytes, receiver: Receiver, timeouts: CallTimeouts
    ) -> UpstreamCall:
        """Send one request; `head` is the complete head with its blank line."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close idle connections and cut running calls."""
        raise NotImplementedError
