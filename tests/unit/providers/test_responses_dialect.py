"""The Responses dialect: requests read in full, answers written whole and as events.

What is written is read with the types and the streaming helper of the `openai` package.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import openai
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from stockpot.gateway import Target
from stockpot.prices import Usage
from stockpot.providers import Ask, BadRequest, CannotExpress, retold, wire_named
from stockpot.providers.canon import (
    Began,
    Citation,
    Cited,
    Ended,
    Event,
    Failed,
    Format,
    Media,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
    Prompt,
    Reasoning,
    Refusal,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from stockpot.providers.responses import ResponsesDialect, TypedAnswer
from stockpot.providers.translate import Translated

DIALECT = ResponsesDialect()
PARAMS: TypeAdapter[Any] = TypeAdapter(ResponseCreateParams)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {
    "type": "function", "name": "weather", "description": "Tells it", "parameters": SCHEMA,
    "strict": True,
}  # fmt: skip


def ask(**fields: Any) -> Ask:
    body = {"model": "small", "input": "hello", **fields}
    return DIALECT.read("chat", json.dumps(body).encode())


def prompt(**fields: Any) -> Prompt:
    return ask(**fields).prompt


# --- requests -----------------------------------------------------------------------------------


def test_a_text_with_instructions_is_a_turn_with_a_system_prompt() -> None:
    read = prompt(
        instructions="Be brief.", max_output_tokens=9, temperature=0.5, top_p=0.9, user="ann",
        parallel_tool_calls=False, service_tier="flex", truncation="disabled", store=False,
        metadata={"a": "b"}, stream=False,
    )  # fmt: skip
    assert read == Prompt(
        system=(Text("Be brief."),), turns=(Turn("user", (Text("hello"),)),), max_output=9,
        temperature=0.5, top_p=0.9, user="ann", parallel_tools=False, service_tier="flex",
    )  # fmt: skip


ITEMS: list[dict[str, Any]] = [
    {"role": "developer", "content": "First."},
    {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_image", "image_url": "https://x.y/z.png", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf",
         "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_file", "file_id": "file_1"},
    ]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}],
     "encrypted_content": "stockpot:signed:c2ln"},
    {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [
        {"type": "output_text", "text": "A cat.", "annotations": []},
        {"type": "refusal", "refusal": "No more."},
    ]},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Rome"}'},
    {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{}"},
    {"type": "reasoning", "id": "rs_2", "summary": [],
     "encrypted_content": "stockpot:call:2:c1:proof"},
    {"type": "function_call_output", "call_id": "c1", "output": "22 degrees"},
    {"type": "function_call_output", "call_id": "c2", "output": [
        {"type": "input_text", "text": "none"},
    ]},
    {"role": "system", "content": "Then."},
    {"role": "user", "content": "And?"},
]  # fmt: skip


def test_items_become_turns() -> None:
    PARAMS.validate_python({"model": "m", "input": ITEMS})
    read = prompt(input=ITEMS)
    assert read.system == (Text("First."),)
    assert read.extra == {}
    user, assistant, results, system, last = read.turns
    assert user.parts == (
        Text("What is it?"),
        Media(kind="image", media_type="image/png", data="AAAA", detail="low"),
        Media(kind="image", url="https://x.y/z.png"),
        Media(kind="document", media_type="application/pdf", data="AAAA", name="a.pdf"),
        Media(kind="document", file_id="file_1"),
    )
    assert assistant == Turn("assistant", (
        Reasoning(text="Hm.", signature="c2ln", ident="rs_1"),
        Text("A cat."),
        Refusal("No more."),
        ToolCall(ident="c1", name="weather", arguments='{"city":"Rome"}', signature="proof"),
        ToolCall(ident="c2", name="weather", arguments="{}"),
    ))  # fmt: skip
    assert results.parts == (
        ToolResult(ident="c1", parts=(Text("22 degrees"),)),
        ToolResult(ident="c2", parts=(Text("none"),)),
    )
    assert (system.role, system.parts) == ("system", (Text("Then."),))
    assert last == Turn("user", (Text("And?"),))


def test_tools_their_choice_the_form_and_the_thinking_are_read() -> None:
    read = prompt(
        tools=[FUNCTION, {"type": "web_search"}, {"type": "custom", "name": "sql"}],
        tool_choice={"type": "function", "name": "weather"},
        text={"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}},
        reasoning={"effort": "high", "summary": "auto"},
        top_logprobs=3,
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
    )
    assert read.tools == (
        Tool(name="weather", description="Tells it", schema=SCHEMA, strict=True),
        ServerTool("responses", "web_search", {"type": "web_search"}),
        ServerTool("responses", "sql", {"type": "custom", "name": "sql"}),
    )
    assert read.tool_choice == ToolChoice("named", "weather")
    assert read.format == Format(kind="schema", schema=SCHEMA, name="city", strict=True)
    assert read.thinking == Thinking(effort="high", show=True)
    assert (read.logprobs, read.extra) == (3, {})
    read = prompt(
        tools=[FUNCTION, {**FUNCTION, "name": "other"}],
        tool_choice={
            "type": "allowed_tools", "mode": "required",
            "tools": [{"type": "function", "name": "other"}],
        },
    )  # fmt: skip
    assert ([tool.name for tool in read.tools], read.tool_choice) == (
        ["other"], ToolChoice("required"),
    )  # fmt: skip


def test_what_has_no_place_in_the_canonical_form_is_kept_by_name() -> None:
    read = prompt(
        store=True, truncation="auto", max_tool_calls=3, prompt_cache_key="k",
        text={"verbosity": "low"}, include=["file_search_call.results"],
        context_management=[{"type": "compaction"}], brand_new=1,
    )  # fmt: skip
    assert set(read.extra) == {
        "store", "truncation", "max_tool_calls", "prompt_cache_key", "text.verbosity", "include",
        "context_management", "brand_new",
    }  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"input": [{"type": "web_search_call", "id": "ws_1", "status": "completed"}]},
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
        {"tool_choice": {"type": "file_search"}},
    ],
    ids=str,
)
def test_what_only_a_server_with_a_memory_can_do_is_for_another_target(
    fields: dict[str, Any],
) -> None:
    with pytest.raises(CannotExpress, match=r"."):
        prompt(**fields)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": [{"role": "usr", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "inptu_text"}]}]},
         "input[0].content[0].type"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [{"id": "x"}]}, "input[0].type"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_request_names_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as bad:
        prompt(**fields)
    assert bad.value.param == param


# --- answers ------------------------------------------------------------------------------------

EVENTS: list[Event] = [
    Began("chatcmpl-7", "m-2026"),
    PartBegan(index=0, kind="reasoning"),
    PartDelta(0, "Hm, "),
    PartDelta(0, "tea."),
    PartSigned(0, "c2ln"),
    PartEnded(0),
    PartBegan(index=1, kind="reasoning", hidden="aGlk"),
    PartEnded(1),
    PartBegan(index=2, kind="text"),
    PartDelta(2, "The kettle"),
    PartDelta(2, ' is "on": ☕'),
    Cited(2, Citation(url="https://x.y", title="Tea", start=0, end=3)),
    PartEnded(2),
    PartBegan(index=3, kind="tool_call", ident="c1", name="boil"),
    PartDelta(3, '{"cups"'),
    PartDelta(3, ":2}"),
    PartSigned(3, "proof"),
    PartEnded(3),
    PartBegan(index=4, kind="refusal"),
    PartDelta(4, "No."),
    PartEnded(4),
    Ended(reason="tool_calls", said="tool_use"),
    Metered(Usage(20, 9, 5, 2, 3)),
]


def stream_of(events: list[Event], **fields: Any) -> bytes:
    writer = DIALECT.writer(ask(**fields))
    return b"".join(writer.write([event]) for event in events) + writer.end()


def parsed(data: bytes) -> list[dict[str, Any]]:
    found = []
    for block in data.decode().strip().split("\n\n"):
        name, body = block.split("\n")
        found.append(json.loads(body.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def test_a_whole_answer_is_a_response() -> None:
    body = DIALECT.writer(ask(tools=[FUNCTION], metadata={"a": "b"})).complete(EVENTS)
    answer = Response.model_validate(json.loads(body), strict=False)
    assert (answer.id, answer.model, answer.status) == ("resp_chatcmpl-7", "m-2026", "completed")
    assert [item.type for item in answer.output] == [
        "reasoning", "reasoning", "message", "function_call", "reasoning", "message",
    ]  # fmt: skip
    assert answer.output_text == 'The kettle is "on": ☕'
    assert (answer.metadata, len(answer.tools)) == ({"a": "b"}, 1)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.input_tokens_details.cached_tokens) == (20, 5)
    assert (answer.usage.output_tokens_details.reasoning_tokens, answer.usage.total_tokens) == (
        3, 29,
    )  # fmt: skip


def test_every_event_is_one_of_the_published_types_and_numbered() -> None:
    events = parsed(stream_of(EVENTS, stream=True))
    for number, event in enumerate(events):
        read = EVENT.validate_python(event)
        assert read.type == event["type"]
        assert event["sequence_number"] == number
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done")
    assert kinds.count("response.content_part.added") == kinds.count("response.content_part.done")


def sdk(data: bytes) -> openai.OpenAI:
    def answered(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=data)

    client = httpx.Client(transport=httpx.MockTransport(answered))
    return openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=client)


def test_the_sdks_helper_gathers_the_whole_answer_from_the_stream() -> None:
    whole = json.loads(DIALECT.writer(ask()).complete(EVENTS))
    with sdk(stream_of(EVENTS)) as client, client.responses.stream(
        model="small", input="hello"
    ) as stream:  # fmt: skip
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == 'The kettle is "on": ☕'
    said = [item.model_dump(exclude_none=True) for item in final.output]
    for item in said:
        item.pop("parsed_arguments", None)
        for part in item.get("content", ()):
            part.pop("parsed", None)
    wanted = [Response.model_validate(whole).output[i].model_dump(exclude_none=True) for i in
              range(len(whole["output"]))]  # fmt: skip
    assert said == wanted


def test_an_answer_is_told_again_in_the_other_form_without_loss() -> None:
    text = {
        "type": "output_text", "text": "Leek", "annotations": [],
        "logprobs": [{"token": "Leek", "bytes": [76], "logprob": -0.5, "top_logprobs": []}],
    }  # fmt: skip
    whole = json.loads(DIALECT.writer(ask(stream=True)).complete(EVENTS))
    whole["output"][2]["content"].append(text)
    thought = {"type": "reasoning_text", "text": "Hm."}
    whole["output"].append({"id": "rs_9", "type": "reasoning", "summary": [], "content": [thought]})
    body = json.dumps(whole).encode()
    made = retold(ask(stream=True), body, False, Usage())
    assert made is not None
    for number, event in enumerate(parsed(made[0])):
        assert EVENT.validate_python(event).type == event["type"]
        assert event["sequence_number"] == number
    with sdk(made[0]) as client, client.responses.stream(model="m", input="x") as stream:
        told = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        assert told == stream.get_final_response().output_text == 'The kettle is "on": ☕Leek'
    assert retold(ask(), made[0], True, Usage()) == (body, b"application/json")


def test_what_cannot_be_told_in_the_other_form_is_not() -> None:
    whole = json.loads(DIALECT.writer(ask()).complete(EVENTS))
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    for odd in (
        {**whole, "output": [search]},
        {**whole, "status": "failed"},
        {**whole, "output": [{"type": "message", "id": "m"}]},
        {**whole, "output": 3},
    ):
        assert retold(ask(stream=True), json.dumps(odd).encode(), False, Usage()) is None
    for cut in (b"", b"data: x\n\n", stream_of(EVENTS)[:-600]):
        assert retold(ask(), cut, True, Usage()) is None


def test_what_was_answered_can_be_handed_back_with_its_proofs() -> None:
    output = json.loads(DIALECT.writer(ask()).complete(EVENTS))["output"]
    (turn,) = prompt(input=output).turns
    reasoning, hidden, text, call, refusal = turn.parts
    assert isinstance(reasoning, Reasoning)
    assert (reasoning.text, reasoning.signature) == ("Hm, tea.", "c2ln")
    assert isinstance(hidden, Reasoning)
    assert (hidden.hidden, hidden.text) == ("aGlk", "")
    assert isinstance(text, Text)
    assert text.citations[0].url == "https://x.y"
    assert call == ToolCall(ident="c1", name="boil", arguments='{"cups":2}', signature="proof")
    assert refusal == Refusal("No.")


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [("stop", "completed", None), ("length", "incomplete", "max_output_tokens"),
     ("content_filter", "incomplete", "content_filter"), ("error", "failed", None)],
)  # fmt: skip
def test_an_end_has_its_status_and_its_event(reason: Any, status: str, why: str | None) -> None:
    events = [*EVENTS[:1], *EVENTS[8:13], Ended(reason=reason, said="x")]
    whole = Response.model_validate_json(DIALECT.writer(ask()).complete(events))
    last = parsed(stream_of(events))[-1]
    assert last["type"] == f"response.{status}"
    for answer in (whole, Response.model_validate(last["response"])):
        assert answer.status == status
        details = answer.incomplete_details
        assert (details.reason if details else None) == why
        assert (answer.error is not None) == (status == "failed")


class OneByOne:
    """A reader that gives one event for each byte."""

    def __init__(self, events: list[Event]) -> None:
        self.left = list(events)

    def feed(self, data: bytes) -> list[Event]:
        return [self.left.pop(0) for _ in data if self.left]

    def end(self) -> list[Event]:
        return []

    def complete(self, body: bytes) -> list[Event]:
        return self.left


@given(st.integers(1, len(EVENTS) - 2))
def test_a_failure_anywhere_is_an_error_event_and_a_failed_response(at: int) -> None:
    events = [*EVENTS[:at], Failed("the model stumbled", "x")]
    answer = Translated(OneByOne(events), DIALECT.writer(ask()), stream=True)  # type: ignore[arg-type]
    said = parsed(answer.feed(b"." * len(events)) + answer.end())
    assert [e["sequence_number"] for e in said] == list(range(len(said)))
    assert [e["type"] for e in said[-2:]] == ["error", "response.failed"]
    assert EVENT.validate_python(said[-2]).message == "the model stumbled"
    assert said[-1]["response"]["error"]["message"] == "the model stumbled"
    assert answer.failure == "the model stumbled"


# --- pass-through -------------------------------------------------------------------------------


def test_a_target_that_speaks_responses_gets_the_clients_bytes() -> None:
    wire = wire_named("openai")
    native = Target("t", "p", "openai", "http://h/v1", "upstream", native=("responses",))
    same = Target("t", "p", "openai", "http://h/v1", "small", native=("responses",))
    asked = ask(previous_response_id="resp_1", temperature=1e-7)
    assert wire.passes(asked, native)
    assert wire.outgoing(asked, same).body is asked.body
    out = wire.outgoing(asked, native)
    assert (out.path, json.loads(out.body)) == (
        "/responses", {**json.loads(asked.body), "model": "upstream"},
    )  # fmt: skip
    plain = Target("t", "p", "openai", "http://h/v1", "upstream")
    assert not wire.passes(ask(), plain)
    assert json.loads(wire.outgoing(ask(), plain).body)["messages"] == [
        {"role": "user", "content": "hello"}
    ]


STREAM = stream_of(EVENTS)


@given(st.lists(st.integers(0, 100_000), max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_a_passing_stream_is_heard_alike_whatever_the_chunks(cuts: list[int], end: str) -> None:
    data = STREAM.replace(b"\n", end.encode())
    answer = TypedAnswer()
    edges = [0, *sorted({c % (len(data) + 1) for c in cuts}), len(data)]
    out = b"".join(answer.feed(data[a:b]) for a, b in itertools.pairwise(edges)) + answer.end()
    assert out == data
    assert (answer.usage, answer.finish_reason) == (Usage(20, 9, 5, 2, 3), "completed")
    assert (answer.model, answer.response_id) == ("m-2026", "resp_chatcmpl-7")
    assert (answer.started, answer.ended, answer.failure, answer.pieces) == (True, True, "", 7)


@given(st.integers(1, len(STREAM) - 1))
@example(at=STREAM.index(b'"sequence_number":10') + len(b'"sequence_number":1'))
def test_a_passing_stream_that_is_cut_ends_in_an_event_of_its_own(at: int) -> None:
    answer = TypedAnswer()
    out = answer.feed(STREAM[:at]) + answer.broken("cut off", "stream_reset")
    last = parsed(out[out.rindex(b"event: error") :])[0]
    assert EVENT.validate_python(last).message == "cut off"
    before = out[: out.rindex(b"event: error")]
    assert before.endswith(b"\n\n")
    whole = STREAM[:at].rpartition(b"\n\n")[0]
    assert last["sequence_number"] >= (len(parsed(whole)) if whole else 0)


def test_a_passing_failure_is_heard() -> None:
    answer = TypedAnswer()
    answer.feed(STREAM[: STREAM.index(b"event: response.output_item.added")])
    assert not answer.failure
    failed = {"type": "response.failed", "response": {"id": "r", "status": "failed",
              "error": {"code": "server_error", "message": "overloaded"}}}  # fmt: skip
    answer.feed(f"event: response.failed\ndata: {json.dumps(failed)}\n\n".encode())
    assert (answer.failure, answer.ended) == ("overloaded", True)


def test_words_that_look_like_an_end_are_not_heard_as_one() -> None:
    answer = TypedAnswer()
    text = '{"type":"response.completed","response":{"id":"x"}} .completed" "error"'
    answer.feed(
        stream_of([*EVENTS[:1], PartBegan(index=0, kind="text"), PartDelta(0, text)])[:-900]
    )
    assert not answer.ended


@pytest.mark.parametrize(
    ("told", "usage"),
    [({"duration": "8.47"}, Usage(audio_ms=8470)), ({"duration": "inf"}, None),
     ({"duration": -3.5}, None), ({"usage": {"type": "duration", "seconds": -1}}, None),
     ({"usage": {"type": "duration", "seconds": 95}}, Usage(audio_ms=95_000))],
)  # fmt: skip
def test_a_length_that_is_none_costs_nothing_and_breaks_nothing(
    told: dict[str, Any], usage: Usage | None
) -> None:
    answer = TypedAnswer()
    body = json.dumps({"text": "Leek.", **told}).encode()
    assert answer.complete(body) == body
    assert answer.usage == usage
