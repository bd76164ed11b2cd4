"""Answers in OpenAI's chat format: events read from bytes, and bytes written from events."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from stockpot.prices import Usage
from stockpot.providers import Ask, OpenAIDialect
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
)
from stockpot.providers.openai.read import ChatReader
from stockpot.providers.openai.write import ChatWriter
from stockpot.providers.translate import Translated
from tests.unit.providers.openai_events import answers

CUTS = st.lists(st.integers(0, 10_000), max_size=12)


def asked(**fields: Any) -> Ask:
    base = {"model": "alias", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    options = {"stream_options": {"include_usage": True}}
    return OpenAIDialect().read("chat", json.dumps({**base, **options, **fields}).encode())


def written(events: list[Event], ask: Ask | None = None) -> bytes:
    writer = ChatWriter(ask or asked())
    return b"".join(writer.write([event]) for event in events) + writer.end()


def whole(events: list[Event], ask: Ask | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ChatWriter(ask or asked()).complete(events))
    return found


def read(data: bytes) -> list[Event]:
    reader = ChatReader()
    return [*reader.feed(data), *reader.end()]


def event(data: object) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def chunk(finish: str | None = None, **delta: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "c1", "model": "m-1", "choices": [choice]})


def payloads(stream: bytes) -> list[dict[str, Any]]:
    lines = [line[6:] for line in stream.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({c % (len(data) + 1) for c in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


# --- properties ---------------------------------------------------------------------------------


@given(answers(), CUTS)
def test_what_is_written_as_a_stream_is_read_as_the_same_events_however_it_is_cut(
    events: list[Event], cuts: list[int]
) -> None:
    reader = ChatReader()
    pieces = [found for piece in cut(written(events), cuts) for found in reader.feed(piece)]
    assert [*pieces, *reader.end()] == events


@given(answers(), CUTS)
def test_any_chunking_of_an_upstreams_stream_gives_the_client_the_same_bytes(
    events: list[Event], cuts: list[int]
) -> None:
    upstream = written(events)
    together = Translated(ChatReader(), fixed(), True)
    apart = Translated(ChatReader(), fixed(), True)
    out = b"".join(apart.feed(piece) for piece in cut(upstream, cuts)) + apart.end()
    assert out == together.feed(upstream) + together.end()
    assert apart.usage == together.usage
    assert apart.ended


def fixed() -> ChatWriter:
    writer = ChatWriter(asked())
    writer._created = 1_700_000_000
    return writer


@given(answers(), st.integers(0, 10_000))
def test_a_stream_cut_anywhere_ends_in_a_well_formed_error_event(
    events: list[Event], at: int
) -> None:
    upstream = written(events)
    answer = Translated(ChatReader(), ChatWriter(asked()), True)
    out = answer.feed(upstream[: at % len(upstream)]) + answer.broken("cut", "stream_reset")
    *chunks, error = payloads(out)
    for each in chunks:
        ChatCompletionChunk.model_validate(each)
    assert error["error"]["code"] == "stream_reset"
    assert out.endswith(b"}\n\n")


@given(answers(signed=True, cited=True))
def test_the_sdk_puts_a_stream_together_to_what_a_whole_answer_says(events: list[Event]) -> None:
    state = ChatCompletionStreamState()
    for each in payloads(written(events)):
        state.handle_chunk(ChatCompletionChunk.model_validate(each))
    gathered = state.current_completion_snapshot.model_dump()
    said = ChatCompletion.model_validate(whole(events)).model_dump()
    assert len(said["choices"]) == len(gathered["choices"])
    for one, other in zip(gathered["choices"], said["choices"], strict=True):
        assert one["finish_reason"] == other["finish_reason"]
        assert spoken(one["message"]) == spoken(other["message"])
    assert gathered["usage"] == said["usage"]


def spoken(message: dict[str, Any]) -> dict[str, Any]:
    """What a message says: `index` stands in streams only, and nothing said is '' there."""
    found = {key: value for key, value in message.items() if value and key != "parsed"}
    for call in found.get("tool_calls", []):
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return found


@given(answers())
def test_a_whole_answer_is_read_as_what_its_stream_says(events: list[Event]) -> None:
    from_whole = ChatReader().complete(json.dumps(whole(events)).encode())
    assert told(list(from_whole)) == told(events)


def told(events: list[Event]) -> dict[int, tuple[str, str, tuple[tuple[str, str], ...], str]]:
    """Per choice: text, reasoning, calls and reason, which a whole answer keeps apart."""
    found: dict[int, Any] = {}
    begun = {e.index: e for e in events if type(e) is PartBegan}
    for ended in (e for e in events if type(e) is Ended):
        said: dict[str, str] = {"text": "", "reasoning": ""}
        calls: dict[int, str] = {}
        for e in events:
            if type(e) is not PartDelta or begun[e.index].choice != ended.choice:
                continue
            part = begun[e.index]
            if part.kind == "tool_call":
                calls[e.index] = calls.get(e.index, "") + e.text
            else:
                said[part.kind] += e.text
        pairs = tuple((begun[i].name, text) for i, text in calls.items())
        found[ended.choice] = (said["text"], said["reasoning"], pairs, ended.reason)
    return found


@given(st.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2]))
def test_tool_calls_whose_pieces_are_mixed_go_out_one_after_the_other(order: list[int]) -> None:
    pieces = {i: iter([f'{{"n{i}"', ":", "1}"]) for i in range(3)}
    data, seen = b"", []
    for index in order:
        call: dict[str, Any] = {"index": index, "function": {"arguments": next(pieces[index])}}
        if index not in seen:
            seen.append(index)
            call["id"] = f"call_{index}"
            call["function"]["name"] = f"f{index}"
        data += chunk(tool_calls=[call])
    events = read(data + chunk("tool_calls"))
    opened = None
    for each in events:
        if type(each) is PartBegan:
            assert opened is None
            opened = each.index
        elif type(each) is PartDelta:
            assert opened == each.index
        elif type(each) is PartEnded:
            opened = None
    begun = {e.index: e.name for e in events if type(e) is PartBegan}
    assert list(begun.values()) == [f"f{i}" for i in seen]
    for index, name in begun.items():
        text = "".join(e.text for e in events if type(e) is PartDelta and e.index == index)
        assert text == f'{{"n{name[1]}":1}}'


@given(st.binary(max_size=300), CUTS)
def test_no_bytes_of_an_upstream_can_break_the_reader(data: bytes, cuts: list[int]) -> None:
    answer = Translated(ChatReader(), ChatWriter(asked()), True)
    out = b"".join(answer.feed(piece) for piece in cut(b"data: " + data + b"\n\n", cuts))
    payloads(out + answer.end())


# --- reading ------------------------------------------------------------------------------------


def test_a_server_that_gives_every_call_the_same_index_is_understood() -> None:
    calls = [
        {"index": 0, "id": f"c{i}", "function": {"name": "f", "arguments": f'{{"i":{i}}}'}}
        for i in range(3)
    ]
    events = read(b"".join(chunk(tool_calls=[call]) for call in calls) + chunk("stop"))
    assert [e.ident for e in events if type(e) is PartBegan] == ["c0", "c1", "c2"]
    assert [e.reason for e in events if type(e) is Ended] == ["tool_calls"]


def test_a_call_without_arguments_is_one_with_none() -> None:
    calls = [
        {"index": i, "id": f"c{i}", "function": {"name": "f", "arguments": ""}} for i in range(2)
    ]
    events = read(chunk(tool_calls=calls) + chunk("tool_calls"))
    assert [e.ident for e in events if type(e) is PartBegan] == ["c0", "c1"]


def test_more_of_a_call_that_has_ended_is_an_error_not_a_loss() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a'}}
    late = {"index": 0, "function": {"arguments": '":1}'}}
    events = read(chunk(tool_calls=[call]) + chunk(content="so") + chunk(tool_calls=[late]))
    assert type(events[-1]) is Failed


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    ],
)
def test_reasoning_is_heard_in_every_shape_that_servers_send(delta: dict[str, Any]) -> None:
    assert read(chunk(**delta) + chunk("stop"))[1:4] == [
        PartBegan(index=0, kind="reasoning"),
        PartDelta(0, "hm"),
        PartEnded(0),
    ]


def test_reasoning_keeps_its_proof_through_a_stream_and_back() -> None:
    events: list[Event] = [
        Began("a", "m"),
        PartBegan(index=0, kind="reasoning"),
        PartDelta(0, "hm"),
        PartSigned(0, "c2ln"),
        PartEnded(0),
        PartBegan(index=1, kind="reasoning", hidden="ZW5j"),
        PartEnded(1),
        PartBegan(index=2, kind="text"),
        PartDelta(2, "yes"),
        PartEnded(2),
        Ended(reason="stop", said="stop"),
    ]
    assert read(written(events)) == events
    message = whole(events)["choices"][0]["message"]
    ask = asked(messages=[{"role": "user", "content": "q"}, message])
    reasoning = ask.prompt.turns[1].parts[:2]
    assert [(r.text, r.signature, r.hidden) for r in reasoning] == [  # type: ignore[union-attr]
        ("hm", "c2ln", ""),
        ("", "", "ZW5j"),
    ]


def test_a_signed_tool_call_keeps_its_proof_through_a_stream_and_back() -> None:
    events: list[Event] = [
        Began("a", "m"),
        PartBegan(index=0, kind="tool_call", ident="c", name="f"),
        PartDelta(0, "{}"),
        PartSigned(0, "c2ln"),
        PartEnded(0),
        Ended(reason="tool_calls", said="tool_calls"),
    ]
    assert read(written(events)) == events
    message = whole(events)["choices"][0]["message"]
    (call,) = asked(messages=[{"role": "user", "content": "q"}, message]).prompt.turns[1].parts
    assert call.signature == "c2ln"  # type: ignore[union-attr]


def test_offsets_of_citations_count_from_the_text_they_stand_in() -> None:
    cited = {"url": "u", "title": "t", "start_index": 1, "end_index": 3}
    annotations = [{"type": "url_citation", "url_citation": cited}]
    events = read(chunk(content="abc") + chunk(annotations=annotations) + chunk("stop"))
    assert Cited(0, Citation(url="u", title="t", start=1, end=3)) in events


def test_a_citation_without_offsets_spans_its_text() -> None:
    events: list[Event] = [
        Began("a", "m"),
        PartBegan(index=0, kind="text"),
        PartDelta(0, "one "),
        PartEnded(0),
        PartBegan(index=1, kind="text"),
        PartDelta(1, "two"),
        Cited(1, Citation(title="Doc", quote="2", source="0")),
        PartEnded(1),
        Ended(reason="stop"),
    ]
    wanted = {
        "url": "", "title": "Doc", "start_index": 4, "end_index": 7, "quote": "2", "source": "0",
    }  # fmt: skip
    annotation = {"type": "url_citation", "url_citation": wanted}
    assert whole(events)["choices"][0]["message"]["annotations"] == [annotation]
    said = [c["choices"][0]["delta"].get("annotations") for c in payloads(written(events))[:-1]]
    assert [annotation] in said


def test_every_bucket_of_usage_is_read() -> None:
    usage = {
        "prompt_tokens": 20, "completion_tokens": 9,
        "prompt_tokens_details": {
            "cached_tokens": 4, "audio_tokens": 3, "cache_write_tokens": 2, "image_tokens": 1,
        },
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 2},
    }  # fmt: skip
    last = event({"id": "c", "choices": [], "usage": usage, "service_tier": "flex"})
    wanted = Usage(20, 9, 4, 2, 5, audio_input=3, image_input=1, audio_output=2, tier="flex")
    assert read(chunk("stop") + last)[-1] == Metered(wanted)


def test_cached_tokens_are_read_as_deepseek_counts_them() -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 9, "prompt_cache_hit_tokens": 16}
    found = read(event({"id": "c", "choices": [], "usage": usage}))[-1]
    assert found == Metered(Usage(20, 9, 16))


@pytest.mark.parametrize(
    ("error", "message"),
    [({"message": "busy", "code": 529}, "busy"), ("busy", "busy")],
)
def test_an_error_inside_a_stream_fails_the_answer(error: object, message: str) -> None:
    answer = Translated(ChatReader(), ChatWriter(asked()), True)
    out = answer.feed(chunk(content="so") + event({"error": error}))
    assert answer.failure == message
    assert payloads(out)[-1]["error"]["message"] == message


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"choices":[]}', b'{"error":{"message":"no"}}'])
def test_a_body_that_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        ChatReader().complete(body)


# --- writing ------------------------------------------------------------------------------------


def test_usage_is_sent_to_a_client_that_asked_for_it_only() -> None:
    events: list[Event] = [Began("a", "m"), Ended(reason="stop"), Metered(Usage(3, 4, 1))]
    silent = asked(stream_options=None)
    assert b'"usage"' not in written(events, silent)
    assert payloads(written(events))[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] == 1


def test_an_empty_answer_is_an_empty_string_that_ended() -> None:
    events: list[Event] = [Began("a", "m"), Ended(reason="length")]
    (choice,) = whole(events)["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
    first, last = payloads(written(events))
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert last["choices"][0]["finish_reason"] == "length"


def test_a_client_of_the_older_functions_gets_a_function_call() -> None:
    ask = asked(functions=[{"name": "f", "parameters": {}}])
    events: list[Event] = [
        Began("a", "m"),
        PartBegan(index=0, kind="tool_call", ident="c", name="f"),
        PartDelta(0, "{}"),
        PartEnded(0),
        Ended(reason="tool_calls"),
    ]
    (choice,) = whole(events, ask)["choices"]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert choice["finish_reason"] == "function_call"
    deltas = [c["choices"][0]["delta"] for c in payloads(written(events, ask))]
    assert [d["function_call"] for d in deltas if "function_call" in d] == [
        {"name": "f", "arguments": ""},
        {"arguments": "{}"},
    ]


@pytest.mark.parametrize(
    ("ended", "finish", "native"),
    [
        (Ended(reason="refusal", said="refusal"), "content_filter", "refusal"),
        (Ended(reason="pause", said="pause_turn"), "stop", "pause_turn"),
        (Ended(reason="error", said="MALFORMED_FUNCTION_CALL"), "stop", "MALFORMED_FUNCTION_CALL"),
        (Ended(reason="stop", said="end_turn"), "stop", None),
    ],
)
def test_an_end_that_the_format_has_no_word_for_is_told_beside(
    ended: Ended, finish: str, native: str | None
) -> None:
    (choice,) = whole([Began("a", "m"), ended])["choices"]
    assert (choice["finish_reason"], choice.get("native_finish_reason")) == (finish, native)


def test_a_picture_is_sent_whole() -> None:
    events: list[Event] = [
        Began("a", "m"),
        PartBegan(index=0, kind="image", media_type="image/png"),
        PartDelta(0, "AAAA"),
        PartDelta(0, "BBBB"),
        PartEnded(0),
        Ended(reason="stop", said="stop"),
    ]
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAABBBB"}}]
    message = whole(events)["choices"][0]["message"]
    assert message["images"] == [{**images[0], "index": 0}]
    joined: list[Event] = [*events[:2], PartDelta(0, "AAAABBBB"), *events[4:]]
    assert read(written(events)) == joined
