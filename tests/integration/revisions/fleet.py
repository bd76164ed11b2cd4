"""A control plane and two gateway workers as real processes, in front of a vendor stub."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.core.instance import Instance
from tests.running import clean_environment, eventually, free_ports
from tests.vendors.openai_stub import OpenAIStub

KEY = "sk-sp-" + "f" * 43


def file(stub: OpenAIStub, model: str, more: str = "") -> str:
    return f"""
[providers.stub]
vendor = "openai-compatible"
base_url = "{stub.url}"
secret = "env:STUB_KEY"
models = ["good", "bad"]
[aliases.main]
targets = [{{provider = "stub", model = "{model}"}}]
attempts = 1
[keys.app]
secret = "env:APP_KEY"
{more}
"""


class Fleet:
    """Two workers, each on a port of its own so that a test can speak to either."""

    def __init__(self, home: Path, stub: OpenAIStub) -> None:
        self.home, self.stub = home, stub
        control, self.ports = free_ports()[0], free_ports()
        home.mkdir()
        base = clean_environment(home, (self.ports[0], control))
        self.environ = {**base, "STUB_KEY": "sk-vendor-secret-1234", "APP_KEY": KEY}
        self.environ["STOCKPOT_WORKERS"] = "2"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.clients: list[httpx.Client] = []
        token = Instance(home).derive("cli")
        self.api = httpx.Client(
            base_url=f"http://127.0.0.1:{control}/api/v1",
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
        )

    def __enter__(self) -> Fleet:
        try:
            return self._started()
        except BaseException:
            self.__exit__()
            raise

    def _started(self) -> Fleet:
        self.start("stockpot.app", "control")
        eventually(lambda: (self.home / "run" / "control.json").exists())
        for slot, port in enumerate(self.ports):
            self.start("stockpot.worker", str(slot), port)
        self.clients += [
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}/v1",
                headers={"authorization": f"Bearer {KEY}"},
                timeout=60,
            )
            for port in self.ports
        ]
        eventually(lambda: self.api.get("instance").json()["workers"] == 2)
        return self

    def start(self, module: str, word: str, port: int | None = None) -> None:
        more = {"STOCKPOT_GATEWAY_PORT": str(port)} if port else {}
        with (self.home / f"{word}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", module, word],
                    env={**os.environ, **self.environ, **more},
                    stdout=log,
                    stderr=log,
                )
            )

    def apply(self, toml: str, **more: Any) -> dict[str, Any]:
        answer = self.api.post("apply", json={"toml": toml, **more})
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def revision(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"revisions/{number}").json()["revision"]
        return found

    def chat(self, worker: int, model: str = "main") -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        return self.clients[worker].post("chat/completions", json=body)

    def __exit__(self, *_: object) -> None:
        for client in (self.api, *self.clients):
            client.close()
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(60)


class Traffic:
    """Calls both workers in turn until the block ends; keeps the statuses that each answered."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._ended = threading.Event()
        self.statuses: tuple[list[int], list[int]] = ([], [])
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(2)]

    def _call(self, worker: int) -> None:
        while not self._ended.is_set():
            self.statuses[worker].append(self._fleet.chat(worker).status_code)
            time.sleep(0.02)

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with OpenAIStub() as running:
        yield running


@pytest.fixture
def fleet(tmp_path: Path, stub: OpenAIStub) -> Iterator[Fleet]:
    with Fleet(tmp_path / "home", stub) as made:
        yield made
