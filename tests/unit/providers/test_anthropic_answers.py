"""Answers in Anthropic's dialect: read as events, written from events, and only listened to."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.shared.error_response import ErrorResponse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from stockpot.prices import Usage
from stockpot.providers.anthropic import AnthropicAnswer
from stockpot.providers.anthropic.parse import parse
from stockpot.providers.anthropic.read import AnthropicReader
from stockpot.providers.anthropic.write import AnthropicWriter
from stockpot.providers.canon import (
    Began,
    Citation,
    Cited,
    Ended,
    Event,
    Failed,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
    ToolCall,
)
from stockpot.providers.translate import Translated
from tests.vendors import anthropic_stub as stub

GOOD = sorted(name for name, scene in stub.SCENES.items() if scene.refused is None)
CUTS = st.lists(st.integers(0, 30_000), max_size=12)
_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def events_of(data: bytes, cuts: list[int] = []) -> list[Event]:  # noqa: B006 - never changed
    reader = AnthropicReader()
    found = [event for chunk in chunks(data, cuts) for event in reader.feed(chunk)]
    return [*found, *reader.end()]


def said(written: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Names and data of a written stream, each checked with Anthropic's types."""
    assert written.endswith(b"\n\n")
    found = []
    for block in written.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        body = json.loads(data.removeprefix("data: "))
        assert name == f"event: {body['type']}"
        if body["type"] == "error":
            ErrorResponse.model_validate(body)
        else:
            _EVENT.validate_python(body)
        found.append((body["type"], body))
    return found


def assembled(written: bytes) -> Message:
    """The message that the SDK puts together from a written stream."""
    message, buffers = None, {}
    for _, body in said(written):
        event = _EVENT.validate_python(body)
        message = accumulate_event(event=event, current_snapshot=message, json_bufs=buffers)
    assert message is not None
    return Message.model_validate(message.model_dump())


def translated(data: bytes, cuts: list[int] = []) -> tuple[bytes, Translated]:  # noqa: B006
    answer = Translated(AnthropicReader(), AnthropicWriter("alias"), stream=True)
    out = b"".join(answer.feed(chunk) for chunk in chunks(data, cuts))
    return out + answer.end(), answer


# --- reading ------------------------------------------------------------------------------------


def test_thinking_text_and_usage_are_read() -> None:
    found = events_of(stub.stream_of("thinking"))
    joined = [e for e in found if not isinstance(e, PartDelta)]
    assert joined == [
        Began("msg_stub", "claude-2026"),
        Metered(Usage(11, 1)),
        PartBegan(index=0, kind="reasoning"),
        PartSigned(0, stub.SIGNATURE),
        PartEnded(0),
        PartBegan(index=1, kind="text"),
        PartEnded(1),
        Ended(reason="stop", said="end_turn"),
        Metered(Usage(11, 25, reasoning=20)),
    ]
    texts = [
        "".join(e.text for e in found if isinstance(e, PartDelta) and e.index == i) for i in (0, 1)
    ]
    assert texts == [stub.THOUGHT, stub.TEXT]


def test_parallel_calls_in_odd_fragments_are_read_to_the_last_character() -> None:
    found = events_of(stub.stream_of("tools"))
    began = [e for e in found if isinstance(e, PartBegan) and e.kind == "tool_call"]
    for part, (ident, name, arguments) in zip(began, stub.CALLS, strict=True):
        deltas = [e.text for e in found if isinstance(e, PartDelta) and e.index == part.index]
        assert (part.ident, part.name, json.loads("".join(deltas))) == (ident, name, arguments)
    assert Ended(reason="tool_calls", said="tool_use") in found


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("scene", "usage"),
    [
        ("text", Usage(11, 5)),
        ("thinking", Usage(11, 25, reasoning=20)),
        ("search", Usage(11, 5, searches=2)),
        ("cache", Usage(2307, 5, cache_read=2000, cache_write=300, cache_write_1h=200,
                        tier="priority")),
    ],
)  # fmt: skip
def test_every_bucket_of_usage_is_read(scene: str, usage: Usage, whole: bool) -> None:
    if whole:
        found = list(AnthropicReader().complete(stub.whole_of(scene)))
    else:
        found = events_of(stub.stream_of(scene))
    assert [e.usage for e in found if isinstance(e, Metered)][-1] == usage
    listener = AnthropicAnswer()
    if whole:
        listener.complete(stub.whole_of(scene))
    else:
        listener.feed(stub.stream_of(scene))
    assert listener.usage == usage


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("scene", "ended"),
    [
        ("text", Ended(reason="stop", said="end_turn")),
        ("tools", Ended(reason="tool_calls", said="tool_use")),
        ("refusal", Ended(reason="refusal", said="refusal")),
        ("pause", Ended(reason="pause", said="pause_turn")),
        ("length", Ended(reason="length", said="max_tokens")),
        ("stop", Ended(reason="stop", stop="END", said="stop_sequence")),
    ],
)
def test_every_stop_reason_is_read(scene: str, ended: Ended, whole: bool) -> None:
    if whole:
        found = list(AnthropicReader().complete(stub.whole_of(scene)))
    else:
        found = events_of(stub.stream_of(scene))
    assert ended in found


