"""The playground passes bytes through and hangs up upstream when its client leaves."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn
from fastapi import FastAPI

from stockpot.gateway import GatewayPart, Snapshot
from tests.integration.control.plane import running

pytestmark = pytest.mark.integration

PIECES = [b'data: {"choices":[{"delta":{"content":"\xc3\xa9"}}]}\n\n', b"data: [DO", b"NE]\n\n"]


class Gateway:
    """Stands where the gateway listens; answers what the test says, byte for byte."""

    def __init__(self) -> None:
        self.status = 200
        self.silent = False
        self.endless = False
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.left = asyncio.Event()
        self.arrived = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.split("\r\n")
            pairs = (h.split(": ", 1) for h in rest if h)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append((line.split(" ")[1], headers, body))
            self.arrived.set()
            if not self.silent:
                await self._answer(writer)
            if self.endless or self.silent:
                await reader.read()
        self.left.set()
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 {self.status} X\r\ncontent-type: text/event-stream\r\n"
            "x-stockpot-trace-id: 0123\r\nserver-timing: upstream;dur=1.5\r\n"
            "x-ratelimit-remaining-requests: 9\r\nset-cookie: no=1\r\n"
            "transfer-encoding: chunked\r\nconnection: close\r\n\r\n".encode()
        )
        for piece in PIECES:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0.01)
        if not self.endless:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    stub = Gateway()
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    stub.port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield stub
    server.close()


@contextlib.asynccontextmanager
async def console(home: Path, gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A real server of the control plane, and a client that is the command line."""
    async with running(home, gateway_port=gateway.port) as plane:  # type: ignore[attr-defined]
        plane.app.router.lifespan_context = _already_started
        server = _server(plane.app)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            headers = {"authorization": f"Bearer {plane.instance.derive('cli')}"}
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
                client.plane = plane  # type: ignore[attr-defined]
                yield client
            server.should_exit = True
            await serving


def _server(app: FastAPI) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))


@contextlib.asynccontextmanager
async def _already_started(_: FastAPI) -> AsyncIterator[None]:
    yield


async def test_bytes_pass_as_they_are_with_the_gateways_own_headers(
    tmp_path: Path, gateway: Gateway
) -> None:
    sent = b'{"model": "echo",  "messages": [], "stream": true, "x": "\xc3\xa9"}'
    async with (
        console(tmp_path, gateway) as client,
        client.stream("POST", "/api/v1/playground/chat", content=sent) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["x-stockpot-trace-id"] == "0123"
        assert answer.headers["server-timing"] == "upstream;dur=1.5"
        assert answer.headers["x-ratelimit-remaining-requests"] == "9"
        assert "set-cookie" not in answer.headers
        got = b"".join([piece async for piece in answer.aiter_raw()])
    assert got == b"".join(PIECES)
    ((path, headers, body),) = gateway.requests
    assert (path, body) == ("/v1/chat/completions", sent)
    assert headers["authorization"].startswith("Bearer sk-sp-")
    assert "cookie" not in headers


async def test_the_playgrounds_key_is_an_ordinary_key(tmp_path: Path, gateway: Gateway) -> None:
    async with console(tmp_path, gateway) as client:
        for project in ({}, {}, {"x-stockpot-project": "menu"}):
            if project:
                await client.post("/api/v1/projects", json={"name": "menu"})
            answer = await client.post("/api/v1/playground/chat", content=b"{}", headers=project)
            assert answer.status_code == 200
        keys = (await client.get("/api/v1/keys")).json()
        assert [(k["name"], k["project"]) for k in keys] == [
            ("playground", "menu"),
            ("playground", "default"),
        ]
        plane = client.plane  # type: ignore[attr-defined]
        answer = await (await plane.worker()).get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
    shown = {h["authorization"].removeprefix("Bearer ") for _, h, _ in gateway.requests}
    assert len(shown) == 2
    assert {hashlib.sha256(s.encode()).digest() for s in shown} == {key.hash for key in part.keys}


async def test_an_error_of_the_gateway_passes_too(tmp_path: Path, gateway: Gateway) -> None:
    gateway.status = 429
    async with (
        console(tmp_path, gateway) as client,
        client.stream("POST", "/api/v1/playground/chat", content=b"{}") as answer,
    ):
        assert answer.status_code == 429


@pytest.mark.parametrize("silent", [True, False])
async def test_a_client_that_leaves_cancels_the_call(
    tmp_path: Path, gateway: Gateway, silent: bool
) -> None:
    gateway.silent, gateway.endless = silent, not silent
    async with console(tmp_path, gateway) as client:
        call = asyncio.create_task(_first_piece(client))
        await asyncio.wait_for(gateway.arrived.wait(), 60)
        if silent:
            call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.wait_for(gateway.left.wait(), 60)


async def _first_piece(client: httpx.AsyncClient) -> None:
    async with client.stream("POST", "/api/v1/playground/chat", content=b"{}") as answer:
        async for _ in answer.aiter_raw():
            return


async def test_a_gateway_that_is_away_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        port = taken.getsockname()[1]
        async with running(tmp_path, gateway_port=port) as plane:
            answer = await (await plane.admin()).post("/api/v1/playground/chat", content=b"{}")
            assert answer.status_code == 503
            assert "the gateway does not answer" in answer.json()["error"]["message"]
            plane.instance.announce(
                "engines/echo",
                {"name": "echo", "url": "http://127.0.0.1:1/v1", "model": "echo", "kind": "chat",
                 "pid": 1, "engine": "echo", "smoke": False, "context": 0},
            )  # fmt: skip
            await (await plane.admin()).get("/api/v1/instance")
            tried = (await (await plane.admin()).post("/api/v1/models/echo/test")).json()
            assert tried["ok"] is False
            assert "does not answer" in tried["error"]
