"""A judge from its first version to its certificate, and what may rest on it meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.core.jobs import JobRunner
from stockpot.evals import open_jobs
from tests.integration.control.plane import Plane, running
from tests.integration.evals.stand_in import StandIn
from tests.integration.evals.test_jobs_process import LAB

pytestmark = pytest.mark.integration

API = "/api/v1"
SAID = {f"r{n}": f"{'good' if n % 3 else 'bad'} {n}" for n in range(40)}
SAID |= {"r3": "mumble", "r7": "mumble", "r5": "shrug"}
ROWS = [
    {"id": item, "input": {"question": item},
     "metadata": {"lang": "de" if int(item[1:]) % 2 else "en", "output": said}}
    for item, said in SAID.items()
]  # fmt: skip
JUDGE = {"name": "right", "model": "m", "criteria": "The answer says good.", "structured": True}
SUITE: dict[str, Any] = {
    "name": "menu", "dataset": "answers", "target": {"kind": "recorded"},
    "scorers": [{"use": "judge:right", "name": "right"}],
    "gate": {"base": "none", "metrics": {"right": {"minimum": 0.5}}},
}  # fmt: skip


def verdict(body: Any) -> str:
    """A judge that sees well, but mumbles on some answers and shrugs at others."""
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["reason", "verdict"]
    answer = body["messages"][-1]["content"].partition("Answer:")[2]
    if "mumble" in answer:
        return "It is hard to say whether this is a pass or a fail."
    word = "abstain" if "shrug" in answer else "pass" if "good" in answer else "fail"
    return f'```json\n{{"reason": "seen", "verdict": "{word}"}}\n```'


class Bench:
    """A control plane, a stand-in for its gateway, and what waits done."""

    def __init__(self, plane: Plane, gateway: StandIn, admin: httpx.AsyncClient) -> None:
        self.plane, self.gateway, self.admin = plane, gateway, admin

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.admin.request(method, f"{API}{path}", json=body)
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def done(self, path: str, field: str, one: Any) -> Any:
        """What a job makes of a record, found again at a path."""
        control = self.plane.app.state.control
        handlers = open_jobs(control.db, self.plane.instance, self.plane.settings)
        runner = asyncio.create_task(
            JobRunner(control.evals.queue, handlers, look_every_s=0.02).run()
        )
        deadline = time.monotonic() + 60
        while one[field] in ("queued", "running"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
            found = await self.ok("GET", path)
            one = (
                found if isinstance(found, dict) else next(x for x in found if x["id"] == one["id"])
            )
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
        assert one[field] == "done", one["error"]
        return one

    async def run(self) -> Any:
        started = await self.ok("POST", "/evals/runs", {"suite": "menu"})
        return await self.done(f"/evals/runs/{started['id']}", "state", started)

    async def certified(self, **new: Any) -> Any:
        at = "/evals/judges/right/certificates"
        made = await self.ok("POST", at, {"dataset": "answers", **new})
        return await self.done(at, "progress", made)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with StandIn() as gateway:
        gateway.says = verdict
        async with running(tmp_path / "home", gateway_port=gateway.port) as plane:
            made = Bench(plane, gateway, await plane.admin())
            await made.ok("PUT", "/providers/lab", LAB)
            await made.ok("POST", "/datasets", {"name": "answers"})
            await made.ok("POST", "/datasets/answers/rows", {"rows": ROWS})
            await made.ok("POST", "/evals/judges", JUDGE)
            await made.ok("PUT", "/evals/suites", SUITE)
            yield made


async def annotated(bench: Bench, wrong: frozenset[str] = frozenset()) -> None:
    """Somebody looks at every row in a queue, and says what it is."""
    queue = {"name": "look", "source": {"dataset": "answers"},
             "rubric": [{"name": "fine", "kind": "bool"}]}  # fmt: skip
    made = await bench.ok("POST", "/annotation/queues", queue)
    for item, said in SAID.items():
        fine = ("good" in said) != (item in wrong)
        path = f"/annotation/queues/{made['id']}/items/{item}/answers"
        await bench.ok("PUT", path, {"answers": {"fine": fine}})


async def test_a_judge_informs_until_people_certify_it_and_no_longer_than_that_holds(
    bench: Bench,
) -> None:
    run = await bench.run()
    (measured,) = (one for one in run["metrics"] if not one["slice"])
    assert (measured["n"], measured["unit"]) == (37, "share")  # what was not read is missing, not 0
    assert measured["badge"]["state"] == "uncertified"
    tally = run["judges"][0]["tally"]
    assert (tally["rows"], tally["judged"], tally["parse"], tally["abstained"]) == (40, 37, 2, 1)
    assert tally["parse_share"] == pytest.approx(2 / 40)
    gate = await bench.ok("POST", f"/evals/runs/{run['id']}/gate")
    assert not gate["passed"]
    assert any("may inform, never gate" in check["words"] for check in gate["checks"])

    await annotated(bench, wrong=frozenset({"r10"}))
    certificate = await bench.certified(slices=["metadata.lang"])
    assert (certificate["state"], certificate["n"], certificate["labels"]) == ("certified", 37, 40)
    assert certificate["kappa"]["low"] > 0.4
    assert {one["slice"] for one in certificate["slices"]} == {"metadata.lang=de",
                                                              "metadata.lang=en"}  # fmt: skip
    assert bench.gateway.calls == 40  # the run had asked all of it already
    assert (await bench.ok("POST", f"/evals/runs/{run['id']}/gate"))["passed"]

    second = await bench.run()
    assert second["judges"][0]["corrected"]["labelled"] == 37
    assert second["progress"]["cost_nano"] in (0, None)  # asked before
    await served_elsewhere(bench)
    gate = await bench.ok("POST", f"/evals/runs/{run['id']}/gate")
    assert not gate["passed"]
    assert any("the model changed" in check["words"] for check in gate["checks"])


async def served_elsewhere(bench: Bench) -> None:
    """The name that the judge asks is served by another model from now on."""
    await bench.ok("PUT", "/providers/other", {**LAB, "models": ["m2"]})
    target = {"targets": [{"provider": "other", "model": "m2"}]}
    await bench.ok("PUT", "/models/m", target)


async def test_a_judges_score_of_a_trace_and_every_sum_of_it_show_the_certificate(
    bench: Bench,
) -> None:
    scores = [
        {"project": "default", "trace_id": f"{n:032x}", "name": "right", "value": 1.0,
         "source": "judge", "evaluator": ref}
        for n, ref in enumerate(("judge:right@1", "judge:gone@3", "somebody else"), 1)
    ]  # fmt: skip
    await bench.ok("POST", "/scores", {"scores": scores})
    listed = (await bench.ok("GET", "/scores?project=default"))["items"]
    assert {one["evaluator"]: one["badge"]["state"] for one in listed} == dict.fromkeys(
        ("judge:right@1", "judge:gone@3", "somebody else"), "uncertified"
    )
    (summed,) = await bench.ok("GET", "/scores/summary?project=default&by=name")
    assert len(summed["badges"]) == 3
    people = [
        {"item": item, "rater": who, "label": "pass" if "good" in said else "fail"}
        for item, said in SAID.items()
        for who in ("ana", "bo")
    ]
    certificate = await bench.certified(labels=people)
    assert certificate["ceiling"]["kappa"]["value"] == 1.0
    (one,) = (await bench.ok("GET", "/scores?project=default&evaluator=judge:right@1"))["items"]
    assert one["badge"]["state"] == "certified"
    assert one["badge"]["low"] == pytest.approx(certificate["kappa"]["low"])

    await bench.ok("POST", "/evals/judges", {**JUDGE, "criteria": "The answer is polite."})
    (listed_judge,) = await bench.ok("GET", "/evals/judges")
    assert (listed_judge["versions"], listed_judge["badge"]["state"]) == (2, "expired")
    assert "since version 1 was certified" in listed_judge["badge"]["words"]


async def test_what_cannot_certify_is_said_before_anything_is_asked(bench: Bench) -> None:
    at = f"{API}/evals/judges/right/certificates"
    for body, words in (
        ({"dataset": "answers"}, "nobody has annotated"),
        ({"dataset": "answers", "labels": [{"item": "r1", "rater": "a", "label": "nice"}]},
         "it says fail, pass"),
        ({"dataset": "answers", "labels": [{"item": "zz", "rater": "a", "label": "pass"}]},
         "no label is about a row"),
    ):  # fmt: skip
        answer = await bench.admin.post(at, json=body)
        assert answer.status_code == 422
        assert words in answer.json()["error"]["message"], answer.text
    assert bench.gateway.calls == 0
