"""Whether the way to an origin leads through a proxy. Knows the usual environment variables."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from stockpot.gateway.http.calls import Origin


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: `https` origins are reached by CONNECT, `http` ones by the absolute form."""

    host: str
    port: int
    authorization: bytes = b""
    """A whole header line with its line break, or nothing."""

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Read `http://[user:password@]host[:port]`."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            before, _, after = url.rpartition("@")
            shown = before.partition("://")[0] + "://***@" + after if before else after
            raise ValueError(f"proxy {shown!r} is not of the form http://[user:password@]host:port")
        line = b""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            line = b"proxy-authorization: Basic " + base64.b64encode(pair) + b"\r\n"
        return cls(parts.hostname, parts.port or 80, line)


class ProxyTable:
    """Chooses the proxy for an origin.

    `url` None reads HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, an empty one means no proxy at all.
    NO_PROXY is honoured in each case, and this machine's own addresses never go to a proxy: model
    servers on it could not be reached through one.
    """

    __slots__ = ("_by_scheme", "_bypass")

    def __init__(self, url: str | None, environ: Mapping[str, str] | None = None) -> None:
        env = os.environ if environ is None else environ
        self._bypass = [
            entry.strip().lower()
            for entry in _variable(env, "no_proxy").split(",")
            if entry.strip()
        ]
        self._by_scheme: dict[str, Proxy] = {}
        for scheme in ("http", "https"):
            found = url
            if found is None:
                found = _variable(env, f"{scheme}_proxy") or _variable(env, "all_proxy")
            if found:
                self._by_scheme[scheme] = Proxy.parse(found)

    def choose(self, origin: Origin) -> Proxy | None:
        """The proxy on the way to `origin`, if any."""
        proxy = self._by_scheme.get(origin.scheme)
        if proxy is None or _is_here(origin.host) or self._is_bypassed(origin):
            return None
        return proxy

    def _is_bypassed(self, origin: Origin) -> bool:
        host = origin.host.lower()
        return any(_matches(entry, host, origin.port) for entry in self._bypass)


def _variable(env: Mapping[str, str], name: str) -> str:
    return env.get(name) or env.get(name.upper()) or ""


def _is_here(host: str) -> bool:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and ":" not in name:
        if int(number) != port:
            return False
        entry = name
    entry = entry.removeprefix("*").removeprefix(".")
    return host == entry or host.endswith("." + entry)
