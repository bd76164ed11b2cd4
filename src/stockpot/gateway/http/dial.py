"""Opening connections to upstreams: names, addresses, proxies, TLS.

Knows sockets and certificates; knows nothing of requests and answers. A failure is a `DialFailed`
that says which of these steps failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from itertools import chain, zip_longest

from stockpot.gateway.http.calls import FailureKind, Origin
from stockpot.gateway.http.proxies import Proxy, ProxyTable

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]
AddressFilter = Callable[[Origin, str], bool]
"""Whether a connection to this resolved address is allowed; guards against names that point into
the private network."""

_STAGGER_S = 0.25
_PROXY_HEAD_MAX = 16 * 1024
_KEEP_ALIVE = ("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)


class DialFailed(Exception):
    """No connection, and why."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message


class Names:
    """Addresses of host names, asked again after their time, kept while nobody answers."""

    __slots__ = ("_asking", "_known", "_ttl")

    def __init__(self, ttl_s: float) -> None:
        self._ttl = ttl_s
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[list[Address]]] = {}

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, families in turn."""
        with contextlib.suppress(ValueError):
            version = ipaddress.ip_address(host).version
            family = socket.AF_INET6 if version == 6 else socket.AF_INET
            return [(family, (host, port))]
        key = (host, port)
        known = self._known.get(key)
        if known is not None and asyncio.get_running_loop().time() < known[0]:
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._ask(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        try:
            return await asyncio.shield(task)
        except (OSError, UnicodeError) as error:
            if known is not None:
                return known[1]
            raise DialFailed("dns", f"cannot resolve {host!r}: {_say(error)}") from None

    async def _ask(self, key: tuple[str, int]) -> list[Address]:
        found = await self._getaddrinfo(*key)
        first = [address for address in found if address[0] == found[0][0]]
        others = [address for address in found if address[0] != found[0][0]]
        turns = chain.from_iterable(zip_longest(first, others))
        addresses = [address for address in turns if address is not None]
        self._known[key] = (asyncio.get_running_loop().time() + self._ttl, addresses)
        return addresses

    @staticmethod
    async def _getaddrinfo(host: str, port: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(row[0], row[4]) for row in rows]  # type: ignore[misc]


class Dialer:
    """Opens connections, one at a time for each caller."""

    def __init__(
        self,
        *,
        ca_file: str | None,
        proxies: ProxyTable,
        dns_ttl_s: float,
        address_filter: AddressFilter | None = None,
    ) -> None:
        self._ca_file = ca_file
        self._proxies = proxies
        self._names = Names(dns_ttl_s)
        self._filter = address_filter
        self._context: ssl.SSLContext | None = None

    def proxy_for(self, origin: Origin) -> Proxy | None:
        """The proxy on the way to `origin`, if any."""
        return self._proxies.choose(origin)

    async def dial(self, origin: Origin, factory: Callable[[], asyncio.Protocol]) -> None:
        """Connect a protocol to `origin`; raises DialFailed."""
        proxy = self.proxy_for(origin)
        host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
        addresses = await self._names.resolve(host, port)
        if self._filter is not None and proxy is None:
            addresses = [row for row in addresses if self._filter(origin, row[1][0])]
            if not addresses:
                message = f"{host!r} resolves to an address that may not be called"
                raise DialFailed("connect", message)
        sock = await _race(addresses, f"{host}:{port}")
        try:
            if proxy is not None and origin.scheme == "https":
                await _tunnel(sock, proxy, origin)
            await self._attach(sock, origin, factory)
        except BaseException:
            sock.close()
            raise

    async def _attach(
        self, sock: socket.socket, origin: Origin, factory: Callable[[], asyncio.Protocol]
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            if origin.scheme == "https":
                await loop.create_connection(
                    factory, sock=sock, ssl=self._tls(), server_hostname=origin.host
                )
            else:
                await loop.create_connection(factory, sock=sock)
        except ssl.SSLCertVerificationError as error:
            said = error.verify_message or error.reason
            message = f"the certificate of {origin.host!r} is not trusted: {said}"
            raise DialFailed("tls", message) from None
        except (ssl.SSLError, ConnectionError, EOFError) as error:
            kind: FailureKind = "tls" if origin.scheme == "https" else "connect"
            message = f"TLS with {origin.host!r} failed: {_say(error)}"
            raise DialFailed(kind, message) from None
        except OSError as error:
            raise DialFailed("connect", f"{origin.host!r}: {_say(error)}") from None

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self._ca_file:
                context.load_verify_locations(self._ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["http/1.1"])
            self._context = context
        return self._context


async def _race(addresses: list[Address], name: str) -> socket.socket:
    """The first connection that succeeds; the next address starts when one fails or is slow."""
    running: set[asyncio.Task[socket.socket]] = set()
    error: BaseException | None = None
    waiting = list(addresses)
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(_connect(waiting.pop(0))))
            done, running = await asyncio.wait(
                running,
                timeout=_STAGGER_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            won = [task.result() for task in done if task.exception() is None]
            for spare in won[1:]:
                spare.close()
            if won:
                return won[0]
            error = next((task.exception() for task in done), error)
    finally:
        for task in running:
            task.add_done_callback(_close_late)
            task.cancel()
    raise DialFailed("connect", f"cannot connect to {name}: {_say(error)}")


async def _connect(address: Address) -> socket.socket:
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:  # where the system has them: a NAT forgets in minutes
            if hasattr(socket, option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


def _close_late(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _tunnel(sock: socket.socket, proxy: Proxy, origin: Origin) -> None:
    """Ask the proxy for a tunnel; TLS then runs through it end to end."""
    loop = asyncio.get_running_loop()
    authority = origin.authority
    request = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n"
    try:
        await loop.sock_sendall(sock, request % (authority, authority, proxy.authorization))
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = await loop.sock_recv(sock, 4096)
            answer += data
            if not data or len(answer) > _PROXY_HEAD_MAX:
                break
    except OSError as error:
        message = f"the proxy {proxy.host}:{proxy.port} broke the connection: {_say(error)}"
        raise DialFailed("connect", message) from None
    line = answer.partition(b"\r\n")[0]
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or words[1][:1] != b"2":
        said = line[:100].decode("latin-1") or "nothing"
        message = f"the proxy {proxy.host}:{proxy.port} opens no tunnel; it said {said!r}"
        raise DialFailed("connect", message)


def _say(error: BaseException | None) -> str:
    """What went wrong, in the system's words; asyncio writes `Connect call failed (...)` there."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