def test_a_refusals_explanation_is_a_part() -> None:
    found = events_of(stub.stream_of("refusal"))
    assert PartBegan(index=0, kind="refusal") in found
    assert PartDelta(0, stub.EXPLANATION) in found


def test_citations_are_read_from_documents_and_searches() -> None:
    (document,) = [e for e in events_of(stub.stream_of("citations")) if isinstance(e, Cited)]
    assert document == Cited(0, Citation(title="Kettles", quote="Kettles boil.", source="0"))
    found = events_of(stub.stream_of("search"))
    (web,) = [e for e in found if isinstance(e, Cited)]
    assert web.citation == Citation(
        url="https://tea.example/kettle", title="Tea", quote="A kettle."
    )
    assert [e.kind for e in found if isinstance(e, PartBegan)] == ["text"]


def test_an_error_event_is_a_failure() -> None:
    error = stub.error_of("overloaded_error", "x").encode()
    assert events_of(b"event: error\ndata: " + error + b"\n\n") == [Failed("x", "overloaded_error")]


def test_an_event_that_is_no_json_is_a_failure() -> None:
    (failed,) = events_of(b"event: content_block_delta\ndata: {oops\n\n")
    assert isinstance(failed, Failed)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"<html>", b'{"type":"message","content":[{"type":"tool_use"}]}']
)
def test_what_is_no_message_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        AnthropicReader().complete(body)


def test_the_call_that_a_json_object_was_asked_for_with_is_read_as_text() -> None:
    body = json.dumps({
        "type": "message", "id": "m", "model": "c", "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "t", "name": "json_object", "input": {"a": 1}}],
    }).encode()  # fmt: skip
    found = AnthropicReader(unwrap=True).complete(body)
    assert found[1:] == [
        PartBegan(index=0, kind="text"),
        PartDelta(0, '{"a":1}'),
        PartEnded(0),
        Ended(reason="stop", said="end_turn"),
    ]


# --- there and back again -----------------------------------------------------------------------


@pytest.mark.parametrize("scene", sorted(set(GOOD) - {"citations", "search", "refusal"}))
def test_a_stream_that_is_read_and_written_is_the_same_message(scene: str) -> None:
    out, answer = translated(stub.stream_of(scene))
    made, expected = assembled(out), stub.message_of(stub.SCENES[scene], "claude")
    assert made.content == expected.content
    assert (made.id, made.model) == (expected.id, expected.model)
    assert (made.stop_reason, made.stop_sequence) == (expected.stop_reason, expected.stop_sequence)
    assert made.usage.output_tokens == expected.usage.output_tokens
    assert made.usage.input_tokens == expected.usage.input_tokens
    assert answer.ended


@pytest.mark.parametrize("scene", sorted(set(GOOD) - {"citations", "search", "refusal"}))
def test_a_whole_answer_that_is_read_and_written_is_the_same_message(scene: str) -> None:
    answer = Translated(AnthropicReader(), AnthropicWriter("alias"), stream=False)
    made = Message.model_validate_json(answer.complete(stub.whole_of(scene)))
    expected = stub.message_of(stub.SCENES[scene], "claude")
    assert made.content == expected.content
    assert (made.stop_reason, made.stop_sequence) == (expected.stop_reason, expected.stop_sequence)
    for name in ("input_tokens", "output_tokens", "output_tokens_details"):
        assert getattr(made.usage, name) == getattr(expected.usage, name)
    for name in ("cache_read_input_tokens", "cache_creation_input_tokens"):
        assert getattr(made.usage, name) == (getattr(expected.usage, name) or 0)


def test_a_refusal_becomes_text_and_keeps_its_stop_reason() -> None:
    out, _ = translated(stub.stream_of("refusal"))
    made = assembled(out)
    (block,) = made.content
    assert made.stop_reason == "refusal"
    assert block.to_dict(exclude_none=True) == {"type": "text", "text": stub.EXPLANATION}


@pytest.mark.parametrize("scene", ["citations", "search"])
def test_citations_are_written_with_what_the_form_knows_of_them(scene: str) -> None:
    out, _ = translated(stub.stream_of(scene))
    cited = [one for block in assembled(out).content for one in block.citations or ()]  # type: ignore[union-attr]
    assert [one.type for one in cited] == ["web_search_result_location"]
    assert cited[0].cited_text in ("Kettles boil.", "A kettle.")


