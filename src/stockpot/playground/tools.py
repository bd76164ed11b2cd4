"""Calling a tool for real, within what the instance allows. Knows HTTP; knows no model.

Somebody who writes an address into a tool must not thereby read a cloud's metadata service or the
host's own neighbours. Only hosts that the setting `tool_hosts` names are called; a host on a
private network must be named as it is, never by a pattern. The address that was looked at is the
one that is connected to, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import fnmatch
import socket
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from stockpot.core.addresses import refused
from stockpot.core.config import Settings
from stockpot.core.errors import InvalidInput, Unavailable
from stockpot.playground.models import ToolAnswered, ToolAsked

Resolve = Callable[[str, int], Awaitable[str]]
_MOST = 1 << 20
_WAIT_S = 20.0
_NOT_SENT = frozenset(("host", "content-length", "transfer-encoding", "connection"))


async def resolve(host: str, port: int) -> str:
    """The first address of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


class ToolCaller:
    """Calls what `tool_hosts` allows: hosts and patterns such as `*.example.com`, with commas."""

    def __init__(self, settings: Settings, resolve: Resolve = resolve) -> None:
        self._allowed = [one.strip().lower() for one in settings.tool_hosts.split(",") if one]
        self._resolve = resolve

    async def call(self, asked: ToolAsked) -> ToolAnswered:
        """What the tool answers, with any status. Raises InvalidInput for what is not allowed."""
        parts = urlsplit(asked.url)
        host = (parts.hostname or "").lower()
        if parts.scheme not in ("http", "https") or not host or parts.username is not None:
            raise InvalidInput(f"{asked.url!r} is no address of a tool: https://host/path")
        address = await self._checked(host, parts.port or (443 if parts.scheme == "https" else 80))
        shown = f"[{address}]" if ":" in address else address
        port = f":{parts.port}" if parts.port else ""
        query = f"?{parts.query}" if parts.query else ""
        url = f"{parts.scheme}://{shown}{port}{parts.path or '/'}{query}"
        headers = {k: v for k, v in asked.headers.items() if k.lower() not in _NOT_SENT}
        return await _sent(asked, url, {**headers, "host": host + port}, host)

    async def _checked(self, host: str, port: int) -> str:
        exact = host in self._allowed
        if not exact and not any(fnmatch.fnmatchcase(host, one) for one in self._allowed):
            raise InvalidInput(
                f"tools may not call {host!r}",
                hint=f"allow it with STOCKPOT_TOOL_HOSTS={','.join([*self._allowed, host])}",
            )
        try:
            address = await self._resolve(host, port)
        except (OSError, UnicodeError) as unknown:
            raise InvalidInput(f"the host {host!r} cannot be resolved: {unknown}") from None
        if why := refused(address, private=exact):
            raise InvalidInput(
                f"{host!r} is at {address}, which tools never call"
                if why == "never"
                else f"{host!r} is at {address}, a private address: name the host as it is"
            )
        return address


async def _sent(asked: ToolAsked, url: str, headers: dict[str, str], host: str) -> ToolAnswered:
    began = time.perf_counter()
    is_get = asked.method == "GET"
    named = {"sni_hostname": host}  # the certificate is the name's, not the address's
    try:
        async with (
            httpx.AsyncClient(timeout=_WAIT_S, trust_env=False, follow_redirects=False) as client,
            client.stream(
                asked.method,
                httpx.URL(url).copy_merge_params(asked.arguments) if is_get else url,
                headers=headers,
                extensions=named,
                json=None if is_get else asked.arguments,
            ) as answer,
        ):
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST:
                    break
            status = answer.status_code
    except (httpx.TransportError, httpx.InvalidURL, ValueError) as lost:
        raise Unavailable(
            f"the tool {asked.name!r} does not answer: {lost or type(lost).__name__}"
        ) from None
    return ToolAnswered(
        status=status,
        body=body[:_MOST].decode("utf-8", "replace"),
        cut=len(body) > _MOST,
        took_ms=(time.perf_counter() - began) * 1000,
    )
