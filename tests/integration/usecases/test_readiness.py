"""How far a project is, computed from what really happened to it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from stockpot import traces
from tests.integration.control.plane import Plane, plane  # noqa: F401
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration
P = "?project=default"


async def done(admin: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await admin.request(method, path, json=body)
    assert answer.is_success, (method, path, answer.text)
    return answer.json() if answer.content else None


async def report(admin: httpx.AsyncClient) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
    told = await done(admin, "GET", f"/api/v1/readiness{P}")
    needs = {need["need"]: need for rung in told["rungs"] for need in rung["needs"]}
    return told["current"], needs, told


def called(plane: Plane) -> str:  # noqa: F811
    shipped = make_shipped(
        1, said=("asked", "answered"), project="default", start_ns=time.time_ns()
    )
    store = traces.open_store(plane.instance)
    traces.SpanLog(store).ingest(make_shipment(shipped, stream="host-1"))
    store.close()
    return shipped.record.trace_id.hex()


async def prompted(admin: httpx.AsyncClient) -> None:
    await done(admin, "POST", "/api/v1/prompts", {"name": "menu", "content": {"body": "one"}})
    await done(admin, "POST", "/api/v1/prompts/menu/versions", {"content": {"body": "two"}})
    await done(admin, "PUT", "/api/v1/prompts/menu/labels/production", {"version": 1})


async def passed(admin: httpx.AsyncClient) -> None:
    """A data set of 20 rows, and a run on them that passes its gate."""
    rows = [{"id": f"r{n}", "input": {"n": n}, "expected": "x"} for n in range(20)]
    await done(admin, "POST", f"/api/v1/datasets{P}", {"name": "golden"})
    await done(admin, "POST", f"/api/v1/datasets/golden/rows{P}", {"rows": rows})
    kept = await done(admin, "POST", f"/api/v1/evals/rowsets{P}", {"rows": [
        {"id": "r", "input": "a", "expected": "x", "output": "x"}]})  # fmt: skip
    spec = {"name": "menu", "target": {"kind": "recorded"}, "scorers": [{"use": "exact"}]}
    new = {"spec": spec, "rowset": kept["hash"], "runner": "here"}
    run = await done(admin, "POST", f"/api/v1/evals/runs{P}", new)
    result = {"item": "r", "output": "x", "scores": {"exact": {"value": 1}}}
    at = f"/api/v1/evals/runs/{run['id']}"
    await done(admin, "POST", f"{at}/rows", {"results": [result]})
    await done(admin, "POST", f"{at}/finish", {})
    assert (await done(admin, "POST", f"{at}/gate"))["passed"]


async def test_each_rung_is_reached_by_evidence_alone_and_a_waiver_is_told(
    plane: Plane,  # noqa: F811
) -> None:
    admin = await plane.admin()
    current, needs, told = await report(admin)
    assert (current, told["next"], told["ready"]) == (None, "demo", False)
    assert [need["need"] for need in told["blocks"]] == ["traffic"]

    trace = called(plane)
    assert (await report(admin))[0] == "demo"
    budget = {"limit_nano": 50_000_000_000}
    await done(admin, "PATCH", "/api/v1/projects/default", {"owner": "ana", "budget": budget})
    await prompted(admin)
    current, needs, told = await report(admin)
    assert (current, told["ready"]) == ("accountable", True), "low risk asks for no more"
    assert needs["prompt"]["found"] == "production of menu is version 1"

    await passed(admin)
    said = {"project": "default", "trace_id": trace, "thumb": "up"}
    await done(admin, "POST", "/api/v1/feedback", said)
    assert (await report(admin))[0] == "measured"

    await done(admin, "PATCH", "/api/v1/projects/default", {"risk_tier": "medium"})
    current, needs, told = await report(admin)
    assert (current, told["ready"]) == ("accountable", False)
    assert "20 rows, 50 are needed" in needs["dataset"]["found"]
    await done(admin, "PATCH", "/api/v1/projects/default", {"risk_tier": "low"})

    waiver = await guarded_by_waivers(admin)
    await watched_by_an_objective(admin)
    await gone_back(admin)
    current, needs, told = await report(admin)
    assert (current, told["next"]) == ("production", None), needs

    await done(admin, "DELETE", f"/api/v1/readiness/waivers/{waiver}")
    current, needs, told = await report(admin)
    assert current == "guarded"
    assert [need["need"] for need in told["blocks"]] == ["watched"]


async def guarded_by_waivers(admin: httpx.AsyncClient) -> str:
    """Somebody answers for three needs; the id of the last waiver."""
    policy = {"project": "default", "name": "kind", "rules": [{"id": "pii", "rail": "pii"}]}
    await done(admin, "PUT", "/api/v1/guardrails/policies", policy)
    unbound = (await report(admin))[1]["rails"]
    assert unbound["found"].startswith("policy kind is bound to no project, route or key")
    assert unbound["mend"] == "stockpot guardrails bind kind --project default"
    until = time.time() * 1000 + 86_400_000
    for need in ("rails", "judge", "watched"):
        new = {"project": "default", "need": need, "reason": "in May", "until_ms": until}
        waiver = await done(admin, "POST", "/api/v1/readiness/waivers", new)
    current, needs, _ = await report(admin)
    assert current == "guarded"
    assert (needs["rails"]["met"], needs["rails"]["waived"]["reason"]) == (False, "in May")
    return str(waiver["id"])


async def watched_by_an_objective(admin: httpx.AsyncClient) -> None:
    """An objective counts once somebody is told."""
    hook = {"name": "ops", "project": "default", "url": "http://127.0.0.1:9/hook"}
    channel = (await done(admin, "POST", "/api/v1/channels", hook))["channel"]["id"]
    slo = {"project": "default", "name": "slo", "rule": {"kind": "burn_rate", "objective": 0.999}}
    silent = await done(admin, "POST", "/api/v1/monitors", slo)
    assert "has no channel" in (await report(admin))[1]["slo"]["found"]
    await done(admin, "DELETE", f"/api/v1/monitors/{silent['id']}")
    await done(admin, "POST", "/api/v1/monitors", {**slo, "channels": [channel]})


async def gone_back(admin: httpx.AsyncClient) -> None:
    """A label goes forward, which proves nothing, and back."""
    await done(admin, "PUT", "/api/v1/prompts/menu/labels/production", {"version": 2})
    assert not (await report(admin))[1]["rollback"]["met"], "a release is no way back"
    await done(admin, "POST", "/api/v1/prompts/menu/labels/production/rollback", {})
    assert "went back from 2 to 1" in (await report(admin))[1]["rollback"]["found"]
