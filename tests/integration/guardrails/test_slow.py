"""Rails that take long: a chat model as a rail, the rail process, and calls that do not wait."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockpot.gateway.guard.process import RailProcess, RailsAway
from stockpot.rails import Policy, RailsPart, Rule
from tests.integration.guardrails.conftest import GuardedRig
from tests.integration.guardrails.test_gateway import openai, text_of
from tests.vendors.openai_stub import Behaviour, OpenAIStub

pytestmark = pytest.mark.integration


def judged(rig: GuardedRig, on: tuple[Any, ...] = ("input",), **changes: Any) -> GuardedRig:
    """A rig whose model `small` is watched by the model `guard`."""
    rig.route("small", rig.target("upstream-1"))
    rig.route("guard", rig.target("judge-1"))
    parallel = changes.pop("parallel", False)
    rule = Rule("safe", "model", on, "block", {"model": "guard"}, budget_ms=15_000, **changes)
    return rig.guard(rule, parallel=parallel)


def test_a_chat_model_is_a_rail(rig: GuardedRig, stub: OpenAIStub) -> None:
    judged(rig, ("input", "output"), on_error="closed").start()
    judge = stub.behaviours
    judge["judge-1"] = [Behaviour(text="unsafe\nS1,S10"), Behaviour(text='{"safe": true}')]
    refused = openai(rig, "how to")
    assert refused.status_code == 400
    assert "S1, S10" in refused.json()["error"]["message"]
    assert "upstream-1" not in {request["model"] for request in stub.requests}
    for stream in (False, True):
        assert text_of(openai(rig, "how to", stream=stream)) == "The kettle is on."
    judge["judge-1"] = [Behaviour(text="I would rather not say.")]
    assert "failed" in openai(rig, "how to").json()["error"]["message"]
    asked = [record for record in rig.records(7) if record.route == "guard"]
    calls = {record.trace_id: record for record in rig.records() if record.route == "small"}
    assert all(record.trace_id in calls and record.tags == ("guardrail",) for record in asked)
    assert all(record.parent_id for record in asked)


def test_no_byte_leaves_before_the_input_is_cleared_though_the_model_works_already(
    rig: GuardedRig, stub: OpenAIStub
) -> None:
    judged(rig, parallel=True).start()
    slow = Behaviour(text="safe", delay_s=0.4)
    for stream in (False, True):
        stub.behaviours["judge-1"] = [slow]
        begun = time.monotonic()
        assert text_of(openai(rig, "hello", stream=stream)) == "The kettle is on."
        assert time.monotonic() - begun > 0.4
        stub.behaviours["judge-1"] = [Behaviour(text="unsafe", delay_s=0.4)]
        answer = openai(rig, "hello", stream=stream)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "guardrail_blocked")
        assert "kettle" not in answer.text
    stub.behaviours["judge-1"] = [Behaviour(text="safe", delay_s=2.0)]
    openai(rig, "hello")
    asked = stub.asked_at
    assert asked["upstream-1"] < asked["judge-1"] + 2.0, "both work at the same time"


@pytest.mark.parametrize("on_error", ["open", "closed"])
def test_a_model_that_does_not_answer_in_time_follows_on_error(
    rig: GuardedRig, stub: OpenAIStub, on_error: Any
) -> None:
    rig.route("small", rig.target("upstream-1"))
    rig.route("guard", rig.target("judge-1"))
    rule = Rule("safe", "model", ("input",), "block", {"model": "guard"}, budget_ms=150,
                on_error=on_error)  # fmt: skip
    rig.guard(rule).start()
    stub.behaviours["judge-1"] = [Behaviour(delay_s=1.0)]
    answer = openai(rig, "hello")
    assert answer.status_code == (400 if on_error == "closed" else 200)


def test_a_large_text_is_looked_at_in_the_rail_process_whose_end_follows_on_error(
    rig: GuardedRig,
) -> None:
    secret = {"words": ["truffle"]}
    rig.guard(
        Rule("no", "words", ("input",), "block", secret, on_error="closed", budget_ms=1000)
    ).start()
    large = "salt and butter " * 4000
    assert openai(rig, large).status_code == 200
    assert openai(rig, large + " truffle").status_code == 400
    assert rig.child is not None
    (child,) = children(rig.child.pid)
    os.kill(child, signal.SIGSTOP)
    begun = time.monotonic()
    stopped = openai(rig, large)
    assert stopped.status_code == 400
    assert "failed" in stopped.json()["error"]["message"]
    assert time.monotonic() - begun < 20
    assert openai(rig, large).status_code == 200, "it was started again"
    (child,) = children(rig.child.pid)
    os.kill(child, signal.SIGKILL)
    assert openai(rig, large).status_code in (200, 400)
    assert openai(rig, large).status_code == 200


def children(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()]


async def test_tenants_take_turns_and_one_that_stalls_costs_the_others_its_limit_at_most() -> None:
    rule = Rule("no", "words", ("input",), "block", {"words": ["truffle"]})
    data = msgspec.msgpack.encode(RailsPart((Policy("p", "p", (rule,)),)))
    process = RailProcess()
    question = ("p", "", "input", "a truffle")
    try:
        (ran,) = await process.run("b", data, question, 5.0)
        assert ran.findings
        os.kill(process.pid, signal.SIGSTOP)
        stalls = [asyncio.create_task(process.run("a", data, question, 0.3)) for _ in range(5)]
        await asyncio.sleep(0)
        (ran,) = await process.run("b", data, question, 5.0)
        assert ran.findings
        assert sum(task.done() for task in stalls) <= 2, "`b` did not wait for all of `a`"
        with contextlib.suppress(RailsAway):
            await stalls[0]
        assert isinstance(stalls[0].exception(), RailsAway)
        await asyncio.gather(*stalls[1:])
    finally:
        await process.close()
