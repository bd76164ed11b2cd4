"""Right-sizing by the word of a judge: what it pays, what its certificate allows, and a process of
jobs that is killed in the middle."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.integration.evals.test_jobs_process import LAB, process, until
from tests.integration.evals.test_judges import Bench, annotated, bench, verdict

__all__ = ["bench"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROWS = 40
MODELS = ("large", "small", "tiny")
DOLLARS = {"large": (10.0, 30.0), "small": (1.0, 3.0), "tiny": (0.1, 0.3), "m": (1.0, 2.0)}
ASKED = {
    "baseline": "large", "candidates": ["small", "tiny"], "margin": 0.2, "dataset": "answers",
    "scorers": [{"use": "judge:right"}], "budget_nano": 100_000_000,
}  # fmt: skip
RUNS = "/rightsize/runs"


def says(body: Any) -> str:
    """A judge that knows good from bad, two models that are good, and one that is not."""
    model = body["model"]
    if model == "m":
        return verdict(body)
    word = "bad" if model == "tiny" else "good"
    return f"{word} answer of {model} to {body['messages'][-1]['content']}"


async def priced(bench: Bench, *models: str) -> None:
    for model in models:
        asked, told = DOLLARS[model]
        price = {"provider": "lab", "model": model, "source": "stated for a test",
                 "dollars": {"input": asked, "output": told}}  # fmt: skip
        await bench.ok("POST", "/prices", price)


def nano(model: str) -> int:
    """What a call of ten tokens in and five out takes."""
    return round((10 * DOLLARS[model][0] + 5 * DOLLARS[model][1]) * 1000)


async def test_a_judge_is_paid_out_of_the_budget_and_its_word_moves_traffic_once_it_is_certified(
    bench: Bench,
) -> None:
    bench.gateway.says = says
    await bench.ok("PUT", "/providers/lab", {**LAB, "models": ["m", *MODELS]})
    await priced(bench, *MODELS)
    refused = await bench.admin.post(f"/api/v1{RUNS}", json=ASKED)
    assert refused.status_code == 422
    assert "the price of 'm' is not known" in refused.text
    await priced(bench, "m")
    started = await bench.ok("POST", RUNS, ASKED)
    assert "for 120 calls of judges" in started["notes"][-1]
    run = await killed_and_done(bench, started["id"])

    judged = {one["figures"]["model"]: one for one in run["report"]["candidates"]}
    assert (judged["small"]["verdict"], judged["tiny"]["verdict"]) == ("passes", "refused")
    assert judged["tiny"]["figures"]["quality"] == 0.0
    assert "may inform, and prove nothing" in run["report"]["warnings"][0]
    apply = f"/api/v1{RUNS}/{run['id']}/apply"
    refused = await bench.admin.post(apply, json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_passed")

    bench.gateway.says = verdict
    await annotated(bench)
    assert (await bench.certified())["state"] == "certified"
    shown = await bench.ok("GET", f"{RUNS}/{run['id']}")
    assert not [one for one in shown["report"]["warnings"] if "certificate" in one]
    began = await bench.ok("POST", f"{RUNS}/{run['id']}/apply", {})
    assert (began["candidate"], began["share"]) == ("small", 0.1)


async def killed_and_done(bench: Bench, run_id: str) -> dict[str, Any]:
    """The run, whose process is killed in the last arm: what was paid is not paid again."""
    home, gateway = bench.plane.settings.home, bench.gateway
    gateway.took_s = 0.02

    async def told() -> dict[str, Any]:
        found: dict[str, Any] = await bench.ok("GET", f"{RUNS}/{run_id}")
        return found

    async def far() -> bool:
        return gateway.calls > 190

    async def done() -> dict[str, Any] | None:
        run = await told()
        return run if run["state"] not in ("queued", "running") else None

    first = await process(home, gateway.port)
    await until(far)
    in_flight = gateway.in_flight
    first.send_signal(signal.SIGKILL)
    await first.wait()
    repeated = max(in_flight, gateway.in_flight) + 16  # those whose answer was not kept yet
    second = await process(home, gateway.port)
    run: dict[str, Any] = await until(done)
    second.terminate()
    await second.wait()
    assert run["state"] == "done", run["error"]
    assert gateway.calls <= 2 * len(MODELS) * ROWS + repeated
    due = sum(ROWS * (nano(model) + nano("m")) for model in MODELS)
    judges = sum(arm["judges_nano"] for arm in run["arms"])
    assert due - repeated * nano("m") - repeated * nano("tiny") <= run["spent_nano"] <= due
    assert 0 <= len(MODELS) * ROWS * nano("m") - judges <= repeated * nano("m")
    return run
