"""Prompts as Bedrock's Converse says them, and Converse's answers as events.

Each request is checked with botocore's service model and against a golden file;
`GOLDEN=write` in the environment writes the files anew.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway import Target
from stockpot.prices import Usage
from stockpot.providers import Ask, BadRequest, CannotExpress, OpenAIDialect, wire_named
from stockpot.providers.bedrock import BedrockWire
from stockpot.providers.bedrock.compose import composed
from stockpot.providers.bedrock.read import ConverseReader
from stockpot.providers.canon import (
    Cited,
    Ended,
    Event,
    Failed,
    Format,
    Loss,
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
from tests.vendors.bedrock_stub import Behaviour, exception, frame, validated

GOLDEN = Path(__file__).with_name("golden") / "bedrock"
CLAUDE = "us.anthropic.claude-sonnet-4-20250514-v1:0"
CLAUDE_5 = "global.anthropic.claude-opus-5-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
OSS = "openai.gpt-oss-120b-1:0"
PNG = base64.b64encode(b"\x89PNG....").decode()
WEATHER = Tool(
    name="weather",
    description="Tells the weather",
    schema={"type": "object", "properties": {"city": {"type": "string"}}},
)
HELLO = (Turn("user", (Text("Hello"),)),)
TALK = (
    Turn("user", (Text("Weather in Rome and Oslo?"),)),
    Turn("assistant", (
        Reasoning(text="Two calls.", signature="c2lnbmVk"),
        Reasoning(hidden=base64.b64encode(b"secret").decode()),
        ToolCall(ident="call_1", name="weather", arguments='{"city": "Rome"}'),
        ToolCall(ident="odd|id with blanks", name="weather", arguments=""),
    )),
    Turn("user", (
        ToolResult(ident="call_1", parts=(Text("22 degrees"),)),
        ToolResult(ident="odd|id with blanks", parts=(Text("broken"),), failed=True),
    )),
    Turn("user", (Text("And?"),)),
)  # fmt: skip

CASES: dict[str, tuple[str, Prompt]] = {
    "text": (CLAUDE, Prompt(
        system=(Text("Be brief.", cache="5m"), Text("Be kind.")), turns=HELLO, max_output=100,
        temperature=0.5, top_p=0.9, top_k=40, stop=("END",),
    )),
    "tools": (CLAUDE, Prompt(
        turns=TALK, tools=(WEATHER, Tool(name="now", cache="1h", strict=True)),
        tool_choice=ToolChoice("named", "weather"),
    )),
    "tools_any": (NOVA, Prompt(turns=HELLO, tools=(WEATHER,), tool_choice=ToolChoice("required"))),
    "tools_none": (NOVA, Prompt(turns=HELLO, tools=(WEATHER,), tool_choice=ToolChoice("none"))),
    "media": (NOVA, Prompt(turns=(Turn("user", (
        Text("What is this?"),
        Media(kind="image", media_type="image/png", data=PNG, cache="5m"),
        Media(kind="image", url="s3://bucket/cat.jpeg"),
        Media(kind="document", media_type="application/pdf", data=PNG, name="Q3_report.pdf",
              cite=True),
        Media(kind="document", text="plain words", media_type="text/plain"),
        Media(kind="video", media_type="video/mp4", data=PNG),
        Media(kind="audio", media_type="audio/wav", data=PNG),
    )),))),
    "schema": (CLAUDE, Prompt(turns=HELLO, service_tier="flex", format=Format(
        kind="schema", name="city", description="A city", strict=True,
        schema={"type": "object", "properties": {"name": {"type": "string"}}},
    ))),
    "thinking_by_budget": (CLAUDE, Prompt(
        turns=HELLO, max_output=9000, temperature=0.3, thinking=Thinking(effort="low"),
    )),
    "thinking_adaptive": (CLAUDE_5, Prompt(
        turns=HELLO, top_k=5, thinking=Thinking(effort="high", show=True),
    )),
    "thinking_nova": (NOVA, Prompt(turns=HELLO, top_k=5, thinking=Thinking(effort="minimal"))),
    "thinking_oss": (OSS, Prompt(turns=HELLO, thinking=Thinking(budget=500))),
    "system_between_turns": (CLAUDE, Prompt(
        system=(Text("First."),),
        turns=(*HELLO, Turn("assistant", (Refusal("No."),)), Turn("system", (Text("Then."),)),
               Turn("user", (Text("Why?"),))),
    )),
    "system_between_turns_of_a_model_that_takes_it": (CLAUDE_5, Prompt(
        turns=(*HELLO, Turn("assistant", (Text("Hi."),)), Turn("user", (Text("Why?"),)),
               Turn("system", (Text("Then."),))),
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_prompt_is_said_as_in_its_golden_file(name: str) -> None:
    model, prompt = CASES[name]
    body, losses = composed(prompt, model, {})
    validated("Converse", model, json.loads(json.dumps(body)))
    said = {"model": model, "body": body, "losses": [[x.field, x.kind] for x in losses]}
    path = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert said == json.loads(path.read_text("utf-8"))


CONTENT = {
    "image": Prompt(turns=(Turn("user", (Media(kind="image", url="https://x.y/z.png"),)),)),
    "document": Prompt(turns=(Turn("user", (Media(kind="document", file_id="file-1"),)),)),
    "tools": Prompt(turns=HELLO, tools=(ServerTool("openai", "web_search", {}),)),
    "response_format": Prompt(turns=HELLO, format=Format(kind="json")),
    "n": Prompt(turns=HELLO, choices=2),
    "logprobs": Prompt(turns=HELLO, logprobs=3),
    "modalities": Prompt(turns=HELLO, modalities=("text", "audio")),
    "tool_choice": Prompt(turns=TALK, tools=(WEATHER,), tool_choice=ToolChoice("none")),
}


@pytest.mark.parametrize("field", CONTENT)
def test_what_changes_the_question_is_a_loss_of_content(field: str) -> None:
    _, losses = composed(CONTENT[field], CLAUDE, {})
    assert [(loss.field, loss.kind) for loss in losses] == [(field, "content")]


def test_every_hint_that_converse_lacks_is_named() -> None:
    prompt = Prompt(
        turns=HELLO, seed=1, presence_penalty=0.1, frequency_penalty=0.2, user="ann", top_k=3,
        tools=(WEATHER,), parallel_tools=False, temperature=1.5, extra={"logit_bias": {"1": 2}},
        service_tier="scale",
    )  # fmt: skip
    body, losses = composed(prompt, "meta.llama3-70b-instruct-v1:0", {})
    assert {loss.field for loss in losses} == {
        "seed", "presence_penalty", "frequency_penalty", "user", "top_k", "parallel_tool_calls",
        "temperature", "logit_bias", "service_tier",
    }  # fmt: skip
    assert all(loss.kind == "hint" and loss.why for loss in losses)
    assert body["inferenceConfig"] == {"temperature": 1.0}


def test_an_arn_says_its_family_by_option() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    prompt = Prompt(turns=HELLO, top_k=3)
    assert composed(prompt, arn, {})[1] == [
        Loss("top_k", "it is not known how this model takes it")
    ]
    body, losses = composed(prompt, arn, {"family": "claude-sonnet-4"})
    assert (body["additionalModelRequestFields"], losses) == ({"top_k": 3}, [])


def test_reasoning_that_nobody_signed_is_not_handed_back_to_a_model_that_wants_it_signed() -> None:
    turns = (*HELLO, Turn("assistant", (Reasoning(text="Hm."), Text("Hi."))), *HELLO)
    body, losses = composed(Prompt(turns=turns), CLAUDE, {})
    assert [loss.field for loss in losses] == ["reasoning"]
    assert body["messages"][1]["content"] == [{"text": "Hi."}]
    body, losses = composed(Prompt(turns=turns), OSS, {})
    assert not losses
    assert "reasoningContent" in body["messages"][1]["content"][0]


def test_reasoning_that_another_vendor_signed_stays_behind() -> None:
    foreign = Reasoning(text="Hm.", signature="gemini:c2lnbmVk")
    turns = (*HELLO, Turn("assistant", (foreign, Text("Hi."))), *HELLO)
    for model in (CLAUDE, OSS):
        body, losses = composed(Prompt(turns=turns), model, {})
        assert [loss.field for loss in losses] == ["reasoning"]
        assert body["messages"][1]["content"] == [{"text": "Hi."}]


def test_arguments_that_are_not_json_are_the_clients_fault() -> None:
    turn = Turn("assistant", (ToolCall(ident="c", name="n", arguments="{"),))
    with pytest.raises(BadRequest, match="'c' are not JSON"):
        composed(Prompt(turns=(turn,)), CLAUDE, {})


# --- the wire -----------------------------------------------------------------------------------


class Spoken:
    """A dialect that has its prompt ready."""

    name = "test"

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt

    def parse(self, ask: Ask) -> Prompt:
        return self.prompt


def ask(prompt: Prompt, stream: bool = False) -> Ask:
    spoken: Any = Spoken(prompt)
    return Ask("test", "chat", b"{}", "m", stream, True, 1, 0, 1, "", spoken)


def target(**options: str) -> Target:
    url = "https://bedrock-runtime.eu-west-3.amazonaws.com"
    return Target("t", "p", "bedrock", url, CLAUDE, options=options)


def test_the_path_names_the_model_encoded_and_the_verb() -> None:
    wire = wire_named("bedrock")
    prompt = Prompt(turns=HELLO)
    base = "/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0"
    assert wire.outgoing(ask(prompt), target()).path == f"{base}/converse"
    assert wire.outgoing(ask(prompt, True), target()).path == f"{base}/converse-stream"
    assert wire.outgoing(ask(prompt), target()).headers == ()


def test_a_request_is_signed_for_the_region_of_its_address_or_its_option() -> None:
    wire = BedrockWire(clock=lambda: 1_800_000_000.0)
    keys = {"access_key_id": "AKID", "secret_access_key": "s"}
    for more, region in (({}, "eu-west-3"), ({"region": "us-west-2"}, "us-west-2")):
        headers = dict(wire.outgoing(ask(Prompt(turns=HELLO)), target(**keys, **more)).headers)
        assert f"Credential=AKID/20270115/{region}/bedrock/aws4_request" in headers["authorization"]


def test_what_converse_has_nothing_like_is_said() -> None:
    wanted = Ask("openai", "embeddings", b"{}", "m", False, True, 1, 0, 1, "")
    with pytest.raises(CannotExpress, match="not known here"):
        wire_named("bedrock").outgoing(wanted, target())
    wanted.endpoint = "moderations"
    with pytest.raises(CannotExpress, match="nothing like moderations"):
        wire_named("bedrock").outgoing(wanted, target())


@pytest.mark.parametrize(
    ("model", "texts", "sent", "answered", "usage"),
    [
        ("amazon.titan-embed-text-v2:0", ["leek"], {"inputText": "leek", "dimensions": 256},
         {"embedding": [0.5, 1.0], "inputTextTokenCount": 3}, Usage(3)),
        ("cohere.embed-english-v3", ["leek", "pea"],
         {"texts": ["leek", "pea"], "input_type": "search_query", "output_dimension": 256},
         {"embeddings": [[0.5, 1.0], [2.0, 3.0]], "response_type": "embeddings_floats"}, None),
    ],
)  # fmt: skip
def test_openais_embeddings_are_asked_of_titan_and_cohere(
    model: str, texts: list[str], sent: dict[str, Any], answered: dict[str, Any], usage: Any
) -> None:
    wire = BedrockWire(clock=lambda: 1_800_000_000.0)
    keys = {"access_key_id": "A", "secret_access_key": "s", "input_type": "search_query"}
    to = msgspec.structs.replace(target(**keys), model=model)
    said = {"model": "e", "input": texts, "dimensions": 256}
    wanted = OpenAIDialect().read("embeddings", json.dumps(said).encode())
    out = wire.outgoing(wanted, to)
    assert out.path == f"/model/{model.replace(':', '%3A')}/invoke"
    assert "AWS4-HMAC-SHA256" in dict(out.headers)["authorization"]
    assert json.loads(out.body) == sent
    answer = wire.answer(wanted, to)
    told = json.loads(answer.complete(json.dumps(answered).encode()))
    assert [row["embedding"][0] for row in told["data"]] == [0.5, 2.0][: len(texts)]
    assert answer.usage == usage
    with pytest.raises(ValueError, match="embedding"):
        wire.answer(wanted, to).complete(b"{}")


def test_titan_embeds_one_text_a_call() -> None:
    to = msgspec.structs.replace(target(), model="amazon.titan-embed-text-v2:0")
    wanted = OpenAIDialect().read("embeddings", b'{"model":"e","input":["a","b"]}')
    with pytest.raises(CannotExpress, match="one text"):
        wire_named("bedrock").outgoing(wanted, to)


def test_errors_are_found_in_either_spelling() -> None:
    wire = wire_named("bedrock")
    assert wire.error_message(b'{"message":"a"}') == "a"
    assert wire.error_message(b'{"Message":"b"}') == "b"
    assert wire.error_message(b"<html>") == "<html>"


# --- answers ------------------------------------------------------------------------------------

BLOCKS = (
    {"reasoningContent": {"reasoningText": {"text": "Hm, tea.", "signature": "c2ln"}}},
    {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
    {"text": "The kettle is on: ☕."},
    {"toolUse": {"toolUseId": "t_1", "name": "boil", "input": {"cups": 2, "of": "té"}}},
    {"toolUse": {"toolUseId": "t_2", "name": "now", "input": {}}},
    {"citationsContent": {"content": [{"text": "Water boils."}], "citations": [
        {"title": "Physics", "sourceContent": [{"text": "at 100"}],
         "location": {"web": {"url": "https://x.y"}}},
    ]}},
)  # fmt: skip
ANSWER = Behaviour(blocks=BLOCKS, stop="tool_use")
STREAM = b"".join(ANSWER.events())
USAGE = Usage(37, 5, 20, 10, cache_write_1h=4)


def merged(events: list[Event]) -> list[Event]:
    """Pieces of one part that follow each other as one, and places of citations left out."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, PartDelta) and isinstance(last, PartDelta):
            found[-1] = PartDelta(event.index, last.text + event.text)
        elif isinstance(event, Cited):
            found.append(Cited(event.index, event.citation.__class__(url=event.citation.url)))
        else:
            found.append(event)
    return found


