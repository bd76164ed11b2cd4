"""Each operation of the API that changes something leaves an entry in the audit log.

The operations are taken from the API's own description. A new one whose smallest body is not enough
to succeed needs a line in `_prepared`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from stockpot.access import SYSTEM
from stockpot.experiments.store.tables import experiments
from stockpot.monitors.checks.store import set_check
from stockpot.revisions import recording
from tests.integration.access.operations import READS, Operation, call, operations
from tests.integration.access.world import HOME, Records, World
from tests.integration.control.plane import running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

CHANGES_NOTHING = {
    "forecast_run",
    "plan_definitions",
    "plan_experiment",
    "check_answer",
    "plan_rightsize",
    "preview_monitor",
    "run_guardrail_test",
    "render_prompt",
}
"""They are asked with a body, and answer."""

TELEMETRY = {"take_spans"}
"""What applications tell all the time is kept in the span log itself."""

AWAY = {"chat", "call_tool", "renormalise_traces"}
"""What they need is another process, which is not there; that they were asked for is noted."""

LAB = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["m"],
       "secret": "sk-0000"}  # fmt: skip
ROUTE = {"targets": [{"provider": "lab", "model": "m"}]}
APPLIED = '[aliases.quick]\ntargets = [{provider = "lab", model = "m"}]\n'
PRICE = {"provider": "lab", "model": "m", "dollars": {"input": 1.0}, "source": "a contract"}


class Ready(NamedTuple):
    """Who calls, with what, and the path where a record had to be made first."""

    client: httpx.AsyncClient
    body: Any = None
    path: str = ""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path / "home", tool_hosts="127.0.0.1") as plane:
        built = await World(plane).build()
        await built.done("PUT", "/api/v1/providers/lab", LAB)
        yield built


BODIES: dict[str, Any] = {
    "reprice_traces": {"from_ms": 0, "to_ms": 8e12, "apply": True},
    "set_alias": ROUTE, "connect_provider": LAB, "set_price": PRICE, "roll_back": {}, "chat": {},
    "apply_definitions": {"toml": APPLIED, "partial": True, "now": True},
    "lift_rollback": {"name": "rollback-1", "reason": "it was the network"},
    "approve_request": {}, "deny_request": {}, "change_user": {"name": "Ana"},
    "change_project": {"owner": "ana"}, "change_key": {"limits": {"rpm": 3}},
    "create_project": {"name": "fresh"},
    "protect_label": {"project": HOME, "label": "guarded"},
    "change_dataset": {"description": "other"},
    "import_rows": {"format": "jsonl", "text": '{"input": {"q": 1}}'},
    "answer_item": {"answers": {"verdict": "good"}}, "settle_item": {"answers": {"verdict": "bad"}},
    "call_tool": {"project": HOME, "name": "look", "url": "http://127.0.0.1:9/look"},
}  # fmt: skip
"""Bodies that say more than the smallest one, or another name."""


async def prepared(world: World, operation: Operation, fresh: Records) -> Ready:
    """Who calls an operation with what, after whatever it needs was made."""
    known = operation.name in BODIES
    body = BODIES[operation.name] if known else operation.example(fresh)
    for prepare in PREPARING:
        if (ready := await prepare(world, operation, fresh, body)) is not None:
            return ready
    return Ready(world.admin, body)


async def _of_the_catalog(
    world: World, operation: Operation, fresh: Records, body: Any
) -> Ready | None:
    match operation.name:
        case "set_alias" | "remove_alias" | "try_model":
            await world.done("PUT", "/api/v1/models/short", ROUTE)
            return Ready(world.admin, body, operation.path.replace("{name}", "short"))
        case "remove_provider" | "connect_provider" | "try_provider":
            await world.done("PUT", "/api/v1/providers/other", LAB)
            return Ready(world.admin, body, operation.path.replace("{name}", "other"))
        case "remove_price":
            ident = (await world.made("/api/v1/prices", PRICE))["id"].rpartition("/")[2]
            return Ready(world.admin, None, f"/api/v1/prices/{ident}")
    return None


async def _of_checks(world: World, operation: Operation, fresh: Records, body: Any) -> Ready | None:
    """A canary whose newest answers can be accepted."""
    if operation.name != "rebase_canary":
        return None
    new = {"name": "vendor", "project": HOME, "model": "m", "prompts": ["hello"]}
    check = await world.done("PUT", "/api/v1/canaries", new)
    known = {"latest": {"run": "chr_1", "answers": [[{"text": "hi"}, {"text": "hello"}]]}}
    db = world.plane.app.state.control.db
    await db.write(lambda c: set_check(c, check["id"], state=known))
    return Ready(world.admin, body, operation.path.replace("{check_id}", check["id"]))


async def _of_rails(world: World, operation: Operation, fresh: Records, body: Any) -> Ready | None:
    """Policies have their names inside a project, which the address tells."""
    if not operation.path.startswith("/api/v1/guardrails"):
        return None
    kind = "kind=project&" if operation.name == "unbind_guardrail_policy" else ""
    return Ready(world.admin, body, f"{operation.filled(fresh)}?{kind}project={HOME}")


async def _of_sets(world: World, operation: Operation, fresh: Records, body: Any) -> Ready | None:
    """Data sets and queues have their names inside a project, which the address tells."""
    if not operation.path.startswith(("/api/v1/datasets", "/api/v1/annotation")):
        return None
    if operation.name == "add_rows_from_feedback":
        said = {"project": HOME, "trace_id": fresh.trace_id, "thumb": "down", "correction": "no"}
        await world.made("/api/v1/feedback", said)
    if operation.name == "remove_rows":
        body = {"ids": [fresh.item_id]}
    if operation.name == "settle_item":
        path = f"/api/v1/annotation/queues/{fresh.queue_id}/items/{fresh.item_id}/answers"
        await world.done("PUT", path, BODIES["answer_item"])
    return Ready(world.admin, body, f"{operation.filled(fresh)}?project={HOME}")


async def _of_experiments(
    world: World, operation: Operation, fresh: Records, body: Any
) -> Ready | None:
    """One that stands as the operation needs it."""
    if not operation.path.startswith("/api/v1/experiments"):
        return None
    at = f"/api/v1/experiments/{fresh.experiment}"
    if operation.name in ("ramp_experiment", "stop_experiment"):
        await world.made(f"{at}/start?project={HOME}", {})
    if operation.name == "create_experiment":
        await world.done("PUT", "/api/v1/models/short", ROUTE)
        body = {**body, "subject": "short"}
    if operation.name == "release_winner":
        await _won(world, fresh)
    if operation.name == "lift_experiment":
        await world.plane.app.state.control.db.write(
            lambda c: c.execute(
                sa.update(experiments)
                .where(experiments.c.name == fresh.experiment)
                .values(state="rolled_back", held="errors")
            )
        )
    return Ready(world.admin, body, f"{operation.filled(fresh)}?project={HOME}")


async def _won(world: World, fresh: Records) -> None:
    """The experiment's second arm serves a new version, and has won."""
    found = (await world.admin.get(f"/api/v1/experiments?project={HOME}")).json()
    (subject,) = [one["subject"] for one in found if one["name"] == fresh.experiment]
    prompt = subject.partition("@")[0]
    at = f"/api/v1/prompts/{prompt}/versions?project={HOME}"
    number = (await world.made(at, {"content": {"body": "another"}}))["number"]

    def write(c: sa.Connection) -> None:
        mine = experiments.c.name == fresh.experiment
        defined = c.execute(sa.select(experiments.c.defined).where(mine)).scalar_one()
        first, second = defined["arms"]
        arms = [first, {**second, "target": f"{prompt}@{number}"}]
        won = {"state": "concluded", "winner": "b", "defined": {**defined, "arms": arms}}
        c.execute(sa.update(experiments).where(mine).values(**won))

    await world.plane.app.state.control.db.write(write)


