"""The OpenAI wire format: shallow reading, patching, listening to streams."""

import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway import Target
from stockpot.gateway.estimate import estimate_nano, estimate_tokens
from stockpot.gateway.health import Health
from stockpot.gateway.snapshot import TargetEntry
from stockpot.prices import PriceRow, Usage
from stockpot.providers import BadRequest, OpenAIDialect, wire_named
from stockpot.providers.openai import OpenAIAnswer

DIALECT = OpenAIDialect()
WIRE = wire_named("openai")


def target(model: str = "upstream", stream_usage: str = "inject") -> Target:
    return Target("t", "p", "openai", "http://h/v1", model, stream_usage=stream_usage)  # type: ignore[arg-type]


def body(**fields: object) -> bytes:
    base = {"model": "alias", "messages": [{"role": "user", "content": "hi"}]}
    return json.dumps({**base, **fields}).encode()


def event(data: object) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return f"data: {text}\n\n".encode()


def chunk(content: str | None, finish: str | None = None, **more: object) -> bytes:
    delta = {} if content is None else {"content": content}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return event({"id": "c1", "model": "m-1", "choices": choices, **more})


USAGE = event({"id": "c1", "model": "m-1", "choices": [], "usage": {
    "prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4},
}})  # fmt: skip
STREAM = chunk("") + chunk("A") + chunk(" cat") + chunk(None, "stop") + USAGE + event("[DONE]")


def test_a_body_for_the_same_model_passes_byte_for_byte() -> None:
    sent = body(model="upstream", temperature=0.30000000000000004)
    assert WIRE.outgoing(DIALECT.read("chat", sent), target()).body is sent


def test_another_model_name_changes_nothing_else() -> None:
    sent = body(temperature=1e-7, big=123456789012345678901234567890)
    out = WIRE.outgoing(DIALECT.read("chat", sent), target()).body
    assert json.loads(out) == {**json.loads(sent), "model": "upstream"}
    assert b"123456789012345678901234567890" in out
    assert b"1e-07" in out or b"1e-7" in out


_TEXT = st.sampled_from(["x", '"model":"alias"', '{"model":"alias"}', "}", "\\", "alias", "é"])
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["model", "tools", "}"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "metadata", "tools", "stop"]), _VALUE), max_size=4),
    st.integers(0, 5),
    st.sampled_from(["alias", 'a"b', "a\\b", ""]),
    st.booleans(),
)
def test_only_the_outermost_model_is_renamed_wherever_it_stands(
    fields: list[tuple[str, object]], at: int, model: str, compact: bool
) -> None:
    fields = [*fields[:at], ("model", model), *fields[at:], ("messages", [{"model": "alias"}])]
    separators = (",", ":") if compact else (", ", ": ")
    sent = json.dumps(dict(fields), separators=separators).encode()
    out = WIRE.outgoing(DIALECT.read("chat", sent), target()).body
    assert json.loads(out) == {**json.loads(sent), "model": "upstream"}


@pytest.mark.parametrize("cheap", ["upstream", "alias"])
@pytest.mark.parametrize("streamed", [b"", b'"stream":true,'])
@pytest.mark.parametrize(
    "twice",
    [
        b'{"model":"dear",%b"messages":[],"model":"cheap"}', b'{"model":"dear","model":"cheap",%b'
        b'"messages":[]}', b'{ "model": "dear", %b "messages": [], "model": "cheap"}',
        b'{%b"messages":[], "mod\\u0065l":"dear","model":"cheap"}',
        b'{"model":"cheap",%b"messages":[],"Model":"dear"}',
        b'{"MODEL":1,%b"messages":[],"model":"dear","model" : "cheap"}',
    ],
)  # fmt: skip
def test_a_body_that_names_two_models_goes_out_with_the_one_that_was_allowed(
    twice: bytes, streamed: bytes, cheap: str
) -> None:
    sent = (twice % streamed).replace(b"cheap", cheap.encode())
    ask = DIALECT.read("chat", sent)
    assert ask.model == cheap
    seen = json.loads(WIRE.outgoing(ask, target()).body, object_pairs_hook=list)
    assert [value for key, value in seen if key.lower() == "model"] == ["upstream"]


@given(st.integers() | st.sampled_from([-1, 0, 10**30, -(10**30)]), st.integers(-(10**30), 10**30))
def test_no_number_of_a_body_makes_room_for_other_calls(tokens: int, choices: int) -> None:
    ask = DIALECT.read("chat", body(max_tokens=tokens, n=choices))
    assert estimate_tokens(ask) >= 1 + min(max(tokens, 1), 1 << 31)
    row = PriceRow("p", 0, 10**6, 10**9)
    priced = TargetEntry(msgspec.structs.replace(target(), prices=(row,)), Health())
    assert 0 < estimate_nano(priced, ask) < 2**63


def test_usage_is_asked_for_when_the_client_did_not() -> None:
    ask = DIALECT.read("chat", body(model="upstream", stream=True, stream_options={"x": 1}))
    sent = json.loads(WIRE.outgoing(ask, target()).body)
    assert sent["stream_options"] == {"x": 1, "include_usage": True}


