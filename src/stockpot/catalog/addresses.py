"""Refusing provider URLs that lead where the gateway must not call. Knows networks; sends nothing.

A user who may connect a provider must not thereby read a cloud's metadata service or the host's own
neighbours. Every address that the name resolves to is looked at, in every disguise that embeds an
IPv4 address in an IPv6 one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from stockpot.core.errors import InvalidInput

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]

_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # unspecified: means this host to many kernels
        "100.100.100.200/32",  # metadata, Alibaba
        "168.63.129.16/32",  # host channel, Azure
        "169.254.0.0/16",  # link-local, metadata of most clouds
        "192.0.0.0/24",  # protocol assignments; metadata, Oracle
        "198.18.0.0/15",  # benchmarking
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/128",
        "2001:db8::/32",
        "fd00::/16",  # metadata, AWS (fd00:ec2::254)
        "fd20:ce::/32",  # metadata, Google
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")


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
        _check(host, ip_address(text.partition("%")[0]), private)
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


def _check(host: str, address: Address, private: bool) -> None:
    for seen in _unwrapped(address):
        if any(seen in network for network in _NEVER if network.version == seen.version):
            raise InvalidInput(f"{host!r} is at {address}, which the gateway never calls")
        if not private and any(
            seen in network for network in _PRIVATE if network.version == seen.version
        ):
            raise InvalidInput(
                f"{host!r} is at {address}, a private address",
                hint="allow it with STOCKPOT_PRIVATE_UPSTREAMS=true",
            )


def _unwrapped(address: Address) -> tuple[Address, ...]:
    """An address and the IPv4 address that it stands for, if any."""
    if isinstance(address, IPv4Address):
        return (address,)
    low = int(address) & 0xFFFFFFFF
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (address, IPv4Address(low))
    if address in _SIX_TO_FOUR:
        return (address, IPv4Address(int(address) >> 80 & 0xFFFFFFFF))
    if int(address) >> 32 == 0 and low > 1:  # the retired IPv4-compatible form, ::a.b.c.d
        return (address, IPv4Address(low))
    return (address,)
