"""Walks the API's own description: every operation refuses whoever it has to refuse.

A route that somebody adds is covered as soon as it is described; where it names a record that these
tests do not know, they fail and say what to add.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.integration.access.operations import ENDLESS, READS, Operation, call, operations
from tests.integration.access.world import FOREIGN, HOME, MARK, ROLES, World, inhabited

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

HEADER = "x-stockpot-project"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with inhabited(tmp_path / "home") as built:
        yield built


def all_of(world: World) -> list[Operation]:
    found = operations(world.plane.app)
    assert len(found) > 60
    assert all(operation.access for operation in found), "an operation declares nothing"
    return found


def weaker(role: str) -> tuple[str, ...]:
    return ROLES[ROLES.index(role) + 1 :]


async def test_no_operation_answers_somebody_without_credentials(world: World) -> None:
    for operation in all_of(world):
        answer = await call(world.nobody, operation, operation.filled(world.home))
        if operation.public:
            assert answer.status_code not in (401, 403) or operation.name in (
                "sign_in",
                "finish_sign_in",
            ), operation.path
            continue
        assert answer.status_code == 401, (operation.method, operation.path, answer.text)


async def test_every_operation_refuses_every_role_below_the_one_it_declares(world: World) -> None:
    refused = 0
    for operation in all_of(world):
        if operation.public:
            continue
        people = world.in_home if operation.in_projects else world.on_instance
        body = operation.example(world.home)
        for role in weaker(operation.role):
            path = operation.filled(world.home)
            answer = await call(people[role], operation, path, body, **{HEADER: HOME})
            told = (operation.method, operation.path, role, answer.status_code, answer.text)
            hidden = {404} if role == "own" and operation.access["owner"] else set()
            assert answer.status_code in {403, *hidden}, told
            refused += 1
    assert refused > 60


async def test_a_role_in_a_project_is_none_on_the_instance(world: World) -> None:
    for operation in all_of(world):
        if operation.public or operation.in_projects or operation.role == "own":
            continue
        answer = await call(world.in_home["admin"], operation, operation.filled(world.home))
        assert answer.status_code == 403, (operation.method, operation.path, answer.text)


async def test_somebody_without_a_project_has_none_of_what_belongs_to_projects(
    world: World,
) -> None:
    for operation in all_of(world):
        if operation.in_projects:
            answer = await call(world.stranger, operation, operation.filled(world.home))
            assert answer.status_code == 403, (operation.method, operation.path, answer.text)


async def test_no_write_in_a_session_goes_without_its_csrf_value(world: World) -> None:
    browser = world.on_instance["admin"]
    tried = 0
    for operation in all_of(world):
        if operation.public or operation.method in READS:
            continue
        for wrong in ("", "0" * 64):
            path = operation.filled(world.home)
            answer = await call(browser, operation, path, **{"x-stockpot-csrf": wrong})
            assert answer.status_code == 403, (operation.method, operation.path, answer.text)
            assert "x-stockpot-csrf" in answer.json()["error"]["message"]
        tried += 1
    assert tried > 30


async def outsiders(world: World) -> dict[str, httpx.AsyncClient]:
    """Admins of one project, in a browser and as programs, who have nothing in the other."""
    return {
        "a session": world.in_home["admin"],
        "a tied token": await world.token(role="admin", project=HOME),
    }


async def test_nobody_touches_a_record_of_another_project(world: World) -> None:
    tried = 0
    for who, client in (await outsiders(world)).items():
        for operation in all_of(world):
            if operation.public or not (operation.in_projects or operation.parameters):
                continue
            if operation.in_projects and not (operation.parameters or operation.body):
                continue  # a list: the next test
            path, body = operation.filled(world.foreign), operation.example(world.foreign)
            answer = await call(client, operation, path, body, **{HEADER: FOREIGN})
            told = (who, operation.method, operation.path, answer.status_code, answer.text)
            assert answer.status_code in (403, 404), told
            assert MARK not in answer.text.replace(FOREIGN, ""), told
            tried += 1
    assert tried > 20
    kept = await world.admin.get("/api/v1/keys")
    key = next(k for k in kept.json() if k["id"] == world.foreign.key_id)
    assert (key["state"], key["models"]) == ("active", ["m"])


async def test_no_list_holds_a_row_of_another_project(world: World) -> None:
    world.plane.app.state.control.spans.stop_following()  # a tail ends at once
    world.plane.app.state.control.evals.following.stop()
    known = {v for k, v in vars(world.foreign).items() if k != "project"}
    for who, client in (await outsiders(world)).items():
        for operation in all_of(world):
            if operation.public or operation.method not in READS or operation.parameters:
                continue
            for asked in ({}, {"project": FOREIGN}, {"q": MARK}, {"include_revoked": "true"}):
                answer = await client.get(operation.path, params=asked)
                told = (who, operation.path, asked, answer.text[:2000])
                assert answer.status_code < 500, told
                assert MARK not in answer.text.replace(FOREIGN if asked else "\0", ""), told
                assert not [ident for ident in known if ident in answer.text], told


async def test_those_lists_do_hold_it_for_who_may_see_it(world: World) -> None:
    """Else the test above could pass because nothing is there at all."""
    seen = set()
    for operation in all_of(world):
        if operation.public or operation.method not in READS or operation.parameters:
            continue
        if operation.name in ENDLESS:
            continue
        answer = await world.insider.get(operation.path)
        if answer.is_success and (MARK in answer.text or world.foreign.key_id in answer.text):
            seen.add(operation.name)
    assert seen >= {
        "get_overview", "list_traces", "export_traces", "list_keys", "list_projects",
        "list_access_requests", "list_audit", "export_audit", "list_tokens",
        "list_scores", "list_datasets", "list_queues", "list_public_keys",
    }  # fmt: skip


async def test_a_tied_token_works_in_its_project(world: World) -> None:
    program = await world.token(role="editor", project=HOME)
    (key,) = (await program.get("/api/v1/keys")).json()
    assert key["id"] == world.home.key_id
    changed = await program.patch(f"/api/v1/keys/{key['id']}", json={"limits": {"rpm": 5}})
    assert changed.status_code == 200, changed.text
