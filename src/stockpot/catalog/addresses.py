"""Refusing provider URLs that lead where the gateway must not call. Knows networks; sends nothing.

Every address that the name resolves to is looked at (`core.addresses` says which are refused).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from stockpot.core.addresses import refused
from stockpot.core.errors import InvalidInput

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """Every address that the system's resolver knows for a name, as the gateway will ask it."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(sockaddr[0]) for *_, sockaddr in found)


async def checked_base_url(url: str, *, private: bool, resolve: Resolve = resolve) -> str:
    """The URL without a trailing slash, when the gateway may call it. Raises InvalidInput."""
    host, port = _parts(url)
    try:
        found = await resolve(host, port)
    except (OSError, UnicodeError) as unknown:
        raise InvalidInput(f"the host {host!r} cannot be resolved: {unknown}") from None
    for text in found:
        _check(host, text, private)
    return url.rstrip("/")


def _parts(url: str) -> tuple[str, int]:
    if any(ord(c) <= 32 or ord(c) >= 127 for c in url):
        raise InvalidInput("a base URL is plain ASCII without spaces; write a host in punycode")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as bad:
        raise InvalidInput(f"{url!r} is not a URL: {bad}") from None
    if parts.scheme not in ("http", "https"):
        raise InvalidInput(f"a base URL begins with http:// or https://, not {url[:20]!r}")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("a base URL holds no user name or password; give the secret by itself")
    if parts.query or parts.fragment or "\\" in url:
        raise InvalidInput("a base URL ends with its path, such as https://host/v1")
    if not parts.hostname:
        raise InvalidInput(f"{url!r} names no host")
    return parts.hostname, port


def _check(host: str, address: str, private: bool) -> None:
    why = refused(address, private=private)
    if why == "never":
        raise InvalidInput(f"{host!r} is at {address}, which the gateway never calls")
    if why == "private":
        raise InvalidInput(
            f"{host!r} is at {address}, a private address",
            hint="allow it with STOCKPOT_PRIVATE_UPSTREAMS=true",
        )
