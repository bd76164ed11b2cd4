"""Whole calls through the gateway's own code without sockets: bytes in at the server's protocol,
bytes out at transports that only remember them. The spool writes for real."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec

from stockpot.gateway import (
    GatewayPart,
    Key,
    Project,
    Record,
    Route,
    Target,
    WeightedTarget,
)
from stockpot.gateway.account import Accountant
from stockpot.gateway.attempts import Upstreams
from stockpot.gateway.cache import AnswerCache
from stockpot.gateway.face import Gateway
from stockpot.gateway.http.server import HttpServer
from stockpot.gateway.http.upstream import Origin, UpstreamClient
from stockpot.gateway.http.upstream_connection import UpstreamConnection
from stockpot.gateway.meters import Meters
from stockpot.gateway.snapshot import Carried, View
from stockpot.gateway.spool import Spool, read_entries

SECRET = "sk-sp-" + "w" * 43
ROOM = {"payload_quota": 1 << 30, "ledger_quota": 1 << 30, "disk_reserve": 0}


class Line(asyncio.Transport):
    """One side of a connection: remembers what was written."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.wrote = b""
        self.closed = False
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        self.wrote += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return None

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        return None

    def resume_reading(self) -> None:
        return None

    def says(self, data: bytes) -> None:
        """The peer sends."""
        self.protocol.data_received(data)

    @property
    def head(self) -> dict[str, str]:
        lines = self.wrote.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        return {"status": lines[0].split()[1], **dict(line.split(": ", 1) for line in lines[1:])}

    @property
    def body(self) -> bytes:
        """What was written after the head, with the chunks' framing taken off."""
        body = self.wrote.partition(b"\r\n\r\n")[2]
        if self.head.get("transfer-encoding") != "chunked":
            return body
        out = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            out, body = out + body[: int(size, 16)], body[int(size, 16) + 2 :]
        return out


class Walk:
    """A gateway with one route `m` to one target, and as many upstream connections as asked for."""

    def __init__(self, folder: Path, upstreams: int = 3, **key: Any) -> None:
        self.folder = folder
        self.spool = Spool.open(
            folder, "walk", fsync="never", loop=asyncio.get_running_loop(), **ROOM
        )
        self.client = UpstreamClient(proxy="")
        accountant = Accountant(self.spool, Meters())
        cache = AnswerCache(accountant, 1 << 24)
        self.gateway = Gateway(
            self.spool, accountant, Upstreams(self.client, accountant), cache=cache
        )
        self.server = HttpServer(self.gateway)
        self.serve(self.part(**key))
        lane = self.client._pool.lane(Origin("http", "up.test", 80))
        self.client.clock.start()
        self.upstreams = []
        for _ in range(upstreams):
            connection = UpstreamConnection(lane, None)  # type: ignore[arg-type]
            self.upstreams.append(Line(connection))
            lane.give_back(connection)

    def part(self, **key: Any) -> GatewayPart:
        from hashlib import sha256

        owner = Key("key_1", sha256(SECRET.encode()).digest(), "one", "menu", "dev")
        target = Target("t", "p", "openai", "http://up.test/v1", "m")
        return GatewayPart(
            (msgspec.structs.replace(owner, **key),),
            (Project("prj", "menu"),),
            (Route("m", ("chat",), (WeightedTarget("t"),), attempts=1),),
            (target,),
        )

    def serve(self, part: GatewayPart) -> None:
        self.gateway.view = View(1, part, Carried())

    def asks(
        self,
        body: dict[str, Any],
        path: str = "/v1/chat/completions",
        auth: str = f"authorization: Bearer {SECRET}",
        **headers: str,
    ) -> Line:
        """A client with a connection of its own sends one request."""
        line = Line(self.server.protocol_factory())
        data = json.dumps(body).encode()
        fields = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join([
            f"POST {path} HTTP/1.1", "host: x", auth, *fields, f"content-length: {len(data)}",
            "", "",
        ])  # fmt: skip
        line.says(head.encode() + data)
        return line

    @property
    def asked(self) -> list[Line]:
        """Upstream connections that a request went over, in no order."""
        return [line for line in self.upstreams if line.wrote]

    async def settle(self) -> None:
        """Until the spool has said that what was written is safe."""
        for _ in range(6):
            await asyncio.sleep(0)

    async def close(self) -> list[Record]:
        """Records in the order of writing."""
        await self.settle()
        await self.client.close()
        self.spool.close()
        return [
            entry
            for path in sorted(self.folder.rglob("*.ledger"))
            for _, entry, _ in read_entries(path, 0)
            if isinstance(entry, Record)
        ]


def whole(answer: dict[str, Any], status: int = 200) -> bytes:
    """An upstream's answer as one body."""
    body = json.dumps(answer).encode()
    head = b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
STREAM_END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk of an upstream's stream."""
    return b"%x\r\n%b\r\n" % (len(data), data)
