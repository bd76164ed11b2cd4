"""Prompts composed for Anthropic: what is sent, what is lost, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from stockpot.providers.anthropic.compose import Composed, compose
from stockpot.providers.anthropic.parse import parse
from stockpot.providers.anthropic.traits import traits_of
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
from tests.vendors.anthropic_stub import CREATE, check

OLD, NEW = "claude-sonnet-4-5", "claude-opus-5"
HELLO = Turn("user", (Text("hello"),))


def composed(prompt: Prompt, model: str = OLD, **options: str) -> tuple[dict[str, Any], Composed]:
    """What is sent; it must be what Anthropic's types and rules allow."""
    traits = traits_of(model, options)
    made = compose(prompt, model, traits, stream=False, native=True)
    sent = json.loads(made.body)
    check(CREATE, sent, made.version)
    return sent, made


def lost(made: Composed) -> dict[str, str]:
    return {loss.field: loss.kind for loss in made.losses}


def prompt(*turns: Turn, **more: Any) -> Prompt:
    return Prompt(turns=turns or (HELLO,), **more)


def test_turns_of_one_role_become_one_message_and_results_come_first() -> None:
    call = ToolCall(ident="a.b c", name="f", arguments='{"x":1}')
    sent, made = composed(
        prompt(
            HELLO,
            Turn("user", (Text("there"),)),
            Turn("assistant", (call,)),
            Turn("user", (Text("and"),)),
            Turn("user", (ToolResult(ident="a.b c", parts=(Text("1"),)),)),
            tools=(Tool(name="f"),),
        )
    )
    assert sent["messages"] == snapshot(
        [
            {
                "role": "user",
                "content": [{"type": "text", "text": "hello"}, {"type": "text", "text": "there"}],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a_b_c", "name": "f", "input": {"x": 1}}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a_b_c", "content": "1"},
                    {"type": "text", "text": "and"},
                ],
            },
        ]
    )
    assert made.losses == ()


def test_calls_without_ids_are_paired_with_their_results() -> None:
    calls = tuple(ToolCall(ident="", name=n, arguments="{}") for n in ("f", "g"))
    results = tuple(ToolResult(ident="", name=n, parts=(Text(n),)) for n in ("g", "f"))
    sent, _ = composed(prompt(HELLO, Turn("assistant", calls), Turn("user", results)))
    uses = {block["name"]: block["id"] for block in sent["messages"][1]["content"]}
    given = {block["content"]: block["tool_use_id"] for block in sent["messages"][2]["content"]}
    assert uses == given


def test_a_conversation_that_anthropic_would_not_take_is_made_one() -> None:
    only_system, made = composed(Prompt(system=(Text("Say hi."),)))
    assert only_system["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Say hi."}]}
    ]
    assert lost(made) == {"messages": "hint"}
    begun, made = composed(prompt(Turn("assistant", (Text("Once  "), Text("upon \n")))))
    assert [turn["role"] for turn in begun["messages"]] == ["user", "assistant"]
    assert begun["messages"][1]["content"][-1]["text"] == "upon"
    empty, _ = composed(prompt(Turn("user", (Text(""), Text("x"))), Turn("assistant", (Text(""),))))
    assert empty["messages"] == [{"role": "user", "content": "x"}]


def test_a_system_text_between_turns_stays_where_the_model_takes_it() -> None:
    turns = (HELLO, Turn("system", (Text("Be kind."),)))
    sent, made = composed(prompt(*turns), "claude-opus-4-8")
    assert [turn["role"] for turn in sent["messages"]] == ["user", "system"]
    assert made.losses == ()
    sent, made = composed(prompt(*turns), OLD)
    assert [turn["role"] for turn in sent["messages"]] == ["user"]
    assert lost(made) == {"messages.system": "hint"}


