"""Answers in Gemini's format: read as events, written from events, and only listened to."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from google.genai import types as g
from hypothesis import example, given
from hypothesis import strategies as st

from stockpot.prices import Usage
from stockpot.providers import Answer, Ask, wire_named
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
    Reasoning,
    Text,
    ToolCall,
)
from stockpot.providers.gemini import GeminiDialect, GeminiReader, GeminiWriter
from stockpot.providers.translate import Translated
from tests.unit.providers.openai_events import answers
from tests.unit.providers.test_gemini_requests import target
from tests.vendors import gemini_stub as stub

SCENES = (
    "text", "tools", "thoughts", "json", "unsafe", "long", "picture", "grounded", "cached",
    "blocked", "malformed",
)  # fmt: skip
CUTS = st.lists(st.integers(0, 30_000), max_size=12)
SIGNATURE = "gemini:-_8gcHJvb2Ygb2YgYSB0aG91Z2h0"
DIALECT = GeminiDialect()


def answered(scene: str, verb: str = "streamGenerateContent", sse: bool = True) -> bytes:
    body = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
    chunks = stub.answer(stub.Asked("gemini-2.5-flash", verb, sse, body, False), scene)
    texts = [stub.dumped(chunk) for chunk in chunks]
    return texts[0].encode() if verb == "generateContent" else b"".join(
        piece.encode() for piece in stub.framed(texts, sse)
    )  # fmt: skip


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def events_of(data: bytes, cuts: list[int] | None = None) -> list[Event]:
    reader = GeminiReader()
    found = [event for chunk in chunked(data, cuts or []) for event in reader.feed(chunk)]
    return [*found, *reader.end()]


def whole(scene: str) -> list[Event]:
    return list(GeminiReader().complete(answered(scene, "generateContent")))


def merged(events: list[Event]) -> list[Event]:
    """The same answer with one delta for each part: what does not depend on being streamed."""
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, PartDelta):
            texts[event.index] = texts.get(event.index, "") + event.text
    out: list[Event] = []
    for event in events:
        if isinstance(event, PartBegan):
            out += [event, PartDelta(event.index, texts.get(event.index, ""))]
        elif not isinstance(event, PartDelta | Metered):
            out.append(event)
    return [*out, *[event for event in events if isinstance(event, Metered)][-1:]]


# --- reading ------------------------------------------------------------------------------------


@given(CUTS, st.sampled_from(SCENES), st.booleans())
def test_any_chunking_of_a_stream_gives_the_same_events(
    cuts: list[int], scene: str, sse: bool
) -> None:
    data = answered(scene, sse=sse)
    assert events_of(data, cuts) == events_of(data)


@pytest.mark.parametrize("scene", SCENES)
def test_both_kinds_of_stream_and_the_whole_answer_say_the_same(scene: str) -> None:
    events = events_of(answered(scene))
    assert events_of(answered(scene, sse=False)) == events
    assert merged(events) == merged(whole(scene))


def test_calls_arrive_whole_with_ids_and_the_proof_of_the_first() -> None:
    calls = events_of(answered("tools"))
    assert calls == [
        Began("resp-Stub_1", "gemini-2.5-flash-001"),
        PartBegan(index=0, kind="tool_call", ident="call_resp-Stub_1_1", name="weather"),
        PartSigned(0, SIGNATURE),
        PartDelta(0, '{"city":"Łódź","days":2}'),
        PartEnded(0),
        Metered(Usage(11, 5)),
        PartBegan(index=1, kind="tool_call", ident="call_resp-Stub_1_2", name="weather"),
        PartDelta(1, '{"city":"Ulm"}'),
        PartEnded(1),
        Ended(reason="tool_calls", said="STOP"),
    ]


def test_thoughts_are_reasoning_and_the_proof_of_a_text_follows_it() -> None:
    found = merged(events_of(answered("thoughts")))
    assert found == [
        Began("resp-Stub_1", "gemini-2.5-flash-001"),
        PartBegan(index=0, kind="reasoning"),
        PartDelta(0, stub.THOUGHT),
        PartEnded(0),
        PartBegan(index=1, kind="text"),
        PartDelta(1, stub.TEXT),
        PartEnded(1),
        PartBegan(index=2, kind="reasoning"),
        PartDelta(2, ""),
        PartSigned(2, SIGNATURE),
        PartEnded(2),
        Ended(reason="stop", said="STOP"),
        Metered(Usage(11, 14, reasoning=9)),
    ]


def test_a_citation_is_placed_by_characters_inside_its_text() -> None:
    found = events_of(answered("grounded"))
    (cited,) = [event for event in found if isinstance(event, Cited)]
    begin, end = 4, stub.TEXT.index("steht") + 5
    assert cited == Cited(
        0, Citation(url="https://pots.example/1", title="Pots", start=begin, end=end)
    )
    assert found.index(cited) < found.index(PartEnded(0))


@pytest.mark.parametrize(
    ("scene", "ended"),
    [
        ("text", Ended(reason="stop", said="STOP")),
        ("long", Ended(reason="length", said="MAX_TOKENS")),
        ("unsafe", Ended(reason="content_filter", said="SAFETY")),
        ("blocked", Ended(reason="content_filter", said="PROHIBITED_CONTENT")),
        ("malformed", Ended(reason="error", said="MALFORMED_FUNCTION_CALL")),
    ],
)
def test_how_an_answer_ends(scene: str, ended: Ended) -> None:
    assert [event for event in whole(scene) if isinstance(event, Ended)] == [ended]


def test_every_bucket_of_the_usage_is_read() -> None:
    (metered,) = [event for event in whole("cached") if isinstance(event, Metered)]
    assert metered.usage == Usage(
        input=2030, output=30, cache_read=1500, reasoning=20, audio_input=350, image_input=250
    )


def test_an_error_inside_a_stream_is_a_failure() -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    for data in (b"data: %b\r\n\r\n", b"[%b\n]"):
        found = events_of(data % json.dumps(error).encode())
        assert found == [Failed("overloaded", "UNAVAILABLE")]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"no", b'{"error":1}', b'{"candidates":3}'])
def test_what_is_no_answer_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(ValueError):
        GeminiReader().complete(body)


@given(st.binary(max_size=300), CUTS)
@example(b'["\\', [1])
def test_no_bytes_of_an_upstream_can_break_the_reader(data: bytes, cuts: list[int]) -> None:
    events_of(data, cuts)


# --- writing ------------------------------------------------------------------------------------


def streamed(events: list[Event], sse: bool = True) -> bytes:
    writer = GeminiWriter(sse)
    out = b"".join(writer.write([event]) for event in events)
    return out + writer.end()


def said(data: bytes, sse: bool = True) -> list[dict[str, Any]]:
    """The objects of a written stream, each checked with Google's types."""
    if sse:
        assert data.endswith(b"\r\n\r\n")
        blocks = data.decode().removesuffix("\r\n\r\n").split("\r\n\r\n")
        found = [json.loads(block.removeprefix("data: ")) for block in blocks]
    else:
        found = json.loads(data)
    for chunk in found:
        if "error" not in chunk:
            g.GenerateContentResponse.model_validate(chunk)
    return found


