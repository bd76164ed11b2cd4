"""The stock Anthropic SDK at the gateway, in front of Anthropic's API and of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import msgspec
import openai
import pytest

from stockpot.catalog.discover import listed_models
from stockpot.catalog.offers import offer_of
from stockpot.gateway import Target
from stockpot.providers import vendors
from tests.integration.gateway.conftest import SECRET, Rig
from tests.vendors import anthropic_stub as vendor
from tests.vendors.anthropic_stub import AnthropicStub

pytestmark = pytest.mark.integration

MODEL = "claude-sonnet-4-5"
LOOK: Any = {
    "name": "weather",
    "description": "The weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture
def claude() -> Iterator[AnthropicStub]:
    with AnthropicStub() as running:
        yield running


@pytest.fixture
def served(rig: Rig, claude: AnthropicStub) -> Rig:
    """A worker whose model `tea` is Anthropic's."""
    rig.route("tea", at_anthropic(rig, claude))
    return rig.start()


def at_anthropic(rig: Rig, stub: AnthropicStub, **changes: Any) -> Target:
    return rig.target(
        MODEL,
        provider="anthropic",
        wire="anthropic",
        base_url=stub.url,
        headers=(("x-api-key", vendor.VENDOR_KEY),),
        **changes,
    )


def sdk(rig: Rig, **more: Any) -> anthropic.Anthropic:
    root = rig.url.removesuffix("/v1")
    return anthropic.Anthropic(base_url=root, api_key=SECRET, max_retries=0, **more)


def ask(scene: str) -> list[Any]:
    return [{"role": "user", "content": f"Please #{scene}"}]


def raw(rig: Rig, scene: str, *, stream: bool, **head: str) -> httpx.Response:
    body = {"model": "tea", "max_tokens": 64, "stream": stream, "messages": ask(scene)}
    headers = {"x-api-key": SECRET, **head}
    return httpx.post(f"{rig.url}/messages", json=body, headers=headers, timeout=60)


def test_the_stock_sdk_gets_anthropics_answer(served: Rig, claude: AnthropicStub) -> None:
    with sdk(served) as client:
        answer = client.messages.create(
            model="tea", max_tokens=64, messages=ask("cache"), metadata={"user_id": "u-1"}
        )
    assert answer.content[0].text == vendor.TEXT  # type: ignore[union-attr]
    assert claude.requests[0]["model"] == MODEL
    assert claude.heads[0]["x-api-key"] == vendor.VENDOR_KEY
    assert SECRET not in str(claude.heads)
    (record,) = served.records()
    assert (record.status, record.error, record.dialect) == (200, "", "anthropic")
    assert (record.input_tokens, record.output_tokens) == (2307, 5)
    assert (record.cache_read_tokens, record.cache_write_tokens) == (2000, 300)
    assert (record.served_model, record.finish_reason) == (f"{MODEL}-2026", "end_turn")
    assert (record.user, record.usage_source) == ("u-1", "provider")


@pytest.mark.parametrize("stream", [False, True])
def test_bytes_pass_untouched_in_both_directions(
    served: Rig, claude: AnthropicStub, stream: bool
) -> None:
    version = {"anthropic-version": "2026-10-21", "anthropic-beta": "files-api-2025-04-14"}
    for scene in ("text", "tools", "thinking", "citations", "search", "refusal"):
        _passes(served, claude, scene, stream, version)


def _passes(
    served: Rig, claude: AnthropicStub, scene: str, stream: bool, version: dict[str, str]
) -> None:
    answer = raw(served, scene, stream=stream, **version)
    assert answer.content == claude.sent[-1]
    assert answer.headers["request-id"] == "req_stub"
    sent = {"model": "tea", "max_tokens": 64, "stream": stream, "messages": ask(scene)}
    asked = httpx.Request("POST", "http://h", json=sent).content
    assert claude.bodies[-1] == asked.replace(b'"tea"', b'"claude-sonnet-4-5"')
    assert {k: claude.heads[-1][k] for k in version} == version


def test_the_sdk_puts_streams_together(served: Rig) -> None:
    scenes = ("tools", "thinking", "citations", "search", "redacted", "pause")
    with sdk(served) as client:
        for number, scene in enumerate(scenes, 1):
            with client.messages.stream(model="tea", max_tokens=64, messages=ask(scene)) as stream:
                made = stream.get_final_message()
            expected = vendor.message_of(vendor.SCENES[scene], MODEL)
            assert content_of(made) == content_of(expected)
            record = sorted(served.records(number), key=lambda one: one.start_ns)[-1]
            assert (record.stream, record.finish_reason) == (True, expected.stop_reason)
            assert record.output_tokens == expected.usage.output_tokens
            assert 0 < record.ttft_ns < record.duration_ns


