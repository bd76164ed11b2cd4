"""A real HTTP ingest that keeps its offsets, and misbehaves where a test asks for it."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from stockpot.gateway.models import Shipment, ShipmentAck, Shipped

REPO = Path(__file__).resolve().parents[3]
TOKEN = "token-of-the-test"


class Ingest:
    """Takes shipments as the span log does: whole, at the committed offset, or not at all.

    `faults` names what may go wrong with a shipment, one of them drawn for each:
    `refuse` is a 503 before the commit, `forget` a commit whose answer never comes, `hang_up` a
    connection closed before the commit, `slow` an answer after a while. `status_of` may refuse
    a shipment for what it holds.
    """

    def __init__(self) -> None:
        self.items: list[tuple[str, Shipped]] = []
        self.offsets: dict[tuple[str, int], int] = {}
        self.faults: list[str] = []
        self.token = TOKEN
        self.chance = random.Random(7)
        self.repeated = self.posts = 0
        self.status_of: Callable[[Shipment], int] = lambda _: 200
        self.connections: list[socket.socket] = []
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"ingest": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, shipment: Shipment) -> tuple[int, int]:
        """Status and committed offset."""
        key = (shipment.stream, shipment.segment)
        with self._lock:
            committed = self.offsets.get(key, 0)
            if committed != shipment.begin:
                self.repeated += 1
                return 409, committed
            self.offsets[key] = shipment.end
            self.items += ((shipment.stream, item) for item in shipment.items)
            return 200, shipment.end

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    ingest: Ingest
    protocol_version = "HTTP/1.1"
    timeout = 5

    def setup(self) -> None:
        super().setup()
        self.ingest.connections.append(self.connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["authorization"] != f"Bearer {self.ingest.token}":
            self._answer(401, b"who are you?")
            return
        ingest = self.ingest
        ingest.posts += 1
        shipment = msgspec.msgpack.decode(body, type=Shipment)
        fault = ingest.chance.choice([*ingest.faults, ""]) if ingest.faults else ""
        asked = ingest.status_of(shipment)
        if asked != 200:
            self._answer(asked, b"not like this")
        elif fault == "refuse":
            self._answer(503, b"the store is busy")
        elif fault == "hang_up":
            self.close_connection = True
        else:
            status, offset = ingest.take(shipment)
            if fault == "slow":
                time.sleep(0.05)
            if fault == "forget":
                self.close_connection = True
                return
            ack = ShipmentAck(shipment.stream, shipment.segment, offset)
            self._answer(status, msgspec.msgpack.encode(ack))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/msgpack")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    server = Ingest()
    yield server
    server.stop()
