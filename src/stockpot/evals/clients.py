"""Clients of the gateway, for whatever evaluates. Knows where it listens; knows no run."""

from __future__ import annotations

import httpx

from stockpot.core.config import Settings
from stockpot.core.urls import gateway_tls, gateway_url


def gateway_client(
    settings: Settings, secret: str, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client with a project's key for evaluations. Whoever asked for it closes it."""
    return httpx.AsyncClient(
        base_url=gateway_url(settings),
        verify=gateway_tls(settings),
        headers={"authorization": f"Bearer {secret}"},
        timeout=httpx.Timeout(10.0, read=None, pool=None),  # the gateway bounds a call
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        transport=transport,
        trust_env=False,
    )
