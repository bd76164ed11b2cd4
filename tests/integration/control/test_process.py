"""The control plane as a process: start, announcement, drain, one at a time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stockpot.core.client import Client
from stockpot.core.config import Settings, load
from stockpot.core.instance import Instance

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    def __init__(self, home: Path, **environ: str) -> None:
        self.settings: Settings = load(
            {
                "STOCKPOT_HOME": str(home),
                "STOCKPOT_PORT": str(free_port()),
                "STOCKPOT_DISCOVER": "no",
                **environ,
            }
        )
        self.instance = Instance(home)
        self.start()

    def start(self) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "stockpot.app", "control"],
            env={**os.environ, **self.settings.environment()},
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            facts = self.instance.announced("control") or {}
            if facts.get("pid") == self.child.pid:
                self.url = str(facts["url"])
                return
            assert self.child.poll() is None, self.child.communicate()[1]
            time.sleep(0.05)
        raise AssertionError("it does not start")

    def end(self, signo: int = signal.SIGTERM) -> tuple[int, str]:
        self.child.send_signal(signo)
        _, logs = self.child.communicate(timeout=30)
        return self.child.returncode, logs

    def client(self) -> Client:
        return Client.open(self.settings, self.instance)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "home")
    yield process
    if process.child.poll() is None:
        process.end(signal.SIGKILL)
    assert process.child.stderr is not None
    process.child.stderr.close()


def test_it_announces_itself_serves_and_ends_in_order(control: Process) -> None:
    assert httpx.get(f"{control.url}/readyz", trust_env=False, timeout=60).json() == {
        "status": "ready"
    }
    with control.client() as client:
        assert client.base_url == control.url
        client.post("/api/v1/keys", {"name": "app"})
    code, logs = control.end()
    assert code == 0
    assert control.instance.announced("control") is None
    lines = [json.loads(line) for line in logs.splitlines()]
    assert any("published revision" in line["message"] for line in lines)
    assert "sk-sp-" not in logs


async def test_a_waiting_worker_does_not_hold_up_the_end(control: Process) -> None:
    headers = {"authorization": f"Bearer {control.instance.internal_token}"}
    async with httpx.AsyncClient(base_url=control.url, headers=headers, timeout=40) as worker:
        now = (await worker.get("/internal/snapshot")).headers["x-stockpot-revision"]
        waiting = asyncio.create_task(worker.get("/internal/snapshot", params={"after": now}))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        code, _ = await asyncio.to_thread(control.end)
        assert code == 0
        assert time.monotonic() - began < 15
        assert (await waiting).status_code == 304


def test_what_was_committed_survives_a_kill(control: Process) -> None:
    with control.client() as client:
        made = client.post("/api/v1/keys", {"name": "app"})["record"]["id"]
    control.end(signal.SIGKILL)
    control.start()
    with control.client() as client:
        assert made in {key["id"] for key in client.get("/api/v1/keys")}


def test_a_command_goes_on_without_the_process(control: Process) -> None:
    from stockpot.app import control_app

    control.end(signal.SIGKILL)  # its announcement stays behind and is not believed
    with Client.open(
        control.settings, control.instance, lambda: control_app(control.settings, control.instance)
    ) as client:
        assert client.get("/readyz") == {"status": "ready"}
        assert client.post("/api/v1/keys", {"name": "app"})["key"].startswith("sk-sp-")


@pytest.mark.parametrize(("trusted", "second"), [("127.0.0.0/8", 401), ("", 429)])
def test_a_trusted_proxy_tells_for_whom_it_calls(tmp_path: Path, trusted: str, second: int) -> None:
    control = Process(tmp_path / "home", STOCKPOT_TRUSTED_PROXIES=trusted)
    try:
        wrong = {"email": "a@example.org", "password": "guess"}
        url = f"{control.url}/api/v1/session"

        def guess(caller: str) -> int:
            headers = {"x-forwarded-for": caller}
            return httpx.post(
                url, json=wrong, headers=headers, trust_env=False, timeout=60
            ).status_code

        assert [guess("203.0.113.7") for _ in range(4)] == [401, 401, 401, 429]
        assert guess("198.51.100.9") == second
    finally:
        control.end()


def test_the_console_was_built_for_this_api() -> None:
    document = Path(__file__).resolve().parents[3] / "web" / "openapi.json"
    command = [sys.executable, "-m", "stockpot.app", "openapi"]
    now = subprocess.run(command, capture_output=True, check=True).stdout
    assert document.read_bytes() == now, (
        "python -m stockpot.app openapi > web/openapi.json && npm --prefix web run api"
    )


def test_the_openapi_document_is_the_same_each_time_and_needs_no_instance(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stockpot.app", "openapi"]
    one, two = (
        subprocess.run(
            command,
            capture_output=True,
            check=True,
            env={**os.environ, "STOCKPOT_HOME": str(tmp_path / "none"), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    )
    assert one == two
    assert list(tmp_path.iterdir()) == []
    document = json.loads(one)
    assert document["info"]["title"] == "stockpot"
    assert "/internal/snapshot" not in document["paths"]
    ids = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(ids) == len(set(ids))
