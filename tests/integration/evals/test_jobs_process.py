"""The process of jobs: does runs, survives kill -9, uses what a provider allows."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.core.config import load
from stockpot.core.jobs import Job
from stockpot.core.jobs import store as job_store
from stockpot.evals.clients import gateway_client
from stockpot.evals.engine import Engine, Plan
from stockpot.evals.models import Row, SuiteSpec
from stockpot.evals.scorers import made
from stockpot.evals.targets import Gateway
from tests.integration.control.plane import Plane, running
from tests.integration.evals.stand_in import StandIn
from tests.unit.evals.kept import Kept

pytestmark = pytest.mark.integration

SPEC: dict[str, Any] = {
    "name": "echo",
    "target": {"kind": "model", "model": "m"},
    "scorers": [{"use": "exact"}, {"use": "latency"}],
}
LAB = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["m"],
       "secret": "sk-0000"}  # fmt: skip


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"r{n}", "input": {"text": f"say {n}"}, "expected": f"say {n}"}
            for n in range(count)]  # fmt: skip


async def until(found: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := await found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
    return value


async def started(plane: Plane, count: int) -> str:
    admin = await plane.admin()
    assert (await admin.put("/api/v1/providers/lab", json=LAB)).is_success
    kept = await admin.post("/api/v1/evals/rowsets", json={"name": "echo", "rows": rows(count)})
    new = {"spec": SPEC, "rowset": kept.json()["hash"]}
    run = await admin.post("/api/v1/evals/runs", json=new)
    assert run.status_code == 201, run.text
    return str(run.json()["id"])


async def process(home: Path, port: int) -> asyncio.subprocess.Process:
    environ = {"STOCKPOT_HOME": str(home), "STOCKPOT_GATEWAY_PORT": str(port), "PATH": ""}
    environ |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "stockpot.jobs", env=environ)


async def test_a_run_goes_on_after_kill_9_and_repeats_only_what_was_in_flight(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    async with StandIn(took_s=0.05, most=10_000) as gateway, running(home) as plane:
        admin = await plane.admin()
        run = await started(plane, 150)
        assert (plane.instance.run / "jobs.wanted").exists()
        forgotten = await long_over(plane)
        first = await process(home, gateway.port)
        await until(lambda: _there(gateway.calls > 40))
        first.send_signal(signal.SIGKILL)
        await first.wait()
        second = await process(home, gateway.port)
        told = await until(lambda: over(admin, run))
        await until(forgotten)
        second.terminate()
        assert await second.wait() == 0
        assert (told["state"], told["progress"]["done"]) == ("done", 150)
        assert told["progress"]["failed"] == 0
        assert len(gateway.asked) == 150
        most = max(level for _, level in gateway.changes)
        assert gateway.calls <= 150 + most + 8  # those whose answer was not kept yet
        assert gateway.runs == {run}
        assert all(key.startswith("bearer sk-sp-") for key in gateway.keys)
        exact = next(m for m in told["metrics"] if m["metric"] == "exact")
        assert (exact["value"], exact["n"], exact["method"]) == (1.0, 150, "wilson")
        await one_is_a_trace(admin, run, gateway)
        await the_same_again_is_answered_from_what_is_kept(plane, home, gateway)


async def long_over(plane: Plane) -> Callable[[], Awaitable[bool]]:
    """A job that ended long ago; gives whether it is gone."""
    queue = plane.app.state.control.evals.queue
    old = Job(id="job_0", kind="check", subject="chr_0", payload={}, state="done", holder="",
              lease_ms=0, attempts=1, cancel=False, error="", created_ms=1,
              updated_ms=2)  # fmt: skip
    await plane.app.state.control.db.write(lambda c: job_store.add(c, old))

    async def gone() -> bool:
        return await queue.of(old.subject) is None

    assert not await gone()
    return gone


async def _there(value: bool) -> bool:
    return value


async def over(admin: httpx.AsyncClient, run: str) -> dict[str, Any] | None:
    told: dict[str, Any] = (await admin.get(f"/api/v1/evals/runs/{run}")).json()
    assert told["state"] != "failed", told["error"]
    return told if told["state"] == "done" else None


async def one_is_a_trace(admin: httpx.AsyncClient, run: str, gateway: StandIn) -> None:
    page = (await admin.get(f"/api/v1/evals/runs/{run}/rows", params={"limit": 500})).json()
    assert {row["trace_id"] for row in page["items"]} <= set(gateway.traces)
    assert len({row["trace_id"] for row in page["items"]}) == 150
    assert page["items"][7]["input"] == {"text": "say 7"}
    assert page["items"][7]["scores"]["exact"]["value"] == 1.0


async def the_same_again_is_answered_from_what_is_kept(
    plane: Plane, home: Path, gateway: StandIn
) -> None:
    before = gateway.calls
    admin = await plane.admin()
    run = await started(plane, 150)
    third = await process(home, gateway.port)
    told = await until(lambda: over(admin, run))
    third.terminate()
    await third.wait()
    assert gateway.calls == before
    assert told["progress"]["cached"] == 150


async def test_it_uses_what_a_provider_allows_and_no_more_for_long(tmp_path: Path) -> None:
    spec = SuiteSpec(**{**SPEC, "scorers": [{"use": "exact"}]})
    async with StandIn(took_s=0.5, most=16) as gateway:
        gateway.strangers = 1  # a worker that has not heard of the run's key yet
        kept = Kept()
        port = str(gateway.port)
        settings = load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_GATEWAY_PORT": port})
        client = gateway_client(settings, "sk-sp-new")
        caller = Gateway(spec.target, client, "run_1", {"kind": "model", "model": "m"})
        plan = Plan(spec, [Row(**row) for row in rows(240)])
        progress = await Engine(plan, kept, caller, [made(s) for s in spec.scorers], kept).run()
        await client.aclose()
    assert (progress.done, progress.failed) == (240, 0)
    assert gateway.calls == 240  # a refusal is no call
    assert gateway.refused < 60
    # On a busy machine the places wait for the processor too; `bench/evals.py` prints the figure.
    assert gateway.share_used() >= 0.75