def content_of(message: anthropic.types.Message) -> object:
    return message.to_dict(exclude_none=True)["content"]


async def test_the_async_sdk_streams_and_counts_tokens(served: Rig) -> None:
    root = served.url.removesuffix("/v1")
    async with anthropic.AsyncAnthropic(base_url=root, api_key=SECRET, max_retries=0) as client:
        async with client.messages.stream(
            model="tea", max_tokens=64, messages=ask("long")
        ) as stream:
            text = "".join([piece async for piece in stream.text_stream])
        counted = await client.messages.count_tokens(model="tea", messages=ask("text"))
    assert text.startswith("word0 word1")
    assert text.endswith("word199")
    assert counted.input_tokens == 14
    first, second = served.records(2)
    assert (first.endpoint, second.endpoint) == ("chat", "count_tokens")
    assert (second.cost_nano, second.input_tokens) == (0, 0)


def test_thinking_and_structured_answers_pass(served: Rig) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    with sdk(served) as client:
        answer = client.messages.create(
            model="tea",
            max_tokens=4096,
            messages=ask("text"),
            thinking={"type": "enabled", "budget_tokens": 1024},
            output_config={"format": {"type": "json_schema", "schema": schema}},
        )
    assert json.loads(answer.content[0].text) == {"n": 7}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("scene", "status", "kind"),
    [
        ("rate_limit", 429, anthropic.RateLimitError),
        ("overloaded", 529, anthropic.InternalServerError),
        ("unwell", 500, anthropic.InternalServerError),
    ],
)  # fmt: skip
def test_errors_reach_the_sdk_as_anthropic_said_them(
    served: Rig, scene: str, status: int, kind: type[anthropic.APIStatusError]
) -> None:
    with sdk(served) as client, pytest.raises(kind) as failed:
        client.messages.create(model="tea", max_tokens=64, messages=ask(scene))
    refused = vendor.SCENES[scene].refused
    assert refused is not None
    assert failed.value.status_code == status
    assert failed.value.type == refused.kind
    if scene == "rate_limit":
        assert failed.value.response.headers["retry-after"] == "7"


def test_the_gateways_own_refusals_have_anthropics_shape(served: Rig) -> None:
    with sdk(served) as client, pytest.raises(anthropic.NotFoundError) as failed:
        client.messages.create(model="coffee", max_tokens=64, messages=ask("text"))
    assert (failed.value.type, failed.value.error_code) == ("not_found_error", "model_not_found")
    root = served.url.removesuffix("/v1")
    with (
        anthropic.Anthropic(base_url=root, api_key="sk-sp-wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError) as failed,
    ):
        client.messages.create(model="tea", max_tokens=64, messages=ask("text"))
    assert failed.value.error_code == "invalid_api_key"
    bad = httpx.post(
        f"{served.url}/messages", content=b"{", headers={"x-api-key": SECRET}, timeout=60
    )
    assert (bad.status_code, bad.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("scene", ["cut", "late_error"])
def test_a_stream_that_breaks_ends_in_an_error_that_the_sdk_raises(served: Rig, scene: str) -> None:
    with (
        sdk(served) as client,
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(model="tea", max_tokens=64, messages=ask(scene)) as stream,
    ):
        stream.get_final_message()
    (record,) = served.records()
    assert record.error.startswith("stream")
    assert record.input_tokens == 11
    assert record.output_tokens >= 1


def test_models_are_listed_in_the_shape_that_is_asked_for(served: Rig) -> None:
    with sdk(served) as client:
        assert [model.id for model in client.models.list()] == ["tea"]
        assert client.models.retrieve("tea").display_name == "tea"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("coffee")
    plain = httpx.get(
        f"{served.url}/models", headers={"authorization": f"Bearer {SECRET}"}, timeout=60
    )
    assert plain.json()["object"] == "list"


async def test_a_connected_anthropic_is_asked_for_its_models(claude: AnthropicStub) -> None:
    vendor_row = next(row for row in vendors() if row.name == "anthropic")
    offer = offer_of(
        vendor_row, name="anthropic", base_url=claude.url, origin="console",
        secret=vendor.VENDOR_KEY,
    )  # fmt: skip
    assert (await listed_models(offer)).models == ("claude-stub",)
    assert claude.heads[0]["x-api-key"] == vendor.VENDOR_KEY


# --- other dialects -----------------------------------------------------------------------------


def test_an_openai_client_gets_claudes_calls_and_hands_back_their_results(
    served: Rig, claude: AnthropicStub
) -> None:
    tools: Any = [{"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}]  # fmt: skip
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, *ask("tools")]
    with openai.OpenAI(base_url=served.url, api_key=SECRET, max_retries=0) as client:
        first = client.chat.completions.create(model="tea", messages=messages, tools=tools)
        said = first.choices[0].message
        assert said.tool_calls is not None
        assert [json.loads(call.function.arguments) for call in said.tool_calls] == [  # type: ignore[union-attr]
            arguments for _, _, arguments in vendor.CALLS
        ]
        messages.append(said.to_dict())
        for call in said.tool_calls:
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "fine"})
        second = client.chat.completions.create(model="tea", messages=messages, tools=tools)
    assert second.choices[0].message.content == "It is sunny, and ten o'clock."
    assert claude.requests[0]["system"] == [{"type": "text", "text": "Be brief."}]
    assert first.choices[0].finish_reason == "tool_calls"
    assert first.usage is not None
    assert first.usage.prompt_tokens == 11


def test_an_openai_client_streams_from_claude_and_learns_what_was_left_out(served: Rig) -> None:
    with openai.OpenAI(base_url=served.url, api_key=SECRET, max_retries=0) as client:
        with client.chat.completions.with_streaming_response.create(
            model="tea",
            messages=ask("thinking"),
            stream=True,
            seed=7,
            reasoning_effort="low",
            stream_options={"include_usage": True},
        ) as answer:
            assert answer.headers["x-stockpot-degraded"] == "seed"
            chunks = list(answer.parse())
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="tea", messages=ask("text"), n=2)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == vendor.TEXT
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 25
    assert refused.value.code == "unsupported_by_target"
    record = served.records(1)[0]
    assert (record.degraded, record.output_tokens) == (("seed",), 25)


