"""Policies in the control plane: refused or kept, published, tested; flagged calls annotated."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockpot import traces
from stockpot.gateway import Snapshot, Verdict
from stockpot.rails import RailsPart
from tests.integration.control.plane import Plane, plane, running
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration
__all__ = ["plane"]

API = "/api/v1/guardrails"
WORDS = {
    "id": "no-truffles",
    "rail": "words",
    "action": "block",
    "settings": {"words": ["truffle"]},
}
GUESS: dict[str, Any] = {"id": "attack", "rail": "model", "settings": {"model": "m"}}


@pytest.fixture
async def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plane]:
    # The test says when flagged calls are carried on, not the plane beside it.
    monkeypatch.setattr("stockpot.guardrails.opening.HARVEST_EVERY_S", 3600)
    async with running(tmp_path / "home") as fresh:
        yield fresh


async def published(plane: Plane) -> RailsPart | None:
    now = await plane.app.state.control.catalog.publisher.current()
    parts = msgspec.msgpack.decode(now.snapshot, type=Snapshot).parts
    part = next((part for part in parts if part.name == "guardrails"), None)
    return msgspec.msgpack.decode(part.data, type=RailsPart) if part and part.data else None


async def test_a_policy_is_published_where_it_holds_with_what_its_project_measured(
    plane: Plane,
) -> None:
    admin = await plane.admin()
    new = {"name": "careful", "rules": [WORDS, GUESS]}
    answer = await admin.put(f"{API}/policies", json=new)
    assert answer.is_success, answer.text
    assert await published(plane) is None
    bound = await admin.put(f"{API}/policies/careful/bindings", json={"kind": "project"})
    assert bound.json()["bindings"] == [{"kind": "project", "subject": ""}]
    part = await published(plane)
    assert part is not None
    ident = answer.json()["id"]
    assert part.by_project == {"default": ident}
    assert [rule.budget_ms for rule in part.policies[0].rules] == [50, 10_000]
    measured = {"rail": "model", "threshold": 0.7, "model": "aGk=", "evidence": {"fpr": 0.01}}
    assert (await admin.put(f"{API}/calibrations", json=measured)).is_success
    part = await published(plane)
    assert part is not None
    assert part.policies[0].rules[1].threshold == 0.7
    assert list(part.models.values()) == [b"hi"]
    assert "hi" not in (await admin.get(f"{API}/calibrations")).text
    again = await admin.put(f"{API}/policies", json={**new, "rules": [WORDS]})
    assert again.json()["id"] == ident, "another state of the same policy"
    assert (await admin.delete(f"{API}/bindings?kind=project")).status_code == 204
    assert await published(plane) is None
    assert (await admin.delete(f"{API}/policies/careful")).status_code == 204
    done = [entry["action"] for entry in (await admin.get("/api/v1/audit")).json()]
    said = ("policy.create", "policy.change", "bind", "calibrate", "unbind", "policy.remove")
    assert {f"guardrails.{verb}" for verb in said} <= set(done)


async def test_a_rail_that_nobody_measured_may_only_flag(small: Plane) -> None:
    admin = await small.admin()
    blocks = {"name": "careful", "rules": [{**GUESS, "action": "block"}]}
    refused = await admin.put(f"{API}/policies", json=blocks)
    assert refused.status_code == 422
    assert "no measured rates" in refused.json()["error"]["message"]
    assert "calibrate model" in refused.json()["error"]["hint"]
    shadow = {"name": "careful", "rules": [{**GUESS, "action": "block", "shadow": True}]}
    assert (await admin.put(f"{API}/policies", json=shadow)).is_success
    await admin.put(f"{API}/calibrations", json={"rail": "model", "threshold": 0.5})
    assert (await admin.put(f"{API}/policies", json=blocks)).is_success
    wrong = {"name": "x", "rules": [{"id": "r", "rail": "wrods"}]}
    said = (await admin.put(f"{API}/policies", json=wrong)).json()["error"]["message"]
    assert "Did you mean 'words'" in said


async def test_a_text_is_tested_and_nothing_kept(small: Plane) -> None:
    admin = await small.admin()
    mask = {**WORDS, "action": "mask"}
    whole = {"id": "w", "rail": "injection", "on": ["output"], "action": "block"}
    rules = [mask, GUESS, {**WORDS, "id": "o", "on": ["output"]}, whole]
    asked = {"text": "one truffle", "rules": rules}
    said = (await admin.post(f"{API}/test", json=asked)).json()
    assert (said["action"], "truffle" in said["text"]) == ("mask", False)
    first, guess, other, _ = said["rules"]
    held = ["", "", "what a finding may still reach", "the whole answer"]
    assert [rule["holds"] for rule in said["rules"]] == held
    assert [(f["start"], f["end"]) for f in first["findings"]] == [(4, 11)]
    assert "chat model" in guess["skipped"]
    assert other["skipped"] == "reads output, not input"
    assert not (await admin.get(f"{API}/policies")).json()


async def test_what_is_flagged_goes_to_annotation_once(small: Plane) -> None:
    admin = await small.admin()
    rule = {**WORDS, "action": "flag"}
    await admin.put(f"{API}/policies", json={"name": "careful", "rules": [rule]})
    await admin.put(f"{API}/policies/careful/bindings", json={"kind": "project"})
    whole = Verdict("", "careful", "", "flag", us=90)
    found = Verdict("no-truffles", "words", "input", "flag", False, (("TRUFFLE", 2),), 12)
    now = time.time_ns() + 1_000_000_000
    calls = [
        make_shipped(n, project="default", start_ns=now, guardrails=verdicts)
        for n, verdicts in enumerate([(whole, found), (whole,), ()])
    ]
    store = traces.open_store(small.instance)
    traces.SpanLog(store).ingest(make_shipment(*calls))
    store.close()
    control = small.app.state.control
    assert await control.guardrails.harvesting.look() == 1
    assert await control.guardrails.harvesting.look() == 0
    (queue,) = (await admin.get("/api/v1/annotation/queues")).json()
    assert (queue["name"], queue["progress"]["items"]) == ("flagged", 1)
    trace = calls[0].record.trace_id.hex()
    spans = (await admin.get(f"/api/v1/traces/{trace}")).json()["spans"]
    span = next(span for span in spans if span["kind"] == "guardrail")
    assert (span["name"], span["agent"], span["tool"]) == (
        "no-truffles: flag", "careful", "no-truffles",
    )  # fmt: skip
    assert span["output_preview"] == "words on input: TRUFFLE ×2 · 12 µs"


async def test_what_cannot_be_kept_or_unbound_is_refused_in_plain_words(small: Plane) -> None:
    admin = await small.admin()
    for model in ("!", "ü"):
        told = {"rail": "injection", "threshold": 0.5, "model": model}
        answer = await admin.put(f"{API}/calibrations", json=told)
        assert (answer.status_code, "base64" in answer.text) == (422, True)
    for asked in ({"kind": "key"}, {"kind": "project", "subject": "x"}):
        answer = await admin.delete(f"{API}/bindings", params=asked)
        assert (answer.status_code, "subject" in answer.text) == (422, True)
