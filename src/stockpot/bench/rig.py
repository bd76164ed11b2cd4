"""The bench's rig: a mock upstream and a real worker, shipper and ingest in a folder of their own.

Knows snapshots and processes; measures nothing itself. The worker runs with every feature on: key,
three limiters, a budget, a route with a fallback, a price, payloads recorded in full.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import msgspec

from stockpot.bench.processes import Process, compiled, cores, free_port, listening, wait_for
from stockpot.core.instance import Instance
from stockpot.gateway import (
    GatewayPart,
    Key,
    Limits,
    Part,
    Project,
    Route,
    Snapshot,
    Target,
    WeightedTarget,
)
from stockpot.prices import PriceRow

SECRET = "sk-sp-" + "b" * 43
HUGE = 1_000_000_000
CHUNKS = 50
_PRICE = PriceRow("bench", 0, 150_000, 600_000, 75_000, source="made up for the bench")


class Rig:
    """Starts and stops what is measured. `mock_port` and `port` speak the same dialect."""

    def __init__(self, folder: Path, *, upstream: str = "", ca: str = "") -> None:
        self.folder = folder
        self.instance = Instance(folder / "home")
        self.program = compiled(folder)
        self.port, self.mock_port = free_port(), free_port()
        usable = cores()
        self.core, self.other = usable[0], usable[-1]
        self._upstream = upstream
        self._ca = ca
        self.mock: Process | None = None
        self.worker: Process | None = None
        self.beside: list[Process] = []

    # starting and stopping

    def start_mock(self, interval_us: int) -> None:
        if self.mock is not None:
            self.mock.stop()
        if self.program is not None:
            argv = [str(self.program), "serve"]
        else:
            argv = [sys.executable, "-m", "stockpot.bench.mock"]
        argv += [str(self.mock_port), str(CHUNKS), str(interval_us)]
        self.mock = Process(argv, self.folder / "mock.log", core=self.other)
        wait_for(lambda: listening(self.mock_port), "the mock upstream's start")

    more: tuple[Part, ...] = ()
    """Parts of the snapshot besides the gateway's."""

    def start_worker(self) -> Process:
        if self.worker is not None:
            self.worker.stop()
        self._publish()
        argv = [sys.executable, "-O", "-m", "stockpot.worker", "0"]
        log = self.folder / "worker.log"
        self.worker = Process(argv, log, self._environ(), core=self.core)
        wait_for(lambda: listening(self.port), f"the worker's start (see {log})")
        return self.worker

    def start_drain(self) -> tuple[Process, Process]:
        """Ingest and shipper, on the other processor."""
        ingest = Process(
            [sys.executable, "-m", "stockpot.ingest"],
            self.folder / "ingest.log",
            self._environ(),
            core=self.other,
        )
        wait_for(lambda: self.instance.announced("ingest") is not None, "the start of ingest", 30)
        self.beside.append(ingest)
        return ingest, self.start_shipper()

    def start_shipper(self) -> Process:
        argv = [sys.executable, "-m", "stockpot.worker", "ship"]
        log = self.folder / "ship.log"
        shipper = Process(argv, log, self._environ(), core=self.other)
        self.beside.append(shipper)
        return shipper

    def stop(self) -> None:
        for process in (self.worker, *reversed(self.beside), self.mock):
            if process is not None:
                process.stop()

    def _environ(self) -> dict[str, str]:
        dead = free_port()  # no control plane: the worker serves from the sealed snapshot
        return {
            "STOCKPOT_HOME": str(self.instance.home),
            "STOCKPOT_GATEWAY_PORT": str(self.port),
            "STOCKPOT_PORT": str(dead),
            "STOCKPOT_LOG_LEVEL": "error",
            "STOCKPOT_UPSTREAM_CA": self._ca,
            "HTTPS_PROXY": "",
        }

    # what the worker serves from

    def _publish(self) -> None:
        part = self.part()
        snapshot = Snapshot(
            1,
            int(time.time() * 1000),
            (Part("gateway", 1, msgspec.msgpack.encode(part)), *self.more),
        )
        sealed = self.instance.seal(msgspec.msgpack.encode(snapshot))
        (self.instance.run / "snapshot.sealed").write_bytes(sealed)

    def part(self) -> GatewayPart:
        main = self._upstream or f"http://127.0.0.1:{self.mock_port}/v1"
        spare = f"http://127.0.0.1:{self.mock_port}/v1"
        targets = tuple(
            Target(name, "mock", "openai", url, "mock", prices=(_PRICE,))
            for name, url in (("main", main), ("spare", spare))
        )
        limits = Limits(rpm=HUGE, tpm=HUGE * 1000, concurrency=100_000)
        key = Key(
            "key_bench",
            hashlib.sha256(SECRET.encode()).digest(),
            "bench",
            "bench",
            "production",
            limits=limits,
            payloads="full",
        )
        shares = (WeightedTarget("main", 1, 0), WeightedTarget("spare", 1, 1))
        route = Route("bench-model", ("chat",), shares)
        return GatewayPart((key,), (Project("prj_bench", "bench"),), (route,), targets)


def request(port: int, *, stream: bool = False, prompt_bytes: int = 2048) -> bytes:
    """A whole HTTP request as a stock SDK sends it, with a prompt of about that size."""
    body = json.dumps(
        {
            "model": "bench-model",
            "messages": [
                {"role": "system", "content": "You are terse."},
                {"role": "user", "content": ("lorem ipsum dolor sit amet " * 9000)[:prompt_bytes]},
            ],
            "temperature": 0.2,
            "max_tokens": 256,
            "stream": stream,
        },
        separators=(",", ":"),
    ).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {SECRET}\r\n"
        "Content-Type: application/json\r\nAccept: application/json\r\n"
        "User-Agent: OpenAI/Python 2.0\r\nX-Stainless-Lang: python\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
