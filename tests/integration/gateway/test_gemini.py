"""The stock google-genai SDK through a real worker, and Gemini and Vertex behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google import genai
from google.genai import errors
from google.genai import types as g

from stockpot.gateway import Target
from tests.integration.gateway.conftest import SECRET, Rig
from tests.unit.providers.test_vertex import KEY, account
from tests.vendors import gemini_stub as stub
from tests.vendors.gemini_stub import TEXT, THOUGHT, VENDOR_KEY, GeminiStub

pytestmark = pytest.mark.integration

MODEL = "gemini-3-flash-preview"


@pytest.fixture
def gemini() -> Iterator[GeminiStub]:
    with GeminiStub(account_key=KEY.public_key()) as running:
        yield running


def target(rig: Rig, gemini: GeminiStub, model: str = MODEL, **changes: Any) -> Target:
    base = {
        "wire": "gemini",
        "base_url": gemini.url,
        "headers": (("x-goog-api-key", VENDOR_KEY),),
    }
    return rig.target(model, **{**base, **changes})


@pytest.fixture
def served(rig: Rig, gemini: GeminiStub) -> Rig:
    """Gemini as `pot/gemini`, and a server of OpenAI's format as `small`."""
    rig.route("pot/gemini", target(rig, gemini), attempts=1)
    rig.route("small", rig.target("upstream-1"))
    rig.route("embed", target(rig, gemini, "gemini-embedding-001"), endpoints=("embeddings",))
    return rig.start()


@pytest.fixture
def sdk(served: Rig) -> Iterator[genai.Client]:
    with client(served) as made:
        yield made


def client(rig: Rig, **more: Any) -> genai.Client:
    options = g.HttpOptions(base_url=f"http://127.0.0.1:{rig.port}", **more)
    return genai.Client(api_key=SECRET, http_options=options)


def post(rig: Rig, path: str, **body: Any) -> httpx.Response:
    url = f"http://127.0.0.1:{rig.port}{path}"
    body = body or {"contents": [{"parts": [{"text": "hi"}]}]}
    return httpx.post(url, json=body, headers={"x-goog-api-key": SECRET}, timeout=60)


async def streamed(stream: AsyncIterator[g.GenerateContentResponse]) -> str:
    return "".join([chunk.text or "" async for chunk in stream])


# --- Gemini to Gemini: bytes pass ---------------------------------------------------------------


def test_whole_and_streamed_answers_pass_through_the_sdk(
    sdk: genai.Client, gemini: GeminiStub, served: Rig
) -> None:
    config = g.GenerateContentConfig(temperature=0.5, system_instruction="Be brief.")
    answer = sdk.models.generate_content(model="pot/gemini", contents="hi", config=config)
    assert answer.text == TEXT
    assert answer.model_version == f"{MODEL}-001"
    stream = sdk.models.generate_content_stream(model="pot/gemini", contents="[thoughts]")
    chunks = list(stream)
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT
    assert [asked.model for asked in gemini.requests] == [MODEL, MODEL]
    first, second = served.records(2)
    assert (first.dialect, first.route, first.stream) == ("gemini", "pot/gemini", False)
    assert (first.input_tokens, first.output_tokens, first.finish_reason) == (11, 5, "STOP")
    assert (second.stream, second.output_tokens, second.reasoning_tokens) == (True, 14, 9)
    assert second.ttft_ns > 0


async def test_the_async_sdk_streams_too(sdk: genai.Client) -> None:
    answer = await sdk.aio.models.generate_content(model="pot/gemini", contents="hi")
    assert answer.text == TEXT
    stream = await sdk.aio.models.generate_content_stream(model="pot/gemini", contents="hi")
    assert await streamed(stream) == TEXT
    await sdk.aio.aclose()


@pytest.mark.parametrize("query", ["", "?alt=sse"])
def test_the_bytes_of_both_kinds_of_stream_pass_untouched(
    served: Rig, gemini: GeminiStub, query: str
) -> None:
    answer = post(served, f"/v1beta/models/pot/gemini:streamGenerateContent{query}")
    assert answer.content == gemini.sent[-1]
    kind = "text/event-stream" if query else "application/json"
    assert answer.headers["content-type"].startswith(kind)
    sent = {"contents": [{"parts": [{"text": "hi"}]}]}
    assert json.loads(gemini.raw[-1]) == sent


