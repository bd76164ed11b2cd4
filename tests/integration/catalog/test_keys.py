"""Virtual keys through the API, and what workers learn of them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time

import msgspec
import pytest

from stockpot.gateway import GatewayPart, Key, Snapshot
from tests.integration.control.plane import Plane

pytestmark = pytest.mark.integration


async def published(plane: Plane) -> GatewayPart:
    answer = await (await plane.worker()).get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    return msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)


async def published_key(plane: Plane, key_id: str) -> Key | None:
    return next((k for k in (await published(plane)).keys if k.id == key_id), None)


async def test_a_key_is_shown_once_and_kept_as_a_digest(plane: Plane) -> None:
    admin = await plane.admin()
    made = (await admin.post("/api/v1/keys", json={"name": "app"})).json()
    secret, record = made["key"], made["record"]
    assert re.fullmatch(r"sk-sp-[0-9A-Za-z]{43}", secret)
    assert secret.startswith(record["prefix"])
    assert record["environment"] == "dev"
    assert record["payloads"] == "full"
    listed = (await admin.get("/api/v1/keys")).text
    assert secret not in listed
    key = await published_key(plane, record["id"])
    assert key is not None
    assert key.hash == hashlib.sha256(secret.encode()).digest()


async def test_everything_that_is_chosen_for_a_key_reaches_the_workers(plane: Plane) -> None:
    expires = time.time() * 1000 + 3_600_000
    wanted = {
        "name": "app",
        "environment": "production",
        "expires_ms": expires,
        "models": ["echo"],
        "networks": ["203.0.113.0/24", "::1"],
        "limits": {"rpm": 1, "tpm": 2, "concurrency": 3},
        "budget": {"limit_nano": 5_000_000_000, "period": "day", "when_away": "continue"},
        "payloads": "masked",
        "on_disconnect": "drain",
        "on_ledger_full": "pass",
    }
    made = (await (await plane.admin()).post("/api/v1/keys", json=wanted)).json()["record"]
    key = await published_key(plane, made["id"])
    assert key is not None
    assert (key.environment, key.models, key.networks) == (
        "production", ("echo",), ("203.0.113.0/24", "::1"),
    )  # fmt: skip
    assert (key.limits.rpm, key.limits.tpm, key.limits.concurrency) == (1, 2, 3)
    assert key.expires_ms == int(expires)
    assert (key.payloads, key.on_disconnect, key.on_ledger_full) == ("masked", "drain", "pass")
    (budget,) = key.budgets
    assert (budget.limit_nano, budget.period, budget.when_away) == (5 * 10**9, "day", "continue")


async def test_a_change_keeps_what_it_does_not_name(plane: Plane) -> None:
    admin = await plane.admin()
    made = await admin.post(
        "/api/v1/keys", json={"name": "app", "limits": {"rpm": 7}, "models": ["echo"]}
    )
    path = f"/api/v1/keys/{made.json()['record']['id']}"
    changed = (await admin.patch(path, json={"state": "disabled", "models": None})).json()
    assert changed["state"] == "disabled"
    assert changed["models"] == ["echo"]
    assert changed["limits"]["rpm"] == 7
    freed = (await admin.patch(path, json={"models": [], "expires_ms": 0})).json()
    assert freed["models"] == []
    assert freed["expires_ms"] is None


async def test_a_revoked_key_is_gone_for_workers_and_stays_in_the_history(plane: Plane) -> None:
    admin = await plane.admin()
    made = (await admin.post("/api/v1/keys", json={"name": "app"})).json()["record"]
    path = f"/api/v1/keys/{made['id']}"
    assert (await admin.delete(path)).status_code == 204
    assert await published_key(plane, made["id"]) is None
    names = [k["id"] for k in (await admin.get("/api/v1/keys")).json()]
    assert made["id"] not in names
    everything = (await admin.get("/api/v1/keys", params={"include_revoked": True})).json()
    assert {k["id"]: k["state"] for k in everything}[made["id"]] == "revoked"
    assert (await admin.patch(path, json={"state": "active"})).status_code == 409
    assert (await admin.post(f"{path}/rotate")).status_code == 409


async def test_rotating_replaces_the_secret_of_the_same_key(plane: Plane) -> None:
    admin = await plane.admin()
    made = (await admin.post("/api/v1/keys", json={"name": "app"})).json()
    fresh = (await admin.post(f"/api/v1/keys/{made['record']['id']}/rotate")).json()
    assert fresh["record"]["id"] == made["record"]["id"]
    assert fresh["key"] != made["key"]
    key = await published_key(plane, made["record"]["id"])
    assert key is not None
    assert key.hash == hashlib.sha256(fresh["key"].encode()).digest()


async def test_an_expired_key_says_so(plane: Plane) -> None:
    admin = await plane.admin()
    for lives_s in (0.5, 4, 30):  # the shortest life within which this machine can ask
        ends_s = time.time() + lives_s
        soon = {"name": f"app-{lives_s}", "expires_ms": ends_s * 1000}
        made = (await admin.post("/api/v1/keys", json=soon)).json()["record"]
        if made["state"] == "active":
            break
    assert made["state"] == "active"
    await asyncio.sleep(max(0.0, ends_s - time.time()) + 0.01)
    keys = {k["id"]: k["state"] for k in (await admin.get("/api/v1/keys")).json()}
    assert keys[made["id"]] == "expired"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "x", "project": "defalt"}, "Did you mean 'default'?"),
        ({"name": "x", "environment": "prodution"}, "Did you mean 'production'?"),
        ({"name": "x", "networks": ["300.1.1.1"]}, "'300.1.1.1' is not an address"),
        ({"name": ""}, "name"),
        ({"name": "x", "modles": []}, "modles"),
        ({"name": "x", "limits": {"rpm": -1}}, "limits.rpm"),
        ({"name": "x", "budget": {"limit_nano": 0}}, "budget.limit_nano"),
    ],
)
async def test_a_wrong_key_is_refused_with_what_is_wrong(
    plane: Plane, body: dict[str, object], told: str
) -> None:
    answer = await (await plane.admin()).post("/api/v1/keys", json=body)
    assert answer.status_code in (404, 422)
    assert told in answer.json()["error"]["message"]


async def test_a_projects_payload_policy_holds_for_its_keys_until_they_choose(
    plane: Plane,
) -> None:
    admin = await plane.admin()
    await admin.post("/api/v1/projects", json={"name": "menu", "payloads": "none"})
    made = await admin.post("/api/v1/keys", json={"name": "app", "project": "menu"})
    key_id = made.json()["record"]["id"]
    assert made.json()["record"]["payloads"] == "none"
    await admin.patch("/api/v1/projects/menu", json={"payloads": "masked"})
    key = await published_key(plane, key_id)
    assert key is not None
    assert key.payloads == "masked"
    await admin.patch(f"/api/v1/keys/{key_id}", json={"payloads": "full"})
    key = await published_key(plane, key_id)
    assert key is not None
    assert key.payloads == "full"


async def test_a_project_has_environments_limits_and_a_budget(plane: Plane) -> None:
    admin = await plane.admin()
    wanted = {
        "name": "menu",
        "owner": "ana",
        "stage": "walk",
        "limits": {"rpm": 10},
        "budget": {"limit_nano": 10**9},
    }
    made = (await admin.post("/api/v1/projects", json=wanted)).json()
    assert made["environments"] == ["dev", "staging", "production"]
    assert made["budget"]["spec"]["period"] == "month"
    assert (await admin.post("/api/v1/projects", json=wanted)).status_code == 409
    projects = {p.name: p for p in (await published(plane)).projects}
    assert sorted(projects) == ["default", "menu"]
    assert projects["menu"].limits.rpm == 10
    assert projects["menu"].budgets[0].limit_nano == 10**9
    assert (await admin.delete("/api/v1/projects/menu/budget")).status_code == 204
    assert (await admin.get("/api/v1/projects")).json()[1]["budget"] is None
