"""Checks done in this process, with handlers that reach a stand-in for the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from stockpot import traces
from stockpot.core.jobs import JobRunner
from stockpot.evals import RowsOfSets, open_checks, open_jobs
from stockpot.monitors import JOBS, CheckJobs
from stockpot.pipelines import PipelineDoer
from tests.integration.control.plane import ADDRESS, Plane
from tests.integration.evals.stand_in import StandIn
from tests.unit.traces.made import make_shipment, make_shipped

BEGAN = time.time()
"""The day of every budget is the day that this is in, also when tests run past midnight (UTC)."""
_shipments = iter(range(1, 1_000_000))


def called(
    plane: Plane, said: list[tuple[str, str]], ago_s: float = 1, **changes: Any
) -> list[str]:
    """Calls in the span log of the project `default`; the ids of their traces."""
    number = next(_shipments)
    start = int((time.time() - ago_s) * 1e9)
    items = [
        make_shipped(
            number * 1000 + n, said=one, **{"project": "default", "start_ns": start, **changes}
        )
        for n, one in enumerate(said)
    ]
    store = traces.open_store(plane.instance)
    traces.SpanLog(store).ingest(make_shipment(*items, stream=f"host-{number}"))
    store.close()
    return [item.record.trace_id.hex() for item in items]


def runners(plane: Plane, gateway: StandIn, folder: Path) -> list[JobRunner]:
    """What does every kind of job, in this process."""
    control = plane.app.state.control
    settings = plane.settings.replaced(gateway_port=gateway.port)
    sets = RowsOfSets(control.datasets.sets)
    doers = open_checks(
        control.db, plane.instance, settings, control.spans, control.scores, sets, lambda: BEGAN
    )
    token = {"authorization": f"Bearer {plane.instance.derive('cli')}"}

    def client() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(plane.app, client=("127.0.0.1", 50000))
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=token)

    checks = CheckJobs(control.db, {**doers, "pipeline": PipelineDoer(client, folder)})
    groups = (
        open_jobs(control.db, plane.instance, settings, control.scores),
        {JOBS["online"]: checks.handle}, {JOBS["pipeline"]: checks.handle},
    )  # fmt: skip
    return [JobRunner(control.evals.queue, some, look_every_s=0.05) for some in groups]


@contextlib.asynccontextmanager
async def at_work(plane: Plane, gateway: StandIn, folder: Path) -> AsyncIterator[None]:
    """Jobs are done as they come."""
    tasks = [asyncio.create_task(one.run()) for one in runners(plane, gateway, folder)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def worked(plane: Plane, gateway: StandIn, folder: Path) -> None:
    """Do every job that waits, and those that they start."""
    queue = plane.app.state.control.evals.queue
    deadline = time.monotonic() + 90
    async with at_work(plane, gateway, folder):
        while await queue.waiting():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def listening(plane: Plane) -> AsyncIterator[str]:
    """The control plane where other processes and the command line find it."""
    server = uvicorn.Server(uvicorn.Config(plane.app, log_level="critical", lifespan="off"))
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        serving = asyncio.create_task(server.serve([door]))
        plane.instance.announce("control", {"url": url})
        yield url
        server.should_exit = True
        await serving


async def ok(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    """An answer that has to be one."""
    answer = await client.request(method, f"/api/v1{path}", json=body)
    assert answer.is_success, (method, path, answer.text)
    return answer.json() if answer.content else None


async def ran(
    plane: Plane, gateway: StandIn, admin: httpx.AsyncClient, check: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """A run of a check, from its start to its end."""
    run = await ok(admin, "POST", f"/checks/{check['id']}/runs")
    await worked(plane, gateway, folder)
    told: dict[str, Any] = await ok(admin, "GET", f"/check-runs/{run['id']}")
    assert told["state"] == "done", told
    return told