def streamed(data: bytes, cuts: list[int]) -> list[Event]:
    reader = ConverseReader()
    edges = [0, *sorted({c % (len(data) + 1) for c in cuts}), len(data)]
    events = [e for a, b in itertools.pairwise(edges) for e in reader.feed(data[a:b])]
    return [*events, *reader.end()]


def normal(events: list[Event]) -> list[Event]:
    """Arguments of tools compared by value."""
    tools = {e.index for e in events if isinstance(e, PartBegan) and e.kind == "tool_call"}
    return [
        PartDelta(e.index, json.dumps(json.loads(e.text)))
        if isinstance(e, PartDelta) and e.index in tools
        else e
        for e in merged(events)
    ]


@given(st.lists(st.integers(0, 100_000), max_size=20))
def test_a_stream_says_the_same_as_the_whole_answer_whatever_the_chunks(cuts: list[int]) -> None:
    whole = ConverseReader().complete(json.dumps(ANSWER.body()).encode())
    assert normal(streamed(STREAM, cuts)) == normal(list(whole))


def test_an_answers_parts_reason_and_usage_are_read() -> None:
    events = merged(streamed(STREAM, []))
    began = [e for e in events if isinstance(e, PartBegan)]
    assert [e.kind for e in began] == [
        "reasoning", "reasoning", "text", "tool_call", "tool_call", "text",
    ]  # fmt: skip
    assert [e.index for e in began] == [0, 1, 2, 3, 4, 5]
    assert began[1].hidden == "c2VjcmV0"
    assert (began[3].ident, began[3].name) == ("t_1", "boil")
    assert PartSigned(0, "c2ln") in events
    assert PartDelta(4, "{}") in events
    assert events[-2:] == [Ended(reason="tool_calls", said="tool_use"), Metered(USAGE)]
    assert [e.index for e in events if isinstance(e, PartEnded)] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"),
        ("guardrail_intervened", "content_filter"), ("content_filtered", "content_filter"),
        ("model_context_window_exceeded", "length"), ("malformed_tool_use", "error"),
    ],
)  # fmt: skip
def test_a_stop_reason_keeps_its_meaning(said: str, reason: str) -> None:
    for events in (
        ConverseReader().complete(json.dumps(Behaviour(stop=said).body()).encode()),
        streamed(b"".join(Behaviour(stop=said).events()), []),
    ):
        assert Ended(reason=reason, said=said) in events  # type: ignore[arg-type]


