"""A policy at work in a real worker: what is asked and what is answered, whole and streamed, in two
dialects."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from stockpot.rails import Rule
from tests.integration.gateway.conftest import SECRET
from tests.integration.guardrails.conftest import GuardedRig
from tests.vendors.openai_stub import Behaviour, OpenAIStub

pytestmark = pytest.mark.integration

SECRET_WORD = {"words": ["truffle"]}


def words(ident: str, on: tuple[str, ...], action: str, **changes: Any) -> Rule:
    return Rule(ident, "words", on, action, SECRET_WORD, **changes)  # type: ignore[arg-type]


def openai(rig: GuardedRig, text: str, *, stream: bool = False, **more: Any) -> httpx.Response:
    messages = more.pop("messages", [{"role": "user", "content": text}])
    return rig.post(messages=messages, stream=stream, **more)


def anthropic(rig: GuardedRig, text: str, *, stream: bool = False) -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    body = {"model": "small", "max_tokens": 99, "stream": stream, "messages": messages}
    headers = {"x-api-key": SECRET}
    return httpx.post(rig.url + "/messages", json=body, headers=headers, timeout=60)


def events(answer: httpx.Response) -> list[Any]:
    lines = [line[5:].strip() for line in answer.text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def text_of(answer: httpx.Response) -> str:
    """What a client reads, in whichever form."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        body = answer.json()
        if "choices" in body:
            return str(body["choices"][0]["message"]["content"])
        return "".join(block.get("text", "") for block in body["content"])
    said = []
    for event in events(answer):
        for choice in event.get("choices", []):
            said.append(choice["delta"].get("content") or "")
        said.append(event.get("delta", {}).get("text", "") if "delta" in event else "")
    return "".join(said)


ASK = [(openai, False), (openai, True), (anthropic, False), (anthropic, True)]
NAMES = ["openai-whole", "openai-stream", "anthropic-whole", "anthropic-stream"]


def test_what_a_rule_blocks_never_reaches_the_model(rig: GuardedRig, stub: OpenAIStub) -> None:
    rig.guard(words("no-truffles", ("input",), "block")).start()
    for ask, stream in ASK:
        answer = ask(rig, "a truffle please", stream=stream)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert "no-truffles" in error["message"]
        assert "truffle please" not in answer.text
        if ask is openai:
            assert error["code"] == "guardrail_blocked"
    assert not stub.requests
    record = rig.records(4)[0]
    policy, rule = record.guardrails
    assert (policy.rail, policy.action) == ("careful", "block")
    assert (rule.rule, rule.where, rule.action, sum(n for _, n in rule.found)) == (
        "no-truffles", "input", "block", 1,
    )  # fmt: skip


def test_a_mask_is_taken_back_in_the_answer_however_it_is_cut(
    rig: GuardedRig, stub: OpenAIStub
) -> None:
    rule = Rule("hide", "words", ("input",), "mask", SECRET_WORD, reversible=True)
    rig.guard(rule).start()
    openai(rig, "One truffle.")
    hidden = stub.requests[0]["messages"][0]["content"]
    assert "truffle" not in hidden
    placeholder = hidden.removeprefix("One ").removesuffix(".")
    stub.behaviours["upstream-1"] = [Behaviour(text=f"Yes: {placeholder}, and [OTHER_1].")]
    for ask, stream in ASK:
        answer = ask(rig, "One truffle.", stream=stream)
        assert text_of(answer) == "Yes: truffle, and [OTHER_1]."
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "truffle"}]
    openai(rig, "", messages=[*said, {"role": "user", "content": "more"}])
    assert "truffle" not in json.dumps(stub.requests[-1])


@pytest.mark.parametrize(("ask", "stream"), ASK, ids=NAMES)
def test_what_the_model_says_is_masked(
    rig: GuardedRig, stub: OpenAIStub, ask: Any, stream: bool
) -> None:
    rig.guard(words("hide", ("output",), "mask")).start()
    long = "It takes butter, salt and patience. " * 8
    stub.behaviours["upstream-1"] = [Behaviour(text=f"{long}A truffle! {long}")]
    said = text_of(ask(rig, "How?", stream=stream))
    assert said.startswith(long)
    assert said.endswith(long)
    assert "truffle" not in said
    assert "[" in said
    (record,) = rig.records()
    assert record.guardrails[1].action == "mask"


