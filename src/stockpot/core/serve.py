"""Running one ASGI application in its own process until a signal. Knows uvicorn; knows no route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn

from stockpot.core.inprocess import ASGIApp

Started = Callable[[str], None]
Stopping = Callable[[], Awaitable[None]]


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    started: Started,
    stopping: Stopping,
    drain_s: float,
    trusted_proxies: str = "",
) -> None:
    """Serve until SIGTERM or SIGINT, then let answers finish for up to `drain_s`.

    `started` gets the URL once the port listens; `stopping` runs when the signal comes, so that an
    application can end what would otherwise wait. Callers from `trusted_proxies` (networks, comma
    between) tell in X-Forwarded-For and -Proto for whom they call.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies or None,
        timeout_graceful_shutdown=max(1, int(drain_s)),
        timeout_keep_alive=75,
    )
    _Server(config, started, stopping).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Started, stopping: Stopping) -> None:
        super().__init__(config)
        self._tell_started = started
        self._tell_stopping = stopping

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        self._tell_started(f"http://{_reached_at(host)}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain. The signal is not raised again: an orderly end is no crash."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await self._tell_stopping()
        await super().shutdown()


def _reached_at(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host
