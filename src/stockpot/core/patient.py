"""Calls to the gateway with a key that was made a moment ago. Knows HTTP; knows no key.

A worker hears of a new key a moment after it was made, and refuses it until then. What the instance
itself asks with such a key would fail for good, so that it is asked again for a while.
"""

from __future__ import annotations

import asyncio
import ssl

import httpx

_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6)
_UNHEARD_OF = 401
_USUAL = httpx.Limits(max_connections=100, max_keepalive_connections=20)
"""A client's own, where none are given."""


class Patient(httpx.AsyncBaseTransport):
    """Passes requests on, and again while the gateway knows none of its keys. `to` stands in for
    the network."""

    def __init__(
        self,
        verify: ssl.SSLContext,
        limits: httpx.Limits = _USUAL,
        to: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._to = to or httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)
        self._known: set[str] = set()
        """Keys that were taken once, or refused to the end: they are what they are."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("authorization", "")
        for pause in () if key in self._known else _PAUSES_S:
            answer = await self._to.handle_async_request(request)
            if answer.status_code != _UNHEARD_OF:
                self._known.add(key)
                return answer
            await answer.aclose()
            await asyncio.sleep(pause)
        self._known.add(key)
        return await self._to.handle_async_request(request)

    async def aclose(self) -> None:
        await self._to.aclose()