def whole_of(events: list[Event]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(GeminiWriter(True).complete(events))
    g.GenerateContentResponse.model_validate(made)
    return made


@given(answers(signed=True, cited=True), st.booleans())
def test_what_is_written_is_taken_by_googles_types_and_read_back_as_it_was(
    events: list[Event], sse: bool
) -> None:
    written = streamed(events, sse)
    said(written, sse)
    back = merged(events_of(written))
    at_once = merged(list(GeminiReader().complete(GeminiWriter(sse).complete(events))))
    for choice in {e.choice for e in events if isinstance(e, Ended)}:
        assert told(back, choice) == told(at_once, choice) == told(events, choice)
    assert back[-1] == at_once[-1] == [e for e in events if isinstance(e, Metered)][-1]


def told(events: list[Event], choice: int) -> list[tuple[str, str]]:
    """Kinds and texts of the parts of a choice, and how it ended. Arguments compare as JSON."""
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, PartDelta):
            texts[event.index] = texts.get(event.index, "") + event.text
    out: list[tuple[str, str]] = []
    for event in events:
        if isinstance(event, PartBegan) and event.choice == choice:
            text = texts.get(event.index, "")
            tool = event.kind == "tool_call"
            out.append((event.kind + event.name, json.dumps(json.loads(text)) if tool else text))
        elif isinstance(event, Ended) and event.choice == choice:
            out.append(("ended", event.reason))
    return out


FOREIGN: list[Event] = [
    Began("msg_1", "claude"),
    PartBegan(index=0, kind="reasoning"),
    PartDelta(0, "Hm"),
    PartDelta(0, "m."),
    PartSigned(0, "EqQB=="),
    PartEnded(0),
    PartBegan(index=1, kind="reasoning", hidden="secret", ident="rs_1"),
    PartEnded(1),
    PartBegan(index=2, kind="text"),
    PartDelta(2, "Küche "),
    PartDelta(2, "offen"),
    Cited(2, Citation(url="https://a.example/", title="A", start=6, end=11)),
    Cited(2, Citation(source="0", title="Plan", quote="open", start=0, end=5)),
    PartEnded(2),
    PartBegan(index=3, kind="tool_call", ident="toolu_1", name="look"),
    PartDelta(3, '{"x'),
    PartDelta(3, '":1}'),
    PartEnded(3),
    Metered(Usage(10, 8, 4, 2, 3, audio_input=1, image_output=2)),
    Ended(reason="tool_calls", said="tool_use"),
]


