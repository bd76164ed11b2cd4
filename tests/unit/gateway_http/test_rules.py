"""Small rules of the faces: proxies, peers, CORS, heads of answers, origins, the coarse clock."""

from __future__ import annotations

import asyncio

import pytest

from stockpot.gateway.http.calls import Origin
from stockpot.gateway.http.cors import Cors
from stockpot.gateway.http.exchange import answer_head
from stockpot.gateway.http.messages import Request
from stockpot.gateway.http.peers import TrustedProxies
from stockpot.gateway.http.proxies import Proxy, ProxyTable
from stockpot.gateway.http.sweeper import Sweeper
from tests.unit.gateway_http.wire import talk

FAR = Origin("https", "api.example.com", 443)


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("", False),
        ("*", True),
        ("api.example.com", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("ample.com", False),
        ("api.example.com:443", True),
        ("api.example.com:8443", False),
        ("other.com, EXAMPLE.com", True),
        ("10.0.0.0/8", False),
    ],
)
def test_no_proxy_names_hosts_and_their_subdomains(no_proxy: str, direct: bool) -> None:
    table = ProxyTable(None, {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": no_proxy})
    assert (table.choose(FAR) is None) is direct


def test_no_proxy_names_networks() -> None:
    table = ProxyTable("http://proxy:3128", {"no_proxy": "10.0.0.0/8"})
    assert table.choose(Origin("http", "10.1.2.3", 80)) is None
    assert table.choose(Origin("http", "11.1.2.3", 80)) is not None


def test_each_scheme_has_its_proxy_and_an_empty_setting_means_none() -> None:
    env = {"https_proxy": "http://one:1", "HTTP_PROXY": "two:2"}
    near = Origin("http", "api.example.com", 80)
    assert ProxyTable(None, env).choose(FAR) == Proxy("one", 1)
    assert ProxyTable(None, env).choose(near) == Proxy("two", 2)
    assert ProxyTable("http://three:3", env).choose(near) == Proxy("three", 3)
    assert ProxyTable("", env).choose(FAR) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "x.localhost"])
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    assert ProxyTable("http://proxy:3128", {}).choose(Origin("http", host, 80)) is None


def test_a_proxy_may_want_a_password() -> None:
    proxy = Proxy.parse("http://us%40er:pa:ss@proxy:3128")
    assert proxy.authorization == b"proxy-authorization: Basic dXNAZXI6cGE6c3M=\r\n"


def test_a_proxy_of_another_kind_is_an_error_without_its_password() -> None:
    with pytest.raises(ValueError, match="socks5") as caught:
        Proxy.parse("socks5://user:secret@proxy")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([b"203.0.113.9"], "203.0.113.9"),
        ([b"6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ([b"6.6.6.6, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ([b"6.6.6.6", b"203.0.113.9,10.0.0.2"], "203.0.113.9"),
        ([b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ([b"203.0.113.9:4711"], "203.0.113.9"),
        ([b"[2001:db8::1]:4711"], "2001:db8::1"),
        ([b"::ffff:203.0.113.9"], "203.0.113.9"),
        ([b"203.0.113.9, unknown"], "10.0.0.1"),
        ([b"203.0.113.9, \xff, 10.0.0.2"], "10.0.0.2"),
        ([b""], "10.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_not_ours(
    forwarded: list[bytes], client: str
) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).client("10.0.0.1", forwarded) == client


def test_only_networks_that_are_named_are_trusted() -> None:
    proxies = TrustedProxies(["10.0.0.0/8", "2001:db8::/32"])
    assert proxies.trusts("10.9.9.9")
    assert proxies.trusts("::ffff:10.9.9.9")
    assert proxies.trusts("2001:db8::5")
    assert not proxies.trusts("11.0.0.1")
    assert not proxies.trusts("")
    assert not TrustedProxies([]).trusts("127.0.0.1")


async def test_a_stranger_cannot_choose_its_address() -> None:
    head = b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
    notebook, _ = await talk([head])
    assert notebook.requests[0].client == "192.0.2.7"


def test_cors_headers_go_to_origins_of_the_list_alone() -> None:
    cors = Cors(("https://app.example",))
    assert (b"access-control-allow-origin", b"https://app.example") in cors.answer_headers(
        b"https://app.example"
    )
    for stranger in (b"https://app.example.evil", b"http://app.example", b"null", b""):
        assert cors.answer_headers(stranger) == [(b"vary", b"Origin")]
    assert cors.answer_headers(b"https://x")[0] == (b"vary", b"Origin")
    assert (b"access-control-allow-origin", b"*") in Cors(("*",)).answer_headers(b"https://x")


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (b"authorization,content-type,x-stainless-os,x-stainless-retry-count", True),
        (b"anthropic-version, anthropic-dangerous-direct-browser-access", True),
        (b"*, x-a b", False),
        (b"x-a\r\nset-cookie: b", False),
        (b"x-a" * 2000, False),
    ],
)
def test_a_page_may_send_the_headers_of_its_sdk(asked: bytes, allowed: bool) -> None:
    preflight = Request(
        b"OPTIONS", b"/v1/x", b"/v1/x", b"", [(b"access-control-request-headers", asked)]
    )
    told = dict(Cors(("https://app.example",)).preflight_headers(preflight))
    assert (asked in told[b"access-control-allow-headers"]) is allowed
    assert b"authorization, content-type" in told[b"access-control-allow-headers"]


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x", b"a\nb", b"a\rb"])
def test_a_header_of_an_answer_cannot_end_its_line(value: bytes) -> None:
    with pytest.raises(ValueError, match="line break"):
        answer_head(b"HTTP/1.1 200 OK\r\n", [(b"x", value)], b"\r\n")


def test_an_answer_has_one_framing_whatever_the_handler_gives() -> None:
    given = [(b"content-length", b"7"), (b"transfer-encoding", b"chunked"), (b"x", b"y")]
    head = answer_head(b"S\r\n", given, b"content-length: 1\r\n\r\n")
    assert head == b"S\r\nx: y\r\ncontent-length: 1\r\n\r\n"


def test_an_origin_knows_its_host_header() -> None:
    assert Origin("https", "h", 443).host_header == b"h"
    assert Origin("http", "h", 443).host_header == b"h:443"
    assert Origin("http", "::1", 80).host_header == b"[::1]"
    assert Origin("http", "bücher.example", 80).host_header == b"xn--bcher-kva.example"
    assert Origin("http", "h", 80) == Origin("http", "h", 80)
    with pytest.raises(ValueError, match="ftp"):
        Origin("ftp", "h", 21)


def test_header_looks_up_the_first_value() -> None:
    request = Request(b"GET", b"/", b"/", b"", [(b"a", b"1"), (b"a", b"2")])
    assert request.header(b"a") == b"1"
    assert request.header(b"b") is None


async def test_the_clock_does_not_count_the_time_in_which_the_process_stood_still() -> None:
    sweeps: list[float] = []

    def sweep(now: float) -> float:
        sweeps.append(now)
        return 0.01

    clock = Sweeper(sweep, 0.01)
    clock.start()
    clock.real -= 3600  # an hour in which the laptop slept
    await asyncio.sleep(0.05)
    clock.stop()
    assert sweeps
    assert sweeps[-1] < 2.0
    assert sweeps == sorted(sweeps)


async def test_the_clock_stops_when_there_is_nothing_to_watch_and_survives_a_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = 0

    def sweep(now: float) -> float:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("once")
        return 0.0

    clock = Sweeper(sweep, 0.001)
    clock.start()
    await asyncio.sleep(0.05)
    assert calls == 2
    assert not clock.running
    assert "once" in caplog.text
