"""Passing a call to the gateway and its answer back, byte for byte. Knows HTTP; knows no model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stockpot.core.config import Settings
from stockpot.core.errors import Unavailable
from stockpot.core.patient import Patient
from stockpot.core.urls import gateway_tls, gateway_url

_PASSED = ("content-type", "server-timing", "retry-after")
_PASSED_PREFIXES = ("x-stockpot-", "x-ratelimit-")


class Asked(NamedTuple):
    """A whole answer of the gateway."""

    status: int
    body: str
    took_ms: float


class GatewayCaller:
    """Calls this instance's gateway."""

    def __init__(
        self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=gateway_url(settings),
            timeout=httpx.Timeout(5.0, read=None),  # the gateway bounds silence and total time
            transport=Patient(gateway_tls(settings), to=transport),
            trust_env=False,
        )

    async def pass_on(
        self, request: Request, path: str, body: bytes, secret: str, more: Mapping[str, str]
    ) -> Response:
        """The gateway's answer as it arrives. When the client leaves, the call is cancelled."""
        headers = {
            **more,
            "authorization": f"Bearer {secret}",
            "content-type": "application/json",
            "accept-encoding": "identity",
        }
        call = self._client.build_request("POST", path, content=body, headers=headers)
        sending = asyncio.create_task(self._client.send(call, stream=True))
        leaving = asyncio.create_task(_left(request.receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                return Response(status_code=499)
            return _Passing(await sending)
        except httpx.TransportError as away:
            raise _away(away) from None
        finally:
            leaving.cancel()
            if not sending.done():
                sending.cancel()
            await asyncio.gather(leaving, sending, return_exceptions=True)

    async def ask(self, path: str, body: bytes, secret: str, headers: dict[str, str]) -> Asked:
        """One call, read to its end. Raises Unavailable where nothing answers."""
        sent = {
            **headers,
            "authorization": f"Bearer {secret}",
            "content-type": "application/json",
            "accept-encoding": "identity",
        }
        began = time.perf_counter()
        try:
            answer = await self._client.post(path, content=body, headers=sent)
        except httpx.TransportError as away:
            raise _away(away) from None
        took = (time.perf_counter() - began) * 1000
        return Asked(answer.status_code, answer.content.decode("utf-8", "replace"), took)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()


def _away(lost: httpx.TransportError) -> Unavailable:
    return Unavailable(
        f"the gateway does not answer: {lost or type(lost).__name__}", hint="stockpot status"
    )


class _Passing(Response):
    """Streams an upstream answer and closes it at the end, or as soon as the client leaves."""

    def __init__(self, upstream: httpx.Response) -> None:
        super().__init__(status_code=upstream.status_code)
        self._upstream = upstream
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in upstream.headers.items()
            if name.lower() in _PASSED or name.lower().startswith(_PASSED_PREFIXES)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passing = asyncio.create_task(self._pass(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if passing.done():
                await passing
        finally:
            leaving.cancel()
            passing.cancel()
            await asyncio.gather(leaving, passing, return_exceptions=True)
            await self._upstream.aclose()

    async def _pass(self, send: Send) -> None:
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        async for piece in self._pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._upstream.aiter_raw():
            if piece:
                yield piece


async def _left(receive: Receive) -> None:
    """Returns when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
