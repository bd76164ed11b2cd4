"""JSON stays JSON, streams stay streams, and what was found is in neither."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway.mask import mask, mask_sse

CARD = "4111111111111111"
MAIL = "ann.lee@example.com"


def test_a_clean_document_comes_back_byte_for_byte():
    data = b'{ "a" : [1.0, 2e3, "x\\u00e9\\n"],\n "created": 1712345678 }'
    assert mask(data) is data


def test_what_is_found_is_replaced_wherever_it_stands():
    document = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": f"I am {MAIL}."}]}],
        "metadata": {MAIL: "key", "card": int(CARD)},
    }
    assert json.loads(mask(json.dumps(document).encode())) == {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "I am [EMAIL]."}]}],
        "metadata": {"[EMAIL]": "key", "card": "[CARD]"},
    }


def test_escapes_hide_nothing():
    escaped = "".join(f"\\u{ord(character):04x}" for character in f"{MAIL} {CARD}")
    assert mask(f'{{"content":"{escaped}"}}'.encode()) == b'{"content":"[EMAIL] [CARD]"}'
    assert mask(rb'{"content":"a\nann@example.com\tb"}') == rb'{"content":"a\n[EMAIL]\tb"}'


def test_json_inside_json_is_masked_and_stays_json():
    arguments = json.dumps({"to": MAIL, "card": int(CARD), "note": f"line\n{MAIL}"})
    deeper = json.dumps({"inner": arguments})
    masked = json.loads(mask(json.dumps({"arguments": deeper}).encode()))
    inner = json.loads(json.loads(masked["arguments"])["inner"])
    assert inner == {"to": "[EMAIL]", "card": "[CARD]", "note": "line\n[EMAIL]"}


def test_two_names_that_are_masked_alike_stay_two():
    masked = json.loads(mask(b'{"a@example.com":1,"b@example.com":2}'))
    assert sorted(masked.values()) == [1, 2]


def test_log_probabilities_do_not_repeat_what_was_masked():
    document = {
        "choices": [
            {
                "message": {"content": f"to {MAIL}"},
                "logprobs": {"content": [{"token": t} for t in ("to", " ann.lee", "@", "example")]},
            }
        ]
    }
    masked = mask(json.dumps(document).encode())
    assert b"ann" not in masked
    assert json.loads(masked)["choices"][0]["logprobs"] is None


def test_what_is_no_json_is_masked_as_text_and_keeps_its_other_bytes():
    assert mask(b"\xff\xfe oops " + MAIL.encode()) == b"\xff\xfe oops [EMAIL]"
    assert mask(b'{"content": "cut off at ann@example.com') == b'{"content": "cut off at [EMAIL]'


def test_images_are_not_searched():
    url = f"data:image/png;base64,{'4111' * 4}{'A' * 40}"
    data = json.dumps({"image_url": {"url": url}}).encode()
    assert mask(data) is data


@pytest.mark.parametrize(
    "data", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000]
)
def test_a_document_too_deep_to_check_is_not_kept(data):
    assert json.loads(mask(data)) == "[UNREADABLE]"
    assert b"[[[" not in mask_sse(b"data: " + data + b"\n\n")


texts = st.one_of(
    st.text(max_size=20),
    st.just(f"x {CARD} y"),
    st.just(MAIL),
    st.just(f"\n{MAIL}\u0000\\n4111 1111 1111 1111\\"),
    st.emails(),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.just(int(CARD))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(texts, inner, max_size=4),
        inner.map(json.dumps),
    ),
    max_leaves=12,
)


def strict(data: bytes) -> object:
    def refuse(text: str) -> float:
        raise ValueError(text)

    return json.loads(data, parse_constant=refuse)


@given(values, st.booleans())
def test_what_parses_before_parses_after_and_holds_no_card_and_no_address(value, ascii_only):
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        strict(data)
    except ValueError:  # NaN and the infinities, which only Python's json writes
        data = json.dumps(str(value)).encode()
    masked = mask(data)
    found = json.dumps(strict(masked))
    assert CARD not in found
    assert "4111 1111 1111 1111" not in found
    assert MAIL not in found


def test_numbers_that_no_encoder_may_write_do_not_break_the_document():
    masked = mask(b'{"big": 1e400, "mail": "ann@example.com"}')
    assert strict(masked) == {"big": str(math.inf), "mail": "[EMAIL]"}


def test_half_a_surrogate_pair_does_not_break_the_document():
    masked = mask(rb'{"half": "\ud800", "mail": "ann@example.com"}')
    assert json.loads(masked) == {"half": "\ud800", "mail": "[EMAIL]"}


# --- streams --------------------------------------------------------------------------------------


def chunk(text: str, index: int = 0, field: str = "content") -> bytes:
    delta = {"choices": [{"index": index, "delta": {field: text}, "finish_reason": None}]}
    return b"data: " + json.dumps(delta).encode() + b"\n\n"


def text_of(stream: bytes, index: int = 0, field: str = "content") -> str:
    out = ""
    for line in stream.splitlines():
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:])["choices"]:
                if choice["index"] == index:
                    out += choice["delta"].get(field) or ""
    return out


def test_a_clean_stream_comes_back_byte_for_byte():
    stream = (
        b": hello\r\n\r\n" + chunk("so").replace(b"\n", b"\r\n") + chunk("up") + b"data: [DONE]\n\n"
    )
    assert mask_sse(stream) is stream


@given(
    text=st.just(f"Write to {MAIL} or pay with 4111 1111 1111 1111, thanks"),
    cuts=st.sets(st.integers(1, 55)),
)
def test_what_is_split_over_deltas_is_found(text, cuts):
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    stream = b"".join(map(chunk, pieces)) + b"data: [DONE]\n\n"
    masked = mask_sse(stream)
    assert text_of(masked) == "Write to [EMAIL] or pay with [CARD], thanks"
    assert masked.count(b"data: ") == stream.count(b"data: ")
    assert masked.endswith(b"data: [DONE]\n\n")
    assert not any(part in masked for part in (b"ann.", b"4111", b"@"))


def test_choices_that_are_interleaved_are_kept_apart():
    stream = (
        chunk("4111 1111 ", 0) + chunk("ann@exam", 1) + chunk("1111 1111", 0) + chunk("ple.com", 1)
    )
    masked = mask_sse(stream)
    assert text_of(masked, 0) == "[CARD]"
    assert text_of(masked, 1) == "[EMAIL]"


def test_the_arguments_of_tool_calls_are_put_together_too():
    def call(piece: str) -> bytes:
        function = {"index": 0, "function": {"arguments": piece}}
        delta = {"choices": [{"index": 0, "delta": {"tool_calls": [function]}}]}
        return b"data: " + json.dumps(delta).encode() + b"\n\n"

    pieces = ['{"to": "x\\nan', "n@exam", 'ple.com", "n": 41111111', '11111111, "b": 1}']
    masked = mask_sse(b"".join(map(call, pieces)))
    arguments = ""
    for line in masked.splitlines():
        if line:
            delta = json.loads(line[6:])["choices"][0]["delta"]
            arguments += delta["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"to": "x\n[EMAIL]", "n": "[CARD]", "b": 1}


def test_other_dialects_deltas_are_put_together_too():
    def event(kind: str, **fields: object) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    stream = b"".join(
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        for piece in ("call +49 17", "0 1234567 no", "w")
    )
    masked = mask_sse(stream)
    assert b"[PHONE]" in masked
    assert b"1234567" not in masked
    assert masked.count(b"event: content_block_delta") == 3


def test_the_rest_of_a_stream_that_was_cut_off_is_not_kept_when_it_cannot_be_read():
    stream = chunk("4111 1111 ") + b'data: {"choices":[{"index":0,"delta":{"content":"1111 11'
    masked = mask_sse(stream)
    assert b"1111 11" not in masked.replace(chunk("4111 1111 "), b"")
    assert text_of(masked) == "4111 1111 "


def test_comments_and_named_events_are_masked_as_text():
    assert mask_sse(b": from ann@example.com\n\n") == b": from [EMAIL]\n\n"


def test_an_address_that_is_split_over_a_streamed_array_is_masked() -> None:
    def array(*texts: str) -> bytes:
        parts = [{"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in texts]
        return json.dumps(parts).encode()

    split = array("write to ada@exa", "mple.com", " now")
    masked = mask_sse(split)
    assert b"ada@exa" not in masked
    assert len(json.loads(masked)) == 3
    plain = array("write", " now")
    assert mask_sse(plain) is plain
    assert b"ada" not in mask_sse(split[:-30])
