"""A real worker process in front of a vendor stub, serving from a sealed snapshot of our making."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from stockpot.core.instance import Instance
from stockpot.gateway import (
    GatewayPart,
    Key,
    Limits,
    Part,
    Project,
    Record,
    Route,
    Snapshot,
    Target,
    Timeouts,
    WeightedTarget,
)
from stockpot.gateway.spool import read_entries
from stockpot.prices import PriceRow
from tests.vendors.openai_stub import VENDOR_KEY, OpenAIStub

SECRET = "sk-sp-" + "t" * 43
PRICE = PriceRow("test-1", 0, input=2_000_000, output=8_000_000, cache_read=500_000)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def key(**changes: Any) -> Key:
    base = Key(
        "key_t",
        hashlib.sha256(SECRET.encode()).digest(),
        "test",
        "default",
        "dev",
    )
    return msgspec.structs.replace(base, **changes)


@dataclasses.dataclass
class Rig:
    """One worker. Change the fields before `start`."""

    home: Path
    stub: OpenAIStub
    keys: tuple[Key, ...] = (key(),)
    projects: tuple[Project, ...] = (Project("prj", "default", Limits()),)
    routes: tuple[Route, ...] = ()
    targets: tuple[Target, ...] = ()
    parts: tuple[Part, ...] = ()
    environ: dict[str, str] = dataclasses.field(default_factory=dict)
    port: int = 0
    child: subprocess.Popen[bytes] | None = None

    def target(self, model: str, **changes: Any) -> Target:
        base = Target(
            id=model,
            provider="stub",
            wire="openai",
            base_url=self.stub.url,
            model=model,
            headers=(("authorization", f"Bearer {VENDOR_KEY}"),),
            timeouts=Timeouts(1.0, 2.0, 1.0, 10.0),
            prices=(PRICE,),
        )
        return msgspec.structs.replace(base, **changes)

    def route(self, name: str, *targets: Target, **changes: Any) -> None:
        """Add a route; targets are tried in the order given."""
        known = {t.id for t in self.targets}
        self.targets += tuple(t for t in targets if t.id not in known)
        tiers = tuple(WeightedTarget(t.id, 1, tier) for tier, t in enumerate(targets))
        base = Route(name, ("chat", "completions", "embeddings"), tiers, backoff_ms=5)
        self.routes += (msgspec.structs.replace(base, **changes),)

    def publish(self) -> None:
        part = GatewayPart(self.keys, self.projects, self.routes, self.targets)
        snapshot = Snapshot(7, 0, (Part("gateway", 1, msgspec.msgpack.encode(part)), *self.parts))
        instance = Instance(self.home)
        sealed = instance.seal(msgspec.msgpack.encode(snapshot))
        (instance.run / "snapshot.sealed").write_bytes(sealed)

    def start(self) -> Rig:
        if not self.routes:
            self.route("small", self.target("upstream-1"))
        self.publish()
        self.port = free_port()
        environ = {
            **os.environ,
            "STOCKPOT_HOME": str(self.home),
            "STOCKPOT_GATEWAY_PORT": str(self.port),
            "STOCKPOT_PORT": str(free_port()),
            **self.environ,
        }
        argv = [sys.executable, "-X", "dev", "-W", "default", "-m", "stockpot.worker", "0"]
        with (self.home / "worker.log").open("ab") as log:
            self.child = subprocess.Popen(argv, env=environ, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=60).status_code == 200:
                    return self
            except httpx.TransportError:
                assert self.child.poll() is None, (self.home / "worker.log").read_text()
            time.sleep(0.03)
        raise AssertionError((self.home / "worker.log").read_text())

    def stop(self, how: int = signal.SIGTERM) -> str:
        """Stop the worker; returns what it logged."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(how)
            self.child.wait(60)
        return (self.home / "worker.log").read_text() if self.child else ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def post(self, path: str = "/chat/completions", **body: Any) -> httpx.Response:
        headers = body.pop("headers", {})
        base = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
        body = {**base, **body} if path == "/chat/completions" else body
        auth = {"authorization": f"Bearer {SECRET}"}
        return httpx.post(self.url + path, json=body, headers={**auth, **headers}, timeout=60)

    def records(self, count: int = 1) -> list[Record]:
        """Records in the spool, waiting until there are at least `count`."""
        until = time.monotonic() + 5
        while True:
            found = [
                entry
                for path in sorted((self.home / "spool").glob("*/*.ledger"))
                for _, entry, _ in read_entries(path, 0)
                if isinstance(entry, Record)
            ]
            if len(found) >= count or time.monotonic() > until:
                assert len(found) >= count, found
                return found
            time.sleep(0.02)


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with OpenAIStub() as running:
        yield running


@pytest.fixture
def rig(tmp_path: Path, stub: OpenAIStub) -> Iterator[Rig]:
    made = Rig(tmp_path / "home", stub)
    made.home.mkdir()
    yield made
    log = made.stop()
    assert "Traceback" not in log, log
    assert SECRET not in log
    assert VENDOR_KEY not in log