def test_a_chat_with_tools_goes_on_over_several_turns(sdk: genai.Client) -> None:
    def weather(city: str, days: int = 1) -> str:
        """Tells the weather."""
        return f"rain in {city} for {days}"

    automatic = g.AutomaticFunctionCallingConfig(maximum_remote_calls=2)
    config = g.GenerateContentConfig(tools=[weather], automatic_function_calling=automatic)
    answer = sdk.models.generate_content(model="pot/gemini", contents="[tools]", config=config)
    history = answer.automatic_function_calling_history or []
    said = [part.function_response for content in history for part in content.parts or []]
    results = [found.response for found in said if found is not None]
    assert results[:2] == [{"result": "rain in Łódź for 2"}, {"result": "rain in Ulm for 1"}]


def test_tokens_are_counted_and_texts_embedded(sdk: genai.Client, served: Rig) -> None:
    assert sdk.models.count_tokens(model="pot/gemini", contents="hi").total_tokens == 7
    config = g.EmbedContentConfig(output_dimensionality=2)
    answer = sdk.models.embed_content(model="embed", contents=["a", "b"], config=config)
    assert [one.values for one in answer.embeddings or []] == [[0.0, 0.5], [1.0, 0.5]]
    counted, embedded = served.records(2)
    assert (counted.input_tokens, counted.cost_nano) == (0, 0)
    assert embedded.input_tokens == 6


@pytest.mark.parametrize(
    ("scene", "code", "status"),
    [("error-400", 400, "INVALID_ARGUMENT"), ("error-503", 503, "UNAVAILABLE"),
     ("error-429", 429, "RESOURCE_EXHAUSTED")],
)  # fmt: skip
def test_the_vendors_errors_reach_the_sdk_in_its_own_words(
    sdk: genai.Client, scene: str, code: int, status: str
) -> None:
    with pytest.raises(errors.APIError) as told:
        sdk.models.generate_content(model="pot/gemini", contents=f"[{scene}]")
    assert (told.value.code, told.value.status) == (code, status)
    if code == 429:
        assert told.value.details["error"]["details"][0]["retryDelay"] == "34.5s"
        assert told.value.response.headers["retry-after"] == "35"


@pytest.mark.parametrize("model", ["pot/gemini", "small"])
@pytest.mark.parametrize("query", ["?alt=sse", ""])
def test_a_stream_that_breaks_ends_in_an_error_that_can_be_read(
    served: Rig, model: str, query: str
) -> None:
    if model == "small":
        from tests.vendors.openai_stub import Behaviour

        served.stub.behaviours["upstream-1"] = [Behaviour(cut_after=3)]
    body = {"contents": [{"parts": [{"text": "[cut]"}]}]}
    answer = post(served, f"/v1beta/models/{model}:streamGenerateContent{query}", **body)
    assert answer.status_code == 200
    if query:
        blocks = [block for block in answer.text.replace("\r", "").split("\n\n") if block]
        chunks = [json.loads(block.removeprefix("data: ")) for block in blocks]
    else:
        chunks = answer.json()
    assert chunks[0]["candidates"]
    assert chunks[-1]["error"]["status"] == "UNAVAILABLE"
    (record,) = served.records()
    assert record.error.startswith("stream_")
    assert record.input_tokens > 0


def test_the_sdk_raises_when_a_stream_breaks(sdk: genai.Client) -> None:
    with pytest.raises(errors.ServerError, match="mid-stream"):
        list(sdk.models.generate_content_stream(model="pot/gemini", contents="[cut]"))
    with pytest.raises(errors.ServerError, match="overloaded"):
        list(sdk.models.generate_content_stream(model="pot/gemini", contents="[broken]"))


# --- keys and models ----------------------------------------------------------------------------


def test_a_key_in_the_url_is_refused_and_never_logged(served: Rig) -> None:
    url = f"http://127.0.0.1:{served.port}/v1beta/models/pot/gemini:generateContent"
    for headers in ({}, {"x-goog-api-key": SECRET}):
        answer = httpx.post(
            f"{url}?key={SECRET}", json={"contents": []}, headers=headers, timeout=60
        )
        error = answer.json()["error"]
        assert (answer.status_code, error["status"]) == (401, "UNAUTHENTICATED")
        assert "x-goog-api-key" in error["message"]
    assert SECRET not in served.stop()


