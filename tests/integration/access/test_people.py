"""People, teams and projects: who gets in, how far, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockpot.access.service.gate import BELIEVED_MS
from tests.integration.access.world import FOREIGN, HOME, MARK, World, inhabited

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with inhabited(tmp_path / "home") as built:
        yield built


async def test_whoever_is_deactivated_is_out_at_once_with_everything_they_made(
    world: World,
) -> None:
    ana = await world.person("ana@home.org", projects={HOME: "admin"})
    made = (await ana.post("/api/v1/tokens", json={"name": "t", "role": "viewer"})).json()
    program = await world.plane.client(made["secret"])
    assert (await ana.get("/api/v1/keys")).status_code == 200
    assert (await program.get("/api/v1/keys")).status_code == 200
    user = f"/api/v1/users/{world.ids['ana@home.org']}"
    link = await world.done("POST", f"{user}/link")
    await world.done("PATCH", user, {"active": False})
    assert (await ana.get("/api/v1/keys")).status_code == 401
    assert (await program.get("/api/v1/keys")).status_code == 401
    token = {"token": link["url"].partition("=")[2]}
    assert (await world.nobody.post("/api/v1/session", json=token)).status_code == 401
    await world.done("PATCH", user, {"active": True})
    assert (await program.get("/api/v1/keys")).status_code == 401  # revoked for good


async def test_the_last_admin_can_neither_be_demoted_nor_deactivated(world: World) -> None:
    users = (await world.admin.get("/api/v1/users")).json()
    admins = [user["id"] for user in users if user["role"] == "admin"]
    for number, ident in enumerate(admins, 1):
        change = {"active": False} if number % 2 else {"role": "viewer"}
        answer = await world.admin.patch(f"/api/v1/users/{ident}", json=change)
        assert answer.status_code == (409 if number == len(admins) else 200), answer.text


async def test_a_role_that_is_taken_away_is_gone_with_the_next_call(world: World) -> None:
    editor = world.in_home["editor"]
    assert (await editor.get("/api/v1/keys")).status_code == 200  # now it is remembered
    who = f"/api/v1/projects/{HOME}/access/{world.ids['editor@home.org']}"
    await world.done("PUT", who, {"role": "viewer"})
    new = {"name": "x", "project": HOME}
    assert (await editor.post("/api/v1/keys", json=new)).status_code == 403
    await world.done("DELETE", who)
    assert (await editor.get("/api/v1/keys")).status_code == 403


async def test_who_calls_is_looked_up_once_in_two_seconds(world: World) -> None:
    gate = world.plane.app.state.gate
    reads = 0
    read = gate._db.read

    async def counted(work: object) -> object:
        nonlocal reads
        reads += 1
        return await read(work)

    now = gate._now()
    gate._now = lambda: now + 10_000
    gate._db = type("Counted", (), {"read": staticmethod(counted), "write": gate._db.write})()
    for _ in range(20):
        assert (await world.in_home["viewer"].get("/api/v1/vendors")).status_code == 403
    assert reads == 1
    gate._now = lambda: now + 10_000 + BELIEVED_MS
    await world.in_home["viewer"].get("/api/v1/vendors")
    assert reads == 2


async def test_what_was_looked_up_before_a_change_is_not_remembered_after_it(
    world: World,
) -> None:
    gate = world.plane.app.state.gate
    read = gate._db.read

    async def slow(work: object) -> object:
        found = await read(work)
        gate.forget()  # somebody's access changes while the answer is on its way
        return found

    gate._db = type("Slow", (), {"read": staticmethod(slow), "write": gate._db.write})()
    gate.forget()
    await world.in_home["viewer"].get("/api/v1/keys")
    assert gate._known == {}


async def test_a_team_opens_its_projects_to_its_members_up_to_their_role_in_it(
    world: World,
) -> None:
    team = (await world.made("/api/v1/teams", {"name": "cooks"}))["id"]
    for email, role in (("chef@home.org", "admin"), ("guest@home.org", "viewer")):
        await world.person(email)
        await world.done("PUT", f"/api/v1/teams/cooks/members/{email}", {"role": role})
    await world.done("PUT", f"/api/v1/projects/{HOME}/access/cooks", {"role": "editor"})
    links = {}
    for email in ("chef@home.org", "guest@home.org"):
        made = await world.done("POST", f"/api/v1/users/{email}/link")
        links[email] = await world.signed_in(made["url"])
    new = {"name": "x", "project": HOME}
    assert (await links["chef@home.org"].post("/api/v1/keys", json=new)).status_code == 201
    assert (await links["guest@home.org"].get("/api/v1/keys")).status_code == 200
    assert (await links["guest@home.org"].post("/api/v1/keys", json=new)).status_code == 403
    await world.done("DELETE", f"/api/v1/teams/{team}")
    assert (await links["chef@home.org"].get("/api/v1/keys")).status_code == 403


async def test_an_invitation_signs_in_once_and_opens_what_it_names(world: World) -> None:
    invited = await world.made(
        "/api/v1/users", {"email": "Ben@Home.org", "projects": {HOME: "viewer"}}
    )
    assert invited["user"]["email"] == "ben@home.org"
    ben = await world.signed_in(invited["link"]["url"])
    assert (await ben.get("/api/v1/session")).json()["projects"] == {HOME: "viewer"}
    again = {"token": invited["link"]["url"].partition("=")[2]}
    assert (await world.nobody.post("/api/v1/session", json=again)).status_code == 401
    twice = await world.admin.post("/api/v1/users", json={"email": "BEN@home.org"})
    assert twice.status_code == 409
    nowhere = {"email": "x@home.org", "projects": {"hmoe": "viewer"}}
    refused = await world.admin.post("/api/v1/users", json=nowhere)
    assert refused.status_code == 404
    assert "Did you mean 'home'" in refused.json()["error"]["message"]
    assert "x@home.org" not in (await world.admin.get("/api/v1/users")).text


async def test_own_sees_and_looks_after_its_own_keys_alone(world: World) -> None:
    own = world.in_home["own"]
    new = {"name": "mine", "project": HOME, "owner": "own@home.org", "models": ["m"]}
    key = (await world.made("/api/v1/keys", new))["record"]
    world.called(HOME, "mine", key["id"], 77)
    assert [k["name"] for k in (await own.get("/api/v1/keys")).json()] == ["mine"]
    traces = (await own.get("/api/v1/traces")).json()["items"]
    assert [t["root"]["key_id"] for t in traces] == [key["id"]]
    seen = (await own.get("/api/v1/overview")).json()
    assert seen["totals"]["calls"] == 1
    assert [g["key"] for g in seen["by_key"]] == [key["id"]]
    for span in (world.home, world.foreign):
        assert (await own.get(f"/api/v1/traces/{span.trace_id}")).status_code == 404
        payload = f"/api/v1/traces/{span.trace_id}/spans/{span.span_id}/payload"
        assert (await own.get(payload)).status_code == 404
    path = f"/api/v1/keys/{key['id']}"
    assert (await own.post(f"{path}/rotate")).status_code == 200
    assert (await own.patch(path, json={"state": "disabled"})).status_code == 200
    widened = await own.patch(path, json={"models": []})
    assert widened.status_code == 404  # what a key may do is asked for
    other = f"/api/v1/keys/{world.home.key_id}"
    assert (await own.patch(other, json={"state": "disabled"})).status_code == 404
    assert (await own.delete(path)).status_code == 204


async def test_a_tail_tells_a_member_of_their_projects_alone(world: World) -> None:
    from stockpot.traces.models import Sight, TraceFilter

    log = world.plane.app.state.control.spans
    where = TraceFilter().seen_with(Sight(projects=frozenset({HOME})))
    found, _ = log.since(where, 0)
    assert [listed.row.root.project for listed in found] == [HOME]
    everything, _ = log.since(TraceFilter(), 0)
    assert {listed.row.root.project for listed in everything} == {HOME, FOREIGN}


async def test_the_figures_of_a_member_are_those_of_their_projects(world: World) -> None:
    world.called(HOME, "home", world.home.key_id, 3)
    viewer = (await world.in_home["viewer"].get("/api/v1/overview")).json()
    both = (await world.on_instance["viewer"].get("/api/v1/overview")).json()
    assert (viewer["totals"]["calls"], both["totals"]["calls"]) == (2, 3)
    assert sum(point["totals"]["calls"] for point in viewer["series"]) == 2
    assert MARK not in str(viewer["by_provider"]) + str(viewer["by_key"])


@pytest.mark.parametrize(
    ("wanted", "statuses"),
    [
        ({"role": "editor"}, (200, 201, 403)),
        ({"role": "editor", "scopes": ["read"]}, (200, 403, 403)),
        ({"scopes": ["write"]}, (403, 201, 403)),
        ({"scopes": ["read", "write"]}, (200, 201, 403)),
        ({"scopes": ["read", "write", "admin"]}, (200, 201, 200)),
        ({"role": "admin", "scopes": ["read"]}, (200, 403, 403)),
        ({}, (200, 403, 403)),
    ],
)
async def test_a_token_does_what_its_scopes_say(
    world: World, wanted: dict[str, object], statuses: tuple[int, int, int]
) -> None:
    program = await world.token(**wanted)
    read = await program.get("/api/v1/keys")
    write = await program.post("/api/v1/keys", json={"name": "x", "project": HOME})
    admin = await program.get("/api/v1/users")
    assert (read.status_code, write.status_code, admin.status_code) == statuses


async def test_a_token_falls_with_its_owner(world: World) -> None:
    editor = world.in_home["editor"]
    made = await editor.post("/api/v1/tokens", json={"name": "t", "role": "editor"})
    program = await world.plane.client(made.json()["secret"])
    new = {"name": "x", "project": HOME}
    assert (await program.post("/api/v1/keys", json=new)).status_code == 201
    who = f"/api/v1/projects/{HOME}/access/{world.ids['editor@home.org']}"
    await world.done("PUT", who, {"role": "viewer"})
    assert (await program.post("/api/v1/keys", json=new)).status_code == 403
    assert (await program.get("/api/v1/keys")).status_code == 200


async def test_a_tied_token_makes_tokens_of_its_project_alone(world: World) -> None:
    tied = await world.token(role="admin", project=HOME)
    assert (await tied.post("/api/v1/tokens", json={"name": "x"})).json()["token"][
        "project"
    ] == HOME
    for wanted in ({"name": "x", "project": FOREIGN}, {"name": "x", "project": "default"}):
        assert (await tied.post("/api/v1/tokens", json=wanted)).status_code == 403
    listed = (await tied.get("/api/v1/tokens")).json()
    assert {token["project"] for token in listed} == {HOME}