def test_reasoning_goes_back_only_with_its_signature() -> None:
    parts = (
        Reasoning(text="a", signature="s"),
        Reasoning(hidden="h"),
        Reasoning(text="unsigned"),
        Reasoning(hidden="other", ident="rs_1"),
        Text("x"),
    )
    sent, made = composed(prompt(HELLO, Turn("assistant", parts), HELLO))
    kinds = [block["type"] for block in sent["messages"][1]["content"]]
    assert kinds == ["thinking", "redacted_thinking", "text"]
    assert [loss.field for loss in made.losses] == ["reasoning", "reasoning"]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Media(kind="audio", media_type="audio/wav", data="UklG"), "audio"),
        (Media(kind="video", url="https://x.example/v"), "video"),
        (Media(kind="image", media_type="image/bmp", data="Qk0="), "image"),
        (Media(kind="document", media_type="application/msword", data="0M8R"), "document"),
    ],
)
def test_media_that_anthropic_does_not_take_are_a_loss_of_content(part: Media, field: str) -> None:
    sent, made = composed(prompt(Turn("user", (Text("x"), part))))
    assert sent["messages"] == [{"role": "user", "content": "x"}]
    assert lost(made) == {field: "content"}


def test_a_file_at_another_vendor_is_a_loss_of_content() -> None:
    asked = prompt(Turn("user", (Text("x"), Media(kind="document", file_id="file-9"))))
    made = compose(asked, OLD, traits_of(OLD, {}), stream=False, native=False)
    assert lost(made) == {"file_id": "content"}


def test_a_text_file_is_sent_as_plain_text() -> None:
    part = Media(kind="document", media_type="text/csv", data="YSxi", name="t.csv", cite=True)
    sent, _ = composed(prompt(Turn("user", (part,))))
    assert sent["messages"][0]["content"] == snapshot(
        [
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
                "title": "t.csv",
                "citations": {"enabled": True},
            }
        ]
    )


def test_what_anthropic_has_nothing_like_is_stated() -> None:
    _, made = composed(
        prompt(
            Turn("user", (Text("x", citations=(Citation(url="u"),)),), name="ann"),
            Turn("assistant", (Refusal("no"),)),
            HELLO,
            tools=(ServerTool("openai", "code_interpreter", {}),),
            choices=2,
            logprobs=3,
            seed=7,
            presence_penalty=0.5,
            frequency_penalty=0.5,
            modalities=("text", "audio"),
            service_tier="flex",
            stop=("\n", "END"),
            extra={"logit_bias": {"1": 2}},
        )
    )
    assert lost(made) == {
        "name": "hint", "citations": "hint", "tools": "content", "service_tier": "hint",
        "stop": "hint", "n": "content", "logprobs": "content", "modalities": "content",
        "seed": "hint", "presence_penalty": "hint", "frequency_penalty": "hint",
        "logit_bias": "hint",
    }  # fmt: skip


def test_parameters_of_sampling_go_to_models_that_take_them_with_the_version_that_does() -> None:
    sent, made = composed(prompt(temperature=1.4, top_p=0.9, top_k=5))
    assert (sent["temperature"], sent["top_k"], "top_p" in sent) == (1.0, 5, False)
    assert made.version == "2023-06-01"
    assert lost(made) == {"temperature": "hint", "top_p": "hint"}
    sent, made = composed(prompt(temperature=0.2), NEW)
    assert "temperature" not in sent
    assert (made.version, lost(made)) == ("2026-10-21", {"temperature": "hint"})


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        (OLD, Thinking(effort="low"), {"thinking": {"type": "enabled", "budget_tokens": 2048},
                                       "max_tokens": 10240}),
        (OLD, Thinking(budget=3000, show=False),
         {"thinking": {"type": "enabled", "budget_tokens": 3000, "display": "omitted"},
          "max_tokens": 11192}),
        (OLD, Thinking(effort="none"), {"max_tokens": 8192}),
        (NEW, Thinking(effort="minimal"), {"thinking": {"type": "adaptive"},
                                           "output_config": {"effort": "low"},
                                           "max_tokens": 32768}),
        (NEW, Thinking(effort="xhigh", budget=-1, show=True),
         {"thinking": {"type": "adaptive", "display": "summarized"},
          "output_config": {"effort": "xhigh"}, "max_tokens": 32768}),
        (NEW, Thinking(budget=0), {"thinking": {"type": "disabled"}, "max_tokens": 32768}),
    ],
)  # fmt: skip
def test_effort_and_budget_are_said_in_the_words_of_the_models_generation(
    model: str, thinking: Thinking, expected: dict[str, Any]
) -> None:
    sent, made = composed(prompt(thinking=thinking), model)
    said = {k: v for k, v in sent.items() if k in ("thinking", "output_config", "max_tokens")}
    assert (said, made.losses) == (expected, ())