def test_another_vendors_answer_is_written_in_full() -> None:
    made = whole_of(FOREIGN)
    (candidate,) = made["candidates"]
    thought, hidden, text, call = candidate["content"]["parts"]
    assert (thought["text"], thought["thought"]) == ("Hmm.", True)
    assert hidden["thought"] is True
    assert text == {"text": "Küche offen"}
    assert call == {"functionCall": {"id": "toolu_1", "name": "look", "args": {"x": 1}}}
    assert candidate["finishReason"] == "STOP"
    assert candidate["groundingMetadata"] == {
        "groundingChunks": [
            {"web": {"uri": "https://a.example/", "title": "A"}},
            {"retrievedContext": {"title": "Plan", "text": "open"}},
        ],
        "groundingSupports": [
            {"groundingChunkIndices": [0], "segment":
                {"partIndex": 2, "startIndex": 7, "endIndex": 12, "text": "offen"}},
            {"groundingChunkIndices": [1], "segment":
                {"partIndex": 2, "startIndex": 0, "endIndex": 6, "text": "Küche"}},
        ],
    }  # fmt: skip
    assert made["usageMetadata"] == {
        "promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 3,
        "totalTokenCount": 18, "cachedContentTokenCount": 4,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 9}, {"modality": "AUDIO", "tokenCount": 1},
        ],
        "candidatesTokensDetails": [
            {"modality": "TEXT", "tokenCount": 3}, {"modality": "IMAGE", "tokenCount": 2},
        ],
    }  # fmt: skip
    assert (made["modelVersion"], made["responseId"]) == ("claude", "msg_1")


def test_another_vendors_proofs_come_back_through_googles_sdk() -> None:
    """The SDK takes signatures for bytes and writes them anew; streamed chunks become contents."""
    contents = []
    for chunk in said(streamed(FOREIGN)):
        answer = g.GenerateContentResponse.model_validate_json(json.dumps(chunk))
        assert answer.candidates is not None
        content = answer.candidates[0].content
        assert content is not None
        contents.append(json.loads(content.model_dump_json(by_alias=True, exclude_none=True)))
    body = json.dumps({"contents": contents}).encode()
    ask = DIALECT.read("chat", body, b"/v1beta/models/a:generateContent", {})
    (turn,) = ask.prompt.turns
    assert turn.parts == (
        Reasoning(text="Hmm.", signature="EqQB=="),
        Reasoning(hidden="secret", ident="rs_1"),
        Text("Küche offen"),
        ToolCall(ident="toolu_1", name="look", arguments='{"x":1}'),
    )


@pytest.mark.parametrize(
    ("ended", "finish", "message"),
    [
        (Ended(reason="length", said="max_tokens"), "MAX_TOKENS", None),
        (Ended(reason="refusal", said="refusal"), "SAFETY", "refusal"),
        (Ended(reason="pause", said="pause_turn"), "OTHER", "pause_turn"),
        (Ended(reason="stop"), "MALFORMED_FUNCTION_CALL", 'look({"x)'),
    ],
)
def test_a_call_that_is_no_json_is_not_passed_off_as_one(
    ended: Ended, finish: str, message: str | None
) -> None:
    events: list[Event] = [
        Began("i", "m"),
        PartBegan(index=0, kind="tool_call", ident="c", name="look"),
        PartDelta(0, '{"x'),
        PartEnded(0),
        ended,
    ]
    for made in (whole_of(events), said(streamed(events))[-1]):
        (candidate,) = made["candidates"]
        assert candidate["finishReason"] == finish
        assert candidate.get("finishMessage") == message
        assert "functionCall" not in json.dumps(candidate["content"])


# --- cuts ---------------------------------------------------------------------------------------


def asked(sse: bool) -> Ask:
    query = "?alt=sse" if sse else ""
    path = f"/v1beta/models/a:streamGenerateContent{query}".encode()
    return DIALECT.read("chat", b'{"contents":[]}', path, {})


def passing(sse: bool) -> Answer:
    return wire_named("gemini").answer(asked(sse), target())


def translated(sse: bool) -> Answer:
    """An upstream in another form than the client's, as far as framing goes."""
    return Translated(GeminiReader(), GeminiWriter(sse), stream=True)


