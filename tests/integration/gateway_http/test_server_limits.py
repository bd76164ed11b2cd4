"""The server and clients that are slow, many or late: deadlines, bounds, draining."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time

import pytest

from stockpot.gateway.http.server import ServerLimits
from tests.integration.gateway_http.conftest import Desk, Echo, eventually, serving
from tests.integration.gateway_http.test_server import GET, POST, client

SLOW = ServerLimits(header_timeout_s=0.2, body_timeout_s=0.2, write_timeout_s=0.3, keepalive_s=0.2)


async def test_a_head_that_drips_is_cut_off() -> None:
    async with serving(Echo(), SLOW) as (server, port), client(port) as c:
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for byte in GET:
                c.writer.write(bytes([byte]))
                await asyncio.sleep(0.02)
                if c.reader.at_eof() or server.cut:
                    break
        status, _, body = await c.answer()
        assert status == 408
        assert json.loads(body)["error"]["code"] == "request_timeout"
        assert time.monotonic() - begun < 10
        assert server.cut == 1


async def test_a_body_that_drips_is_cut_off() -> None:
    async with serving(Echo(), SLOW) as (_, port), client(port) as c:
        c.writer.write(POST % 1000)
        answer = asyncio.create_task(c.answer())
        while not answer.done():
            c.writer.write(b"x")
            await asyncio.sleep(0.02)
        assert (await answer)[0] == 408


async def test_a_large_body_that_makes_progress_is_not_cut_off() -> None:
    async with serving(Echo(), SLOW) as (_, port), client(port) as c:
        c.writer.write(POST % 600_000)
        for _ in range(30):
            c.writer.write(b"x" * 20_000)
            await asyncio.sleep(0.02)
        assert (await c.answer())[0] == 200


async def test_connections_that_say_nothing_are_closed() -> None:
    async with serving(Echo(), SLOW) as (server, port), client(port) as fresh, client(port) as used:
        used.writer.write(GET)
        await used.answer()
        assert await fresh.rest() == b""
        assert await used.rest() == b""
        await eventually(lambda: server.connections == 0)
        assert server.cut == 0


async def test_a_reader_that_stands_still_is_cut_off_and_its_answer_told() -> None:
    desk = Desk()
    async with serving(desk, SLOW) as (server, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, GET)
        exchange, heard = await desk.exchanges.get()
        exchange.start(200, [], b"x")
        while not heard.blocked.is_set():
            exchange.write(b"y" * 100_000)
            await asyncio.sleep(0)
        await asyncio.wait_for(heard.gone.wait(), 60)
        assert server.cut == 1
        await eventually(lambda: server.connections == 0)
        sock.close()


async def test_a_slow_handler_is_not_cut_off() -> None:
    desk = Desk()
    async with serving(desk, SLOW) as (_, port), client(port) as c:
        c.writer.write(GET)
        exchange, heard = await desk.exchanges.get()
        await asyncio.sleep(0.8)
        assert heard.calls == []
        exchange.respond(200, [], b"late")
        assert (await c.answer())[2] == b"late"


async def test_connections_beyond_the_limit_get_a_503() -> None:
    async with (
        serving(Echo(), ServerLimits(max_connections=1)) as (server, port),
        client(port) as first,
    ):
        first.writer.write(GET)
        assert (await first.answer())[0] == 200
        async with client(port) as second:
            status, headers, body = await second.answer()
            assert status == 503
            assert headers["connection"] == "close"
            assert json.loads(body)["error"]["type"] == "server_error"
            assert await second.rest() == b""
        first.writer.write(GET)
        assert (await first.answer())[0] == 200
        await eventually(lambda: server.connections == 1)


async def test_incomplete_bodies_share_a_bounded_room() -> None:
    limits = ServerLimits(max_buffered=1_000_000)
    async with serving(Echo(), limits) as (server, port), client(port) as a, client(port) as b:
        a.writer.write(POST % 800_000 + b"x" * 700_000)
        await eventually(lambda: server.room.used == 700_000)
        b.writer.write(POST % 800_000 + b"x" * 700_000)
        assert (await b.answer())[0] == 503
        a.writer.write(b"x" * 100_000)
        assert (await a.answer())[0] == 200
        assert server.room.used == 0


async def test_draining_finishes_what_runs_and_takes_no_more() -> None:
    desk = Desk()
    async with serving(desk) as (server, port), client(port) as idle, client(port) as busy:
        idle.writer.write(GET)
        (await desk.exchanges.get())[0].respond(200, [], b"")
        await idle.answer()
        busy.writer.write(GET)
        exchange, heard = await desk.exchanges.get()
        drained = asyncio.create_task(server.drain(5))
        assert await idle.rest() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        assert not drained.done()
        exchange.respond(200, [], b"whole")
        status, headers, body = await busy.answer()
        assert (status, body) == (200, b"whole")
        assert headers["connection"] == "close"
        assert await drained == 0
        assert heard.calls == []


async def test_draining_ends_a_stream_with_a_close_after_its_end() -> None:
    desk = Desk()
    async with serving(desk) as (server, port), client(port) as c:
        c.writer.write(GET)
        exchange, _ = await desk.exchanges.get()
        exchange.start(200, [], b"one")
        drained = asyncio.create_task(server.drain(5))
        await asyncio.sleep(0.05)
        exchange.finish(b"two")
        assert (await c.rest()).endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        assert await drained == 0


async def test_draining_cuts_what_does_not_end_in_time() -> None:
    desk = Desk()
    async with serving(desk) as (server, port), client(port) as c:
        c.writer.write(GET)
        _, heard = await desk.exchanges.get()
        assert await server.drain(0.05) == 1
        assert heard.calls == ["gone"]
        with contextlib.suppress(ConnectionError):
            assert await c.rest() == b""