async def _of_a_person(
    world: World, operation: Operation, fresh: Records, body: Any
) -> Ready | None:
    match operation.name:
        case "sign_in":
            link = (await world.made(f"/api/v1/users/{fresh.user_id}/link", {}))["url"]
            return Ready(world.nobody, {"token": link.partition("=")[2]})
        case "sign_out" | "set_password":
            return Ready(await world.person(f"{operation.name}@home.org"), body)
        case "withdraw_request":
            return Ready(world.in_home["admin"])
        case "remove_team_member":
            at = f"/api/v1/teams/{fresh.team_id}/members/{fresh.user_id}"
            await world.done("PUT", at, {"role": "viewer"})
    return None


async def _of_revisions(
    world: World, operation: Operation, fresh: Records, body: Any
) -> Ready | None:
    match operation.name:
        case "move_pointer":
            keys = (await world.admin.get("/api/v1/keys")).json()
            name = next(key["name"] for key in keys if key["id"] == fresh.key_id)
            return Ready(world.admin, {"path": ["keys", name, "state"], "value": "disabled"})
        case "roll_back":
            key = {"name": "to be rolled back", "project": HOME}
            await world.made("/api/v1/keys", key)
        case "lift_rollback":
            path = (recording.HOLD_SECTION, "rollback-1", recording.HOLD_FIELD)
            await world.plane.app.state.control.db.write(
                lambda c: recording.moved(c, SYSTEM, path, None, "held", "errors")
            )
    return None


async def _of_prompts(
    world: World, operation: Operation, fresh: Records, body: Any
) -> Ready | None:
    match operation.name:
        case "withdraw_label_proposal":
            return Ready(world.in_home["admin"])
        case "unprotect_label":
            guarded = {"project": HOME, "label": "guarded"}
            await world.done("PUT", "/api/v1/prompt-protections", guarded)
            return Ready(world.admin, None, f"/api/v1/prompt-protections/guarded?project={HOME}")
    return None


