"""Random answers as events, for the tests of OpenAI's chat format."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stockpot.prices import Usage
from stockpot.providers.canon import (
    Began,
    Citation,
    Cited,
    Ended,
    Event,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
)

WORDS = st.sampled_from(
    ["cat", ' a "quote"', "\\", "data: [DONE]", "\n\n", "é🦉", "\0", "}]}", "x"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=4)
PIECES = st.sampled_from([['{"x', '":1}'], ["{}"], ['{"q":"a', ' b"', "}"], ['{"n":[1,', "2]}"]])
USAGE = st.builds(Usage, input=st.integers(0, 9), output=st.integers(0, 9), cache_read=st.just(2))


@st.composite
def parts(draw: Any, index: int, choice: int, before: str) -> list[Event]:
    """One part that follows one of the kind `before` in its choice."""
    kinds = [k for k in ("text", "reasoning", "tool_call") if k != before or k == "tool_call"]
    kind = draw(st.sampled_from(kinds))
    if kind == "tool_call":
        name = draw(st.sampled_from(["look", "book"]))
        begin = PartBegan(index=index, kind=kind, choice=choice, ident=f"call_{index}", name=name)
        return [begin, *(PartDelta(index, piece) for piece in draw(PIECES)), PartEnded(index)]
    begin = PartBegan(index=index, kind=kind, choice=choice)
    return [begin, *(PartDelta(index, word) for word in draw(TEXTS)), PartEnded(index)]


@st.composite
def answers(draw: Any, signed: bool = False, cited: bool = False) -> list[Event]:
    """A whole answer in the order in which a stream of OpenAI's format can tell it."""
    events: list[Event] = [Began("chatcmpl-1", "m-1")]
    index = 0
    for choice in range(draw(st.integers(1, 2))):
        before, called = "", False
        for _ in range(draw(st.integers(0, 4))):
            made = draw(parts(index, choice, before))
            began = made[0]
            assert type(began) is PartBegan
            before, index = began.kind, index + 1
            called = called or before == "tool_call"
            if signed and before == "reasoning":
                made.insert(-1, PartSigned(began.index, "c2lnbmVk"))
            if cited and before == "text":
                citation = Citation(url="https://a.example/", title="A", start=0, end=1)
                made.insert(-1, Cited(began.index, citation))
            events += made
        reason = "tool_calls" if called else draw(st.sampled_from(["stop", "length"]))
        events.append(Ended(reason=reason, choice=choice, said=reason))
    events.append(Metered(draw(USAGE)))
    return events
