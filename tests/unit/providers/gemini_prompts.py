"""Random prompts in the form that Gemini's format holds without loss, for its tests."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import strategies as st

from stockpot.providers.canon import (
    Format,
    Media,
    Part,
    Prompt,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

WORDS = st.sampled_from(["cat", ' a "quote"', "\\", "\n\n", "é🦉", "}]}", "data: {}"])
TEXT = st.builds(Text, WORDS)
SIGNATURES = st.sampled_from(["", "gemini:QUJD", "gemini:-_8g"])
DATA = st.binary(max_size=6).map(lambda raw: b64encode(raw + b"\0").decode())
MEDIA = st.one_of(
    st.builds(Media, kind=st.just("image"), media_type=st.just("image/png"), data=DATA),
    st.builds(Media, kind=st.just("audio"), media_type=st.just("audio/wav"), data=DATA),
    st.builds(Media, kind=st.just("document"), media_type=st.just("text/plain"), text=WORDS),
    st.just(Media(kind="document", media_type="application/pdf", url="https://a.example/b.pdf")),
    st.just(Media(kind="video", media_type="video/mp4", file_id="gs://bucket/v.mp4")),
)
REASONING = st.builds(Reasoning, text=WORDS, signature=SIGNATURES)
ARGUMENTS = st.sampled_from(["{}", '{"x":1}', '{"x":1.0,"y":["é",null]}'])
RESULTS = st.tuples(WORDS | st.just('{"degrees":3}'), st.booleans())
SCHEMA = {"type": "object", "properties": {"x": {"type": ["integer", "null"]}}}


def call(number: int, arguments: str, signature: str) -> ToolCall:
    return ToolCall(ident=f"id_{number}", name="look", arguments=arguments, signature=signature)


@st.composite
def exchanges(draw: Any, number: int) -> list[Turn]:
    """A user's turn, the model's answer and the results of its calls."""
    turns = [Turn("user", tuple(draw(st.lists(TEXT | MEDIA, min_size=1, max_size=3))))]
    said: list[Part] = []
    if draw(st.booleans()):
        said.append(draw(REASONING))
    if draw(st.booleans()):
        said.append(draw(TEXT))
    calls = [
        call(number * 10 + i, draw(ARGUMENTS), draw(SIGNATURES))
        for i in range(draw(st.integers(0, 2)))
    ]
    if said or calls:
        turns.append(Turn("assistant", (*said, *calls)))
    results = []
    for one in calls:
        text, failed = draw(RESULTS)
        results.append(ToolResult(ident=one.ident, name="look", parts=(Text(text),), failed=failed))
    return [*turns, Turn("user", tuple(results))] if results else turns


@st.composite
def prompts(draw: Any) -> Prompt:
    turns: list[Turn] = []
    for number in range(draw(st.integers(1, 3))):
        made = draw(exchanges(number))
        if turns and turns[-1].role == "user":  # two of one role in a row are one at Gemini
            turns.append(Turn("assistant", (Text("so"),)))
        turns += made
    maybe = st.none() | st.sampled_from([0.0, 0.5])
    return Prompt(
        system=tuple(draw(st.lists(TEXT, max_size=2))),
        turns=tuple(turns),
        tools=draw(st.sampled_from([(), (Tool(name="look", description="d", schema=SCHEMA),)])),
        tool_choice=draw(
            st.sampled_from(
                [None, *map(ToolChoice, ("auto", "none", "required")), ToolChoice("named", "look")]
            )
        ),
        format=draw(
            st.sampled_from([None, Format(kind="json"), Format(kind="schema", schema=SCHEMA)])
        ),
        thinking=draw(st.sampled_from([None, Thinking(budget=-1, show=True)])),
        max_output=draw(st.sampled_from([None, 7])),
        temperature=draw(maybe),
        top_p=draw(maybe),
        top_k=draw(st.sampled_from([None, 40])),
        stop=draw(st.sampled_from([(), ("a", "b")])),
        seed=draw(st.sampled_from([None, 5])),
        presence_penalty=draw(maybe),
        frequency_penalty=draw(maybe),
        choices=draw(st.sampled_from([1, 2])),
        service_tier=draw(st.sampled_from(["", "flex"])),
        modalities=draw(st.sampled_from([(), ("text", "image")])),
    )
