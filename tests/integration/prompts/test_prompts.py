"""Prompts through the API: versions, labels, approval, search, comments, figures."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from stockpot import traces
from stockpot.playground import GatewayCaller, GatewayEmbedder
from tests.integration.control.plane import Plane
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration
API = "/api/v1/prompts"


class Desk:
    """An admin, and two people of the project who are not the same."""

    def __init__(self, plane: Plane, admin: httpx.AsyncClient) -> None:
        self.plane, self.admin = plane, admin

    async def person(self, email: str, role: str) -> httpx.AsyncClient:
        wanted = {"email": email, "role": "own", "projects": {"default": role}}
        link = (await self.done("POST", "/api/v1/users", wanted))["link"]["url"]
        browser = await self.plane.client()
        answer = await browser.post("/api/v1/session", json={"token": link.partition("=")[2]})
        browser.headers["x-stockpot-csrf"] = answer.json()["csrf"]
        return browser

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.admin.request(method, path, json=body)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else None

    async def prompt(self, name: str = "menu", *bodies: str) -> None:
        first, *rest = bodies or ("Describe {{ dish }}.",)
        await self.done("POST", API, {"name": name, "content": {"body": first}})
        for body in rest:
            await self.done("POST", f"{API}/{name}/versions", {"content": {"body": body}})


@pytest.fixture
async def desk(plane: Plane) -> Desk:
    return Desk(plane, await plane.admin())


async def test_versions_are_numbered_hashed_and_say_where_they_come_from(desk: Desk) -> None:
    await desk.prompt("menu", "One {{ dish }}", "Two {{ dish }}")
    again = {"content": {"body": "Two {{ dish }}"}}
    refused = await desk.admin.post(f"{API}/menu/versions", json=again)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    older = {"content": {"body": "One {{ dish }}"}, "parent": 1, "message": "back to one"}
    third = await desk.done("POST", f"{API}/menu/versions", older)
    first, _, newest = reversed((await desk.done("GET", f"{API}/menu"))["versions"])
    assert (newest["number"], newest["parent"], newest["message"]) == (3, 1, "back to one")
    assert newest["content_hash"] == first["content_hash"] == third["content_hash"]
    stale = {"content": {"body": "Four"}, "expect": 2}
    late = await desk.admin.post(f"{API}/menu/versions", json=stale)
    assert late.status_code == 409
    told = await desk.done("GET", f"{API}/menu/diff?before=1&after=2")
    assert "-One {{ dish }}\n+Two {{ dish }}\n" in told["text"]


async def test_what_cannot_be_rendered_is_refused_when_it_is_written(desk: Desk) -> None:
    async def refused(content: dict[str, Any]) -> str:
        answer = await desk.admin.post(API, json={"name": "bad", "content": content})
        assert answer.status_code in (404, 422), answer.text
        return str(answer.json()["error"]["message"])

    assert "line 2: " in await refused({"body": "fine\n{% if x %}"})
    assert "no partial 'tone'" in await refused({"body": "{% include 'tone' %}"})
    schema = {"properties": {"dish": {}}, "additionalProperties": False}
    assert "'dsh'" in await refused({"body": "{{ dsh }}", "variables_schema": schema})
    assert "'oneof'" in await refused({"body": "", "variables_schema": {"oneof": []}})


async def test_a_partial_stays_at_the_version_that_it_had(desk: Desk) -> None:
    await desk.prompt("tone", "Be kind. ")
    await desk.prompt("menu", "{% include 'tone' %}Describe {{ dish }}.")
    await desk.done("POST", f"{API}/tone/versions", {"content": {"body": "Be rude. "}})
    asked = {"ref": "latest", "variables": {"dish": "soup"}}
    made = await desk.done("POST", f"{API}/menu/render", asked)
    assert made["text"] == "Be kind. Describe soup."
    newer = {"content": {"body": "{% include 'tone@2' %}Describe {{ dish }}."}}
    version = await desk.done("POST", f"{API}/menu/versions", newer)
    assert version["partials"] == [{"ref": "tone@2", "name": "tone", "version": 2}]


async def test_labels_move_and_go_back_step_by_step(desk: Desk) -> None:
    await desk.prompt("menu", "One", "Two", "Three")
    at = f"{API}/menu/labels/production"
    for number in (1, 2, 3):
        await desk.done("PUT", at, {"version": number, "reason": f"try {number}"})
    for expected in (2, 1):
        made = await desk.done("POST", f"{at}/rollback", {"reason": "worse"})
        assert made["version"] == expected
    nowhere = await desk.admin.post(f"{at}/rollback", json={})
    assert nowhere.status_code == 409
    moves = await desk.done("GET", f"{API}/menu/history?label=production")
    assert [(m["before"], m["after"], m["reason"]) for m in moves][:2] == [
        (2, 1, "worse"), (3, 2, "worse"),
    ]  # fmt: skip
    pointers = await desk.done("GET", "/api/v1/pointers")
    assert pointers[0]["path"] == ["prompts", "default/menu", "production"]
    assert (await desk.admin.put(f"{API}/menu/labels/latest", json={"version": 1})).is_error


class Proof:
    """Evaluations that passed, by version."""

    def __init__(self, *passed: int) -> None:
        self.runs = {number: f"run_{number}" for number in passed}

    async def passed(self, project: str, prompt_name: str, version: int) -> str | None:
        assert (project, prompt_name) == ("default", "menu")
        return self.runs.get(version)


async def test_a_protected_label_moves_when_another_person_approves(desk: Desk) -> None:
    await desk.prompt("menu", "One", "Two", "Three")
    at = f"{API}/menu/labels/production"
    await desk.done("PUT", at, {"version": 1})
    ana = await desk.person("ana@example.org", "editor")
    ben = await desk.person("ben@example.org", "editor")
    eve = await desk.person("eve@example.org", "viewer")
    protection = {"label": "production", "evaluation": True}
    assert (await ana.put("/api/v1/prompt-protections", json=protection)).status_code == 403
    await desk.done("PUT", "/api/v1/prompt-protections", protection)
    alone = await ana.put(at, json={"version": 2})
    assert (alone.status_code, alone.json()["error"]["code"]) == (403, "label_protected")
    asked = {"version": 2, "reason": "shorter"}
    proposal = (await ana.post(f"{API}/menu/proposals", json=asked)).json()
    approve = f"/api/v1/prompt-proposals/{proposal['id']}/approve"
    assert (await ana.post(approve, json={})).status_code == 403
    assert (await eve.post(approve, json={})).status_code == 403
    unproven = await ben.post(approve, json={})
    assert (unproven.status_code, unproven.json()["error"]["code"]) == (409, "not_evaluated")
    desk.plane.app.state.control.prompts.prove_with(Proof(2))
    approved = await ben.post(approve, json={"note": "fine"})
    assert approved.status_code == 200, approved.text
    assert (approved.json()["state"], approved.json()["evaluation"]) == ("approved", "run_2")
    shown = (await ana.get(f"{API}/menu")).json()["prompt"]["labels"]
    assert [(row["version"], row["protected"]) for row in shown] == [(2, True)]
    back = await ana.post(f"{at}/rollback", json={"reason": "it was worse"})
    assert back.json()["version"] == 1, "a rollback needs nobody: it was approved there"
    never = await ana.post(f"{at}/rollback", json={"version": 3})
    assert never.status_code == 409


async def test_a_program_waits_for_the_next_version_with_its_key(desk: Desk) -> None:
    await desk.prompt("menu", "One", "Two")
    await desk.done("PUT", f"{API}/menu/labels/production", {"version": 1})
    secret = (await desk.done("POST", "/api/v1/keys", {"name": "app"}))["key"]
    app = await desk.plane.client(secret)
    first = await app.get(f"{API}/menu/resolved")
    assert (first.status_code, first.json()["body"]) == (200, "One")
    seen = {"if-none-match": first.headers["etag"]}
    same = await app.get(f"{API}/menu/resolved", headers=seen)
    assert same.status_code == 304
    waiting = asyncio.create_task(app.get(f"{API}/menu/resolved?wait_s=20", headers=seen))
    await asyncio.sleep(0)
    begun = time.monotonic()
    await desk.done("PUT", f"{API}/menu/labels/production", {"version": 2})
    news = await waiting
    assert (news.status_code, news.json()["body"]) == (200, "Two")
    assert time.monotonic() - begun < 10
    assert (await app.get(API)).status_code == 401, "other routes want a person or a token"
    await desk.done("POST", "/api/v1/projects", {"name": "other"})
    there = (await desk.done("POST", "/api/v1/keys", {"name": "b", "project": "other"}))["key"]
    stranger = await desk.plane.client(there)
    assert (await stranger.get(f"{API}/menu/resolved")).status_code == 404


async def test_prompts_are_found_by_their_words_and_kept_apart(desk: Desk) -> None:
    await desk.prompt("menu", "Describe the GAZPACHO well")
    await desk.prompt("greeting", "Say hello")
    settings = {"tags": ["kitchen"], "folder": "menus/cold", "owner": "ana", "description": "For"}
    await desk.done("PATCH", f"{API}/menu", settings)

    async def found(**asked: str) -> list[str]:
        rows = (await desk.admin.get(API, params=asked)).json()
        return [row["name"] for row in rows]

    assert await found(q="gazpacho describe") == ["menu"]
    assert await found(q="kitchen") == await found(tag="kitchen") == ["menu"]
    assert await found(folder="menus") == await found(owner="ana") == ["menu"]
    assert await found(q="100%") == []
    await desk.done("PATCH", f"{API}/menu", {"archived": True})
    assert await found() == ["greeting"]
    assert await found(archived="true") == ["menu"]
    said = await desk.done("POST", f"{API}/greeting/comments", {"text": "too short", "version": 1})
    assert (await desk.done("GET", f"{API}/greeting/comments"))[0]["id"] == said["id"]
    wrong = await desk.admin.get(f"{API}/greting")
    assert "Did you mean 'greeting'?" in wrong.json()["error"]["message"]


async def test_figures_of_each_version_lead_to_the_traces_behind(desk: Desk) -> None:
    await desk.prompt("menu", "One", "Two")
    store = traces.open_store(desk.plane.instance)
    log = traces.SpanLog(store)
    shipped = []
    for number in range(6):
        item = make_shipped(number, project="default", start_ns=time.time_ns(), status=200)
        item.record.prompt_name, item.record.prompt_version = "menu", str(1 + number % 2)
        item.record.prompt_label = "production"
        shipped.append(item)
    log.ingest(make_shipment(*shipped))
    store.close()
    trace = shipped[1].record.trace_id.hex()
    score = {"trace_id": trace, "project": "default", "name": "thumbs", "value": 1.0}
    await desk.done("POST", "/api/v1/scores", {"scores": [{**score, "source": "human"}]})
    told = await desk.done("GET", f"{API}/menu/metrics")
    assert told["total"]["calls"] == 6
    second, first = told["versions"]
    assert (first["calls"], second["calls"]) == (3, 3)
    assert first["latency_ms"]["p50"] > 0
    assert [(s["name"], s["mean"]) for s in second["scores"]] == [("thumbs", 1.0)]
    behind = (await desk.admin.get("/api/v1/traces", params=second["traces"])).json()["items"]
    assert len(behind) == 3
    assert all(row["root"]["prompt_version"] == "2" for row in behind)
    long_ago = await desk.done("GET", f"{API}/menu/metrics?to_ms=5")  # the day before is before 0
    assert (long_ago["from_ms"], long_ago["total"]["calls"]) == (0, 0)


async def test_prompts_are_found_by_what_they_mean_or_by_words_and_it_is_said_which(
    desk: Desk,
) -> None:
    control = desk.plane.app.state.control
    asked: list[list[str]] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["input"]
        asked.append(texts)
        if "broken" in texts:
            return httpx.Response(503, text="no engine")
        cold = [[1.0, 0.1] if "gazpacho" in t or "cold" in t else [0.1, 2.0] for t in texts]
        rows = [{"index": n, "embedding": vector} for n, vector in enumerate(cold)]
        return httpx.Response(200, json={"data": rows[::-1]})

    async def model() -> str:
        return "minilm"

    async def found(q: str) -> tuple[str, list[str]]:
        told = (await desk.admin.get("/api/v1/prompt-search", params={"q": q})).json()
        assert (told["why"] == "") is (told["by"] == "meaning")
        return told["by"], [hit["prompt"]["name"] for hit in told["items"]]

    await desk.prompt("hello", "Say hello")
    await desk.prompt("menu", "Describe the gazpacho well")
    assert await found("gazpacho") == ("words", ["menu"])
    caller = GatewayCaller(control.settings, transport=httpx.MockTransport(gateway))
    control.prompts.embed_with(GatewayEmbedder(control.catalog, caller, model))
    assert await found("something cold") == ("meaning", ["menu", "hello"])
    assert await found("cold again") == ("meaning", ["menu", "hello"])
    assert [len(texts) for texts in asked] == [3, 1], "what is known is not asked for again"
    assert await found("broken") == ("words", [])
    await caller.close()
