"""The stock OpenAI SDK against Bedrock: signed requests, binary streams, failures in mid-stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from stockpot.gateway import Target
from tests.integration.gateway.conftest import SECRET, Rig
from tests.vendors.bedrock_stub import (
    ACCESS_KEY,
    API_KEY,
    REGION,
    SECRET_KEY,
    SESSION_TOKEN,
    BedrockStub,
    Behaviour,
)

pytestmark = pytest.mark.integration

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3"
KEYS = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY, "region": REGION}
TOOL = {
    "type": "function",
    "function": {
        "name": "boil",
        "description": "Boils water",
        "parameters": {"type": "object", "properties": {"cups": {"type": "integer"}}},
    },
}
HELLO: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]


@pytest.fixture
def bedrock() -> Iterator[BedrockStub]:
    with BedrockStub() as running:
        yield running
    assert running.faults == []


def target(rig: Rig, bedrock: BedrockStub, model: str = MODEL, **changes: Any) -> Target:
    base = {"wire": "bedrock", "base_url": bedrock.url, "headers": (), "options": KEYS}
    return rig.target(model, **{**base, **changes})


def client(rig: Rig) -> openai.OpenAI:
    return openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"options": {**KEYS, "session_token": SESSION_TOKEN}},
        {"headers": (("authorization", f"Bearer {API_KEY}"),), "options": {}},
        {"model": ARN},
    ],
    ids=["keys", "session", "bearer", "arn"],
)
def test_a_whole_answer_comes_by_any_credential(
    rig: Rig, bedrock: BedrockStub, changes: dict[str, Any]
) -> None:
    rig.route("small", target(rig, bedrock, **changes))
    rig.start()
    with client(rig) as sdk:
        answer = sdk.chat.completions.create(model="small", messages=HELLO, max_tokens=50)
    assert answer.choices[0].message.content == "The kettle is on."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (37, 5)
    assert bedrock.models == [changes.get("model", MODEL)]
    assert bedrock.requests[0]["system"] == [{"text": "Be brief."}]
    (record,) = rig.records()
    assert (record.usage_source, record.input_tokens, record.cache_read_tokens) == (
        "provider", 37, 20,
    )  # fmt: skip


def test_a_wrong_secret_is_the_gateways_fault_and_is_said_so(
    rig: Rig, bedrock: BedrockStub
) -> None:
    wrong = {**KEYS, "secret_access_key": "other"}
    rig.route("small", target(rig, bedrock, options=wrong))
    rig.start()
    answer = rig.post()
    assert answer.status_code == 502
    assert "signature we calculated does not match" in answer.json()["error"]["message"]


def test_text_reasoning_and_tools_are_streamed(rig: Rig, bedrock: BedrockStub) -> None:
    bedrock.behaviours[MODEL] = Behaviour(
        blocks=(
            {"text": "I shall boil water."},
            {"toolUse": {"toolUseId": "t_1", "name": "boil", "input": {"cups": 2}}},
            {"toolUse": {"toolUseId": "t_2", "name": "boil", "input": {"cups": 3}}},
        ),
        stop="tool_use",
    )
    rig.route("small", target(rig, bedrock))
    rig.start()
    with client(rig) as sdk, sdk.chat.completions.stream(
        model="small", messages=HELLO, tools=[TOOL], stream_options={"include_usage": True}
    ) as stream:  # fmt: skip
        answer = stream.get_final_completion()
    message = answer.choices[0].message
    assert message.content == "I shall boil water."
    assert [(c.id, c.function.name, json.loads(c.function.arguments))
            for c in message.tool_calls or []] == [
        ("t_1", "boil", {"cups": 2}), ("t_2", "boil", {"cups": 3}),
    ]  # fmt: skip
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 42
    (record,) = rig.records()
    assert (record.stream, record.finish_reason, record.output_tokens) == (True, "tool_use", 5)
    assert record.ttft_ns > 0


@pytest.mark.parametrize("how", ["failure", "cut"])
def test_a_stream_that_fails_ends_in_an_error_event(
    rig: Rig, bedrock: BedrockStub, how: str
) -> None:
    more: dict[str, Any] = {"failure": "the model stumbled"} if how == "failure" else {}
    bedrock.behaviours[MODEL] = Behaviour(cut_after=3 if how == "cut" else None, **more)
    rig.route("small", target(rig, bedrock), attempts=1)
    rig.start()
    lines = [x for x in rig.post(stream=True).text.split("\n\n") if x]
    assert "[DONE]" not in lines[-1]
    error = json.loads(lines[-1].removeprefix("data: "))["error"]
    assert ("the model stumbled" if how == "failure" else "mid-stream") in error["message"]
    assert "The" in lines[1] + lines[0]
    record = rig.records()[0]
    assert record.error
    assert record.usage_source == "estimated"


def test_what_converse_cannot_say_is_refused_or_told(rig: Rig, bedrock: BedrockStub) -> None:
    rig.route("small", target(rig, bedrock))
    rig.start()
    answer = rig.post(seed=7)
    assert answer.status_code == 200
    assert answer.headers["x-stockpot-degraded"] == "seed"
    answer = rig.post(response_format={"type": "json_object"})
    assert answer.status_code == 400
    assert "schema" in answer.json()["error"]["message"]
    auth = {"authorization": f"Bearer {SECRET}"}
    body = {"model": "small", "input": "x"}
    answer = httpx.post(f"{rig.url}/embeddings", json=body, headers=auth, timeout=60)
    assert answer.json()["error"]["code"] == "unsupported_by_target"
