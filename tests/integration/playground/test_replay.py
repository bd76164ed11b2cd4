"""A real instance: calls of an application, and the same calls again by `stockpot replay`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.running import BIN, Instance, eventually, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TRACE = "4bf92f3577b34da6a3ce929d0e0e47{:02x}"
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home = tmp_path_factory.mktemp("replay") / "home"
    with running(home, environ={"STOCKPOT_ENGINES": "none"}) as started:
        started.command("aliases", "set", "support", "--target", "echo/echo")
        yield started


def send(
    instance: Instance, trace: str, body: dict[str, Any], path: str = "/v1/chat/completions"
) -> httpx.Response:
    """One call of an application, in a trace that it began."""
    answer = httpx.post(
        f"{instance.gateway}{path}",
        headers={"authorization": f"Bearer {instance.key}", "x-api-key": instance.key,
                 "anthropic-version": "2023-06-01",
                 "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
        json=body, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return answer


def recorded(instance: Instance, trace: str, calls: int) -> list[dict[str, Any]]:
    """The spans of a trace, when they have all arrived."""

    def spans() -> list[dict[str, Any]] | None:
        done = subprocess.run(
            [str(BIN / "stockpot"), "traces", "show", trace, "--json"],
            env=instance.environ, capture_output=True, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout)["spans"] if done.returncode == 0 else []
        return found if len(found) >= calls else None

    found: list[dict[str, Any]] = eventually(spans)
    return found


def replay(instance: Instance, trace: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [str(BIN / "stockpot"), "replay", trace, "--json", *words],
        env=instance.environ, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def agent(instance: Instance, trace: str) -> None:
    """Three steps of an agent: the third holds what a tool returned."""
    asked: list[dict[str, Any]] = [{"role": "user", "content": "Is there soup?"}]
    send(instance, trace, {"model": "support", "messages": asked, "seed": 1})
    function = {"name": "look", "arguments": '{"dish": "soup"}'}
    call = {"id": "c1", "type": "function", "function": function}
    asked += [{"role": "assistant", "content": "Is there soup?", "tool_calls": [call]},
              {"role": "tool", "tool_call_id": "c1", "content": "yes, tomato"},
              {"role": "user", "content": "And\n  how much is it?"}]  # fmt: skip
    send(instance, trace, {"model": "support", "messages": asked, "tools": TOOLS, "stream": True})
    send(instance, trace, {"model": "support", "max_tokens": 50, "system": "Be brief.",
                           "messages": [{"role": "user", "content": "Sum it up"}]},
         "/v1/messages")  # fmt: skip
    recorded(instance, trace, 3)


def test_a_trace_of_several_dialects_is_identical_with_the_deterministic_model(
    instance: Instance,
) -> None:
    trace = TRACE.format(1)
    agent(instance, trace)
    code, found = replay(instance, trace)
    told = [(s["state"], s["why"], s["differences"]) for s in found["steps"]]
    assert (code, found["identical"]) == (0, True), told
    assert [step["state"] for step in found["steps"]] == ["identical"] * 3
    for step in found["steps"]:
        assert step["recorded"]["digest"] == step["replayed"]["digest"]
    assert found["stubbed"] == [{"kind": "tool", "name": "look", "id": "c1"}]
    again = recorded(instance, found["replay_trace_id"], 3)
    assert {span["requested_model"] for span in again} == {"support"}
    assert {f"replay-of:{trace}"} <= set(again[0]["tags"])
    assert [span["dialect"] for span in again].count("anthropic") == 1


def test_another_answer_is_a_difference_with_the_exit_code_one(instance: Instance) -> None:
    trace = TRACE.format(2)
    answer = send(instance, trace, {"model": "echo", "messages": [
        {"role": "user", "content": "one two three"}]})  # fmt: skip
    assert answer.json()["choices"][0]["message"]["content"] == "one two three"
    recorded(instance, trace, 1)
    code, found = replay(instance, trace, "--model", "no-such-model")
    (step,) = found["steps"]
    assert (code, step["state"]) == (1, "failed")
    assert "no-such-model" in step["why"]
    assert {one["field"] for one in step["differences"]} >= {"error"}


def test_what_the_policy_did_not_keep_is_named(instance: Instance) -> None:
    made = json.loads(
        instance.command("keys", "create", "--name", "silent", "--payloads", "none", "--json")
    )
    trace = TRACE.format(3)
    answer = httpx.post(
        f"{instance.gateway}/v1/chat/completions",
        headers={"authorization": f"Bearer {made['key']}",
                 "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
        json={"model": "echo", "messages": [{"role": "user", "content": "hush"}]}, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 200
    recorded(instance, trace, 1)
    code, found = replay(instance, trace)
    (step,) = found["steps"]
    assert (code, step["state"]) == (1, "not_kept")
    assert "keeps no payloads" in step["why"]


def test_a_follow_through_uses_the_recorded_results(instance: Instance) -> None:
    trace = TRACE.format(4)
    agent(instance, trace)
    code, found = replay(instance, trace, "--follow")
    told = [(s["state"], s["why"], s["differences"]) for s in found["steps"]]
    assert (code, found["identical"]) == (0, True), told