@given(CUTS, st.sampled_from(SCENES), st.booleans())
def test_between_gemini_and_gemini_every_byte_passes_and_is_heard(
    cuts: list[int], scene: str, sse: bool
) -> None:
    data, answer = answered(scene, sse=sse), passing(sse)
    out = b"".join(answer.feed(chunk) for chunk in chunked(data, cuts)) + answer.end()
    assert out == data
    assert answer.response_id == "resp-Stub_1"
    assert answer.finish_reason
    assert answer.usage is not None
    assert answer.usage.input >= 11


@given(st.integers(1, 30_000), st.sampled_from(SCENES), st.booleans(), st.booleans(), CUTS)
def test_a_stream_cut_at_any_byte_ends_in_an_error_that_can_be_read(
    at: int, scene: str, sse: bool, through: bool, cuts: list[int]
) -> None:
    data = answered(scene, sse=sse)
    data = data[: at % len(data)]
    answer = passing(sse) if through else translated(sse)
    out = b"".join(answer.feed(chunk) for chunk in chunked(data, cuts))
    *good, last = said(out + answer.broken("gone", "stream_reset"), sse)
    assert last["error"]["status"] == "UNAVAILABLE"
    assert last["error"]["details"][0]["reason"] == "STREAM_RESET"
    assert all("candidates" in chunk or "promptFeedback" in chunk for chunk in good)
    if good:
        assert answer.usage is not None or not through


@given(CUTS, st.sampled_from([s for s in SCENES if s != "blocked"]), st.booleans())
def test_a_translated_stream_is_the_same_whatever_the_chunks(
    cuts: list[int], scene: str, sse: bool
) -> None:
    data = answered(scene)
    one, other = translated(sse), translated(sse)
    out = b"".join(one.feed(chunk) for chunk in chunked(data, cuts)) + one.end()
    assert out == other.feed(data) + other.end()
    said(out, sse)


def test_a_failure_of_the_upstream_ends_a_translated_array_properly() -> None:
    answer = translated(sse=False)
    error = b'{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}'
    first = answered("text").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    out = answer.feed(first) + answer.feed(b"data: %b\r\n\r\n" % error) + answer.end()
    good, last = said(out, sse=False)
    assert good["candidates"][0]["content"]["parts"] == [{"text": "Ein "}]
    assert last["error"]["message"] == "overloaded"
    assert answer.failure == "overloaded"


# --- errors, counts, embeddings -----------------------------------------------------------------


def test_an_error_is_a_status_as_google_writes_it() -> None:
    made = json.loads(DIALECT.error(429, "slow down", "rate_limit_exceeded", "model"))["error"]
    assert (made["code"], made["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert made["message"] == "slow down"
    assert made["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert made["details"][1]["fieldViolations"][0]["field"] == "model"


@pytest.mark.parametrize("array", [False, True])
def test_an_error_of_the_vendor_is_read_with_the_wait_that_it_asks_for(array: bool) -> None:
    refused = stub.error("error-429")
    body = {"error": {"message": str(refused), "code": 429, "details": refused.details}}
    raw = json.dumps([body] if array else body).encode()
    wire = wire_named("gemini")
    assert wire.error_message(raw) == "You exceeded your current quota."
    assert wire.retry_after_s(raw) == 34.5  # type: ignore[attr-defined]
    assert wire.error_message(b"<html>") == "<html>"
    assert wire.retry_after_s(b"<html>") == 0  # type: ignore[attr-defined]


def test_counting_is_free() -> None:
    path = b"/v1beta/models/a:countTokens"
    ask = DIALECT.read("count_tokens", b'{"contents":[]}', path, {})
    answer = wire_named("gemini").answer(ask, target())
    assert answer.complete(b'{"totalTokens":7}') == b'{"totalTokens":7}'
    assert answer.usage == Usage()


@pytest.mark.parametrize("form", ["float", "base64"])
def test_geminis_embeddings_are_written_as_openais(form: str) -> None:
    from openai.types import CreateEmbeddingResponse

    from stockpot.providers import OpenAIDialect

    raw = json.dumps({"model": "a", "input": ["x", "y"], "encoding_format": form}).encode()
    ask = OpenAIDialect().read("embeddings", raw)
    answer = wire_named("gemini").answer(ask, target())
    vectors = {"embeddings": [{"values": [0.5, 1]}, {"values": [2, -0.25]}],
               "usageMetadata": {"promptTokenCount": 6}}  # fmt: skip
    made = json.loads(answer.complete(json.dumps(vectors).encode()))
    if form == "float":
        CreateEmbeddingResponse.model_validate(made)
    assert [one["embedding"] for one in made["data"]] == (
        [[0.5, 1.0], [2.0, -0.25]] if form == "float" else ["AAAAPwAAgD8=", "AAAAQAAAgL4="]
    )
    assert answer.usage == Usage(6)
    with pytest.raises(msgspec.ValidationError):
        answer.complete(b"{}")