@given(st.sampled_from(GOOD), CUTS, st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_chunking_of_an_upstreams_stream_gives_the_client_the_same_bytes(
    scene: str, cuts: list[int], newline: bytes
) -> None:
    data = stub.stream_of(scene)
    assert events_of(data.replace(b"\n", newline), cuts) == events_of(data)
    assert translated(data.replace(b"\n", newline), cuts)[0] == translated(data)[0]


@given(st.sampled_from(GOOD), st.integers(0, 30_000))
def test_a_stream_that_is_cut_anywhere_ends_in_a_well_formed_error(scene: str, cut: int) -> None:
    data = stub.stream_of(scene)
    answer = Translated(AnthropicReader(), AnthropicWriter("alias"), stream=True)
    out = answer.feed(data[: cut % len(data)])
    found = said(out + answer.broken("gone", "stream_reset"))
    assert found[-1][0] == "error"
    assert found[-1][1]["error"]["details"] == {"error_code": "stream_reset"}
    kinds = [name for name, _ in found]
    assert kinds.count("message_start") <= 1
    if "content_block_delta" in kinds:
        assert answer.usage is not None


@given(st.binary(max_size=300), CUTS)
def test_no_bytes_of_an_upstream_break_the_reader_or_the_listener(
    data: bytes, cuts: list[int]
) -> None:
    events_of(data, cuts)
    events_of(b"data: " + data + b"\n\n", cuts)
    listener = AnthropicAnswer()
    assert b"".join(listener.feed(chunk) for chunk in chunks(data, cuts)) == data


# --- writing what other upstreams say -----------------------------------------------------------


def written(*events: Event) -> Message:
    """The same events as a stream and as a whole answer; both must be one message."""
    streaming, whole = AnthropicWriter("alias"), AnthropicWriter("alias")
    out = b"".join(streaming.write([event]) for event in events) + streaming.end()
    made = Message.model_validate_json(whole.complete(list(events)))
    again = assembled(out)
    assert again.content == made.content
    assert (again.stop_reason, again.stop_sequence) == (made.stop_reason, made.stop_sequence)
    return made


def test_parts_that_run_side_by_side_are_written_one_after_the_other() -> None:
    made = written(
        Began("x", "gpt"),
        PartBegan(index=0, kind="tool_call", ident="a", name="f"),
        PartBegan(index=1, kind="tool_call", ident="b", name="g"),
        PartDelta(1, '{"y"'),
        PartDelta(0, '{"x":'),
        PartBegan(index=2, kind="text"),
        PartDelta(2, "text"),
        PartDelta(1, ":2}"),
        PartEnded(1),
        PartDelta(0, "1}"),
        PartEnded(0),
        Ended(reason="tool_calls"),
        Metered(Usage(3, 4, 1)),
    )
    assert [block.to_dict(exclude_none=True) for block in made.content] == [
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {"y": 2}},
        {"type": "text", "text": "text"},
    ]
    assert (made.stop_reason, made.model) == ("tool_use", "gpt")
    assert (made.usage.input_tokens, made.usage.cache_read_input_tokens) == (2, 1)


def test_hidden_reasoning_stands_before_its_summary() -> None:
    made = written(
        Began("x", "m"),
        PartBegan(index=0, kind="reasoning", hidden="gAAA"),
        PartDelta(0, "a summary"),
        PartEnded(0),
        Ended(reason="stop"),
    )
    assert [block.to_dict(exclude_none=True) for block in made.content] == [
        {"type": "redacted_thinking", "data": "gAAA"},
        {"type": "thinking", "thinking": "a summary", "signature": ""},
    ]


@pytest.mark.parametrize(
    ("arguments", "given"), [("", {}), ("[1]", {"arguments": "[1]"}), ("{", {"arguments": "{"})]
)
def test_arguments_that_are_no_object_are_kept_as_text(
    arguments: str, given: dict[str, str]
) -> None:
    writer = AnthropicWriter("alias")
    events: list[Event] = [
        PartBegan(index=0, kind="tool_call", ident="t", name="f"),
        PartDelta(0, arguments),
        PartEnded(0),
    ]
    assert json.loads(writer.complete(events))["content"][0]["input"] == given


def test_a_picture_in_an_answer_is_named_and_other_choices_are_left_out() -> None:
    made = written(
        Began("x", "m"),
        PartBegan(index=0, kind="image", media_type="image/png"),
        PartDelta(0, "iVBO"),
        PartEnded(0),
        PartBegan(index=1, kind="text", choice=1),
        PartDelta(1, "other"),
        PartEnded(1),
        Ended(reason="stop"),
        Ended(reason="length", choice=1),
    )
    (block,) = made.content
    assert block.type == "text"
    assert "image/png" in block.text
    assert made.stop_reason == "end_turn"


