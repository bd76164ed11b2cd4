"""Workers are replaced one after the other under load, and no request fails."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.conftest import SECRET, Rig, free_port
from tests.vendors.openai_stub import OpenAIStub

pytestmark = pytest.mark.integration

BODY = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
HEADERS = {"authorization": f"Bearer {SECRET}"}


def listens(pid: int, port: int) -> bool:
    """Whether this process, of several on one port, listens there."""
    held = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    listening = {row[9] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    return bool(held & listening)


class Pair:
    """Two workers on one port."""

    def __init__(self, folder: Path, stub: OpenAIStub) -> None:
        self._rig = Rig(folder, stub)
        folder.mkdir()
        self._rig.route("small", self._rig.target("upstream-1"))
        self._rig.publish()
        self.port = free_port()
        self._control = free_port()
        self.children = [self._start(slot) for slot in range(2)]
        for child in self.children:
            self._ready(child)

    def _start(self, slot: int) -> subprocess.Popen[bytes]:
        environ = {
            **os.environ,
            "STOCKPOT_HOME": str(self._rig.home),
            "STOCKPOT_GATEWAY_PORT": str(self.port),
            "STOCKPOT_PORT": str(self._control),
            "STOCKPOT_LOG_LEVEL": "error",
        }
        return subprocess.Popen([sys.executable, "-m", "stockpot.worker", str(slot)], env=environ)

    def _ready(self, child: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if listens(child.pid, self.port):
                return
            assert child.poll() is None
            time.sleep(0.05)
        raise AssertionError("a worker does not listen")

    def replace(self, slot: int) -> None:
        self.children[slot].send_signal(signal.SIGTERM)
        assert self.children[slot].wait(30) == 0
        self.children[slot] = self._start(slot)
        self._ready(self.children[slot])

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(30)


@pytest.fixture
def pair(tmp_path: Path, stub: OpenAIStub) -> Iterator[Pair]:
    made = Pair(tmp_path / "home", stub)
    yield made
    made.stop()


def test_replacing_each_worker_in_turn_fails_no_request(pair: Pair) -> None:
    failures: list[str] = []
    done = [0]
    stop = threading.Event()
    url = f"http://127.0.0.1:{pair.port}/v1/chat/completions"

    def kept(pause_s: float) -> None:
        with httpx.Client(headers=HEADERS, timeout=60, trust_env=False) as client:
            while not stop.is_set():
                call(client)
                time.sleep(pause_s)

    def fresh() -> None:
        while not stop.is_set():
            with httpx.Client(headers=HEADERS, timeout=60, trust_env=False) as client:
                call(client)

    def call(client: httpx.Client) -> None:
        try:
            answer = client.post(url, json=BODY)
        except httpx.TransportError as error:
            failures.append(repr(error))
        else:
            if answer.status_code != 200:
                failures.append(answer.text)
        done[0] += 1

    threads = [threading.Thread(target=kept, args=(pause,)) for pause in (0, 0, 0.01, 0.1, 0.3)]
    threads += [threading.Thread(target=fresh) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for slot in (0, 1, 0):
            pair.replace(slot)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert done[0] > 200
    assert not failures, (len(failures), failures[:5])
