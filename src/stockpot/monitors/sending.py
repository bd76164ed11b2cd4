"""Posting a message to an address that somebody typed in. Knows HTTP and networks; knows no alert.

A person who may name an address must not thereby reach a cloud's metadata service, or what only
this host can reach: every address that the name has is looked at (`core.addresses`), and the
connection is made to one of those that were looked at, so that the name cannot change its mind in
between. Redirects are not followed, and of an answer only its status is kept.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from stockpot import __version__
from stockpot.core.addresses import refused
from stockpot.core.config import Settings
from stockpot.core.errors import InvalidInput

TIMEOUT_S = 10.0
WHOLE_S = 30.0
"""One attempt from its beginning to its end: a receiver that sends a byte now and then is no more
patient company than one that sends none."""

_WAIT_AT_MOST_S = 3600.0
_FINAL = frozenset(range(400, 500)) - {408, 409, 421, 425, 429}
"""Answers that a later attempt would get again."""

_NOT_KEPT = httpx.Limits(max_keepalive_connections=0)
"""A kept connection is found by address: it would serve another name at the same address."""

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


class Answer(NamedTuple):
    """What came of one attempt. Status 0: nobody answered. `final`: another attempt is no use."""

    status: int
    error: str = ""
    final: bool = False
    wait_s: float | None = None
    duration_ms: float = 0.0

    @property
    def ok(self) -> bool:
        """The message was taken."""
        return 200 <= self.status < 300


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """Every address that the system's resolver knows for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(sockaddr[0]) for *_, sockaddr in found)


class Sender:
    """Posts to addresses from outside, within what the settings allow."""

    def __init__(
        self, settings: Settings, resolve: Resolve = resolve, whole_s: float = WHOLE_S
    ) -> None:
        self._whole_s = whole_s
        self._private = bool(settings.private_upstreams)
        self._proxy = settings.upstream_proxy or os.environ.get("HTTPS_PROXY", "")
        self._ca = settings.upstream_ca
        self._resolve = resolve
        self._client: httpx.AsyncClient | None = None

    async def checked(self, url: str) -> str:
        """How a URL may be shown: without its path. Raises InvalidInput for one that must not be
        called."""
        host, port = _parts(url)
        if not self._by_proxy(url):
            await self._addresses(host, port)
        scheme, name = urlsplit(url).scheme, urlsplit(url).netloc
        return f"{scheme}://{name}/..."[:300]

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one message."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._whole_s):
                answer = await self._post(url, body, headers)
        except InvalidInput as wrong:
            answer = Answer(0, wrong.message)
        except TimeoutError:
            answer = Answer(0, f"{_host(url)} did not answer within {self._whole_s:g} s")
        except httpx.HTTPError as fault:
            answer = Answer(0, f"{type(fault).__name__}: {_host(url)} does not answer as it should")
        return answer._replace(duration_ms=(time.perf_counter() - began) * 1000)

    async def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        host, port = _parts(url)
        sent = {
            "content-type": "application/json",
            "user-agent": f"stockpot/{__version__}",
            **headers,
        }
        target, extensions = httpx.URL(url), {}
        if not self._by_proxy(url):
            address = (await self._addresses(host, port))[0]
            sent["host"] = httpx.URL(url).netloc.decode()
            target, extensions = target.copy_with(host=address), {"sni_hostname": host}
        request = self._opened().build_request(
            "POST", target, content=body, headers=sent, extensions=extensions
        )
        answer = await self._opened().send(request, stream=True)
        await answer.aclose()  # whatever it says, it may say it for ever
        return _answer(answer)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            tls = ssl.create_default_context()
            if self._ca:
                tls.load_verify_locations(self._ca)
            mounts = (
                {"https://": httpx.AsyncHTTPTransport(proxy=self._proxy, verify=tls)}
                if self._proxy
                else None
            )
            self._client = httpx.AsyncClient(
                timeout=TIMEOUT_S, trust_env=False, verify=tls, mounts=mounts, limits=_NOT_KEPT
            )
        return self._client

    def _by_proxy(self, url: str) -> bool:
        """Whether a proxy makes the connection; it resolves the name, and has rules of its own."""
        return bool(self._proxy) and url.startswith("https:")

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as unknown:
            raise InvalidInput(f"the host {host!r} cannot be resolved: {unknown}") from None
        for address in found:
            match refused(address, private=self._private):
                case "never":
                    raise InvalidInput(f"{host!r} is at {address}, which is never called")
                case "private":
                    raise InvalidInput(
                        f"{host!r} is at {address}, a private address",
                        hint="allow it with STOCKPOT_PRIVATE_UPSTREAMS=true",
                    )
        return found


def _answer(answer: httpx.Response) -> Answer:
    status = answer.status_code
    if answer.is_success:
        return Answer(status)
    told = f"it answered {status}"
    if answer.is_redirect:
        return Answer(status, f"{told}: redirects are not followed", final=True)
    return Answer(status, told, status in _FINAL, _wait(answer.headers.get("retry-after", "")))


def _wait(text: str) -> float | None:
    return min(float(text), _WAIT_AT_MOST_S) if text.isascii() and text.isdigit() else None


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _parts(url: str) -> tuple[str, int]:
    if any(ord(c) <= 32 or ord(c) >= 127 for c in url) or "\\" in url:
        raise InvalidInput("a URL is plain ASCII without spaces; write a host in punycode")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as bad:
        raise InvalidInput(f"this is not a URL: {bad}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput("a channel's URL begins with https:// or http:// and names a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInput("a channel's URL holds no user name, password or fragment")
    return parts.hostname, port