@pytest.mark.parametrize(
    ("raw", "param", "code"),
    [
        (b"{", "", "invalid_json"),
        (b"\xff", "", "invalid_json"),
        (b'{"model":"m"}', "", "invalid_request"),
        (b'{"model":1,"messages":[]}', "model", "invalid_request"),
        (b'{"model":"m","messages":[],"stream":"yes"}', "stream", "invalid_request"),
        (b"[]", "", "invalid_request"),
    ],
)
def test_a_bad_body_is_refused_with_the_field_at_fault(raw: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as bad:
        DIALECT.read("chat", raw)
    assert (bad.value.param, bad.value.code) == (param, code)


def heard(answer: OpenAIAnswer) -> tuple[object, ...]:
    return (
        answer.usage, answer.finish_reason, answer.model, answer.response_id, answer.started,
        answer.ended, answer.failure,
    )  # fmt: skip


def play(data: bytes, cuts: list[int], strip: bool) -> tuple[bytes, OpenAIAnswer]:
    answer = OpenAIAnswer(strip_usage=strip)
    edges = [0, *sorted({c % (len(data) + 1) for c in cuts}), len(data)]
    out = b"".join(answer.feed(data[a:b]) for a, b in itertools.pairwise(edges))
    return out + answer.end(), answer


@given(st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_any_chunking_of_a_stream_is_heard_alike_and_passes_untouched(
    cuts: list[int], newline: str
) -> None:
    data = STREAM.replace(b"\n", newline.encode())
    out, answer = play(data, cuts, strip=False)
    assert out == data
    assert heard(answer) == (Usage(9, 3, 4), "stop", "m-1", "c1", True, True, "")


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_the_usage_event_that_we_asked_for_is_taken_out_whatever_the_chunking(
    cuts: list[int],
) -> None:
    out, answer = play(STREAM, cuts, strip=True)
    assert out == STREAM.replace(USAGE, b"")
    assert answer.usage == Usage(9, 3, 4)


_WORDS = ["cat", 'a "quote"', "\\", "data: [DONE]", "\n\n", '{"usage":{', "", "é", '"}}]}']


@given(
    st.lists(st.sampled_from(_WORDS), min_size=1, max_size=12),
    st.sampled_from(["content", "text", "reasoning_content"]),
    st.booleans(),
)
def test_events_that_repeat_their_frame_are_heard_like_any_other(
    words: list[str], field: str, strip: bool
) -> None:
    def one(word: str, finish: str | None) -> bytes:
        delta = {"content": "", field: word}
        return event({"id": "c1", "choices": [{"delta": delta, "finish_reason": finish}]})

    events = [*(one(word, None) for word in words), one("", "stop"), USAGE, event("[DONE]")]
    apart, together = OpenAIAnswer(strip), OpenAIAnswer(strip)
    out = b"".join(apart.feed(one) for one in events)
    assert out == together.feed(b"".join(events))
    assert heard(apart) == heard(together)
    assert apart.pieces == len(events)


def test_text_that_looks_like_usage_is_not_usage() -> None:
    tricky = chunk('"usage":{"prompt_tokens":7} data: [DONE]')
    _, answer = play(tricky, [], strip=True)
    assert answer.usage is None
    assert not answer.ended


def test_an_empty_first_delta_is_not_the_first_token() -> None:
    answer = OpenAIAnswer()
    answer.feed(chunk(""))
    assert not answer.started
    answer.feed(chunk("x"))
    assert answer.started


def test_a_tool_call_counts_as_the_first_token() -> None:
    answer = OpenAIAnswer()
    calls = [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]
    answer.feed(event({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": calls}}]}))
    assert answer.started


def test_an_error_inside_a_stream_is_noticed() -> None:
    answer = OpenAIAnswer()
    answer.feed(chunk("a") + event({"error": {"message": "overloaded"}}))
    assert answer.failure == "overloaded"


def test_a_broken_stream_ends_its_half_event_before_the_error_event() -> None:
    answer = OpenAIAnswer()
    sent = answer.feed(chunk("a") + b'data: {"id":"c1","cho')
    sent += answer.broken("gone", "stream_reset")
    *_, torn, error, rest = sent.split(b"\n\n")
    assert torn == b'data: {"id":"c1","cho'
    assert json.loads(error.removeprefix(b"data: "))["error"]["code"] == "stream_reset"
    assert rest == b""


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_no_bytes_of_an_upstream_can_break_the_listener(data: bytes, cuts: list[int]) -> None:
    out, _ = play(data, cuts, strip=False)
    assert out == data


def test_a_whole_answer_is_read_for_usage() -> None:
    answer = OpenAIAnswer()
    raw = json.dumps({
        "id": "c9", "model": "m-9",
        "choices": [{"finish_reason": "length", "message": {}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2,
                  "completion_tokens_details": {"reasoning_tokens": 1}},
    }).encode()  # fmt: skip
    assert answer.complete(raw) is raw
    assert heard(answer)[:4] == (Usage(5, 2, 0, 0, 1), "length", "m-9", "c9")