def test_an_unknown_key_and_an_unknown_model_are_refused_in_googles_words(served: Rig) -> None:
    url = f"http://127.0.0.1:{served.port}/v1beta/models/nothing:generateContent"
    answer = httpx.post(
        url, json={"contents": []}, headers={"x-goog-api-key": "AIza-none"}, timeout=60
    )
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    with client(served) as sdk, pytest.raises(errors.ClientError) as told:
        sdk.models.generate_content(model="nothing", contents="hi")
    assert told.value.code == 404
    assert told.value.status == "NOT_FOUND"


@pytest.mark.parametrize("version", ["v1beta", "v1"])
def test_the_models_are_listed_as_google_lists_them(served: Rig, version: str) -> None:
    with client(served, api_version=version) as sdk:
        listed = {model.name: model for model in sdk.models.list()}
        assert set(listed) == {"models/pot/gemini", "models/small", "models/embed"}
        assert listed["models/embed"].supported_actions == ["embedContent", "batchEmbedContents"]
        assert sdk.models.get(model="pot/gemini").display_name == "pot/gemini"
        assert sdk.models.generate_content(model="pot/gemini", contents="hi").text == TEXT
        with pytest.raises(errors.ClientError) as told:
            sdk.models.get(model="nothing")
    assert told.value.status == "NOT_FOUND"


# --- a Gemini client, another vendor ------------------------------------------------------------


def test_a_server_of_openais_format_answers_a_gemini_client(sdk: genai.Client, served: Rig) -> None:
    config = g.GenerateContentConfig(
        temperature=0.5, max_output_tokens=9, system_instruction="Be brief.", top_k=40
    )
    answer = sdk.models.generate_content(model="small", contents="hi", config=config)
    assert answer.text == "The kettle is on."
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.prompt_token_count == 11
    sent = served.stub.requests[-1]
    assert sent["model"] == "upstream-1"
    assert sent["messages"][0]["content"] == "Be brief."
    assert answer.sdk_http_response is not None
    assert "top_k" in (answer.sdk_http_response.headers or {})["x-stockpot-degraded"]
    chunks = list(sdk.models.generate_content_stream(model="small", contents="hi"))
    assert "".join(chunk.text or "" for chunk in chunks) == "The kettle is on."
    assert chunks[-1].candidates is not None
    assert chunks[-1].candidates[0].finish_reason == g.FinishReason.STOP
    array = post(served, "/v1beta/models/small:streamGenerateContent")
    assert array.headers["content-type"] == "application/json"
    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in array.json()]
    assert "".join(texts) == "The kettle is on."


def test_what_only_google_has_is_refused_of_others(sdk: genai.Client) -> None:
    search = g.GenerateContentConfig(tools=[g.Tool(google_search=g.GoogleSearch())])
    with pytest.raises(errors.ClientError, match="googleSearch"):
        sdk.models.generate_content(model="small", contents="hi", config=search)
    with pytest.raises(errors.ClientError):
        sdk.models.count_tokens(model="small", contents="hi")


# --- an OpenAI client, Gemini -------------------------------------------------------------------

TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


def test_gemini_answers_an_openai_client_with_tools_streamed(
    served: Rig, gemini: GeminiStub
) -> None:
    with openai.OpenAI(base_url=served.url, api_key=SECRET, max_retries=0) as sdk:
        asked: list[Any] = [{"role": "user", "content": "[tools]"}]
        with sdk.chat.completions.stream(
            model="pot/gemini", messages=asked, tools=[TOOL], reasoning_effort="low"
        ) as stream:
            answer = stream.get_final_completion()
        message = answer.choices[0].message
        calls = message.tool_calls or []
        assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
            ("weather", {"city": "Łódź", "days": 2}), ("weather", {"city": "Ulm"}),
        ]  # fmt: skip
        assert answer.choices[0].finish_reason == "tool_calls"
        asked.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        for call in calls:
            asked.append({"role": "tool", "tool_call_id": call.id, "content": "rain"})
        asked.append({"role": "user", "content": "[json]"})
        later = sdk.chat.completions.create(model="pot/gemini", messages=asked, tools=[TOOL])
    assert json.loads(later.choices[0].message.content or "") == {"pot": "stock", "litres": 4}
    assert later.usage is not None
    assert later.usage.total_tokens == 16
    config = gemini.requests[0].body["generationConfig"]
    assert config["thinkingConfig"]["thinkingLevel"] == "LOW"
    signed = gemini.requests[1].body["contents"][1]["parts"][0]
    assert signed["functionCall"]["id"] == calls[0].id


