"""A whole instance: `stockpot up` in a fresh folder, with real models where they are pulled."""

from __future__ import annotations

import dataclasses
import json
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
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass
class Product:
    """A running instance. `ready` is what `stockpot up --json` printed."""

    home: Path
    environ: dict[str, str]
    ready: dict[str, Any] = dataclasses.field(default_factory=dict)
    child: subprocess.Popen[str] | None = None

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.environ['STOCKPOT_GATEWAY_PORT']}/v1"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.environ['STOCKPOT_PORT']}"

    def start(self) -> Product:
        argv = [sys.executable, "-m", "stockpot.cli", "up", "--json", "--no-pull"]
        with (self.home.parent / "up.log").open("ab") as log:
            self.child = subprocess.Popen(
                argv, env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, (self.home.parent / "up.log").read_text()
        self.ready = json.loads(line)
        return self

    def stop(self) -> int:
        assert self.child is not None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
        code = self.child.wait(40)
        if self.child.stdout is not None:
            self.child.stdout.close()
        return code

    def command(self, *arguments: str) -> str:
        """Run a command and return what it printed."""
        argv = [sys.executable, "-m", "stockpot.cli", *arguments]
        ran = subprocess.run(argv, env=self.environ, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr + ran.stdout
        return ran.stdout

    def cli(self, *arguments: str) -> Any:
        """Run a command with --json and return what it printed."""
        return json.loads(self.command(*arguments, "--json"))

    def processes(self) -> dict[str, dict[str, Any]]:
        rows = json.loads((self.home / "run/supervisor.json").read_text())
        return {row["name"]: row for row in rows}

    def key(self, name: str, *more: str) -> str:
        return str(self.cli("keys", "create", "--name", name, *more)["key"])

    def chat(self, key: str, **body: Any) -> httpx.Response:
        base = {"model": "echo", "messages": [{"role": "user", "content": "hello there"}]}
        headers = {"authorization": f"Bearer {key}"}
        url = f"{self.gateway}/chat/completions"
        return httpx.post(url, json={**base, **body}, headers=headers, timeout=60)

    def trace(self, trace_id: str, limit_s: float = 20.0) -> dict[str, Any]:
        """The root span's line of a trace, once it can be queried."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            for row in self.cli("traces", "list", "--limit", "50"):
                if row["trace_id"] == trace_id:
                    return dict(row)
            time.sleep(0.1)
        raise AssertionError(f"trace {trace_id} did not arrive")


def wait_until(check: Any, what: str, limit_s: float = 30.0) -> None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if check():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {limit_s:g} s")


def made(tmp_path: Path, **environ: str) -> Product:
    home = tmp_path / "home"
    home.mkdir()
    base = {
        **{k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")},
        "STOCKPOT_HOME": str(home),
        "STOCKPOT_GATEWAY_PORT": str(free_port()),
        "STOCKPOT_PORT": str(free_port()),
        "STOCKPOT_ENGINES": "none",
        "STOCKPOT_DISCOVER": "false",
    }
    return Product(home, {**base, **environ})


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """An instance with the echo model only."""
    running = made(tmp_path_factory.mktemp("product")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, models_home: Path) -> Iterator[Product]:
    """An instance with the default chat and embedding models."""
    running = made(tmp_path_factory.mktemp("real"), STOCKPOT_ENGINES="auto")
    (running.home / "models").symlink_to(models_home / "models")
    running.start()
    yield running
    running.stop()
