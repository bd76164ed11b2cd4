"""The server on real sockets, with stock clients and with rude ones."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import socket
import struct
from typing import Any

import httpx
import pytest

from stockpot.gateway.http.messages import Exchange, Request
from stockpot.gateway.http.server import Cors, ServerLimits
from tests.integration.gateway_http.conftest import Authority, Desk, Echo, eventually, serving

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"


class Client:
    """A client that sends what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer, framed by its Content-Length."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(line.split()[1]), headers, body

    async def rest(self) -> bytes:
        """Everything up to the end."""
        return await asyncio.wait_for(self.reader.read(), 60)

    def reset(self) -> None:
        """Break the connection off."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def client(port: int, **options: Any) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_a_stock_client_keeps_its_connection() -> None:
    async with (
        serving(Echo()) as (server, port),
        httpx.AsyncClient(trust_env=False, timeout=60) as stock,
    ):
        for size in (0, 1, 2000, 300_000):
            body = b"x" * size
            answer = await stock.post(f"http://127.0.0.1:{port}/p?q=1", content=body)
            assert answer.status_code == 200
            assert answer.content == body
            assert answer.headers["x-path"] == "/p"
            assert answer.headers["date"].endswith("GMT")
        assert server.accepted == 1


async def test_a_stock_client_sends_a_body_of_unknown_length() -> None:
    async def parts() -> Any:
        for number in range(100):
            yield b"%d," % number * 100

    async with (
        serving(Echo()) as (_, port),
        httpx.AsyncClient(trust_env=False, timeout=60) as stock,
    ):
        answer = await stock.post(f"http://127.0.0.1:{port}/", content=parts())
        assert answer.content == b"".join(b"%d," % number * 100 for number in range(100))


async def test_the_standard_library_client_is_served() -> None:
    def talk(port: int) -> list[tuple[int, bytes]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        seen = []
        for method, body in (("POST", b"abc"), ("HEAD", None), ("GET", None)):
            connection.request(method, "/", body)
            answer = connection.getresponse()
            seen.append((answer.status, answer.read()))
        connection.close()
        return seen

    async with serving(Echo()) as (_, port):
        seen = await asyncio.to_thread(talk, port)
    assert seen == [(200, b"abc"), (200, b""), (200, b"")]


async def test_tls_serves_the_same(authority: Authority) -> None:
    async with (
        serving(Echo(), tls=authority.server) as (_, port),
        httpx.AsyncClient(verify=authority.client, trust_env=False, timeout=60) as stock,
    ):
        body = b"x" * 200_000
        for _ in range(3):
            answer = await stock.post(f"https://localhost:{port}/", content=body)
            assert answer.content == body


async def test_a_streamed_answer_arrives_in_its_chunks() -> None:
    desk = Desk()
    async with serving(desk) as (_, port), client(port) as c:
        for _ in range(2):
            c.writer.write(GET)
            exchange, _ = await desk.exchanges.get()
            exchange.start(200, [(b"content-type", b"text/event-stream")], b"one")
            head = await c.reader.readuntil(b"3\r\none\r\n")
            assert b"transfer-encoding: chunked" in head
            assert b"content-length" not in head
            exchange.write(b"")
            exchange.write(b"two!")
            assert await c.reader.readuntil(b"4\r\ntwo!\r\n")
            exchange.write(b"x" * 100_000)
            assert await c.reader.readuntil(b"186a0\r\n") == b"186a0\r\n"
            assert await c.reader.readexactly(100_002) == b"x" * 100_000 + b"\r\n"
            exchange.finish(b"end")
            assert await c.reader.readuntil(b"\r\n0\r\n\r\n") == b"3\r\nend\r\n0\r\n\r\n"


async def test_an_http_1_0_client_reads_a_stream_until_the_close() -> None:
    desk = Desk()
    async with serving(desk) as (_, port), client(port) as c:
        c.writer.write(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        exchange, _ = await desk.exchanges.get()
        exchange.start(200, [], b"one")
        exchange.write(b"two")
        exchange.finish(b"three")
        head, _, body = (await c.rest()).partition(b"\r\n\r\n")
        assert body == b"onetwothree"
        assert b"transfer-encoding" not in head
        assert b"connection: close" in head


async def test_an_http_1_0_client_may_keep_its_connection() -> None:
    async with serving(Echo()) as (_, port), client(port) as c:
        for _ in range(2):
            c.writer.write(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            status, headers, _ = await c.answer()
            assert status == 200
            assert headers["connection"] == "keep-alive"
        c.writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert b"connection: close" in await c.rest()


async def test_a_stream_for_head_has_no_body() -> None:
    desk = Desk()
    async with serving(desk) as (_, port), client(port) as c:
        c.writer.write(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        exchange, _ = await desk.exchanges.get()
        exchange.start(200, [], b"one")
        exchange.finish(b"two")
        c.writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        exchange, _ = await desk.exchanges.get()
        exchange.respond(204, [], b"")
        seen = await c.rest()
        assert seen.count(b"\r\n\r\n") == 2
        assert b"one" not in seen
        assert seen.count(b"content-length") == 0


async def test_pipelined_requests_are_answered_in_order_one_at_a_time() -> None:
    desk = Desk()
    async with serving(desk) as (_, port), client(port) as c:
        for number in range(50):
            c.writer.write(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number)
        for number in range(50):
            exchange, _ = await desk.exchanges.get()
            await asyncio.sleep(0)
            assert desk.exchanges.empty()
            assert exchange.request.path == b"/%d" % number
            exchange.respond(200, [], b"%d" % number)
        for number in range(50):
            assert (await c.answer())[2] == b"%d" % number


async def test_what_waits_behind_a_late_answer_is_bounded_and_not_lost() -> None:
    desk = Desk()
    async with serving(desk) as (server, port), client(port) as c:
        count, body = 40, b"x" * 500_000
        c.writer.write(GET)
        first, _ = await desk.exchanges.get()
        for _ in range(count):
            c.writer.write(POST % len(body) + body)
        await asyncio.sleep(0.2)
        connection = next(iter(server._open))
        assert len(connection._held) < 400_000
        assert c.writer.transport.get_write_buffer_size() > 1_000_000  # it is still at the client
        first.respond(200, [], b"")
        for _ in range(count):
            exchange, _ = await asyncio.wait_for(desk.exchanges.get(), 60)
            assert exchange.request.body == body
            exchange.respond(200, [], b"")
        for _ in range(count + 1):
            assert (await c.answer())[0] == 200


async def test_a_client_that_asks_gets_a_100_before_it_sends() -> None:
    async with serving(Echo()) as (_, port), client(port) as c:
        head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        c.writer.write(head)
        assert await c.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        c.writer.write(b"abc")
        assert (await c.answer())[2] == b"abc"
        c.writer.write(head + b"def")  # did not wait
        status, _, body = await c.answer()
        assert (status, body) == (200, b"def")


async def test_a_body_that_is_too_large_is_refused_before_it_is_sent() -> None:
    async with serving(Echo(), ServerLimits(max_body=1000)) as (_, port), client(port) as c:
        c.writer.write(
            b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n"
        )
        status, headers, body = await c.answer()
        assert status == 413
        assert headers["connection"] == "close"
        assert "1000" in json.loads(body)["error"]["message"]


async def test_a_refusal_survives_a_client_that_goes_on_sending() -> None:
    async with serving(Echo(), ServerLimits(max_body=1000)) as (server, port), client(port) as c:
        c.writer.write(POST % 3_000_000 + b"x" * 3_000_000)
        await asyncio.sleep(0.1)
        status, _, _ = await c.answer()
        assert status == 413
        assert await c.rest() == b""
        c.writer.close()
        await eventually(lambda: server.connections == 0)


async def test_an_endless_sender_is_not_read_for_ever() -> None:
    async with serving(Echo(), ServerLimits(max_body=1000)) as (server, port), client(port) as c:
        c.writer.write(POST % 3_000_000)

        async def send() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    c.writer.write(b"x" * 1000)
                    await c.writer.drain()
                    await asyncio.sleep(0.01)

        sender = asyncio.create_task(send())
        await eventually(lambda: server.connections == 0)
        await asyncio.wait_for(sender, 60)


async def test_a_client_that_closes_while_its_answer_is_pending_is_gone() -> None:
    desk = Desk()
    async with serving(desk) as (server, port):
        for leave in ("close", "half", "reset"):
            async with client(port) as c:
                c.writer.write(GET)
                exchange, heard = await desk.exchanges.get()
                if leave == "close":
                    c.writer.close()
                elif leave == "half":
                    c.writer.write_eof()
                else:
                    c.reset()
                await asyncio.wait_for(heard.gone.wait(), 60)
                assert not exchange.writable
                exchange.start(200, [], b"x")  # does nothing
                exchange.write(b"x")
                exchange.finish()
                assert heard.calls == ["gone"]
            await eventually(lambda: server.connections == 0)


async def test_a_stream_to_a_client_that_resets_ends_quietly() -> None:
    desk = Desk()
    async with serving(desk) as (server, port):
        for _ in range(20):
            async with client(port) as c:
                c.writer.write(GET)
                exchange, heard = await desk.exchanges.get()
                exchange.start(200, [], b"x")
                await c.reader.readexactly(1)
                c.reset()
                while not heard.gone.is_set():  # writes meet the broken connection first
                    exchange.write(b"x" * 1000)
                    await asyncio.sleep(0)
        await eventually(lambda: server.connections == 0)


async def test_a_slow_reader_blocks_the_source_and_memory_stays_bounded() -> None:
    desk = Desk()
    async with serving(desk) as (server, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1000)
        writer.write(GET)
        exchange, heard = await desk.exchanges.get()
        exchange.start(200, [], b"x")
        sent = 0
        while not heard.blocked.is_set():
            assert sent < 50_000_000
            exchange.write(b"y" * 10_000)
            sent += 10_000
            await asyncio.sleep(0)
        assert not exchange.writable
        connection = next(iter(server._open))
        assert connection.transport.get_write_buffer_size() < 200_000
        total = asyncio.create_task(read_to_the_end(reader))
        await asyncio.wait_for(heard.writable.wait(), 60)
        assert exchange.writable
        exchange.finish(b"end")
        assert (await total).count(b"y" * 10_000) == sent // 10_000
        writer.close()


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """A whole chunked answer."""
    seen = b""
    while not seen.endswith(b"\r\n0\r\n\r\n"):
        data = await asyncio.wait_for(reader.read(1_000_000), 60)
        assert data
        seen += data
    return seen


async def test_a_client_that_never_reads_cannot_make_us_keep_its_answers() -> None:
    class Large:
        def handle(self, request: Request, exchange: Exchange) -> None:
            exchange.respond(200, [], b"z" * 50_000)

    async with serving(Large()) as (server, port):
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        sender = asyncio.ensure_future(loop.sock_sendall(sock, GET * 5000))
        await asyncio.sleep(0.5)
        connection = next(iter(server._open))
        assert connection.transport.get_write_buffer_size() < 500_000
        assert len(connection._held) < 400_000
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender
        sock.close()


async def test_a_preflight_is_answered_by_the_server() -> None:
    echo = Echo()
    cors = Cors(("https://app.example",))
    preflight = {"Access-Control-Request-Method": "POST"}
    async with (
        serving(echo, cors=cors) as (_, port),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
        ) as stock,
    ):
        good = {"Origin": "https://app.example"}
        answer = await stock.options("/v1/x", headers=good | preflight)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "authorization" in answer.headers["access-control-allow-headers"]
        bad = {"Origin": "https://evil.example"}
        answer = await stock.options("/v1/x", headers=bad | preflight)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert echo.requests == []
        answer = await stock.post("/v1/x", headers=good, content=b"")
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        answer = await stock.post("/v1/x", headers=bad, content=b"")
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


async def test_behind_a_trusted_proxy_the_client_is_whom_the_proxy_saw() -> None:
    echo = Echo()
    head = b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n\r\n"
    async with serving(echo, trusted_proxies=["127.0.0.0/8"]) as (_, port), client(port) as c:
        for _ in range(2):  # the second head is a repeated one
            c.writer.write(head)
            await c.answer()
    assert [request.client for request in echo.requests] == ["203.0.113.9"] * 2


async def test_a_failing_handler_gives_a_500_and_a_log_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing:
        def handle(self, request: Request, exchange: Exchange) -> None:
            if request.path == b"/started":
                exchange.start(200, [], b"begun")
            raise ValueError(request.body)

    async with serving(Failing()) as (_, port), client(port) as c:
        c.writer.write(POST % 6 + b"secret")
        status, _, body = await c.answer()
        assert status == 500
        assert json.loads(body)["error"]["type"] == "server_error"
        c.writer.write(b"GET /started HTTP/1.1\r\nHost: h\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert not (await c.rest()).endswith(b"0\r\n\r\n")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


async def test_answers_out_of_order_are_mistakes_that_are_told() -> None:
    desk = Desk()
    async with serving(desk) as (_, port), client(port) as c:
        c.writer.write(GET)
        exchange, _ = await desk.exchanges.get()
        with pytest.raises(RuntimeError, match="not started"):
            exchange.write(b"x")
        with pytest.raises(RuntimeError, match="not started"):
            exchange.finish()
        with pytest.raises(ValueError, match="no body"):
            exchange.start(204, [], b"x")
        with pytest.raises(ValueError, match="line break"):
            exchange.respond(200, [(b"x", b"a\r\nb: c")], b"")
        exchange.start(200, [], b"")
        with pytest.raises(RuntimeError, match="started"):
            exchange.respond(200, [], b"")
        exchange.finish()
        with pytest.raises(RuntimeError, match="finished"):
            exchange.finish()
        c.writer.write(GET)
        later, _ = await desk.exchanges.get()
        with pytest.raises(RuntimeError, match="finished"):
            exchange.write(b"into another's answer")
        later.respond(200, [], b"clean")
        head, _, rest = (await c.reader.readuntil(b"clean")).partition(b"0\r\n\r\n")
        assert b"transfer-encoding" in head
        assert rest.startswith(b"HTTP/1.1 200")


async def test_an_aborted_answer_is_not_taken_for_a_whole_one() -> None:
    desk = Desk()
    async with serving(desk) as (_, port), client(port) as c:
        c.writer.write(GET)
        exchange, heard = await desk.exchanges.get()
        exchange.start(200, [], b"one")
        await c.reader.readuntil(b"one\r\n")
        exchange.abort()
        exchange.abort()
        exchange.write(b"two")
        with contextlib.suppress(ConnectionError):
            assert await c.rest() == b""
        assert heard.calls == []


async def test_both_ends_send_at_once() -> None:
    desk = Desk()
    async with serving(desk) as (server, port), client(port) as c:
        c.writer.write(GET)
        await desk.exchanges.get()
        for connection in server._open:
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
