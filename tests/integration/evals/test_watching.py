"""Production is scored, drift and silent changes alert, pipelines do what changed and no more."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.control.plane import Plane
from tests.integration.evals.checks import called, ok, ran, worked
from tests.integration.evals.stand_in import StandIn
from tests.integration.evals.test_jobs_process import LAB
from tests.integration.monitors.receiver import Receiver, receiving

pytestmark = pytest.mark.integration
PRICE = {"dollars": {"input": "1", "output": "2"}, "source": "the contract"}
SAYS = {"use": "regex", "name": "polite", "options": {"pattern": "please"}}


async def told(plane: Plane, admin: httpx.AsyncClient, receiver: Receiver) -> list[str]:
    """What the channel heard after another look at the monitors, whoever sent it."""
    control = plane.app.state.control
    await control.monitors.watching.look()
    await control.monitors.telling.deliver()
    async with asyncio.timeout(60):
        while await ok(admin, "GET", "/deliveries?state=waiting"):
            await asyncio.sleep(0.05)
    return receiver.said


async def test_sampled_answers_are_scored_once_with_weights_that_give_the_mean_of_them_all(
    plane: Plane, stand_in: StandIn, tmp_path: Path
) -> None:
    admin = await plane.admin()
    polite = [("go", "please sit"), ("go", "go away"), ("go", "please wait"), ("go", "please")]
    rule = await ok(admin, "PUT", "/online", {
        "name": "polite", "scorer": SAYS, "rate": 0.5, "delay_s": 0,
        "strata": [{"when": "error", "rate": 1.0}],
    })  # fmt: skip
    called(plane, polite * 25)
    called(plane, [("go", "failed")] * 10, status=500, error="server")
    run = await ran(plane, stand_in, admin, rule, tmp_path)
    assert run["result"]["seen"] == 110
    drawn = run["result"]["drawn"]
    assert 40 < drawn < 80
    (summary,) = await ok(admin, "GET", "/scores/summary?project=default&name=polite&by=name")
    assert summary["n"] == drawn
    assert summary["weight"] == pytest.approx(10 + 2 * (drawn - 10))
    assert summary["mean"] == pytest.approx(run["result"]["estimate"]["mean"])
    assert run["result"]["estimate"]["low"] < 75 / 110 < run["result"]["estimate"]["high"]
    page = await ok(admin, "GET", "/scores?project=default&name=polite&limit=200")
    assert {(s["source"], s["evaluator"], s["author"]) for s in page["items"]} == {
        ("code", "regex", "online:polite")
    }
    assert {s["weight"] for s in page["items"]} == {1.0, 2.0}
    again = await ran(plane, stand_in, admin, rule, tmp_path)
    assert (again["result"]["seen"], again["result"]["drawn"]) == (0, 0)
    called(plane, polite)
    assert (await ran(plane, stand_in, admin, rule, tmp_path))["result"]["seen"] == 4


async def test_texts_that_are_others_than_before_alarm_and_the_channel_hears_of_it(
    plane: Plane, stand_in: StandIn, tmp_path: Path
) -> None:
    admin, rng = await plane.admin(), random.Random(1)
    words = ["a price of the dish", "is it for two people", "what is in it", "the wine and a table"]

    def asked(number: int, pool: list[str]) -> list[tuple[str, str]]:
        return [(" ".join(rng.sample(pool, 2)), "fine") for _ in range(number)]

    called(plane, asked(60, words), ago_s=3 * 3600)
    called(plane, asked(40, words), ago_s=1200)
    with receiving() as receiver:
        channel = {"name": "ops", "project": "default", "url": receiver.url}
        await ok(admin, "POST", "/channels", channel)
        check = await ok(admin, "PUT", "/drift", {
            "name": "inputs", "of": "input", "window_h": 1, "reference_h": 5, "alert": ["ops"],
        })  # fmt: skip
        quiet = await ran(plane, stand_in, admin, check, tmp_path)
        assert (quiet["alarm"], quiet["result"]["now"]["n"]) == (False, 40)
        assert await told(plane, admin, receiver) == []
        german = ["der Preis für das Gericht und die Suppe", "ist das für zwei mit dem Wein"]
        called(plane, asked(60, german), ago_s=600)
        moved = await ran(plane, stand_in, admin, check, tmp_path)
        assert moved["alarm"], moved
        assert moved["result"]["features"]["language"]["moved"]
        assert moved["result"]["features"]["embedding"]["test"] == "MMD, permutation"
        assert await told(plane, admin, receiver) == ["monitor.firing"]
        assert "input drifted" in receiver.messages[0]["data"]["alert"]["reason"]
        few = await ok(admin, "PUT", "/drift", {"name": "few", "of": "score", "score": "none"})
        assert (await ran(plane, stand_in, admin, few, tmp_path))["alarm"] is None


async def test_a_silent_change_alarms_until_somebody_accepts_it_and_scatter_alone_does_not(
    plane: Plane, stand_in: StandIn, tmp_path: Path
) -> None:
    admin, rng = await plane.admin(), random.Random(4)
    await ok(admin, "PUT", "/providers/lab", LAB)

    def scattered(body: Any) -> str:
        return f"{body['messages'][-1]['content']}: {rng.choice(['warm', 'tasty', 'fresh'])}"

    stand_in.says = scattered
    asked = {"name": "lab", "model": "m", "references": 2, "repeats": 2,
             "prompts": [f"Describe dish {n}" for n in range(8)]}  # fmt: skip
    with receiving() as receiver:
        channel = {"name": "ops", "project": "default", "url": receiver.url}
        await ok(admin, "POST", "/channels", channel)
        check = await ok(admin, "PUT", "/canaries", {**asked, "alert": ["ops"]})
        for number in (1, 2):
            taken = await ran(plane, stand_in, admin, check, tmp_path)
            assert taken["alarm"] is None
            assert f"reference {number} of 2" in taken["words"]
            assert taken["result"]["cost"]["nano"] is None, "no price is known, which is not 0"
        for _ in range(2):
            quiet = await ran(plane, stand_in, admin, check, tmp_path)
            assert quiet["alarm"] is False, quiet["words"]
        stand_in.says = lambda body: "As a large model, I cannot say. " + scattered(body)
        changed = await ran(plane, stand_in, admin, check, tmp_path)
        assert changed["alarm"], changed["words"]
        assert "answers changed by" in changed["words"]
        assert len(changed["result"]["changed"]) == 8
        assert await told(plane, admin, receiver) == ["monitor.firing"]
        await accepted(plane, stand_in, admin, check, tmp_path)
        assert await told(plane, admin, receiver) == ["monitor.firing", "monitor.resolved"]
    stand_in.says = scattered
    back = await ran(plane, stand_in, admin, check, tmp_path)
    assert back["alarm"], "what was the old behaviour is a change now"


async def accepted(
    plane: Plane, stand_in: StandIn, admin: httpx.AsyncClient, check: dict[str, Any], folder: Path
) -> None:
    """A person takes the change on; the reference is filled up with answers that are like it."""
    path = f"/canaries/{check['id']}/rebase"
    assert (await admin.post(f"/api/v1{path}", json={"reason": " "})).status_code == 422
    made = await ok(admin, "POST", path, {"reason": "the vendor says so"})
    assert (made["alarm"], made["cause"][:9], made["cause"][-18:]) == (
        False, "rebase by", "the vendor says so"
    )  # fmt: skip
    (entry, *_) = await ok(admin, "GET", "/audit?action=check.rebase")
    assert entry["detail"] == {"project": "default", "name": "lab", "reason": "the vendor says so"}
    like_it = await ran(plane, stand_in, admin, check, folder)
    assert like_it["alarm"] is False, like_it["words"]
    assert "reference 2 of 2 taken" in like_it["words"]


async def test_a_canary_costs_what_is_shown_and_no_more_than_its_budget(
    plane: Plane, stand_in: StandIn, tmp_path: Path
) -> None:
    admin = await plane.admin()
    await ok(admin, "PUT", "/providers/lab", LAB)
    asked = {"name": "lab", "model": "m", "references": 2, "repeats": 1, "max_tokens": 20,
             "embedding": "", "prompts": ["one", "two"], "max_usd_day": 0.0001}  # fmt: skip
    refused = await admin.put("/api/v1/canaries", json=asked)
    assert "no price is known of 'm'" in refused.json()["error"]["message"]
    await ok(admin, "POST", "/prices", {"provider": "lab", "model": "m", **PRICE})
    check = await ok(admin, "PUT", "/canaries", asked)
    # Each call is 10 tokens at $1 and 5 at $2 per million: a run of two is $0.00004.
    paid = [await ran(plane, stand_in, admin, check, tmp_path) for _ in range(3)]
    assert [run["cost_nano"] for run in paid] == [40_000, 40_000, 0]
    assert paid[1]["result"]["cost"] == {
        "nano": 40_000, "limit_nano": 100_000, "day_nano": 80_000, "apart": ""
    }  # fmt: skip
    assert stand_in.calls == 4
    assert paid[2]["result"]["skipped"]
    assert paid[2]["words"] == (
        "skipped: a run costs about $0.000040, and of the day's budget of $0.00010 only $0.000020 "
        "is left"
    )
    assert paid[2]["alarm"] is None


PIPELINE = {
    "name": "menu",
    "triggers": [{"file": "dishes.jsonl"}],
    "steps": [
        {"id": "load", "use": "ingest",
         "options": {"file": "dishes.jsonl", "dataset": "dishes"}},
        {"id": "measure", "use": "eval", "options": {"suite": "menu"}},
        {"id": "pass", "use": "gate", "options": {"base": "none"}},
        {"id": "ship", "use": "release"},
    ],
}  # fmt: skip


async def prepared(plane: Plane, folder: Path) -> httpx.AsyncClient:
    """A file, a prompt and a suite on the data set that the file becomes."""
    admin = await plane.admin()
    line = '{"id": "r1", "input": {"dish": "soup"}, "expected": "soup"}\n'
    folder.mkdir()
    (folder / "dishes.jsonl").write_text(line)
    await ok(admin, "PUT", "/providers/lab", LAB)
    content = {"body": "The {{ dish }}.", "model": "m"}
    await ok(admin, "POST", "/prompts", {"name": "menu", "content": content})
    await ok(admin, "PUT", "/evals/suites", {
        "name": "menu", "dataset": "dishes", "target": {"kind": "prompt", "prompt": "menu@1"},
        "scorers": [{"use": "regex", "name": "the", "options": {"pattern": "The"}}],
        "gate": {"metrics": {"the": {"minimum": 1}}},
    })  # fmt: skip
    return admin


def states(run: dict[str, Any]) -> list[str]:
    return [step["state"] for step in run["result"]["steps"]]


async def test_a_pipeline_does_what_changed_and_skips_the_rest(
    plane: Plane, stand_in: StandIn, tmp_path: Path
) -> None:
    folder = tmp_path / "home" / "pipelines"
    admin = await prepared(plane, folder)
    unknown = {**PIPELINE, "steps": [{"id": "x", "use": "gate", "options": {"bse": "none"}}]}
    refused = await admin.put("/api/v1/pipelines", json=unknown)
    assert "Did you mean 'base'" in refused.json()["error"]["message"]
    stand_in.says = lambda _: "The soup."
    check = await ok(admin, "PUT", "/pipelines", PIPELINE)
    scheduler = plane.app.state.control.monitors.scheduler
    await scheduler.look()
    first = await ran(plane, stand_in, admin, check, folder)
    assert states(first) == ["done"] * 4, first["words"]
    labels = (await ok(admin, "GET", "/prompts/menu"))["prompt"]["labels"]
    assert [(label["label"], label["version"]) for label in labels] == [("production", 1)]
    trace = stand_in.traces[0]
    scores = (await ok(admin, "GET", f"/scores?project=default&trace_id={trace}"))["items"]
    assert [(s["name"], s["value"], s["author"]) for s in scores] == [("the", 1.0, "eval:menu")]

    second = await ran(plane, stand_in, admin, check, folder)
    assert states(second) == ["skipped"] * 4
    assert stand_in.calls == 1
    with (folder / "dishes.jsonl").open("a") as file:
        file.write('{"id": "r2", "input": {"dish": "cake"}, "expected": "cake"}\n')
    await scheduler.look()
    await worked(plane, stand_in, folder)
    third = (await ok(admin, "GET", f"/checks/{check['id']}/runs"))[0]
    assert third["cause"] == "file dishes.jsonl changed"
    assert states(third)[:3] == ["done"] * 3
    assert stand_in.calls == 2, "the row that was answered before is not asked again"

    stand_in.says = lambda _: "no"
    (folder / "dishes.jsonl").write_text('{"id": "r3", "input": {"dish": "tea"}}\n')
    fourth = await ran(plane, stand_in, admin, check, folder)
    assert fourth["alarm"]
    assert states(fourth) == ["done", "done", "failed", "not run"], fourth["words"]