@pytest.mark.parametrize(("ask", "stream"), ASK, ids=NAMES)
def test_an_answer_that_is_blocked_ends_in_a_well_formed_refusal(
    rig: GuardedRig, stub: OpenAIStub, ask: Any, stream: bool
) -> None:
    rig.guard(words("no-truffles", ("output",), "block")).start()
    stub.behaviours["upstream-1"] = [Behaviour(text="Take salt. Then a truffle and more of it.")]
    answer = ask(rig, "How?", stream=stream)
    assert "truffle" not in answer.text.replace("no-truffles", "")
    assert "more of it" not in answer.text
    if stream:
        assert answer.status_code == 200
        assert "no-truffles" in events(answer)[-1]["error"]["message"]
    else:
        assert answer.status_code == 400
        assert "no-truffles" in answer.json()["error"]["message"]
    (record,) = rig.records()
    assert record.error == "guardrail_blocked"
    assert record.output_tokens > 0, "what was used is billed"


def test_a_model_is_asked_again_once(rig: GuardedRig, stub: OpenAIStub) -> None:
    rig.guard(words("again", ("output",), "reask")).start()
    bad, good = Behaviour(text="A truffle."), Behaviour(text="A potato.")
    for ask, stream in ASK:
        stub.requests.clear()
        stub.behaviours["upstream-1"] = [bad, good]
        assert text_of(ask(rig, "What?", stream=stream)) == "A potato."
        assert [m["role"] for m in stub.requests[1]["messages"]] == ["user", "assistant", "user"]
    stub.requests.clear()
    stub.behaviours["upstream-1"] = [bad]
    assert openai(rig, "What?").status_code == 400
    assert len(stub.requests) == 2
    records = rig.records(10)
    assert [r.is_root for r in records[:2]] == [False, True]
    assert records[1].route_reason == "reask"


def test_a_call_is_sent_elsewhere(rig: GuardedRig, stub: OpenAIStub) -> None:
    rig.route("small", rig.target("upstream-1"))
    rig.route("private", rig.target("upstream-2"))
    rig.guard(
        words("inside", ("input",), "route", route_to="private"),
        words("outside", ("output",), "route", route_to="private"),
    ).start()
    openai(rig, "truffle")
    assert stub.requests[-1]["model"] == "upstream-2"
    stub.behaviours["upstream-1"] = [Behaviour(text="truffle")]
    stub.behaviours["upstream-2"] = [Behaviour(text="potato")]
    assert text_of(openai(rig, "What?", stream=True)) == "potato"
    assert [r.target for r in rig.records(3)] == ["upstream-2", "upstream-1", "upstream-2"]


def test_shadow_rules_and_flags_change_nothing_and_are_recorded(
    rig: GuardedRig, stub: OpenAIStub
) -> None:
    rig.guard(
        words("would", ("input", "output"), "block", shadow=True),
        words("note", ("input", "output"), "flag"),
    ).start()
    stub.behaviours["upstream-1"] = [Behaviour(text="A truffle.")]
    for ask, stream in ASK:
        assert text_of(ask(rig, "truffle?", stream=stream)) == "A truffle."
    for record in rig.records(4):
        told = {(v.rule, v.where, v.shadow) for v in record.guardrails[1:]}
        assert told == {
            ("would", "input", True), ("would", "output", True),
            ("note", "input", False), ("note", "output", False),
        }  # fmt: skip


def test_tools_and_retrieved_texts_are_places_of_their_own(
    rig: GuardedRig, stub: OpenAIStub
) -> None:
    rig.guard(
        words("from-tools", ("tool_result",), "mask"),
        words("from-afar", ("retrieved",), "block"),
        words("to-tools", ("tool_call",), "mask"),
    ).start()
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = [
        {"role": "user", "content": "a truffle"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "one truffle"},
    ]
    args = {**call, "function": {"name": "f", "arguments": '{"x": "a truffle now"}'}}
    stub.behaviours["upstream-1"] = [
        Behaviour(message={"content": None, "tool_calls": [args]}, finish="tool_calls")
    ]
    answer = openai(rig, "", messages=asked)
    assert stub.requests[-1]["messages"][0]["content"] == "a truffle"
    assert "truffle" not in stub.requests[-1]["messages"][2]["content"]
    said = answer.json()["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert "truffle" not in json.loads(said)["x"]
    streamed = openai(rig, "", messages=asked, stream=True)
    pieces = [
        call["function"]["arguments"]
        for event in events(streamed) for choice in event["choices"]
        for call in choice["delta"].get("tool_calls") or () if call["function"].get("arguments")
    ]  # fmt: skip
    assert json.loads("".join(pieces)) == json.loads(said)
    found = openai(rig, "Sum up: <retrieved source='a'>truffle</retrieved> and truffle.")
    assert found.status_code == 400
    assert "from-afar" in found.json()["error"]["message"]
