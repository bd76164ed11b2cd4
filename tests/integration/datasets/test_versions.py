"""Versions never change, and rows lead back to their traces, on either kind of store."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.control.plane import Plane
from tests.integration.scores.called import Called

pytestmark = pytest.mark.integration
API = "/api/v1/datasets"


@pytest.fixture
def called(plane: Plane) -> Called:
    return Called(plane)


@pytest.fixture
async def admin(plane: Plane) -> httpx.AsyncClient:
    client = await plane.admin()
    assert (await client.post(API, json={"name": "menu"})).status_code == 201
    return client


async def done(client: httpx.AsyncClient, method: str, path: str, **sent: Any) -> Any:
    answer = await client.request(method, f"{API}/menu{path}", **sent)
    assert answer.is_success, answer.text
    return answer.json()


async def add(client: httpx.AsyncClient, *rows: dict[str, Any]) -> Any:
    return await done(client, "POST", "/rows", json={"rows": rows})


async def rows(client: httpx.AsyncClient, **where: Any) -> dict[str, dict[str, Any]]:
    page = await done(client, "GET", "/rows", params=where)
    return {row["id"]: row for row in page["items"]}


def row(text: str, **more: Any) -> dict[str, Any]:
    return {"input": {"question": text}, **more}


async def test_a_version_stays_what_it_was(admin: httpx.AsyncClient) -> None:
    first = await add(admin, row("soup?", id="a", expected="leek"), row("cake?", id="b"))
    assert first["version"]["number"] == 1
    again = await add(admin, row("soup?", id="a", expected="leek"))
    assert (again["version"], again["unchanged"]) == (None, 1)
    second = await add(admin, row("soup?", id="a", expected="pea"), row("tea?", id="c"))
    assert (second["added"], second["changed"]) == (1, 1)
    await done(admin, "POST", "/rows/remove", json={"ids": ["b"], "message": "no cake"})
    assert {i: r["expected"] for i, r in (await rows(admin, version=1)).items()} == {
        "a": "leek", "b": None,
    }  # fmt: skip
    assert list(await rows(admin)) == ["a", "c"]
    diff = await done(admin, "GET", "/diff", params={"base": 1})
    counts = {k: v for k, v in diff.items() if k.endswith("_count")}
    assert counts == {
        "added_count": 1, "removed_count": 1, "changed_count": 1, "unchanged_count": 0,
    }  # fmt: skip
    (changed,) = diff["changed"]
    assert (changed["before"]["expected"], changed["after"]["expected"]) == ("leek", "pea")
    await add(admin, row("soup?", id="a", expected="leek"), row("cake?", id="b"))
    back = await done(admin, "POST", "/rows/remove", json={"ids": ["c"]})
    assert back["version"]["content_hash"] == first["version"]["content_hash"], "the same rows"
    versions = await done(admin, "GET", "/versions")
    assert [v["number"] for v in versions] == [5, 4, 3, 2, 1]


async def test_rows_come_out_of_traces_and_lead_back_to_them(
    admin: httpx.AsyncClient, called: Called
) -> None:
    shipped = called.call("leek soup", model="small", tags=("lunch",))
    called.call("pea soup", model="large")
    trace = shipped.record.trace_id.hex()
    fixed = {"trace_id": trace, "correction": "leek stew", "thumb": "down", "comment": "no soup"}
    assert (await admin.post("/api/v1/feedback", json=fixed)).is_success
    wanted = {"filter": {"model": "small"}, "split": "test"}
    made = await done(admin, "POST", "/from-traces", json=wanted)
    assert made["added"] == 1
    (only,) = (await rows(admin)).values()
    assert only["input"]["messages"][0]["content"] == "what soup"
    assert (only["expected"], only["split"]) == ("leek stew", "test")
    assert only["metadata"]["model"] == "small"
    assert only["metadata"]["scores"] == {"thumbs": "down"}
    assert (only["source_trace"], only["source_span"]) == (
        trace, shipped.record.span_id.hex(),
    )  # fmt: skip
    lineage = (await admin.get(f"/api/v1/traces/{trace}/rows")).json()
    assert [(r["dataset"], r["row_id"], r["since"]) for r in lineage] == [("menu", only["id"], 1)]
    everything = await done(admin, "POST", "/from-traces", json={"expected": "output"})
    assert everything["added"] == 1, "the other one; the first is there"
    assert "pea soup" in [r["expected"] for r in (await rows(admin)).values()]
    lost = await done(admin, "POST", "/from-traces", json={"trace_ids": ["ab" * 16]})
    assert "no such trace" in lost["skipped"][0]
