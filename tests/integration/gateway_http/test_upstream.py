"""The upstream client against real servers: reuse, repetition, deadlines, TLS, proxies."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import weakref
from collections.abc import AsyncIterator

import pytest

from stockpot.gateway.http import dial
from stockpot.gateway.http.upstream import Origin, UpstreamClient
from stockpot.gateway.models import Timeouts
from tests.integration.gateway_http.conftest import (
    Echo,
    Log,
    eventually,
    raw_upstream,
    serving,
)

POST = b"POST /v1/x HTTP/1.1\r\nhost: %b\r\ncontent-length: %d\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@contextlib.asynccontextmanager
async def calling(**options: object) -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient(**({"proxy": ""} | options))  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()
        assert client.connections == 0
        assert not client.active


def here(port: int) -> Origin:
    return Origin("http", "127.0.0.1", port)


async def call(
    client: UpstreamClient,
    origin: Origin,
    body: bytes = b"",
    timeouts: Timeouts = Timeouts(),
) -> Log:
    log = Log()
    client.send(origin, POST % (origin.host_header, len(body)), body, log, timeouts)
    assert log.ends == []
    await asyncio.wait_for(log.over.wait(), 60)
    assert len(log.ends) == 1
    return log


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    return head + await reader.readexactly(length)


# --- the pool -------------------------------------------------------------------------------------


async def test_calls_one_after_another_share_a_connection() -> None:
    async with serving(Echo()) as (server, port), calling() as client:
        for number in range(5):
            log = await call(client, here(port), b"x" * number * 100_000)
            assert log.ends == ["end"]
            assert log.body == b"x" * number * 100_000
            assert log.connects == [number > 0]
        assert server.accepted == 1


async def test_calls_at_once_have_connections_of_their_own_and_the_newest_is_lent_first() -> None:
    async with serving(Echo()) as (server, port), calling(max_idle_per_origin=3) as client:
        logs = await asyncio.gather(*(call(client, here(port), b"%d" % n) for n in range(8)))
        assert [log.body for log in logs] == [b"%d" % n for n in range(8)]
        assert server.accepted == 8
        lane = client._pool.lanes[here(port)]
        assert len(lane.idle) == 3
        newest = lane.idle[-1]
        await call(client, here(port))
        assert lane.idle[-1] is newest
        await eventually(lambda: client.connections == 3)


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    async with serving(Echo()) as (server, port), calling(idle_s=0.1) as client:
        await call(client, here(port))
        assert client.connections == 1
        await eventually(lambda: client.connections == 0)
        assert not client.clock.running
        await call(client, here(port))
        assert server.accepted == 2


async def test_a_connection_is_given_up_when_it_is_old() -> None:
    async with serving(Echo()) as (server, port), calling(max_age_s=0.0) as client:
        reused = []
        for _ in range(4):
            reused += (await call(client, here(port))).connects
            await asyncio.sleep(0.12)
        assert reused == [False, True, False, True]
        assert server.accepted == 2


async def test_the_patience_that_an_upstream_states_is_respected() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await request_of(reader)
            writer.write(OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=1, max=9\r\n\r\n"))

    async with raw_upstream(serve) as port, calling() as client:
        await call(client, here(port))
        await asyncio.sleep(0.1)
        assert (await call(client, here(port))).connects == [False]


# --- a dead idle connection -----------------------------------------------------------------------


async def test_a_call_on_a_dead_idle_connection_is_repeated_once_on_a_fresh_one() -> None:
    seen: list[bytes] = []
    answered = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        seen.append(await request_of(reader))
        writer.write(OK)
        answered += 1
        seen.append(await request_of(reader))  # and leave without an answer

    async with raw_upstream(serve) as port, calling() as client:
        await call(client, here(port), b"one")
        log = await call(client, here(port), b"two")
        assert log.ends == ["end"]
        assert log.connects == [True, False]
        assert [request[-3:] for request in seen] == [b"one", b"two", b"two"]
        assert answered == 2


async def test_a_call_that_fails_on_a_fresh_connection_is_not_repeated() -> None:
    seen = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await request_of(reader)
        seen += 1
        if seen == 1:
            writer.write(OK)
            await request_of(reader)

    async with raw_upstream(serve) as port, calling() as client:
        await call(client, here(port))
        log = await call(client, here(port))
        assert log.ends == ["reset"]
        assert log.connects == [True, False]
        assert seen == 2


async def test_a_reset_before_the_answer_is_a_reset() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with raw_upstream(serve) as port, calling() as client:
        assert (await call(client, here(port))).ends == ["reset"]


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "truncated"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "truncated"),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", "end"),
        (b"SMTP ready\r\n", "truncated"),
        (b"220 SMTP ready\r\n\r\n", "protocol"),
    ],
)
async def test_an_answer_that_ends_early_is_told_from_a_whole_one(answer: bytes, end: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer)

    async with raw_upstream(serve) as port, calling() as client:
        log = await call(client, here(port))
        assert log.ends == [end]
        assert log.message or end == "end"


async def test_an_answer_before_the_whole_request_was_sent_is_heard() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await asyncio.sleep(0.2)

    async with raw_upstream(serve) as port, calling() as client:
        log = await call(client, here(port), b"x" * 20_000_000)
        assert (log.status, log.ends) == (413, ["end"])
        await eventually(lambda: client.connections == 0)


# --- deadlines ------------------------------------------------------------------------------------


def quick(**seconds: float) -> Timeouts:
    return Timeouts(**({"connect_s": 5, "first_byte_s": 5, "idle_s": 5, "total_s": 5} | seconds))


async def test_an_upstream_that_does_not_answer_runs_out_of_time() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_upstream(serve) as port, calling() as client:
        log = await call(client, here(port), timeouts=quick(first_byte_s=0.1))
        assert log.ends == ["timeout_first_byte"]
        log = await call(client, here(port), timeouts=quick(first_byte_s=0, total_s=0.2))
        assert log.ends == ["timeout_total"]
        await eventually(lambda: client.connections == 0)


async def test_silence_inside_an_answer_runs_out_of_time_and_steady_bytes_do_not() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(8):
            writer.write(b"1\r\na\r\n")
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)

    async with raw_upstream(serve) as port, calling() as client:
        log = await call(client, here(port), timeouts=quick(idle_s=0.4))
        assert log.ends == ["timeout_idle"]
        assert log.body == b"a" * 8
        log = await call(client, here(port), timeouts=quick(total_s=0.4))
        assert log.ends == ["timeout_total"]


async def test_a_connection_that_does_not_come_about_runs_out_of_time() -> None:
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    port = full.getsockname()[1]
    fill = [socket.socket() for _ in range(8)]
    for sock in fill:
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", port))
    try:
        async with calling() as client:
            log = await call(client, here(port), timeouts=quick(connect_s=0.2))
            assert log.ends == ["timeout_connect"]
    finally:
        for sock in [*fill, full]:
            sock.close()


async def test_a_tls_handshake_that_hangs_runs_out_of_time() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_upstream(serve) as port, calling() as client:
        origin = Origin("https", "127.0.0.1", port)
        assert (await call(client, origin, timeouts=quick(connect_s=0.2))).ends == [
            "timeout_connect"
        ]
        await eventually(lambda: client.connections == 0)


async def test_a_refused_connection_is_a_connect_failure() -> None:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    sock.close()
    async with calling() as client:
        log = await call(client, here(port))
        assert log.ends == ["connect"]
        assert f"127.0.0.1:{port}" in log.message


# --- names ----------------------------------------------------------------------------------------


async def test_an_unknown_name_is_a_dns_failure() -> None:
    async with calling() as client:
        log = await call(client, Origin("http", "no-such-host.invalid", 80))
        assert log.ends == ["dns"]
        assert "no-such-host.invalid" in log.message
        log = await call(client, Origin("http", "x" * 70 + ".invalid", 80))
        assert log.ends == ["dns"]


async def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(Echo()) as (_, port), calling() as client:
        rows = [
            (socket.AF_INET, ("127.0.0.66", port)),
            (socket.AF_INET, ("127.0.0.1", port)),
        ]
        asked = 0

        async def getaddrinfo(*_: object, **__: object) -> list[object]:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.01)
            return list(rows)

        names = client.dialer._names
        monkeypatch.setattr(type(names), "_getaddrinfo", staticmethod(getaddrinfo))
        origin = Origin("http", "upstream.test", port)
        logs = await asyncio.gather(*(call(client, origin, b"%d" % n) for n in range(4)))
        assert [log.ends for log in logs] == [["end"]] * 4
        assert asked == 1


async def test_a_name_is_asked_again_after_its_time_and_kept_while_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[object] = [["127.0.0.1"], ["127.0.0.2"], OSError("no answer")]

    async def getaddrinfo(host: str, port: int) -> list[object]:
        found = answers.pop(0)
        if isinstance(found, OSError):
            raise found
        assert isinstance(found, list)
        return [(socket.AF_INET, (text, port)) for text in found]

    monkeypatch.setattr(dial.Names, "_getaddrinfo", staticmethod(getaddrinfo))
    names = dial.Names(0.0)
    found = [(await names.resolve("h", 1))[0][1][0] for _ in range(3)]
    assert found == ["127.0.0.1", "127.0.0.2", "127.0.0.2"]


async def test_an_address_that_is_not_allowed_is_not_called() -> None:
    async with serving(Echo()) as (server, port):
        asked: list[str] = []

        def allow(origin: Origin, address: str) -> bool:
            asked.append(address)
            return False

        async with calling(address_filter=allow) as client:
            log = await call(client, Origin("http", "localhost", port))
            assert log.ends == ["connect"]
            assert "127.0.0.1" in asked
            assert server.accepted == 0


# --- the caller -----------------------------------------------------------------------------------


async def test_a_paused_call_stops_the_upstream_and_goes_on_after_it() -> None:
    total = 30_000_000
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            writer.write(b"x" * 100_000)
            sent += 100_000
            await writer.drain()

    class Counting(Log):
        size = 0

        def on_body(self, data: bytes) -> None:
            self.size += len(data)

    async with raw_upstream(serve) as port, calling() as client:
        log = Counting()
        timeouts = quick(idle_s=0.3)
        running = client.send(here(port), POST % (b"h", 0), b"", log, timeouts)
        await log.begun.wait()
        running.pause()
        running.pause()
        await asyncio.sleep(0.1)
        size = log.size
        await asyncio.sleep(0.6)  # longer than the bound on silence
        assert log.size == size
        assert log.ends == []
        assert sent < total
        running.resume()
        running.resume()
        await asyncio.wait_for(log.over.wait(), 60)
        assert log.ends == ["end"]
        assert log.size == total


async def test_a_call_may_be_paused_before_it_is_connected() -> None:
    async with serving(Echo()) as (_, port), calling() as client:
        log = Log()
        running = client.send(here(port), POST % (b"h", 3), b"abc", log, Timeouts())
        running.pause()
        await asyncio.sleep(0.1)
        assert log.ends == []
        assert log.body == b""
        running.resume()
        await asyncio.wait_for(log.over.wait(), 60)
        assert log.body == b"abc"
        assert (await call(client, here(port), b"next")).connects == [True]


@pytest.mark.parametrize("when", ["at once", "connected", "begun", "over"])
async def test_a_cancelled_call_is_silent_and_closes_its_connection(when: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        if when in ("begun", "over"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        if when == "over":
            writer.write(b"k")
        await reader.read()

    async with raw_upstream(serve) as port, calling() as client:
        log = Log()
        running = client.send(here(port), POST % (b"h", 0), b"", log, Timeouts())
        if when == "connected":
            await eventually(lambda: log.connects)
        elif when == "begun":
            await log.begun.wait()
        elif when == "over":
            await log.over.wait()
        ends, log.ends = log.ends, []
        running.cancel()
        running.cancel()
        await asyncio.sleep(0.05)
        assert log.ends == []
        assert ends == (["end"] if when == "over" else [])
        assert client.connections == (1 if when == "over" else 0)


async def test_closing_the_client_fails_what_runs_and_refuses_what_comes() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_upstream(serve) as port, calling() as client:
        log = Log()
        client.send(here(port), POST % (b"h", 0), b"", log, Timeouts())
        await eventually(lambda: log.connects)
        await client.close()
        assert log.ends == ["reset"]
        assert (await call(client, here(port))).ends == ["connect"]


async def test_a_receiver_that_sends_again_at_the_end_reuses_the_connection() -> None:
    async with serving(Echo()) as (server, port), calling() as client:

        class Again(Log):
            def on_end(self) -> None:
                self.second = Log()
                client.send(here(port), POST % (b"h", 1), b"2", self.second, Timeouts())
                super().on_end()

        first = Again()
        client.send(here(port), POST % (b"h", 1), b"1", first, Timeouts())
        await first.over.wait()
        await asyncio.wait_for(first.second.over.wait(), 60)
        assert first.second.body == b"2"
        assert first.second.connects == [True]
        assert server.accepted == 1


async def test_a_call_leaves_no_cycle_behind() -> None:
    async with serving(Echo()) as (_, port), calling() as client:
        logs = []
        for _ in range(3):
            log = Log()
            log.call = client.send(  # type: ignore[attr-defined]
                here(port), POST % (b"h", 0), b"", log, Timeouts()
            )
            logs.append(weakref.ref(log))
            await log.over.wait()
            await asyncio.sleep(0.01)
        gc.disable()
        try:
            del log
            assert [ref() for ref in logs] == [None] * 3
        finally:
            gc.enable()
