"""Feedback over HTTP: from servers with a virtual key, from browsers with a public key."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.integration.control.plane import Plane
from tests.integration.scores.called import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("plane", ["sqlite"], indirect=True),
]
API, KEYS = "/api/v1/feedback", "/api/v1/public-keys"
SITE = "https://menu.example.org"


@pytest.fixture
def called(plane: Plane) -> Called:
    return Called(plane)


@pytest.fixture
async def admin(plane: Plane) -> httpx.AsyncClient:
    return await plane.admin()


async def public_key(admin: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await admin.post(KEYS, json={"name": "site", "origins": [SITE], **wanted})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def scores(admin: httpx.AsyncClient, **where: Any) -> dict[str, dict[str, Any]]:
    found = (await admin.get("/api/v1/scores", params=where)).json()["items"]
    return {score["name"]: score for score in found}


async def test_one_item_becomes_a_score_for_each_thing_that_it_says(
    admin: httpx.AsyncClient, plane: Plane, called: Called
) -> None:
    made = await admin.post("/api/v1/keys", json={"name": "app"})
    app = await plane.client(made.json()["key"])
    trace = called.call("leek soup").record.trace_id.hex()
    item = {
        "id": "f1", "trace_id": trace, "thumb": "down", "comment": "too salty", "user": "u1",
        "correction": "leek soup, no salt", "name": "csat", "value": 2, "signal": "escalated",
    }  # fmt: skip
    answer = await app.post(API, json=item)
    assert answer.status_code == 201, answer.text
    assert answer.json()["ids"] == ["f1:thumbs", "f1:csat", "f1:correction", "f1:escalated"]
    again = await app.post(API, json=item)
    assert len(again.json()["repeated"]) == 4
    found = await scores(admin, trace_id=trace)
    assert (found["thumbs"]["value"], found["thumbs"]["comment"]) == (0.0, "too salty")
    assert found["thumbs"]["source"] == "end_user"
    assert found["correction"]["edit_distance"] == len(", no salt")
    await app.post(API, json={"trace_id": trace, "thumb": "none", "user": "u1"})
    assert "thumbs" not in await scores(admin, trace_id=trace)


async def test_a_browser_with_a_public_key_gives_feedback_and_can_do_nothing_else(
    admin: httpx.AsyncClient, plane: Plane, called: Called
) -> None:
    key = await public_key(admin)
    trace = called.call().record.trace_id.hex()
    page = await plane.client(key["key"])
    page.headers["origin"] = SITE
    asked = await plane.client()
    before = await asked.options(
        API, headers={"origin": SITE, "access-control-request-method": "POST"}
    )
    assert before.headers["access-control-allow-origin"] == SITE
    answer = await page.post(API, json={"trace_id": trace, "thumb": "up"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["access-control-allow-origin"] == SITE
    beacon = json.dumps({"trace_id": trace, "signal": "copied"})
    nobody = await plane.client()
    sent = await nobody.post(
        f"{API}?key={key['key']}", content=beacon,
        headers={"content-type": "text/plain;charset=UTF-8", "origin": SITE},
    )  # fmt: skip
    assert sent.status_code == 201, sent.text
    assert set(await scores(admin, trace_id=trace)) == {"thumbs", "copied"}
    for path in ("/api/v1/scores", "/api/v1/traces", "/api/v1/keys", f"{API}/summary"):
        assert (await page.get(path)).status_code == 401, path
    written = {"scores": [{"project": "default", "trace_id": trace, "name": "x", "value": 1}]}
    assert (await page.post("/api/v1/scores", json=written)).status_code == 401


async def test_a_public_key_reaches_no_other_project_no_unknown_trace_and_no_foreign_page(
    admin: httpx.AsyncClient, plane: Plane, called: Called
) -> None:
    key = await public_key(admin)
    other = called.call(project="till").record.trace_id.hex()
    page = await plane.client(key["key"])
    for item in (
        {"trace_id": other, "thumb": "up"},
        {"session": "nobody's", "thumb": "up"},
        {"trace_id": other, "project": "till", "thumb": "up"},
    ):
        answer = await page.post(API, json=item)
        assert answer.status_code == 404, answer.text
    mine = called.call().record.trace_id.hex()
    foreign = {"origin": "https://evil.example"}
    refused = await page.post(API, json={"trace_id": mine, "thumb": "up"}, headers=foreign)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert await scores(admin) == {}
    await admin.delete(f"{KEYS}/{key['id']}")
    gone = await page.post(API, json={"trace_id": mine, "thumb": "up"})
    assert gone.status_code == 401


async def test_a_public_key_is_held_to_its_limits_for_each_caller(
    admin: httpx.AsyncClient, plane: Plane, called: Called
) -> None:
    key = await public_key(admin, rpm=5, caller_rpm=3)
    item = {"trace_id": called.call().record.trace_id.hex(), "thumb": "up"}
    first = await plane.client(key["key"], caller="198.51.100.1")
    second = await plane.client(key["key"], caller="2001:db8::1")
    neighbour = await plane.client(key["key"], caller="2001:db8::2")
    told = [(await first.post(API, json=item)).status_code for _ in range(4)]
    assert told == [201, 201, 201, 429]
    assert (await second.post(API, json=item)).status_code == 201
    assert (await neighbour.post(API, json=item)).status_code == 201
    late = await second.post(API, json=item)
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 0
    many = await second.post(API, json={"items": [item] * 4})
    assert many.status_code == 422


REFUSED: list[tuple[bytes, int, str]] = [
    (b"{}", 422, "trace_id"),
    (b'{"trace_id": "zz"}', 422, "trace_id"),
    (b'{"session": "s"}', 422, "thumb"),
    (b'{"session": "s", "thumb": "sideways"}', 422, "thumb"),
    (b"thumb=up", 422, "JSON"),
    (b'{"items": []}', 422, "items"),
    (b'{"session": "s", "comment": "' + b"x" * 140_000 + b'"}', 413, "128 KB"),
]


async def test_what_is_no_feedback_is_refused_in_plain_words(admin: httpx.AsyncClient) -> None:
    for body, status, said in REFUSED:
        answer = await admin.post(API, content=body)
        assert answer.status_code == status, answer.text
        assert said in answer.json()["error"]["message"]


async def test_a_secret_may_not_stand_in_an_address(plane: Plane) -> None:
    nobody = await plane.client()
    answer = await nobody.post(f"{API}?key=sk-sp-abc", json={"session": "s", "thumb": "up"})
    assert answer.status_code == 403


async def test_satisfaction_is_told_with_intervals(
    admin: httpx.AsyncClient, called: Called
) -> None:
    for number in range(10):
        trace = called.call(model="small", user=f"u{number}").record.trace_id.hex()
        items: list[dict[str, Any]] = [
            {"trace_id": trace, "thumb": "up" if number < 7 else "down"},
            {"trace_id": trace, "name": "csat", "value": 3 + number % 3},
        ]
        if number < 2:
            items.append({"trace_id": trace, "signal": "copied"})
        answer = await admin.post(API, json={"items": items})
        assert answer.status_code == 201, answer.text
    judged = {"project": "default", "trace_id": trace, "name": "grounded", "source": "judge"}
    await admin.post("/api/v1/scores", json={"scores": [{**judged, "value": 1}]})
    (row,) = (await admin.get(f"{API}/summary", params={"by": "model"})).json()
    assert row["key"] == {"model": "small"}
    assert row["rated"] == 10
    satisfied = row["satisfied"]
    assert (satisfied["value"], satisfied["n"]) == (0.7, 10)
    assert (round(satisfied["low"], 4), round(satisfied["high"], 4)) == (0.3968, 0.8922)
    assert row["csat"]["value"] == pytest.approx(3.9)
    assert row["csat"]["low"] < 3.9 < row["csat"]["high"]
    assert row["signals"]["copied"]["value"] == 0.2
    assert row["grounded"]["value"] == 1
    assert (row["edited"], row["refused"]) == (None, None)