def test_thinking_is_left_out_where_anthropic_would_refuse_it() -> None:
    think = Thinking(effort="high")
    tools = (Tool(name="f"),)
    forced = prompt(thinking=think, tools=tools, tool_choice=ToolChoice("required"))
    tight = prompt(thinking=think, max_output=1024)
    call = Turn("assistant", (ToolCall(ident="t", name="f", arguments="{}"),))
    result = Turn("user", (ToolResult(ident="t", parts=(Text("1"),)),))
    unsigned = prompt(HELLO, call, result, thinking=think, tools=tools)
    for asked in (forced, tight, unsigned):
        sent, made = composed(asked)
        assert "thinking" not in sent
        assert lost(made) == {"reasoning": "hint"}
    _, made = composed(prompt(thinking=Thinking(effort="none")), "claude-mythos-5")
    assert lost(made) == {"reasoning": "hint"}


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("named", "f"), True,
         {"type": "tool", "name": "f", "disable_parallel_tool_use": False}),
        (ToolChoice("none"), False, {"type": "none"}),
    ],
)  # fmt: skip
def test_the_choice_of_tools_is_translated(
    choice: ToolChoice | None, parallel: bool | None, expected: object
) -> None:
    asked = prompt(tools=(Tool(name="f"),), tool_choice=choice, parallel_tools=parallel)
    sent, _ = composed(asked)
    assert sent.get("tool_choice") == expected


def test_a_schema_is_enforced_as_far_as_anthropic_does_and_told_beyond() -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "How many."},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1},
            "when": {"type": "string", "format": "date"},
        },
        "required": ["n"],
    }
    sent, made = composed(prompt(format=Format(kind="schema", schema=schema)))
    assert sent["output_config"]["format"]["schema"] == snapshot(
        {
            "type": "object",
            "properties": {
                "n": {
                    "type": "integer",
                    "description": """\
How many.

{minimum: 1}\
""",
                },
                "tags": {
                    "type": "array",
                    "items": {"type": "string", "description": "{maxLength: 3}"},
                    "minItems": 1,
                },
                "when": {"type": "string", "format": "date"},
            },
            "required": ["n"],
            "additionalProperties": False,
        }
    )
    assert lost(made) == {"response_format": "hint"}


def test_any_json_object_is_asked_for_with_a_tool_and_beside_tools_in_words() -> None:
    sent, made = composed(prompt(format=Format(kind="json")))
    assert sent["tool_choice"] == {"type": "tool", "name": "json_object"}
    assert made.losses == ()
    sent, made = composed(prompt(format=Format(kind="json"), tools=(Tool(name="f"),)))
    assert "JSON" in sent["system"][-1]["text"]
    assert lost(made) == {"response_format": "hint"}


def test_an_options_last_word_on_a_model_counts() -> None:
    sent, made = composed(prompt(thinking=Thinking(effort="low"), temperature=0.5),
                          "my-deployment", thinking="adaptive", sampling="false",
                          max_tokens="100")  # fmt: skip
    assert (sent["max_tokens"], sent["thinking"]) == (100, {"type": "adaptive"})
    assert [loss.field for loss in made.losses] == ["temperature"]


@pytest.mark.parametrize(
    ("model", "thinking", "sampling", "system_turns"),
    [
        ("claude-3-7-sonnet-20250219", "budget", True, False),
        ("claude-opus-4-20250514", "budget", True, False),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "budget", True, False),
        ("claude-opus-4-6", "adaptive", True, False),
        ("anthropic.claude-opus-4-7", "adaptive", False, False),
        ("claude-opus-4-8@20260528", "adaptive", False, True),
        ("claude-sonnet-5-5", "adaptive", False, True),
        ("claude-mythos-preview", "adaptive", False, True),
        ("qwen3-32b", "budget", True, False),
    ],
)
def test_a_models_name_tells_its_generation(
    model: str, thinking: str, sampling: bool, system_turns: bool
) -> None:
    traits = traits_of(model, {})
    found = (traits.thinking, traits.sampling, traits.system_turns)
    assert found == (thinking, sampling, system_turns)