def test_an_answer_without_an_id_gets_one() -> None:
    writer = AnthropicWriter("alias")
    made = json.loads(writer.complete([Ended(reason="stop")]))
    assert made["id"].startswith("msg_")
    assert made["model"] == "alias"


def test_a_stream_without_any_part_is_still_one() -> None:
    writer = AnthropicWriter("alias")
    out = writer.write([Began("m1", "m"), Ended(reason="content_filter")]) + writer.end()
    kinds = [name for name, _ in said(out)]
    assert kinds == ["message_start", "message_delta", "message_stop"]
    assert assembled(out).stop_reason == "refusal"


# --- listening ----------------------------------------------------------------------------------


def heard(answer: AnthropicAnswer) -> tuple[object, ...]:
    return (
        answer.usage, answer.finish_reason, answer.model, answer.response_id, answer.started,
        answer.ended, answer.failure, answer.pieces,
    )  # fmt: skip


@given(st.sampled_from(GOOD), CUTS, st.sampled_from([b"\n", b"\r\n"]))
def test_any_chunking_is_heard_alike_and_passes_untouched(
    scene: str, cuts: list[int], newline: bytes
) -> None:
    data = stub.stream_of(scene).replace(b"\n", newline)
    answer, whole = AnthropicAnswer(), AnthropicAnswer()
    out = b"".join(answer.feed(chunk) for chunk in chunks(data, cuts)) + answer.end()
    assert (out, whole.feed(data)) == (data, data)
    assert heard(answer) == heard(whole)
    assert answer.ended


@given(st.sampled_from(GOOD))
def test_events_one_by_one_are_heard_like_all_at_once(scene: str) -> None:
    data = stub.stream_of(scene)
    apart, together = AnthropicAnswer(), AnthropicAnswer()
    for event in data.split(b"\n\n")[:-1]:
        apart.feed(event + b"\n\n")
    together.feed(data)
    assert heard(apart) == heard(together)


def test_a_listener_hears_what_a_reader_reads() -> None:
    for scene in GOOD:
        data = stub.stream_of(scene)
        answer = AnthropicAnswer()
        answer.feed(data)
        _, other = translated(data)
        assert (answer.usage, answer.model, answer.response_id) == (
            other.usage, other.model, other.response_id,
        )  # fmt: skip
        assert answer.finish_reason == other.finish_reason


def test_text_that_looks_like_an_event_is_not_one() -> None:
    answer = AnthropicAnswer()
    answer.feed(stub.stream_of("text")[:400])
    text = json.dumps('event: message_stop\ndata: {"type":"message_stop"} message_delta error')
    delta = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%b}}'
    answer.feed(b"event: content_block_delta\ndata: " + delta % text.encode() + b"\n\n")
    assert not answer.ended
    assert not answer.failure
    assert answer.finish_reason == ""


def test_an_error_inside_a_stream_is_noticed() -> None:
    answer = AnthropicAnswer()
    answer.feed(stub.stream_of("text")[:600])
    event = stub.error_of("overloaded_error", "Overloaded").encode()
    answer.feed(b"\n\nevent: error\ndata: " + event + b"\n\n")
    assert answer.failure == "Overloaded"


@given(st.sampled_from(GOOD), st.integers(0, 30_000))
def test_a_stream_that_passes_and_is_cut_ends_its_half_event_before_the_error(
    scene: str, cut: int
) -> None:
    data = stub.stream_of(scene)
    answer = AnthropicAnswer()
    sent = answer.feed(data[: cut % len(data)]) + answer.broken("gone", "stream_reset")
    *_, error, rest = sent.split(b"\n\n")
    assert rest == b""
    name, body = error.split(b"\n")[-2:]
    assert name == b"event: error"
    ErrorResponse.model_validate_json(body.removeprefix(b"data: "))


def test_counting_tokens_is_free() -> None:
    answer = AnthropicAnswer(free=True)
    body = b'{"input_tokens":14}'
    assert answer.complete(body) is body
    assert answer.usage == Usage()


def test_the_proof_of_another_vendors_call_comes_back_with_the_call() -> None:
    made = written(
        Began("x", "gemini-3"),
        PartBegan(index=0, kind="tool_call", ident="c:1", name="f"),
        PartDelta(0, '{"x":1}'),
        PartSigned(0, "gemini:AbC="),
        PartEnded(0),
        Ended(reason="tool_calls"),
    )
    turns: list[Any] = [{"role": "user", "content": "hi"}, made.to_param()]
    asked = {"model": "m", "max_tokens": 9, "messages": turns}
    body = TypeAdapter(dict[str, Any]).dump_json(asked)
    (call,) = parse(body).turns[1].parts
    assert call == ToolCall(ident="c:1", name="f", arguments='{"x":1}', signature="gemini:AbC=")