def test_gemini_embeds_for_an_openai_client(served: Rig) -> None:
    with openai.OpenAI(base_url=served.url, api_key=SECRET, max_retries=0) as sdk:
        answer = sdk.embeddings.create(model="embed", input=["a", "b"], dimensions=4)
    assert [one.embedding for one in answer.data] == [[0.0, 0.5, 0.5, 0.5], [1.0, 0.5, 0.5, 0.5]]
    assert answer.usage.prompt_tokens == 6


def test_a_block_by_gemini_is_a_content_filter_for_an_openai_client(served: Rig) -> None:
    for scene in ("[blocked]", "[unsafe]"):
        answer = served.post(model="pot/gemini", messages=[{"role": "user", "content": scene}])
        assert answer.json()["choices"][0]["finish_reason"] == "content_filter"


# --- an Anthropic client, Gemini ----------------------------------------------------------------


def test_gemini_answers_an_anthropic_client_and_counts_for_it(
    served: Rig, gemini: GeminiStub
) -> None:
    url = f"http://127.0.0.1:{served.port}"
    with anthropic.Anthropic(base_url=url, api_key=SECRET, max_retries=0) as sdk:
        asked: list[Any] = [{"role": "user", "content": "[tools]"}]
        tools: list[Any] = [{"name": "weather", "input_schema": {"type": "object"}}]
        said: dict[str, Any] = {"model": "pot/gemini", "max_tokens": 99, "tools": tools}
        with sdk.messages.stream(messages=asked, **said) as stream:
            message = stream.get_final_message()
        calls = [block for block in message.content if block.type == "tool_use"]
        assert [call.input for call in calls] == [{"city": "Łódź", "days": 2}, {"city": "Ulm"}]
        assert message.stop_reason == "tool_use"
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": "rain"} for call in calls
        ]
        asked.append({"role": "assistant", "content": message.content})
        asked.append({"role": "user", "content": [*results, {"type": "text", "text": "[text]"}]})
        later = sdk.messages.create(messages=asked, **said)
        assert [block.text for block in later.content if block.type == "text"] == [TEXT]
        counted = sdk.messages.count_tokens(model="pot/gemini", messages=asked[:1])
    assert counted.input_tokens == 7
    signed = gemini.requests[1].body["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in signed if "functionCall" in part] == [
        "-_8gcHJvb2Ygb2YgYSB0aG91Z2h0", None,
    ]  # fmt: skip
    assert served.records(3)[-1].cost_nano == 0


# --- Vertex -------------------------------------------------------------------------------------


def test_vertex_is_called_with_a_token_signed_here(rig: Rig, gemini: GeminiStub) -> None:
    options = {"project": "p", "location": "eu", "service_account": account()}
    at = target(rig, gemini, wire="vertex", base_url=gemini.vertex_url, headers=(),
                options=options)  # fmt: skip
    rig.route("small", at)
    rig.start()
    with client(rig) as sdk:
        assert sdk.models.generate_content(model="small", contents="hi").text == TEXT
        chunks = sdk.models.generate_content_stream(model="small", contents="hi")
        assert "".join(chunk.text or "" for chunk in chunks) == TEXT
    assert rig.post().json()["choices"][0]["message"]["content"] == TEXT
    assert gemini.requests[0].vertex
    assert len(set(gemini.tokens)) == 1
    log = rig.stop()
    assert "PRIVATE KEY" not in log
    assert gemini.tokens[0] not in log


def test_a_service_account_that_google_does_not_know_is_the_gateways_fault(
    rig: Rig, gemini: GeminiStub
) -> None:
    gemini.account_key = None
    other = account(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    options = {"project": "p", "service_account": other}
    at = target(rig, gemini, wire="vertex", base_url=gemini.vertex_url, headers=(),
                options=options)  # fmt: skip
    rig.route("small", at, attempts=1)
    rig.start()
    with client(rig) as sdk, pytest.raises(errors.ServerError) as told:
        sdk.models.generate_content(model="small", contents="hi")
    assert told.value.code == 502
    assert "credential" in str(told.value.message)


def test_thoughts_are_shown_where_asked(sdk: genai.Client) -> None:
    thinking = g.ThinkingConfig(include_thoughts=True, thinking_budget=100)
    answer = sdk.models.generate_content(
        model="pot/gemini",
        contents="[thoughts]",
        config=g.GenerateContentConfig(thinking_config=thinking),
    )
    assert answer.candidates is not None
    assert answer.candidates[0].content is not None
    thought, text = answer.candidates[0].content.parts or []
    assert (thought.text, thought.thought) == (THOUGHT, True)
    assert text.thought_signature == stub.SIGNATURE
