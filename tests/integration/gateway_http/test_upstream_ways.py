"""The upstream client on its ways to an upstream: TLS, tunnels, proxies."""

from __future__ import annotations

import asyncio
import base64
import socket

import pytest

from stockpot.gateway.http import dial
from stockpot.gateway.http.upstream import Origin
from tests.integration.gateway_http.conftest import (
    Authority,
    Echo,
    eventually,
    raw_upstream,
    serving,
)
from tests.integration.gateway_http.test_upstream import call, calling

# --- TLS ------------------------------------------------------------------------------------------


async def test_tls_with_our_own_authority(authority: Authority) -> None:
    async with (
        serving(Echo(), tls=authority.server) as (server, port),
        calling(ca_file=str(authority.ca_file)) as client,
    ):
        for host in ("localhost", "127.0.0.1"):
            for _ in range(2):
                log = await call(client, Origin("https", host, port), b"x" * 300_000)
                assert log.ends == ["end"], log.message
                assert log.body == b"x" * 300_000
        assert server.accepted == 2


async def test_a_certificate_that_is_not_trusted_is_a_tls_failure(authority: Authority) -> None:
    async with serving(Echo(), tls=authority.server) as (_, port), calling() as client:
        log = await call(client, Origin("https", "localhost", port))
        assert log.ends == ["tls"]
        assert "not trusted" in log.message
    async with (
        serving(Echo(), tls=authority.server) as (_, port),
        calling(ca_file=str(authority.ca_file)) as client,
    ):
        log = await call(client, Origin("https", "ip6-localhost.localhost", port))
        assert log.ends in (["tls"], ["dns"])
    async with serving(Echo()) as (_, port), calling() as client:
        log = await call(client, Origin("https", "localhost", port))
        assert log.ends == ["tls"]
        await eventually(lambda: client.connections == 0)


async def test_a_certificate_for_another_name_is_a_tls_failure(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serving(Echo(), tls=authority.server) as (_, port),
        calling(ca_file=str(authority.ca_file)) as client,
    ):

        async def getaddrinfo(host: str, port: int) -> list[object]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

        monkeypatch.setattr(dial.Names, "_getaddrinfo", staticmethod(getaddrinfo))
        log = await call(client, Origin("https", "upstream.test", port))
        assert log.ends == ["end"]
        log = await call(client, Origin("https", "other.test", port))
        assert log.ends == ["tls"]
        assert "other.test" in log.message


# --- proxies --------------------------------------------------------------------------------------


class Proxy:
    """A small real proxy: CONNECT and the absolute form; every name is this machine."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, target, _ = head.split(b" ", 2)
        authority = target if method == b"CONNECT" else target.split(b"/")[2]
        port = int(authority.rpartition(b":")[2])
        if method == b"CONNECT":
            writer.write(self.answer)
            if b" 200 " not in self.answer:
                return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        if method != b"CONNECT":
            origin_form = head.replace(b"http://" + authority, b"", 1)
            up_writer.write(origin_form)
        try:
            await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))
        finally:
            up_writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_https_goes_through_a_tunnel_and_is_checked_end_to_end(authority: Authority) -> None:
    proxy = Proxy()
    async with (
        serving(Echo(), tls=authority.server) as (server, port),
        raw_upstream(proxy.serve) as proxy_port,
        calling(
            ca_file=str(authority.ca_file), proxy=f"http://user:pass@127.0.0.1:{proxy_port}"
        ) as client,
    ):
        for _ in range(2):
            log = await call(client, Origin("https", "upstream.test", port), b"x" * 200_000)
            assert log.ends == ["end"], log.message
            assert log.body == b"x" * 200_000
        assert server.accepted == 1
        assert proxy.heads[0].startswith(b"CONNECT upstream.test:%d HTTP/1.1\r\n" % port)
        password = base64.b64encode(b"user:pass")
        assert b"proxy-authorization: Basic " + password in proxy.heads[0]
        log = await call(client, Origin("https", "other.test", port))
        assert log.ends == ["tls"]


async def test_http_goes_through_a_proxy_in_the_absolute_form() -> None:
    proxy, echo = Proxy(), Echo()
    async with (
        serving(echo) as (_, port),
        raw_upstream(proxy.serve) as proxy_port,
        calling(proxy=f"http://user:pass@127.0.0.1:{proxy_port}") as client,
    ):
        log = await call(client, Origin("http", "upstream.test", port), b"abc")
        assert log.ends == ["end"], log.message
        assert log.body == b"abc"
        line = b"POST http://upstream.test:%d/v1/x HTTP/1.1\r\nproxy-authorization: " % port
        assert proxy.heads[0].startswith(line)
        assert echo.requests[0].path == b"/v1/x"


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"", b"nonsense\r\n\r\n"],
)
async def test_a_proxy_that_opens_no_tunnel_is_a_connect_failure(answer: bytes) -> None:
    proxy = Proxy()
    proxy.answer = answer
    async with (
        raw_upstream(proxy.serve) as proxy_port,
        calling(proxy=f"http://127.0.0.1:{proxy_port}") as client,
    ):
        log = await call(client, Origin("https", "upstream.test", 443))
        assert log.ends == ["connect"]
        assert f"127.0.0.1:{proxy_port}" in log.message
