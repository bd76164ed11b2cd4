"""Experiments over the API: from a draft to what the figures decide, on each kind of store."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.traces import SpanLog
from tests.integration.control.plane import Plane, running
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration

PATH = "/api/v1/experiments"
NEW = {
    "name": "tone", "hypothesis": "A warmer tone is read to the end", "subject": "menu@production",
    "arms": [{"name": "plain", "weight": 5000}, {"name": "warm", "weight": 5000,
                                                 "target": "menu@2"}],
    "metrics": [{"name": "score:quality", "role": "primary"},
                {"name": "error", "role": "guardrail", "margin": 0.02}, {"name": "cost"}],
}  # fmt: skip


async def done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def decided(plane: Plane, name: str, reason: str) -> Any:
    """The report, once a decision says this; who looks first, the plane or the test, is open."""
    admin = await plane.admin()
    for _ in range(200):
        await plane.app.state.control.experiments.watching.decide_all()
        found = await done(await admin.get(f"{PATH}/{name}/report"))
        if any(reason in one["reason"] for one in found["decisions"]):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found["decisions"])


async def prompt(admin: httpx.AsyncClient) -> None:
    new = {"name": "menu", "content": {"body": "Plain."}}
    await done(await admin.post("/api/v1/prompts", json=new))
    second = {"content": {"body": "Warm."}}
    await done(await admin.post("/api/v1/prompts/menu/versions", json=second))
    to = {"version": 1}
    await done(await admin.put("/api/v1/prompts/menu/labels/production", json=to))


class Calls:
    """Calls of units, as the gateway tells of them."""

    def __init__(self, log: SpanLog) -> None:
        self._log = log
        self._number = 0

    def come(
        self, arm: str, units: range, experiment: str = "tone", **changes: Any
    ) -> dict[str, str]:
        """One call of each unit; gives their traces by unit."""
        items, traces = [], {}
        for unit in units:
            self._number += 1
            told = {"project": "default", "start_ns": time.time_ns(),
                    "exposures": ((experiment, arm, f"{arm}-{unit}"),), **changes}  # fmt: skip
            items.append(make_shipped(self._number, **told))
            traces[f"{arm}-{unit}"] = items[-1].record.trace_id.hex()
        self._log.ingest(make_shipment(*items, stream=f"host-{self._number}"))
        return traces


@pytest.fixture
def calls(plane: Plane) -> Calls:
    return Calls(plane.app.state.control.spans)


async def test_a_broken_guardrail_rolls_back_by_itself_and_holds(
    plane: Plane, calls: Calls
) -> None:
    admin = await plane.admin()
    await prompt(admin)
    await done(await admin.post(PATH, json=NEW))
    started = await done(await admin.post(f"{PATH}/tone/start", json={"reason": "ready"}))
    assert (started["state"], started["share"]) == ("running", 10_000)
    key = await done(await admin.post("/api/v1/keys", json={"name": "app"}))
    app = await plane.client(key["key"])
    document = await app.get(f"{PATH}/document")
    (told,) = document.json()["experiments"]
    assert [arm["target"] for arm in told["arms"]] == ["menu@production", "menu@2"]
    same = {"if-none-match": document.headers["etag"]}
    assert (await app.get(f"{PATH}/document", headers=same)).status_code == 304

    calls.come("plain", range(40))
    calls.come("warm", range(40), status=500, error="upstream_error")
    found = await decided(plane, "tone", "worse in error")
    assert (found["experiment"]["state"], found["experiment"]["share"]) == ("rolled_back", 0)
    decision = found["decisions"][0]
    assert (decision["kind"], decision["actor"], decision["share_before"]) == (
        "rolled_back", "stockpot", 10_000,
    )  # fmt: skip
    error = next(m for m in decision["figures"]["metrics"] if m["metric"] == "error")
    assert (error["difference"], error["verdict"]) == (1.0, "harmed")
    assert error["low"] > error["margin"]
    assert (await app.get(f"{PATH}/document")).json()["experiments"] == []

    refused = await admin.post(f"{PATH}/tone/start", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "safety_rollback")
    moves = await done(await admin.get("/api/v1/pointers"))
    assert {m["pointer"] for m in moves} >= {
        'experiments."default/tone".share', 'experiments."default/tone".hold',
    }  # fmt: skip
    assert await released(admin) == ({"label": 1, "experiment": 1}, {"tone": "experiment"})
    await what_was_lifted_counts_anew(plane, admin, calls)
    await a_name_that_was_removed_is_counted_anew(admin, calls)


async def what_was_lifted_counts_anew(plane: Plane, admin: httpx.AsyncClient, calls: Calls) -> None:
    await done(await admin.post(f"{PATH}/tone/lift", json={"reason": "mended"}))
    assert (await done(await admin.post(f"{PATH}/tone/start", json={})))["state"] == "running"
    for arm in ("plain", "warm"):  # those who were there before, and now it works
        calls.come(arm, range(40))
    await plane.app.state.control.experiments.watching.decide_all()
    now = await done(await admin.get(f"{PATH}/tone/report"))
    assert (now["experiment"]["state"], now["experiment"]["held"]) == ("running", "")
    assert [(a["units"], a["calls"]) for a in now["arms"]] == [(40, 40), (40, 40)]


async def a_name_that_was_removed_is_counted_anew(admin: httpx.AsyncClient, calls: Calls) -> None:
    await done(await admin.post(f"{PATH}/tone/stop", json={}))
    await done(await admin.delete(f"{PATH}/tone"))
    await done(await admin.post(PATH, json=NEW))
    await done(await admin.post(f"{PATH}/tone/start", json={}))
    calls.come("plain", range(30, 50))
    now = await done(await admin.get(f"{PATH}/tone/report"))
    assert [a["units"] for a in now["arms"]] == [20, 0]


async def a_process_dies_when_it_is_decided(plane: Plane) -> None:
    """Before the winner is released; the next process to begin does that."""
    watching = plane.app.state.control.experiments.watching

    async def died(*_: object) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "_release", died)
        found = await decided(plane, "tone", "warm wins on every primary metric")
    assert [one["kind"] for one in found["decisions"]] == ["concluded", "started"]
    await watching.release_left()


async def test_late_scores_go_to_the_unit_that_was_exposed_and_the_winner_is_proposed(
    plane: Plane, calls: Calls
) -> None:
    admin = await plane.admin()
    await prompt(admin)
    await done(await admin.post(PATH, json=NEW))
    await done(await admin.post(f"{PATH}/tone/start", json={}))
    scores = []
    for arm, value in (("plain", 0.2), ("warm", 0.8)):
        for unit, trace in calls.come(arm, range(110)).items():
            number = int(unit.rpartition("-")[2])
            told = {"project": "default", "trace_id": trace, "name": "quality"}
            scores += [{**told, "value": value + 0.1 * (number % 2)}]
            scores += [{**told, "value": value, "author": "b"}] * (number < 5)
    calls.come("warm", range(3))  # of them, and of one who has been in both arms
    calls.come("plain", range(200, 201), exposures=(("tone", "plain", "warm-109"),))
    await done(await admin.post("/api/v1/scores", json={"scores": scores}))
    await a_process_dies_when_it_is_decided(plane)
    found = await decided(plane, "tone", "it is proposed that menu@production moves to version 2")
    assert [(a["units"], a["calls"]) for a in found["arms"]] == [(110, 110), (109, 112)]
    assert found["crossed"] == 1
    quality = found["metrics"][0]
    assert [a["n"] for a in quality["arms"]] == [110, 109]
    # Two of the units with the higher value have a second score, which is the lower one.
    expected = [0.2 + (55 * 0.1 - 2 * 0.05) / 110, 0.8 + (54 * 0.1 - 2 * 0.05) / 109]
    assert [a["mean"] for a in quality["arms"]] == pytest.approx(expected)
    assert quality["differences"][0]["verdict"] == "better"
    assert found["experiment"]["state"] == "concluded"
    assert found["experiment"]["winner"] == "warm"
    (proposal,) = await done(await admin.get("/api/v1/prompt-proposals?state=open"))
    assert (proposal["label"], proposal["version"]) == ("production", 2)
    assert {look["metric"] for look in found["band"]} == {"score:quality", "error", "cost"}
    assert {look["role"] for look in found["band"]} == {"primary", "guardrail", "secondary"}
    await the_label_is_moved(admin)


async def the_label_is_moved(admin: httpx.AsyncClient) -> None:
    """A person takes the proposal up, and the figures stand where the label was moved."""
    plan = await done(await admin.get(f"{PATH}/tone/release"))
    assert (plan["way"], plan["changes"]) == ("move", ["menu@production: version 1 to 2"])
    made = await done(await admin.post(f"{PATH}/tone/release", json={"expect": plan["expect"]}))
    assert made["text"] == "menu@production was moved to version 2"
    assert not await done(await admin.get("/api/v1/prompt-proposals?state=open"))
    moves = await done(await admin.get("/api/v1/pointers"))
    (why,) = [m["reason"] for m in moves if "production" in m["pointer"] and m["after"] == 2]
    assert "warm won the experiment 'tone' with 109 units: score:quality +0.5" in why
    assert (await admin.post(f"{PATH}/tone/release", json={})).status_code == 409


async def test_a_winner_is_released_by_itself_where_that_was_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path / "home") as plane:
        admin, calls = await plane.admin(), Calls(plane.app.state.control.spans)
        await prompt(admin)
        lab = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1",
               "models": ["small", "large"], "secret": "sk-0000"}  # fmt: skip
        await done(await admin.put("/api/v1/providers/lab", json=lab))
        for name, model in (("fast", "small"), ("wise", "large"), ("quick", "small")):
            rules = [{"name": "all", "source": "project", "values": ["default"], "tier": 0}]
            route = {"targets": [{"provider": "lab", "model": model}],
                     **({"rules": rules} if name == "wise" else {"sticky": "session"})}  # fmt: skip
            await done(await admin.put(f"/api/v1/models/{name}", json=route))
        metrics = [{"name": "error", "role": "primary"}]
        arms = [{"name": "old", "weight": 5000}, {"name": "new", "weight": 5000}]
        for name, kind, subject, target in (
            ("words", "label", "menu@production", "menu@2"), ("model", "alias", "fast", "wise"),
            ("asked", "alias", "quick", "wise"),
        ):  # fmt: skip
            split = [arms[0], {**arms[1], "target": target}]
            new = {"name": name, "kind": kind, "subject": subject, "metrics": metrics,
                   "arms": split, "auto_release": name != "asked"}  # fmt: skip
            await done(await admin.post(PATH, json=new))
            await done(await admin.post(f"{PATH}/{name}/start", json={}))
            failing = {"status": 500, "error": "upstream_error"}
            calls.come("old", range(150), experiment=name, **failing)
            calls.come("new", range(150), experiment=name)
        await decided(plane, "words", "menu@production was moved to version 2")
        await decided(plane, "model", "the alias 'fast' leads where 'wise' leads")
        found = await done(await admin.get("/api/v1/prompts/menu"))
        labels = {label["label"]: label["version"] for label in found["prompt"]["labels"]}
        assert labels["production"] == 2
        assert await served(admin, "fast") == ("large", "all", "session")
        await decided(plane, "asked", "stockpot experiments release asked")
        assert await served(admin, "quick") == ("small", "", "session")
        await made_permanent(admin)
        await each_counts_once(admin)


async def each_counts_once(admin: httpx.AsyncClient) -> None:
    kinds = {"words": "label", "model": "alias", "asked": "alias"}
    assert await released(admin) == ({"label": 2, "alias": 2}, kinds)


async def released(admin: httpx.AsyncClient) -> tuple[dict[str, int], dict[str, str]]:
    """How many releases of each kind there were, and of which kind each experiment's was."""
    told = await done(await admin.get("/api/v1/evals/velocity"))
    led = {one["experiment"]: one["kind"] for one in told["latest"] if one["experiment"]}
    return told["by_kind"], led


