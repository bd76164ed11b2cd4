"""Requests in OpenAI's chat format: read in full, and written from the canonical form."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParams
from pydantic import TypeAdapter

from stockpot.gateway import Target
from stockpot.providers import BadRequest, OpenAIDialect
from stockpot.providers.canon import (
    Citation,
    Format,
    Loss,
    Media,
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
from stockpot.providers.openai.compose import compose_chat
from tests.vendors.openai_stub import unlike

DIALECT = OpenAIDialect()
TYPES: TypeAdapter[Any] = TypeAdapter(CompletionCreateParams)
HELLO = [{"role": "user", "content": "hello"}]


def target(**options: str) -> Target:
    return Target("t", "p", "openai", "https://api.openai.com/v1", "m", options=options)


def parsed(messages: Any = HELLO, **fields: Any) -> Prompt:
    body = {"model": "m", "messages": messages, **fields}
    return DIALECT.read("chat", json.dumps(body).encode()).prompt


def composed(prompt: Prompt, dialect: str = "other", **options: str) -> tuple[Any, list[Loss]]:
    body, losses = compose_chat(prompt, target(**options), False, dialect, True)
    assert unlike(TYPES, body) == ""
    return json.loads(json.dumps(body)), list(losses)


def said(*parts: Any) -> Prompt:
    return Prompt(turns=(Turn("user", parts),))


# --- there and back -----------------------------------------------------------------------------

WORD = st.sampled_from(["cat", 'a "b"', "é🦉", "x\ny", "\\"])
TEXT = st.builds(Text, WORD)
IMAGE = st.sampled_from([
    Media(kind="image", media_type="image/png", data="AAAA"),
    Media(kind="image", url="https://a.example/a.png", detail="low"),
])  # fmt: skip
AUDIO = st.just(Media(kind="audio", media_type="audio/wav", data="UklG"))
FILE = st.sampled_from([
    Media(kind="document", media_type="application/pdf", data="JVBE", name="a.pdf"),
    Media(kind="document", file_id="file-1"),
])  # fmt: skip
USER = st.lists(TEXT | IMAGE | AUDIO | FILE, min_size=1, max_size=3)
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
TOOLS = [
    Tool(name="look", description="Looks.", schema=SCHEMA, strict=True),
    Tool(name="book"),
    ServerTool("openai", "grep", {"type": "custom", "custom": {"name": "grep"}}),
]
SEARCH = [ServerTool("openai", "web_search_options", {"search_context_size": "low"})]


@st.composite
def conversations(draw: Any) -> tuple[Turn, ...]:
    """Turns as this format can say them: results follow their calls in a turn of their own."""
    turns: list[Turn] = [Turn("user", tuple(draw(USER)), draw(st.sampled_from(["", "ann"])))]
    for number in range(draw(st.integers(0, 3))):
        parts: list[Any] = draw(st.lists(TEXT, max_size=2))
        if draw(st.booleans()):
            parts.append(Refusal(draw(WORD)))
        calls = [
            ToolCall(ident=f"c{number}-{i}", name="look", arguments='{"q":1}')
            for i in range(draw(st.integers(0, 2)))
        ]
        turns.append(Turn("assistant", (*(parts or [Text("so")]), *calls)))
        if calls:
            made = [
                ToolResult(ident=c.ident, parts=tuple(draw(st.lists(TEXT, min_size=1, max_size=2))))
                for c in calls
            ]
            turns.append(Turn("user", tuple(made)))
        turns.append(Turn("system", (draw(TEXT),)))
        turns.append(Turn("user", tuple(draw(USER))))
    return tuple(turns)


PROMPTS = st.builds(
    Prompt,
    system=st.lists(TEXT, max_size=2).map(tuple),
    turns=conversations(),
    tools=st.permutations(TOOLS).map(lambda tools: (*tools[:2], *SEARCH)),
    tool_choice=st.none()
    | st.builds(ToolChoice, st.sampled_from(["auto", "none", "required"]))
    | st.just(ToolChoice("named", "look")),
    format=st.none()
    | st.just(Format(kind="json"))
    | st.just(Format(kind="schema", schema=SCHEMA, name="a", description="b", strict=True)),
    thinking=st.none() | st.sampled_from(["minimal", "high"]).map(lambda e: Thinking(effort=e)),
    max_output=st.none() | st.integers(1, 9),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    stop=st.lists(WORD, max_size=3).map(tuple),
    seed=st.none() | st.integers(0, 9),
    presence_penalty=st.none() | st.floats(-2, 2),
    frequency_penalty=st.none() | st.floats(-2, 2),
    choices=st.integers(1, 3),
    logprobs=st.none() | st.integers(0, 5),
    user=st.sampled_from(["", "u-1"]),
    service_tier=st.sampled_from(["", "flex"]),
    extra=st.sampled_from([{}, {"verbosity": "low"}, {"logit_bias": {"50256": -100}}]),
)


@given(PROMPTS)
def test_what_is_composed_is_parsed_as_the_same_prompt(prompt: Prompt) -> None:
    body, losses = composed(prompt, "openai")
    # Translated answers have no place for probabilities, so they are not asked for in silence.
    said = [] if prompt.logprobs is None else ["logprobs"]
    assert [loss.field for loss in losses] == said
    without = msgspec.structs.replace(prompt, logprobs=None)
    assert parsed(body.pop("messages"), **body) == without


# --- reading ------------------------------------------------------------------------------------


def test_parts_of_every_kind_are_read() -> None:
    content = [
        {"type": "text", "text": "look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {
            "type": "image_url",
            "image_url": {"url": "data:image/jpeg;base64,/9j/", "detail": "auto"},
        },
        {"type": "image_url", "image_url": "https://a.example/b.png"},
        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,J"},
        },
        {"type": "file", "file": {"file_data": "https://a.example/a.pdf"}},
        {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}},
    ]
    (turn,) = parsed([{"role": "user", "content": content}]).turns
    assert turn.parts == (
        Text("look", "1h"),
        Media(kind="image", media_type="image/jpeg", data="/9j/"),
        Media(kind="image", url="https://a.example/b.png"),
        Media(kind="audio", media_type="audio/mpeg", data="SUQz"),
        Media(kind="document", media_type="application/pdf", data="J", name="a.pdf"),
        Media(kind="document", url="https://a.example/a.pdf"),
        Media(kind="video", url="https://a.example/v.mp4"),
    )


def test_data_that_is_not_base64_becomes_it() -> None:
    content = [{"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg/%3E"}}]
    (turn,) = parsed([{"role": "user", "content": content}]).turns
    assert turn.parts == (Media(kind="image", media_type="image/svg+xml", data="PHN2Zy8+"),)


def test_system_text_stands_apart_until_the_conversation_has_begun() -> None:
    prompt = parsed([
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": "hi"},
        {"role": "developer", "content": "c"},
    ])  # fmt: skip
    assert prompt.system == (Text("a"), Text("b"))
    assert prompt.turns == (Turn("user", (Text("hi"),)), Turn("system", (Text("c"),)))


def test_results_of_parallel_calls_are_one_turn() -> None:
    calls = [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in "ab"
    ]
    prompt = parsed([
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
        *HELLO,
    ])  # fmt: skip
    assert [t.role for t in prompt.turns] == ["user", "assistant", "user", "user"]
    assert prompt.turns[2].parts == (
        ToolResult(ident="a", parts=(Text("1"),)),
        ToolResult(ident="b", parts=(Text("2"),)),
    )


def test_the_older_functions_are_tools_and_their_answers_find_their_calls() -> None:
    prompt = parsed(
        [
            *HELLO,
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ],
        functions=[{"name": "f", "parameters": SCHEMA}],
        function_call={"name": "f"},
    )
    assert prompt.tools == (Tool(name="f", schema=SCHEMA),)
    assert prompt.tool_choice == ToolChoice("named", "f")
    (call,) = prompt.turns[1].parts
    (result,) = prompt.turns[2].parts
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert call.ident == result.ident != ""


def test_a_choice_among_some_tools_leaves_the_others_out() -> None:
    tools = [{"type": "function", "function": {"name": n}} for n in "abc"]
    allowed = {"mode": "required", "tools": [tools[0], tools[2]]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    prompt = parsed(tools=tools, tool_choice=choice)
    assert [t.name for t in prompt.tools] == ["a", "c"]
    assert prompt.tool_choice == ToolChoice("required")


def test_tools_of_openais_own_keep_its_words() -> None:
    custom = {"type": "custom", "custom": {"name": "grep", "format": {"type": "text"}}}
    prompt = parsed(tools=[custom], web_search_options={"search_context_size": "high"})
    assert prompt.tools == (
        ServerTool("openai", "grep", custom),
        ServerTool("openai", "web_search_options", {"search_context_size": "high"}),
    )


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({"reasoning_effort": "low"}, Thinking(effort="low")),
        ({"reasoning": {"effort": "high", "exclude": True}}, Thinking(effort="high", show=False)),
        ({"reasoning": {"max_tokens": 900}}, Thinking(budget=900)),
        ({"reasoning": {"enabled": False}}, Thinking(budget=0)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Thinking(budget=2000)),
        ({"thinking": {"type": "disabled"}}, Thinking(budget=0)),
        ({}, None),
    ],
)
def test_how_much_to_reason_is_read_in_every_shape(
    fields: dict[str, Any], thinking: Thinking | None
) -> None:
    assert parsed(**fields).thinking == thinking


@pytest.mark.parametrize(
    ("message", "reasoning"),
    [
        ({"reasoning_content": "hm"}, Reasoning(text="hm")),
        (
            {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
            Reasoning(text="hm", signature="s"),
        ),
        (
            {"thinking_blocks": [{"type": "redacted_thinking", "data": "d"}]},
            Reasoning(hidden="d"),
        ),
        (
            {"reasoning_content": "hm", "reasoning_details": [{"signature": "s", "index": 0}]},
            Reasoning(text="hm", signature="s"),
        ),
    ],
)
def test_reasoning_that_a_client_hands_back_is_read(
    message: dict[str, Any], reasoning: Reasoning
) -> None:
    turn = parsed([*HELLO, {"role": "assistant", "content": "a", **message}, *HELLO]).turns[1]
    assert turn.parts == (reasoning, Text("a"))


def test_what_the_form_does_not_hold_is_kept_by_name() -> None:
    prompt = parsed(
        [
            {"role": "user", "content": "hi", "weight": 1},
            {"role": "user", "content": "a", "weight": 0},
        ],
        verbosity="low",
        logit_bias={},
        metadata={"a": "b"},
        store=False,
        min_p=0.1,
        stream_options={"include_usage": True},
    )
    assert prompt.extra == {
        "messages[].weight": 1, "verbosity": "low", "metadata": {"a": "b"}, "min_p": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "fields", "param"),
    [
        ([], {}, "messages"),
        (["hi"], {}, "messages[0]"),
        ([{"role": "usr", "content": "a"}], {}, "messages[0].role"),
        ([{"role": "user", "content": 5}], {}, "messages[0].content"),
        ([{"role": "user", "content": [{"type": "img"}]}], {}, "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "text"}]}], {}, "messages[0].content[0].text"),
        ([{"role": "tool", "content": "a"}], {}, "messages[0].tool_call_id"),
        (
            [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": 1}}]}],
            {},
            "messages[0].tool_calls[0].function.name",
        ),
        (HELLO, {"temperature": "hot"}, "temperature"),
        (HELLO, {"tools": [{"type": "function"}]}, "tools[0].function"),
        (HELLO, {"tools": [{"function": {"name": "f", "parameters": 1}}]},
         "tools[0].function.parameters"),
        (HELLO, {"tool_choice": "any"}, "tool_choice"),
        (HELLO, {"response_format": {"type": "xml"}}, "response_format.type"),
        (HELLO, {"stop": [1]}, "stop[0]"),
        (HELLO, {"n": 0}, "n"),
    ],
)  # fmt: skip
def test_a_bad_request_names_the_field_at_fault(
    messages: Any, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequest) as bad:
        parsed(messages, **fields)
    assert bad.value.param == param
    assert repr(param) in bad.value.message


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "tool_calls", "function", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.lists(_JUNK, max_size=3),
    st.dictionaries(
        st.sampled_from(["tools", "tool_choice", "response_format", "stop", "reasoning", "n"]),
        _JUNK,
        max_size=3,
    ),
)
def test_no_body_breaks_the_parser(messages: list[Any], fields: dict[str, Any]) -> None:
    with suppress(BadRequest):
        parsed(messages, **fields)


# --- writing ------------------------------------------------------------------------------------


def test_results_come_before_what_else_a_user_says_and_their_pictures_after() -> None:
    image = Media(kind="image", media_type="image/png", data="AAAA")
    results = ToolResult(ident="c", parts=(Text("see"), image), failed=True)
    body, losses = composed(said(Text("and?"), results))
    assert body["messages"] == [
        {"role": "tool", "tool_call_id": "c", "content": "see"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "text", "text": "and?"},
            ],
        },
    ]
    assert [(loss.field, loss.kind) for loss in losses] == [
        ("tool_result.content", "hint"),
        ("tool_result.is_error", "hint"),
    ]


@pytest.mark.parametrize(
    ("prompt", "field", "kind"),
    [
        (said(Media(kind="video", url="https://a.example/v.mp4")), "video", "content"),
        (said(Media(kind="document", url="https://a.example/a")), "document.url", "content"),
        (said(Media(kind="image", file_id="f")), "image.file_id", "content"),
        (said(Media(kind="audio", media_type="audio/ogg", data="T2dn")), "audio", "content"),
        (said(Text("a", cache="5m")), "cache_control", "hint"),
        (
            Prompt(turns=(Turn("assistant", (Reasoning(text="hm"), Text("a"))),)),
            "reasoning",
            "hint",
        ),
        (
            Prompt(turns=(Turn("assistant", (Text("a", citations=(Citation(url="u"),)),)),)),
            "citations",
            "hint",
        ),
        (Prompt(turns=said(Text("a")).turns, top_k=3), "top_k", "hint"),
        (Prompt(turns=said(Text("a")).turns, thinking=Thinking(budget=0)), "thinking", "hint"),
        (
            Prompt(turns=said(Text("a")).turns, tools=(ServerTool("anthropic", "bash", {}),)),
            "tools.bash",
            "content",
        ),
        (Prompt(turns=said(Text("a")).turns, extra={"container": "c"}), "container", "hint"),
        (Prompt(turns=said(Text("a")).turns, service_tier="standard_only"), "service_tier", "hint"),
        (Prompt(turns=said(Text("a")).turns, modalities=("image",)), "modalities", "content"),
    ],
)
def test_what_the_format_cannot_say_is_a_stated_loss(prompt: Prompt, field: str, kind: str) -> None:
    _, losses = composed(prompt)
    assert [(loss.field, loss.kind) for loss in losses] == [(field, kind)]
    assert losses[0].why


@pytest.mark.parametrize(("budget", "effort"), [(1024, "low"), (8000, "medium"), (30_000, "high")])
def test_a_budget_of_reasoning_becomes_the_nearest_effort(budget: int, effort: str) -> None:
    body, losses = composed(Prompt(turns=said(Text("a")).turns, thinking=Thinking(budget=budget)))
    assert body["reasoning_effort"] == effort
    assert [loss.field for loss in losses] == ["thinking.budget"]


def test_reasoning_is_handed_back_to_a_server_that_wants_it() -> None:
    call = ToolCall(ident="c", name="f", arguments="{}")
    turns = (Turn("assistant", (Reasoning(text="hm"), call)),)
    body, losses = compose_chat(Prompt(turns=turns), target(reasoning="return"), False, "x", False)
    assert body["messages"][0]["reasoning_content"] == "hm"
    assert losses == ()


def test_a_document_in_plain_text_is_said_as_text() -> None:
    body, _ = composed(said(Media(kind="document", text="All is well.", name="Report")))
    assert body["messages"][0]["content"] == "Report\n\nAll is well."


@pytest.mark.parametrize(
    ("newest", "name"), [(True, "max_completion_tokens"), (False, "max_tokens")]
)
def test_older_servers_are_told_the_bound_by_its_older_name(newest: bool, name: str) -> None:
    prompt = Prompt(turns=said(Text("a")).turns, max_output=7)
    assert compose_chat(prompt, target(), False, "x", newest)[0][name] == 7