def test_an_exception_in_a_stream_is_a_failure_and_the_last_event() -> None:
    data = STREAM[: len(STREAM) // 2]
    at = list(itertools.accumulate(len(e) for e in ANSWER.events()))[4]
    data = STREAM[:at] + exception("throttlingException", "slow down") + STREAM[at:]
    events = streamed(data, [])
    assert events[-1] == Failed("slow down", "throttlingException")
    assert sum(isinstance(e, Failed) for e in events) == 1
    error = {":message-type": "error", ":error-code": "500", ":error-message": "oh"}
    assert streamed(frame(error, b""), []) == [Failed("oh", "500")]


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_a_damaged_stream_fails_clearly_after_what_was_whole(at: int, flip: int) -> None:
    damaged = bytearray(STREAM)
    damaged[at] ^= flip
    events = streamed(bytes(damaged), [at, at + 1])
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "damaged_stream"
    good = streamed(STREAM, [])
    assert events[:-1] == good[: len(events) - 1]


def test_a_tool_of_bedrocks_own_is_not_the_clients_to_run() -> None:
    use = {"toolUseId": "t", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}
    body = Behaviour(blocks=({"toolUse": use}, {"text": "Found."})).body()
    events = ConverseReader().complete(json.dumps(body).encode())
    assert [e.kind for e in events if isinstance(e, PartBegan)] == ["text"]


def test_what_is_no_answer_is_refused() -> None:
    for body in (b"", b"{}", b'{"output":{}}', b"[1]"):
        with pytest.raises(ValueError, match=r"."):
            ConverseReader().complete(body)
