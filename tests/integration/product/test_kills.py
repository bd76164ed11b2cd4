"""SIGKILL of each process in turn: what still works, what comes back, and that nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.product.conftest import Product, made, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300), pytest.mark.xdist_group("kills")]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Product]:
    running = made(tmp_path).start()
    yield running
    running.stop()


class Traffic:
    """Calls in the background; keeps the traces of complete answers and the failures."""

    def __init__(self, product: Product, key: str) -> None:
        self.complete: list[str] = []
        self.failures: list[str] = []
        self._product, self._key = product, key
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self._product.chat(self._key)
            except httpx.TransportError as error:
                self.failures.append(repr(error))
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                self.complete.append(answer.headers["x-stockpot-trace-id"])
            else:
                self.failures.append(answer.text)
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def kill(product: Product, name: str) -> int:
    pid = int(product.processes()[name]["pid"])
    os.kill(pid, signal.SIGKILL)
    return pid


def back(product: Product, name: str, old: int) -> bool:
    row = product.processes()[name]
    return row["state"] == "running" and row["pid"] not in (None, old)


def stored(product: Product, traces: list[str]) -> bool:
    rows = product.cli("traces", "list", "--limit", "500")
    return set(traces[-400:]) <= {row["trace_id"] for row in rows}


def test_each_process_may_be_killed_under_traffic_and_nothing_is_lost(instance: Product) -> None:
    traffic = Traffic(instance, instance.key("steady"))
    wait_until(lambda: len(traffic.complete) > 5, "traffic")
    try:
        for name in ("control", "ingest", "shipper"):
            before, failed = len(traffic.complete), len(traffic.failures)
            old = kill(instance, name)
            wait_until(lambda n=before: len(traffic.complete) > n + 10, f"calls without {name}")
            assert len(traffic.failures) == failed, traffic.failures
            wait_until(lambda n=name, o=old: back(instance, n, o), f"the return of {name}", 60)
        old = kill(instance, "worker-0")
        wait_until(lambda: back(instance, "worker-0", old), "the return of the worker", 60)
        before = len(traffic.complete)
        wait_until(lambda: len(traffic.complete) > before + 5, "calls after the worker's return")
    finally:
        traffic.stop()
    wait_until(lambda: stored(instance, traffic.complete), "all records in the span log", 60)
    report = instance.cli("traces", "verify")
    assert report["lost"] == 0, report


def test_an_engine_that_is_killed_comes_back_at_its_address(instance: Product) -> None:
    key = instance.key("echoes")
    assert instance.chat(key).status_code == 200
    old = kill(instance, "engine-echo")
    wait_until(lambda: back(instance, "engine-echo", old), "the return of the engine")
    wait_until(lambda: instance.chat(key).status_code == 200, "an answer of the engine")


def test_a_worker_serves_a_cold_start_without_its_control_plane(instance: Product) -> None:
    key = instance.key("cold")
    assert instance.chat(key).status_code == 200
    assert instance.stop() == 0
    environ = {**instance.environ, "STOCKPOT_LOG_LEVEL": "warning"}
    import subprocess
    import sys

    echo = subprocess.Popen(
        [sys.executable, "-m", "stockpot.worker", "0"], env=environ, stderr=subprocess.DEVNULL
    )
    try:
        gateway = instance.gateway.removesuffix("/v1")

        def ready() -> bool:
            try:
                return httpx.get(f"{gateway}/readyz", timeout=60).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(ready, "the worker's start from the sealed snapshot")
        refused = instance.chat(key)
        assert refused.status_code == 502  # known key, known model; only the engine is away
    finally:
        echo.terminate()
        echo.wait(30)
