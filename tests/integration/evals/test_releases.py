"""From a data set to a label: a run on a prompt's version, its gate, and the move that asks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stockpot.access import SYSTEM
from stockpot.core.jobs import JobRunner
from stockpot.evals import open_jobs
from stockpot.evals.models import RunStep
from tests.integration.control.plane import Plane
from tests.integration.evals.stand_in import StandIn
from tests.integration.evals.test_jobs_process import LAB

pytestmark = pytest.mark.integration

SUITE: dict[str, Any] = {
    "name": "menu",
    "dataset": "dishes",
    "target": {"kind": "prompt", "prompt": "menu@2"},
    "scorers": [{"use": "regex", "name": "says", "options": {"pattern": "dish"}},
                {"use": "semantic", "options": {"model": "m"}}],
    "slices": ["metadata.lang"],
}  # fmt: skip


async def finished(plane: Plane, gateway: StandIn, run: dict[str, Any]) -> dict[str, Any]:
    """Do what waits, with handlers that reach the stand-in."""
    control = plane.app.state.control
    settings = plane.settings.replaced(gateway_port=gateway.port)
    handlers = open_jobs(control.db, plane.instance, settings)
    runner = asyncio.create_task(JobRunner(control.evals.queue, handlers).run())
    admin, deadline = await plane.admin(), time.monotonic() + 60
    while run["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
        run = (await admin.get(f"/api/v1/evals/runs/{run['id']}")).json()
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    assert run["state"] == "done", run["error"]
    return run


async def prepared(plane: Plane) -> httpx.AsyncClient:
    """A prompt with two versions, a data set and a suite."""
    admin = await plane.admin()

    async def ok(method: str, path: str, body: Any) -> Any:
        answer = await admin.request(method, f"/api/v1{path}", json=body)
        assert answer.is_success, (path, answer.text)
        return answer.json()

    await ok("PUT", "/providers/lab", LAB)
    await ok(
        "POST", "/prompts", {"name": "menu", "content": {"body": "A {{ dish }}.", "model": "m"}}
    )
    second = {"content": {"body": "The {{ dish }}.", "model": "m"}}
    await ok("POST", "/prompts/menu/versions", second)
    await ok("POST", "/datasets", {"name": "dishes"})
    rows = [{"id": f"r{n}", "input": {"dish": f"dish {n}"}, "expected": f"dish {n}",
             "metadata": {"lang": "de" if n % 2 else "en"}} for n in range(6)]  # fmt: skip
    await ok("POST", "/datasets/dishes/rows", {"rows": rows})
    await ok("PUT", "/evals/suites", SUITE)
    await ok("PUT", "/prompt-protections", {"label": "production", "evaluation": True})
    return admin


async def test_a_protected_label_moves_to_a_version_that_passed_and_to_no_other(
    plane: Plane, stand_in: StandIn
) -> None:
    admin = await prepared(plane)
    forecast = (await admin.post("/api/v1/evals/forecast", json={"suite": "menu"})).json()
    assert (forecast["rows"], forecast["calls"], forecast["cached"]) == (6, 6, 0)
    assert {one["metric"] for one in forecast["detectable"]} == {"says"}
    browser = await plane.signed_in()
    wanted = {"label": "production", "version": 2}
    proposal = (await browser.post("/api/v1/prompts/menu/proposals", json=wanted)).json()["id"]
    approving = f"/api/v1/prompt-proposals/{proposal}/approve"
    refused = await admin.post(approving, json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_evaluated")
    started = await admin.post("/api/v1/evals/runs", json={"suite": "menu"})
    assert started.status_code == 201, started.text
    run = await finished(plane, stand_in, started.json())
    assert (run["dataset"], run["dataset_version"]) == ("dishes", 1)
    assert (run["arm"]["prompt_version"], run["arm"]["model"]) == (2, "m")
    assert (await admin.post(approving, json={})).status_code == 409  # no gate was asked yet
    gate = (await admin.post(f"/api/v1/evals/runs/{run['id']}/gate")).json()
    assert gate["passed"], gate
    assert (await admin.post(approving, json={})).is_success
    seen = (await admin.get("/api/v1/evals/velocity")).json()
    assert (seen["releases"], seen["gates_passed"], seen["releases_with_proof"]) == (1, 1, 1)
    (release,) = seen["latest"]
    assert (release["name"], release["after"], release["proof"]) == ("menu", "2", run["id"])
    await the_first_version_is_compared(plane, stand_in, admin, run["id"])


async def the_first_version_is_compared(
    plane: Plane, gateway: StandIn, admin: httpx.AsyncClient, candidate: str
) -> None:
    first = {"suite": "menu", "target": {"kind": "prompt", "prompt": "menu@1"}}
    run = await finished(
        plane, gateway, (await admin.post("/api/v1/evals/runs", json=first)).json()
    )
    asked = {"base": run["id"], "candidate": candidate}
    told = (await admin.get("/api/v1/evals/compare", params=asked)).json()
    assert told["paired"] == 6
    assert told["differs"] == ["prompt version"]
    assert told["warnings"] == []
    assert {point["run"] for point in told["pareto"]} == {run["id"], candidate}
    page = (await admin.get(f"/api/v1/evals/runs/{run['id']}/rows?slice=metadata.lang%3Dde")).json()
    assert [row["item"] for row in page["items"]] == ["r1", "r3", "r5"]
    assert [row async for row in by_one(admin, run["id"])] == ["r1", "r3", "r5"]
    body = json.loads(page["items"][0]["output"])  # the stand-in says what it was asked
    assert body == {"model": "prompt:menu@1", "prompt_variables": {"dish": "dish 1"}}


async def by_one(admin: httpx.AsyncClient, run: str) -> AsyncIterator[str]:
    """The rows of a slice, a page for each."""
    asked: dict[str, Any] = {"slice": "metadata.lang=de", "limit": 1, "cursor": -1}
    while asked["cursor"] is not None:
        page = (await admin.get(f"/api/v1/evals/runs/{run}/rows", params=asked)).json()
        (row,) = page["items"]
        yield row["item"]
        asked["cursor"] = page["next_cursor"]


async def until_over(steps: AsyncIterator[RunStep | None]) -> AsyncIterator[RunStep]:
    async for step in steps:
        if step is not None:
            yield step
            if step.state == "done":
                return


async def test_a_run_that_is_cancelled_can_be_resumed(plane: Plane, stand_in: StandIn) -> None:
    admin = await prepared(plane)
    run = (await admin.post("/api/v1/evals/runs", json={"suite": "menu"})).json()
    cancelled = (await admin.post(f"/api/v1/evals/runs/{run['id']}/cancel")).json()
    assert cancelled["state"] == "cancelled"
    resumed = (await admin.post(f"/api/v1/evals/runs/{run['id']}/resume")).json()
    assert resumed["state"] == "queued"
    again = await admin.post(f"/api/v1/evals/runs/{run['id']}/resume")
    assert again.status_code == 409
    following = plane.app.state.control.evals.following
    steps = following.steps(SYSTEM, "default")
    first = await anext(steps)
    assert (first.id, first.state, first.progress.done) == (run["id"], "queued", 0)
    done = await finished(plane, stand_in, resumed)
    assert done["progress"]["done"] == 6
    events = (await admin.get(f"/api/v1/evals/runs/{run['id']}/events")).text
    assert '"state": "done"' in events
    last = [step async for step in until_over(steps)][-1]
    assert (last.state, last.progress.done, last.finished_ms) == ("done", 6, done["finished_ms"])
    following.stop()
    assert [step async for step in steps] == []
    wrong = await admin.post("/api/v1/evals/runs", json={"suite": "menue"})
    assert "Did you mean 'menu'" in wrong.json()["error"]["message"]


async def test_results_that_are_reported_at_once_are_all_counted_and_none_after_the_end(
    plane: Plane,
) -> None:
    admin = await plane.admin()
    rows = [{"id": f"r{n}", "input": "a", "expected": "x"} for n in range(8)]
    kept = (await admin.post("/api/v1/evals/rowsets", json={"rows": rows})).json()
    spec = {"name": "menu", "target": {"kind": "recorded"}, "scorers": [{"use": "exact"}]}
    new = {"spec": spec, "rowset": kept["hash"], "runner": "here"}
    at = f"/api/v1/evals/runs/{(await admin.post('/api/v1/evals/runs', json=new)).json()['id']}"
    said = [{"item": row["id"], "output": "x", "scores": {"exact": {"value": 1}}} for row in rows]
    told = await asyncio.gather(
        *(admin.post(f"{at}/rows", json={"results": [one]}) for one in said)
    )
    assert {answer.status_code for answer in told} <= {200, 201}
    ended = (await admin.post(f"{at}/finish", json={})).json()
    assert (ended["state"], ended["progress"]["done"]) == ("done", 8)
    late = await admin.post(f"{at}/rows", json={"results": said[:1]})
    assert late.status_code == 409
