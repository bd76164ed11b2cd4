"""Review before access: a member asks, somebody else decides, and an approval takes effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.access.world import DOLLAR, HOME, World, inhabited

pytestmark = pytest.mark.integration

LAB = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["m", "big"],
       "secret": "sk-0000"}  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with inhabited(tmp_path / "home") as built:
        await built.done("PUT", "/api/v1/providers/lab", LAB)
        yield built


async def ask(client: httpx.AsyncClient, **wanted: Any) -> httpx.Response:
    return await client.post("/api/v1/requests", json={"reason": "the launch", **wanted})


async def key_of(world: World) -> dict[str, Any]:
    keys = (await world.admin.get("/api/v1/keys")).json()
    return next(key for key in keys if key["id"] == world.home.key_id)


async def test_an_approved_model_is_allowed_at_once_and_audited(world: World) -> None:
    asked = await ask(world.in_home["viewer"], key_id=world.home.key_id, model="big")
    assert asked.status_code == 201, asked.text
    request = asked.json()
    assert (request["state"], request["asked_label"]) == ("open", "viewer@home.org")
    before = world.plane.app.state.control.catalog.publisher._published.revision
    path = f"/api/v1/requests/{request['id']}/approve"
    done = await world.in_home["admin"].post(path, json={"note": "go on"})
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["note"]) == ("approved", "go on")
    assert (await key_of(world))["models"] == ["m", "big"]
    assert world.plane.app.state.control.catalog.publisher._published.revision > before
    entries = (await world.in_home["admin"].get("/api/v1/audit")).json()
    told = {entry["action"]: entry for entry in entries}
    assert told["request.approve"]["detail"]["asked_by"] == "viewer@home.org"
    change = told["key.change"]
    assert change["detail"]["request"] == request["id"]
    assert change["before"] != change["after"]
    assert change["project"] == HOME


async def test_a_budget_is_raised_and_what_was_spent_stays(world: World) -> None:
    asked = await ask(world.in_home["editor"], key_id=world.home.key_id, limit_nano=9 * DOLLAR)
    path = f"/api/v1/requests/{asked.json()['id']}/approve"
    assert (await world.in_home["admin"].post(path, json={})).status_code == 200
    spec = (await key_of(world))["budget"]["spec"]
    assert (spec["limit_nano"], spec["period"]) == (9 * DOLLAR, "month")


async def test_nobody_decides_about_their_own_request(world: World) -> None:
    admin = world.in_home["admin"]
    asked = (await ask(admin, key_id=world.home.key_id, model="big")).json()
    token = (await admin.post("/api/v1/tokens", json={"name": "t", "role": "admin"})).json()
    program = await world.plane.client(token["secret"])
    for who in (admin, program):
        for verb in ("approve", "deny"):
            answer = await who.post(f"/api/v1/requests/{asked['id']}/{verb}", json={})
            assert answer.status_code == 403
            assert "their own" in answer.json()["error"]["message"]
    assert (await key_of(world))["models"] == ["m"]
    assert (await world.admin.post(
        f"/api/v1/requests/{asked['id']}/deny", json={"note": "no"}
    )).json()["state"] == "denied"  # fmt: skip
    assert (await key_of(world))["models"] == ["m"]


async def test_a_projects_own_budget_is_for_an_admin_of_the_instance(world: World) -> None:
    asked = (await ask(world.in_home["viewer"], project=HOME, limit_nano=50 * DOLLAR)).json()
    path = f"/api/v1/requests/{asked['id']}/approve"
    assert (await world.in_home["admin"].post(path, json={})).status_code == 403
    assert (await world.on_instance["admin"].post(path, json={})).status_code == 200
    projects = (await world.admin.get("/api/v1/projects")).json()
    home = next(project for project in projects if project["name"] == HOME)
    assert home["budget"]["spec"]["limit_nano"] == 50 * DOLLAR


async def test_a_request_is_decided_once(world: World) -> None:
    asked = (await ask(world.in_home["viewer"], key_id=world.home.key_id, model="big")).json()
    path = f"/api/v1/requests/{asked['id']}"
    assert (await world.in_home["viewer"].delete(path)).status_code == 204
    for verb in ("approve", "deny"):
        answer = await world.in_home["admin"].post(f"{path}/{verb}", json={})
        assert answer.status_code == 409
    assert (await key_of(world))["models"] == ["m"]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"model": "m"}, 409),
        ({"model": "bgi"}, 404),
        ({"limit_nano": DOLLAR}, 409),
        ({"limit_nano": 0}, 422),
        ({}, 422),
        ({"model": "big", "limit_nano": 9 * DOLLAR}, 422),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    world: World, wanted: dict[str, Any], status: int
) -> None:
    answer = await ask(world.in_home["viewer"], key_id=world.home.key_id, **wanted)
    assert answer.status_code == status, answer.text


async def test_own_asks_for_its_own_keys_and_sees_its_own_requests(world: World) -> None:
    own = world.in_home["own"]
    assert (await ask(own, key_id=world.home.key_id, model="big")).status_code == 404
    assert (await ask(own, project=HOME, limit_nano=90 * DOLLAR)).status_code == 403
    new = {"name": "mine", "project": HOME, "owner": "own@home.org", "models": ["m"]}
    key = (await world.made("/api/v1/keys", new))["record"]
    mine = (await ask(own, key_id=key["id"], model="big")).json()
    assert [r["id"] for r in (await own.get("/api/v1/requests")).json()] == [mine["id"]]
    open_ones = {"state": "open", "project": HOME}
    listed = (await world.in_home["viewer"].get("/api/v1/requests", params=open_ones)).json()
    assert {r["id"] for r in listed} == {mine["id"], world.home.request_id}


async def test_a_key_that_was_revoked_meanwhile_gets_nothing(world: World) -> None:
    asked = (await ask(world.in_home["viewer"], key_id=world.home.key_id, model="big")).json()
    await world.done("DELETE", f"/api/v1/keys/{world.home.key_id}")
    path = f"/api/v1/requests/{asked['id']}/approve"
    assert (await world.in_home["admin"].post(path, json={})).status_code == 409
    (still,) = [
        r for r in (await world.admin.get("/api/v1/requests")).json() if r["id"] == asked["id"]
    ]
    assert still["state"] == "open"
