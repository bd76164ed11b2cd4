"""Annotation: who is handed what, who sees what, and what becomes of answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import sqlalchemy.exc

from tests.integration.control.plane import Plane
from tests.integration.scores.called import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("plane", ["sqlite"], indirect=True),
]
API = "/api/v1/annotation/queues"
RUBRIC: list[dict[str, Any]] = [
    {"name": "verdict", "labels": ["good", "bad"]},
    {"name": "stars", "kind": "numeric", "least": 1, "most": 5, "tolerance": 1, "required": False},
]


@pytest.fixture
async def people(plane: Plane) -> dict[str, httpx.AsyncClient]:
    """Editors in browsers."""
    admin = await plane.admin()
    found = {"admin": admin}
    for name in ("ana", "ben", "cem"):
        wanted = {"email": f"{name}@x.org", "name": name, "projects": {"default": "editor"}}
        link = (await admin.post("/api/v1/users", json=wanted)).json()["link"]["url"]
        browser = await plane.client()
        answer = await browser.post("/api/v1/session", json={"token": link.partition("=")[2]})
        browser.headers["x-stockpot-csrf"] = answer.json()["csrf"]
        found[name] = browser
    return found


async def queue_of(client: httpx.AsyncClient, rows: int = 3, **wanted: Any) -> dict[str, Any]:
    await client.post("/api/v1/datasets", json={"name": "menu"})
    given = [{"id": f"r{n}", "input": {"q": n}, "expected": n} for n in range(rows)]
    await client.post("/api/v1/datasets/menu/rows", json={"rows": given})
    new = {"name": "tasting", "rubric": RUBRIC, "source": {"dataset": "menu"}, **wanted}
    answer = await client.post(API, json=new)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def taken(client: httpx.AsyncClient, queue: dict[str, Any]) -> Any:
    answer = await client.post(f"{API}/{queue['id']}/next")
    assert answer.status_code == 200, answer.text
    task = answer.json()
    return task and task["item"]["id"]


async def said(
    client: httpx.AsyncClient, queue: dict[str, Any], item: str, verdict: str, **more: Any
) -> httpx.Response:
    body = {"answers": {"verdict": verdict, **more}}
    return await client.put(f"{API}/{queue['id']}/items/{item}/answers", json=body)


async def test_two_annotators_are_handed_different_items_and_each_its_own_until_it_is_done(
    people: dict[str, httpx.AsyncClient],
) -> None:
    queue = await queue_of(people["admin"])
    assert await taken(people["ana"], queue) == "r0"
    assert await taken(people["ben"], queue) == "r1"
    assert await taken(people["ana"], queue) == "r0", "still the one that she is at"
    refused = await said(people["ben"], queue, "r0", "good")
    assert refused.status_code == 409
    assert (await said(people["ana"], queue, "r0", "good", stars=4)).json()["state"] == "done"
    assert (await people["ana"].post(f"{API}/{queue['id']}/items/r2/skip")).status_code == 204
    assert await taken(people["ana"], queue) is None, "one is ben's, one she left"
    await said(people["ben"], queue, "r1", "bad")
    assert await taken(people["ben"], queue) == "r2"
    progress = (await people["ana"].get(f"{API}/{queue['id']}")).json()["progress"]
    assert (progress["done"], progress["open"]) == (2, 1)
    assert progress["by_annotator"] == {"ana@x.org": 1, "ben@x.org": 1}


async def test_a_blind_queue_tells_nothing_before_all_have_answered_and_differences_are_settled(
    people: dict[str, httpx.AsyncClient],
) -> None:
    queue = await queue_of(people["admin"], rows=2, annotators=2)
    ana, ben, cem = people["ana"], people["ben"], people["cem"]
    for item in ("r0", "r1"):
        assert await taken(ana, queue) == item
        await said(ana, queue, item, "good", stars=4)
    scores = "/api/v1/scores"
    shown = (await ben.get(f"{API}/{queue['id']}/items")).json()["items"]
    assert all(item["answered"] == [] for item in shown)
    assert (await ben.get(scores, params={"queue": queue["id"]})).json()["items"] == []
    assert (await ben.get(f"{API}/{queue['id']}/items/r0")).json()["item"]["answered"] == []
    assert await taken(ben, queue) == "r0"
    assert (await said(ben, queue, "r0", "good", stars=5)).json()["state"] == "done", "one apart"
    disputed = (await said(ben, queue, "r1", "bad", stars=4)).json()
    assert (disputed["state"], disputed["disputed"]) == ("disputed", ["verdict"])
    assert await taken(cem, queue) is None, "two have answered, nobody else is asked"
    late = await said(ana, queue, "r1", "bad")
    assert late.status_code == 409
    body = {"answers": {"verdict": "bad", "stars": 2}, "note": "cold soup"}
    settled = await cem.put(f"{API}/{queue['id']}/items/r1/settlement", json=body)
    assert settled.json()["settled_by"] == "cem@x.org"
    found = (await ana.get(scores, params={"queue": queue["id"], "name": "verdict"})).json()
    told = {(s["item"], s["author"], s["evaluator"], s["label"]) for s in found["items"]}
    assert told == {
        ("r0", "ana@x.org", "", "good"), ("r0", "ben@x.org", "", "good"),
        ("r1", "ana@x.org", "", "good"), ("r1", "ben@x.org", "", "bad"),
        ("r1", "cem@x.org", "adjudication", "bad"),
    }  # fmt: skip


async def test_answers_stand_with_their_scores_or_not_at_all(
    people: dict[str, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, scores = people["ana"], "/api/v1/scores"
    queue = await queue_of(people["admin"], rows=1)
    where = {"queue": queue["id"], "name": "verdict"}
    body = {"answers": {"verdict": "bad"}, "note": "cold soup"}

    async def told() -> tuple[str, int, int]:
        item = (await ana.get(f"{API}/{queue['id']}/items")).json()["items"][0]
        found = (await ana.get(scores, params=where)).json()["items"]
        return item["state"], len(item["answered"]), len(found)

    def killed(*_: object) -> None:
        raise sqlalchemy.exc.OperationalError("the process ends here", {}, Exception())

    with monkeypatch.context() as between:
        between.setattr("stockpot.traces.scores.store.add", killed)
        assert (await said(ana, queue, "r0", "good")).is_server_error
    assert await told() == ("open", 0, 0)
    assert (await said(ana, queue, "r0", "good")).is_success
    assert await told() == ("done", 1, 1)
    with monkeypatch.context() as between:
        between.setattr("stockpot.traces.scores.store.add", killed)
        place = f"{API}/{queue['id']}/items/r0/settlement"
        assert (await people["admin"].put(place, json=body)).is_server_error
    assert await told() == ("done", 1, 1)
    assert (await people["admin"].put(place, json=body)).is_success
    assert await told() == ("settled", 1, 2)


async def test_agreement_is_told_question_by_question(
    people: dict[str, httpx.AsyncClient],
) -> None:
    queue = await queue_of(people["admin"], rows=10, annotators=2)
    for number in range(10):
        for who in ("ana", "ben"):
            item = await taken(people[who], queue)
            bad = number < 4 or (number == 9 and who == "ben")
            await said(people[who], queue, item, "bad" if bad else "good", stars=1 + number % 5)
    found = (await people["cem"].get(f"{API}/{queue['id']}/agreement")).json()["questions"]
    verdict, stars = found
    assert (verdict["items"], verdict["agreed"]) == (10, 9)
    (pair,) = verdict["pairs"]
    assert pair["kappa"]["value"] == pytest.approx(0.8)
    assert pair["kappa"]["low"] < 0.8 < pair["kappa"]["high"]
    assert 0.7 < verdict["alpha"]["value"] < 0.9
    assert (stars["level"], stars["alpha"]["value"]) == ("interval", 1.0)


async def test_traces_are_annotated_with_what_was_said_and_only_by_whom_it_is_assigned_to(
    people: dict[str, httpx.AsyncClient], plane: Plane
) -> None:
    trace = Called(plane).call("leek soup").record.trace_id.hex()
    new = {"name": "calls", "assignees": ["ana@x.org"], "blind": False,
           "rubric": [{"name": "polite", "kind": "bool"}]}  # fmt: skip
    queue = (await people["admin"].post(API, json=new)).json()
    refused = await people["ben"].post(f"{API}/{queue['id']}/next")
    assert refused.status_code == 403
    task = (await people["ana"].post(f"{API}/{queue['id']}/next")).json()
    assert task["output"] == "leek soup"
    assert task["input"]["messages"][0]["content"] == "what soup"
    path = f"{API}/{queue['id']}/items/{trace}/answers"
    wrong = await people["ana"].put(path, json={"answers": {"polite": "yes"}})
    assert "true or false" in wrong.json()["error"]["message"]
    assert (await people["ana"].put(path, json={"answers": {"polite": True}})).is_success
    where = {"trace_id": trace}
    (score,) = (await people["ben"].get("/api/v1/scores", params=where)).json()["items"]
    assert (score["name"], score["value"], score["author"]) == ("polite", 1.0, "ana@x.org")