def test_an_openai_client_gets_the_json_that_it_asks_claude_for(served: Rig) -> None:
    with openai.OpenAI(base_url=served.url, api_key=SECRET, max_retries=0) as client:
        plain = client.chat.completions.create(
            model="tea", messages=ask("text"), response_format={"type": "json_object"}
        )
        assert json.loads(plain.choices[0].message.content or "") == {"kettle": True}
        assert plain.choices[0].finish_reason == "stop"
        formed = client.chat.completions.create(
            model="tea",
            messages=ask("text"),
            response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {
                "type": "object", "properties": {"n": {"type": "integer"}}}}},
        )  # fmt: skip
    assert json.loads(formed.choices[0].message.content or "") == {"n": 7}


def test_a_stream_from_claude_that_breaks_reaches_an_openai_client_as_an_error(
    served: Rig,
) -> None:
    with openai.OpenAI(base_url=served.url, api_key=SECRET, max_retries=0) as client:
        stream = client.chat.completions.create(model="tea", messages=ask("cut"), stream=True)
        with pytest.raises(openai.APIError):
            list(stream)


@pytest.mark.parametrize("stream", [False, True])
def test_a_claude_client_is_served_by_an_openai_server(rig: Rig, stream: bool) -> None:
    rig.start()
    with sdk(rig) as client:
        asked: Any = {"model": "small", "max_tokens": 64, "messages": ask("text"),
                      "system": "Be brief.", "stop_sequences": ["END"]}  # fmt: skip
        if stream:
            with client.messages.stream(**asked) as running:
                made = running.get_final_message()
        else:
            made = client.messages.create(**asked)
        with pytest.raises(anthropic.BadRequestError) as refused:
            client.messages.count_tokens(model="small", messages=ask("text"))
    assert made.content[0].text == "The kettle is on."  # type: ignore[union-attr]
    assert (made.stop_reason, made.usage.input_tokens, made.usage.output_tokens) == (
        "end_turn", 11, 5,
    )  # fmt: skip
    assert rig.stub.requests[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert rig.stub.requests[0]["stop"] == ["END"]
    assert refused.value.error_code == "unsupported_by_target"


def test_a_server_that_speaks_anthropics_dialect_besides_gets_it_untouched(
    rig: Rig, claude: AnthropicStub
) -> None:
    both = msgspec.structs.replace(at_anthropic(rig, claude), wire="openai", native=("anthropic",))
    rig.route("tea", both)
    rig.start()
    answer = raw(rig, "tools", stream=True)
    assert answer.content == claude.sent[-1]
    assert rig.records()[0].output_tokens == 5
