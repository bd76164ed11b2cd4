"""API tokens, roles and the audit log."""

from __future__ import annotations

import time

import pytest

from tests.integration.control.plane import Plane

pytestmark = pytest.mark.integration


async def token(plane: Plane, role: str, **more: object) -> str:
    made = await (await plane.admin()).post(
        "/api/v1/tokens", json={"name": f"a {role}", "role": role, **more}
    )
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


async def test_a_token_may_what_its_role_may(plane: Plane) -> None:
    viewer = await plane.client(await token(plane, "viewer"))
    editor = await plane.client(await token(plane, "editor"))
    assert (await viewer.get("/api/v1/keys")).status_code == 200
    refused = await viewer.post("/api/v1/keys", json={"name": "x"})
    assert refused.status_code == 403
    assert "'editor'" in refused.json()["error"]["message"]
    assert (await editor.post("/api/v1/keys", json={"name": "x"})).status_code == 201
    assert (await editor.post("/api/v1/projects", json={"name": "x"})).status_code == 403


async def test_nobody_makes_a_token_that_may_more_than_himself(plane: Plane) -> None:
    editor = await plane.client(await token(plane, "editor"))
    refused = await editor.post("/api/v1/tokens", json={"name": "x", "role": "admin"})
    assert refused.status_code == 403


async def test_a_token_ends_when_it_expires_or_is_revoked(plane: Plane) -> None:
    admin = await plane.admin()
    gate, clock = plane.app.state.gate, plane.app.state.gate._now
    ends_ms = int(time.time() * 1000) + 3_600_000
    short = await plane.client(await token(plane, "viewer", expires_ms=ends_ms))
    long = await plane.client(await token(plane, "viewer"))
    gate._now = lambda: ends_ms - 1  # whom it sees now it believes for two seconds
    assert (await short.get("/api/v1/keys")).status_code == 200
    gate._now = lambda: ends_ms + 1
    assert (await short.get("/api/v1/keys")).status_code == 401
    gate._now = clock
    listed = {t["name"]: t for t in (await admin.get("/api/v1/tokens")).json()}
    assert listed["a viewer"]["prefix"].startswith("spt_")
    assert (await long.get("/api/v1/keys")).status_code == 200
    for row in (await admin.get("/api/v1/tokens")).json():
        assert (await admin.delete(f"/api/v1/tokens/{row['id']}")).status_code == 204
    assert (await long.get("/api/v1/keys")).status_code == 401


async def test_a_token_sees_its_own_tokens_only_and_an_admin_all(plane: Plane) -> None:
    browser = await plane.signed_in()
    wanted = {"name": "mine", "role": "editor"}
    mine = (await browser.post("/api/v1/tokens", json=wanted)).json()
    await token(plane, "viewer")
    user = await plane.client(mine["secret"])
    assert [t["name"] for t in (await user.get("/api/v1/tokens")).json()] == ["mine"]
    other = next(
        t for t in (await (await plane.admin()).get("/api/v1/tokens")).json() if t["name"] != "mine"
    )
    assert (await user.delete(f"/api/v1/tokens/{other['id']}")).status_code == 404


@pytest.mark.parametrize("wrong", ["nonsense", "spt_" + "0" * 43, "", "Bearer x"])
async def test_an_unknown_token_is_nobody(plane: Plane, wrong: str) -> None:
    client = await plane.client()
    client.headers["authorization"] = f"Bearer {wrong}"
    assert (await client.get("/api/v1/keys")).status_code == 401


async def test_the_instances_internal_token_is_no_user(plane: Plane) -> None:
    assert (await (await plane.worker()).get("/api/v1/keys")).status_code == 401
    assert (await (await plane.admin()).get("/internal/snapshot")).status_code == 401


async def test_every_change_is_audited_with_its_actor_and_without_secrets(plane: Plane) -> None:
    browser = await plane.signed_in()
    key = (await browser.post("/api/v1/keys", json={"name": "app"})).json()
    await browser.patch(f"/api/v1/keys/{key['record']['id']}", json={"limits": {"rpm": 5}})
    await browser.delete(f"/api/v1/keys/{key['record']['id']}")
    entries = (await browser.get("/api/v1/audit")).json()
    mine = [e for e in entries if e["subject"] == key["record"]["id"]]
    assert [e["action"] for e in reversed(mine)] == ["key.create", "key.change", "key.revoke"]
    assert {e["actor"] for e in mine} == {"admin@localhost (session)"}
    assert mine[1]["detail"] == {
        "limits": {"rpm": 5, "tpm": 0, "concurrency": 0},
        "project": "default",
    }
    assert key["key"] not in str(entries)


async def test_the_audit_log_is_read_page_by_page(plane: Plane) -> None:
    admin = await plane.admin()
    for n in range(5):
        await admin.post("/api/v1/keys", json={"name": f"k{n}"})
    whole = [e["id"] for e in (await admin.get("/api/v1/audit")).json()]
    paged: list[str] = []
    for _ in range(20):
        before = {"before": paged[-1]} if paged else {}
        page = await admin.get("/api/v1/audit", params={"limit": 2, **before})
        paged += [e["id"] for e in page.json()]
    assert paged == whole
    assert len(whole) == len(set(whole)) >= 6
