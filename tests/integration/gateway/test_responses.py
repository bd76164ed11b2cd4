"""The stock SDK's `client.responses` through a real worker: passed on, and translated to chat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.integration.gateway.conftest import SECRET, Rig
from tests.vendors.openai_full_stub import OpenAIFullStub
from tests.vendors.openai_stub import VENDOR_KEY, Behaviour

pytestmark = pytest.mark.integration

TOOL: Any = {
    "type": "function", "name": "boil", "description": "Boils", "strict": True,
    "parameters": {"type": "object", "properties": {"cups": {"type": "integer"}},
                   "required": ["cups"], "additionalProperties": False},
}  # fmt: skip
CALLS = {
    "content": "I shall boil.",
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "boil", "arguments": '{"cups": 2}'}},
        {"id": "c2", "type": "function", "function": {"name": "boil", "arguments": '{"cups": 3}'}},
    ],
}


@pytest.fixture
def stub() -> Iterator[OpenAIFullStub]:
    with OpenAIFullStub() as running:
        yield running


def client(rig: Rig) -> openai.OpenAI:
    return openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0)


def serve(rig: Rig, native: bool, **changes: Any) -> None:
    spoken = ("responses",) if native else ()
    rig.route("small", rig.target("upstream-1", native=spoken), **changes)
    rig.start()


@pytest.mark.parametrize("native", [True, False], ids=["passed", "translated"])
def test_a_whole_response_comes_either_way(rig: Rig, native: bool) -> None:
    serve(rig, native)
    with client(rig) as sdk:
        answer = sdk.responses.create(
            model="small", input="hello", instructions="Be brief.", max_output_tokens=50
        )
    assert (answer.output_text, answer.status) == ("The kettle is on.", "completed")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 5)
    (sent,) = rig.stub.requests
    assert sent["model"] == "upstream-1"
    assert ("messages" in sent) is not native
    (record,) = rig.records()
    assert (record.dialect, record.endpoint, record.usage_source) == (
        "responses",
        "chat",
        "provider",
    )
    assert (record.input_tokens, record.output_tokens) == (11, 5)
    assert record.served_model == "upstream-1-2026"


@pytest.mark.parametrize("native", [True, False], ids=["passed", "translated"])
def test_the_sdks_stream_gathers_the_answer_either_way(rig: Rig, native: bool) -> None:
    serve(rig, native)
    with client(rig) as sdk, sdk.responses.stream(model="small", input="hello") as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == "The kettle is on."
    (record,) = rig.records()
    assert (record.stream, record.error, record.usage_source) == (True, "", "provider")
    assert (record.output_tokens, record.finish_reason) == (5, "completed" if native else "stop")
    assert 0 < record.ttft_ns < record.duration_ns


async def test_the_async_sdk_streams_too(rig: Rig) -> None:
    serve(rig, native=False)
    async with openai.AsyncOpenAI(base_url=rig.url, api_key=SECRET, max_retries=0) as sdk:
        events = [e async for e in await sdk.responses.create(
            model="small", input="hello", stream=True)]  # fmt: skip
    assert events[-1].type == "response.completed"
    assert [e.sequence_number for e in events] == list(range(len(events)))


def test_bytes_of_a_passing_response_are_the_upstreams(rig: Rig) -> None:
    assert isinstance(rig.stub, OpenAIFullStub)
    serve(rig, native=True)
    for stream in (False, True):
        sent = {"model": "small", "input": "hi", "previous_response_id": "resp_0", "store": True,
                "stream": stream}  # fmt: skip
        auth = {"authorization": f"Bearer {SECRET}"}
        through = httpx.post(f"{rig.url}/responses", json=sent, headers=auth, timeout=60)
        assert rig.stub.bodies[-1] == json.dumps({**sent, "model": "upstream-1"},
                                                 separators=(",", ":")).encode()  # fmt: skip
        direct = httpx.post(
            f"{rig.stub.url}/responses",
            content=rig.stub.bodies[-1],
            headers={"authorization": f"Bearer {VENDOR_KEY}"},
            timeout=60,
        )
        assert through.content == direct.content


def test_tools_are_called_and_answered_over_two_turns(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(message=CALLS, finish="tool_calls"), Behaviour()]
    serve(rig, native=False)
    asked: list[Any] = [{"role": "user", "content": "Tea for two, then for three."}]
    with client(rig) as sdk:
        with sdk.responses.stream(model="small", input=asked, tools=[TOOL]) as stream:
            first = stream.get_final_response()
        calls = [item for item in first.output if item.type == "function_call"]
        assert [(c.call_id, json.loads(c.arguments)) for c in calls] == [
            ("c1", {"cups": 2}), ("c2", {"cups": 3}),
        ]  # fmt: skip
        for item in first.output:
            asked.append(item.model_dump(exclude_none=True, exclude={"parsed_arguments"}))
        asked += [{"type": "function_call_output", "call_id": c.call_id, "output": "hot"}
                  for c in calls]  # fmt: skip
        for item in asked:
            for part in item["content"] if isinstance(item.get("content"), list) else ():
                part.pop("parsed", None)
        second = sdk.responses.create(model="small", input=asked, tools=[TOOL])
    assert second.output_text == "The kettle is on."
    roles = [m["role"] for m in rig.stub.requests[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]


def test_a_request_for_a_memory_goes_to_the_target_that_has_one(rig: Rig) -> None:
    rig.route("small", rig.target("plain"), rig.target("kept", native=("responses",)))
    rig.route("other", rig.target("plain"))
    rig.start()
    with client(rig) as sdk:
        answer = sdk.responses.create(model="small", input="x", previous_response_id="resp_0")
        assert answer.previous_response_id == "resp_0"
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.responses.create(model="other", input="x", previous_response_id="resp_0")
        with_store = sdk.responses.with_raw_response.create(model="other", input="x", store=True)
    assert "'previous_response_id' needs a server that keeps responses" in refused.value.message
    assert with_store.headers["x-stockpot-degraded"] == "store"


@pytest.mark.parametrize("native", [True, False], ids=["passed", "translated"])
@pytest.mark.parametrize("how", ["cut", "error"])
def test_a_stream_that_fails_ends_in_an_error_event(rig: Rig, native: bool, how: str) -> None:
    more: Any = {"cut_after": 6} if how == "cut" else {"error_in_stream": "overloaded"}
    text = "one two three four five six seven"
    rig.stub.behaviours["upstream-1"] = [Behaviour(text=text, interval_s=0.01, **more)]
    serve(rig, native, attempts=1)
    auth = {"authorization": f"Bearer {SECRET}"}
    body = {"model": "small", "input": "hi", "stream": True}
    said = httpx.post(f"{rig.url}/responses", json=body, headers=auth, timeout=60).text
    events = [json.loads(x.split("data: ")[1]) for x in said.strip().split("\n\n")]
    error = next(e for e in events if e["type"] == "error")
    assert ("overloaded" if how == "error" else "mid-stream") in error["message"]
    assert events[-1]["type"] in ("error", "response.failed")
    record = rig.records()[0]
    assert record.error
    assert (record.usage_source, record.output_tokens > 0) == ("estimated", True)


def test_refusals_have_the_shape_that_the_sdk_knows(rig: Rig) -> None:
    serve(rig, native=False)
    with client(rig) as sdk:
        with pytest.raises(openai.NotFoundError) as unknown:
            sdk.responses.create(model="nothing", input="x")
        with pytest.raises(openai.BadRequestError) as bad:
            sdk.responses.create(model="small", input=[{"role": "usr", "content": "x"}])  # type: ignore[list-item]
    assert unknown.value.code == "model_not_found"
    assert bad.value.param == "input[0].role"