async def _of_rightsizing(
    world: World, operation: Operation, fresh: Records, body: Any
) -> Ready | None:
    match operation.name:
        case "start_rightsize":
            await world.done("PUT", "/api/v1/models/short", ROUTE)
            rows = {"rows": [{"id": f"r{n}", "input": {"asked": n}} for n in range(2)]}
            await world.made(f"/api/v1/datasets/{fresh.dataset}/rows?project={HOME}", rows)
            wanted = {"baseline": "short", "candidates": ["lab/m"], "margin": 0.1,
                      "scorers": [{"use": "exact"}], "dataset": fresh.dataset,
                      "input": "asked"}  # fmt: skip
            return Ready(world.admin, wanted, f"{operation.path}?project={HOME}")
        case "apply_rightsize":
            await world.done("PUT", "/api/v1/models/short", ROUTE)
            return Ready(world.admin, {"candidate": "lab/m"})
        case "cancel_rightsize":
            await world.done("POST", f"/api/v1/rightsize/runs/{fresh.rightsize_id}/resume", {})
    return None


async def _of_evals(world: World, operation: Operation, fresh: Records, body: Any) -> Ready | None:
    suite = {"name": "menu", "target": {"kind": "recorded"}, "scorers": [{"use": "exact"}]}
    at = f"{operation.path}?project={HOME}"
    match operation.name:
        case "put_suite" | "remove_suite":
            await world.done("PUT", f"/api/v1/evals/suites?project={HOME}", suite)
            return Ready(world.admin, suite, at.replace("{name}", "menu"))
        case "start_run":
            return Ready(world.admin, {"spec": suite, "rowset": fresh.digest}, at)
        case "create_judge" | "ask_judge":
            await world.done("PUT", "/api/v1/providers/lab", LAB)
            await world.done("PUT", "/api/v1/models/m", ROUTE)
            return Ready(world.admin, body, f"{operation.filled(fresh)}?project={HOME}")
        case "certify_judge":
            await world.done("PUT", "/api/v1/providers/lab", LAB)
            await world.done("PUT", "/api/v1/models/m", ROUTE)
            said = {"rowset": fresh.digest, "labels": [_label(fresh)]}
            return Ready(world.admin, said, f"{operation.filled(fresh)}?project={HOME}")
        case "gate_run":
            await world.made(f"/api/v1/evals/runs/{fresh.run_id}/finish", {})
    return None


PREPARING = (
    _of_the_catalog, _of_a_person, _of_revisions, _of_prompts, _of_evals, _of_sets,
    _of_experiments, _of_rightsizing, _of_checks, _of_rails,
)  # fmt: skip


def _label(fresh: Records) -> dict[str, str]:
    """Of the only row that the records' run has."""
    return {"item": fresh.judge.removesuffix("-judge"), "rater": "ana", "label": "pass"}


class Tried(NamedTuple):
    """An operation that was asked for, with the newest entry of the audit log before it."""

    told: tuple[str, str, str, int, str]
    worked: bool
    before: int


async def tried(world: World, operation: Operation, records: Records) -> Tried:
    """One request, after whatever it needs was made."""
    ready = await prepared(world, operation, records)
    before = (await world.admin.get("/api/v1/audit", params={"limit": 1})).json()[0]["number"]
    path = ready.path or operation.filled(records)
    answer = await call(ready.client, operation, path, ready.body)
    away = operation.name in AWAY and answer.status_code == 503
    told = (operation.name, operation.method, path, answer.status_code, answer.text)
    return Tried(told, answer.is_success or away, before)


async def done_or_none(world: World, operation: Operation, records: Records | None) -> Tried | None:
    """With records that earlier operations used; None where those left them unfit for this one."""
    if records is None:
        return None
    with contextlib.suppress(AssertionError):
        found = await tried(world, operation, records)
        return found if found.worked else None
    return None


async def test_every_operation_that_changes_something_writes_an_entry(world: World) -> None:
    names, records, made = set(), None, 10
    for operation in operations(world.plane.app):
        if operation.method in READS or operation.name in CHANGES_NOTHING | TELEMETRY:
            continue
        done = await done_or_none(world, operation, records)
        if done is None:
            made += 1
            records = await world.records(HOME, f"w{made}", world.in_home["admin"], made)
            done = await tried(world, operation, records)
        assert done.worked, done.told
        (last,) = (await world.admin.get("/api/v1/audit", params={"limit": 1})).json()
        assert last["number"] > done.before, done.told
        assert last["actor_id"], done.told
        names.add(operation.name)
        if operation.method == "DELETE":
            records = None
    print(f"{len(names)} operations with {made - 10} sets of records")
    assert len(names) > 35
    verified = (await world.admin.get("/api/v1/audit/verify")).json()
    assert verified["intact"] is True