async def served(admin: httpx.AsyncClient, alias: str) -> tuple[str, str, str]:
    """Where an alias leads, by which rule, and how long it stays there."""
    models = await done(await admin.get("/api/v1/models"))
    (found,) = [model for model in models if model["name"] == alias]
    models, rules = ([one[key] for one in found[field]] for field, key in (
        ("defined", "model"), ("rules", "name"),
    ))  # fmt: skip
    return " ".join(models), " ".join(rules), found["sticky"]


async def made_permanent(admin: httpx.AsyncClient) -> None:
    """The winner that was only told is released by a person, who is shown the difference."""
    plan = await done(await admin.get(f"{PATH}/asked/release"))
    changes = ["aliases.quick.rules", "aliases.quick.targets"]
    assert (plan["way"], plan["changes"]) == ("apply", changes)
    assert "aliases.quick.targets" in plan["text"]
    other = await admin.post(f"{PATH}/asked/release", json={"expect": "something else"})
    assert other.status_code == 409
    body = {"expect": plan["expect"], "reason": "the cooks agree"}
    made = await done(await admin.post(f"{PATH}/asked/release", json=body))
    assert await served(admin, "quick") == ("large", "all", "session")
    revision = (await done(await admin.get(f"/api/v1/revisions/{made['revision']}")))["revision"]
    assert revision["message"].startswith("the cooks agree; new won the experiment 'asked' with ")
    assert "error -1 [" in revision["message"]
    told = (await done(await admin.get(f"{PATH}/asked")))["decisions"][0]
    assert (told["kind"], told["figures"]["revision"]) == ("released", made["revision"])
    assert (await admin.post(f"{PATH}/asked/release", json={})).status_code == 409
