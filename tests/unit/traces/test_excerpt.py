from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.traces import excerpt


def request(**body: Any) -> bytes:
    return json.dumps({"model": "m", **body}).encode()


def message(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def answer(*messages: dict[str, Any]) -> bytes:
    choices = [{"index": n, "message": m} for n, m in enumerate(messages)]
    return json.dumps({"id": "x", "choices": choices, "usage": {"prompt_tokens": 1}}).encode()


def stream(*chunks: dict[str, Any]) -> bytes:
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*events, "data: [DONE]\n\n"]).encode()


def delta(index: int = 0, **said: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": said, "finish_reason": None}]}


def test_the_preview_is_what_the_user_said_last() -> None:
    body = request(
        messages=[
            message("system", "be brief"),
            message("user", "first"),
            message("assistant", "yes"),
            message("user", "and  then\n?"),
        ]
    )
    found = excerpt.read(body, None)
    assert found.input_preview == "and then ?"
    assert found.input_text == "be brief\nfirst\nyes\nand  then\n?"


def test_text_parts_are_read_and_images_are_not() -> None:
    parts = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    found = excerpt.read(request(messages=[message("user", parts)]), None)
    assert found.input_text == "what is this"


def test_tool_calls_are_text() -> None:
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "find", "arguments": '{"q": "soup"}'},
    }
    found = excerpt.read(None, answer(message("assistant", None, tool_calls=[call])))
    assert found.output_text == 'find({"q": "soup"})'
    assert found.output_preview == found.output_text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (request(prompt="once"), "once"),
        (request(prompt=["once", "twice"]), "once\ntwice"),
        (request(prompt=[1, 2, 3]), ""),
        (request(input="embed me"), "embed me"),
        (request(input=["embed", "me"]), "embed\nme"),
    ],
)
def test_prompts_and_inputs_are_text(body: bytes, text: str) -> None:
    assert excerpt.read(body, None).input_text == text


def test_all_choices_are_text() -> None:
    found = excerpt.read(None, answer(message("assistant", "one"), message("assistant", "two")))
    assert found.output_text == "one\ntwo"


def test_an_error_answer_tells_its_message() -> None:
    body = json.dumps({"error": {"message": "no such model", "type": "x"}}).encode()
    assert excerpt.read(None, body).output_text == "no such model"


def test_a_stream_is_put_together() -> None:
    body = stream(
        delta(role="assistant", content=""), delta(content='so"up\n'), delta(content="é😀")
    )
    assert excerpt.read(None, body).output_text == 'so"up\né😀'


def test_a_stream_of_tool_calls_is_put_together() -> None:
    def piece(index: int, **function: str) -> dict[str, Any]:
        return delta(tool_calls=[{"index": index, "function": function}])

    body = stream(
        piece(0, name="find", arguments=""),
        piece(0, arguments='{"q":'),
        piece(1, name="count", arguments="{}"),
        piece(0, arguments='"soup"}'),
    )
    assert excerpt.read(None, body).output_text == 'find({"q":"soup"})\ncount({})'


def test_choices_of_a_stream_do_not_mix() -> None:
    body = stream(delta(0, content="a"), delta(1, content="b"), delta(0, content="c"))
    assert excerpt.read(None, body).output_text == "ac\nb"


def test_a_stream_that_failed_tells_how_far_it_came_and_why() -> None:
    body = stream(delta(content="half"), {"error": {"message": "upstream broke"}})
    assert excerpt.read(None, body).output_text == "half\nupstream broke"


def test_content_inside_content_is_not_lifted_out() -> None:
    said = json.dumps({"content": "not an answer"})
    assert excerpt.read(None, stream(delta(content=said))).output_text == said


@given(st.lists(st.text(), min_size=1))
def test_the_quick_way_through_a_stream_says_the_same_as_the_careful_one(said: list[str]) -> None:
    chunks = [delta(content=text) for text in said]
    quick = excerpt.read(None, stream(*chunks)).output_text
    careful = excerpt.read(None, stream(*chunks, delta(reasoning_content=""))).output_text
    assert quick == careful == "".join(said)[: excerpt.TEXT_LIMIT]


def test_completions_streams_are_read() -> None:
    body = stream({"choices": [{"text": "once ", "index": 0}]}, {"choices": [{"text": "upon"}]})
    assert excerpt.read(None, body).output_text == "once upon"


def test_parameters_are_kept_and_long_ones_are_not() -> None:
    body = request(messages=[], temperature=0.2, stop=["a"], tool_choice={"x": "y" * 300})
    assert json.loads(excerpt.read(body, None).params) == {"temperature": 0.2, "stop": ["a"]}


def test_setup_changes_with_parameters_and_tools() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    setups = {
        excerpt.read(request(messages=[], **more), None).setup
        for more in ({}, {"temperature": 0}, {"temperature": 1}, {"tools": tools})
    }
    assert len(setups) == 4


def test_another_dialect_is_read_generically() -> None:
    bent = json.dumps({"messages": "hallo"}).encode()
    assert excerpt.read(bent, None).input_text == "hallo"


@given(st.binary(), st.binary())
def test_nothing_that_is_sent_raises(one: bytes, other: bytes) -> None:
    found = excerpt.read(one, other)
    found.input_text.encode()
    found.output_text.encode()


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"messages":' * 5000, b"\xff\xfe", b"data: {"])
def test_hostile_bodies_do_not_raise(body: bytes) -> None:
    excerpt.read(body, body)


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5) | st.integers(),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["messages", "content", "choices", "delta",
                                                       "message", "tool_calls", "function", "x"]),
                                      inner, max_size=4)))  # fmt: skip
def test_any_json_is_read(body: Any) -> None:
    raw = json.dumps(body).encode()
    excerpt.read(raw, raw)


def test_long_texts_are_cut_for_search_only() -> None:
    found = excerpt.read(request(messages=[message("user", "x" * 100_000)]), None)
    assert len(found.input_text) == excerpt.TEXT_LIMIT
    assert len(found.input_preview) == excerpt.PREVIEW


GEMINI: list[dict[str, Any]] = [
    {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}], "modelVersion": "m"}
    for text in ("The ket", "tle is", " on.")
]
ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "content": [], "role": "assistant"}},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in ("The ket", "tle is", " on.")
    ),
]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(GEMINI).encode(),
        stream(*GEMINI),
        stream(*ANTHROPIC),
        b'{"candidates":[{"content":{"parts":[{"text":"The kettle is on."}]}}]}',
        b'{"type":"message","content":[{"type":"text","text":"The kettle is on."}]}',
    ],
    ids=["array", "gemini", "anthropic", "gemini-whole", "anthropic-whole"],
)
def test_answers_in_other_dialects_are_read_too(body: bytes) -> None:
    assert excerpt.read(None, body).output_text == "The kettle is on."


def test_a_gemini_request_is_previewed_by_its_last_content() -> None:
    contents = [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {}}}]},
        {"role": "user", "parts": [{"text": "and then"}, {"inlineData": {"data": "AAAA"}}]},
    ]
    found = excerpt.read(request(contents=contents), None)
    assert found.input_text == "first\nlook\nand then"
    assert found.input_preview == "and then"