# --- there and back again -----------------------------------------------------------------------

_words = st.text('abc é"\\\n', min_size=1, max_size=8).filter(str.strip)
_cache = st.sampled_from(["", "5m", "1h"])
_texts = st.builds(Text, _words, _cache)
_media = st.one_of(
    st.builds(Media, kind=st.just("image"), media_type=st.sampled_from(["image/png", "image/gif"]),
              data=st.just("aGk="), cache=_cache),
    st.builds(Media, kind=st.just("image"), url=st.just("https://x.example/i"), cache=_cache),
    st.builds(Media, kind=st.just("document"), media_type=st.just("text/plain"), text=_words,
              name=_words, cite=st.booleans(), cache=_cache),
    st.builds(Media, kind=st.just("document"), file_id=st.just("file_1"), cite=st.booleans()),
)  # fmt: skip
_reasoning = st.one_of(
    st.builds(Reasoning, text=_words, signature=_words), st.builds(Reasoning, hidden=_words)
)
_objects = st.dictionaries(_words, st.integers() | _words | st.lists(st.booleans()), max_size=3)


@st.composite
def _rounds(draw: st.DrawFn, number: int) -> list[Turn]:
    """A question, calls of tools, their results, and what was said then."""
    asked = draw(st.lists(_texts | _media, min_size=1, max_size=3))
    calls = [
        ToolCall(
            ident=f"t{number}_{n}",
            name="f",
            arguments=json.dumps(given, separators=(",", ":"), ensure_ascii=False),
            cache=draw(_cache),
        )
        for n, given in enumerate(draw(st.lists(_objects, min_size=1, max_size=2)))
    ]
    thought = draw(st.lists(_reasoning, max_size=2))
    results = [
        ToolResult(
            ident=call.ident,
            parts=tuple(draw(st.lists(_texts | _media, max_size=2))),
            failed=draw(st.booleans()),
            cache=draw(_cache),
        )
        for call in calls
    ]
    return [
        Turn("user", tuple(asked)),
        Turn("assistant", (*thought, draw(_texts), *calls)),
        Turn("user", tuple(results)),
        Turn("assistant", (draw(_texts),)),
    ]


_choices = st.sampled_from([ToolChoice("auto"), ToolChoice("named", "f"), ToolChoice("none")])


@st.composite
def _prompts(draw: st.DrawFn) -> Prompt:
    rounds = [draw(_rounds(number)) for number in range(draw(st.integers(0, 2)))]
    return Prompt(
        system=tuple(draw(st.lists(_texts, max_size=2))),
        turns=(*(turn for each in rounds for turn in each), Turn("user", (draw(_texts),))),
        tools=(Tool(name="f", description=draw(_words), cache=draw(_cache), schema={"a": 1}),),
        tool_choice=draw(_choices),
        max_output=draw(st.integers(1, 9000)),
        top_k=draw(st.none() | st.integers(1, 9)),
        temperature=draw(st.none() | st.floats(0, 1)),
        stop=tuple(draw(st.lists(_words, max_size=2))),
        user=draw(st.sampled_from(["", "u"])),
        service_tier=draw(st.sampled_from(["", "auto", "default"])),
    )


@given(_prompts())
def test_what_was_composed_is_read_as_what_it_was(asked: Prompt) -> None:
    _, made = composed(asked)
    assert made.losses == ()
    assert parse(made.body) == asked


@given(_prompts(), st.sampled_from([OLD, NEW, "other"]))
def test_nothing_is_dropped_in_silence(asked: Prompt, model: str) -> None:
    _, made = composed(asked, model)
    back = parse(made.body)
    stated = {loss.field for loss in made.losses}
    for name in Prompt.__struct_fields__:
        assert getattr(back, name) == getattr(asked, name) or name in stated, name


def test_a_loss_is_told_with_its_reason() -> None:
    _, made = composed(prompt(seed=1))
    assert made.losses == (Loss("seed", "Anthropic has nothing like it"),)
