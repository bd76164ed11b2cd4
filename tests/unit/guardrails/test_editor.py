"""A stream under a policy: however it is cut, the client reads the same, and nothing hidden."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway.guard.editor import Editor
from stockpot.rails import CompiledPolicy, Finding, Policy, Rule, Vault

TEXT = "Stir the truffle in, then ask [WORD_1] about a “truffle” sauce and more of the truffle."
DIALECTS = ("openai", "anthropic", "responses", "gemini")


def stream(dialect: str, pieces: list[str]) -> bytes:
    """A stream of a dialect whose one text comes in these pieces."""
    made: list[Any] = []
    for piece in pieces:
        if dialect == "openai":
            made.append({"choices": [{"index": 0, "delta": {"content": piece}}]})
        elif dialect == "anthropic":
            delta = {"type": "text_delta", "text": piece}
            made.append({"type": "content_block_delta", "index": 0, "delta": delta})
        elif dialect == "responses":
            made.append({"type": "response.output_text.delta", "output_index": 0,
                         "content_index": 0, "delta": piece})  # fmt: skip
        else:
            made.append({"candidates": [{"index": 0, "content": {"parts": [{"text": piece}]}}]})
    whole = "".join(pieces)
    ends: dict[str, list[Any]] = {
        "openai": [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}],
        "anthropic": [{"type": "content_block_stop", "index": 0}, {"type": "message_stop"}],
        "responses": [
            {"type": "response.output_text.done", "output_index": 0, "content_index": 0,
             "text": whole},
            {"type": "response.completed",
             "response": {"output": [{"type": "message", "content": [{"text": whole}]}]}},
        ],
        "gemini": [{"candidates": [{"index": 0, "finishReason": "STOP"}]}],
    }  # fmt: skip
    made += ends[dialect]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in made)


def texts(value: Any, names: tuple[str, ...]) -> list[str]:
    """Every string under one of these names."""
    if isinstance(value, dict):
        mine = [v for k, v in value.items() if k in names and isinstance(v, str)]
        others = [v for v in value.values() if isinstance(v, dict | list)]
        return mine + texts(others, names)
    return [s for item in value for s in texts(item, names)] if isinstance(value, list) else []


def read(out: bytes) -> tuple[str, list[str]]:
    """What the deltas say together, and what is repeated as a whole."""
    said, repeated = [], []
    for line in out.decode().splitlines():
        if not line.startswith("data: "):
            continue
        event = json.loads(line[6:])
        kind = event.get("type", "")
        if kind.endswith(".done") or kind == "response.completed":
            repeated += texts(event, ("text",))
        else:
            said += texts(event, ("content", "text", "delta"))
    return "".join(said), repeated


def run(dialect: str, pieces: list[str], cuts: list[int], action: Any) -> tuple[Any, ...]:
    rule = Rule("r", "words", ("output",), action, {"words": ["truffle"]})
    vault = Vault()
    vault.mask("Ann", [Finding(0, 3, "WORD")])
    editor = Editor(dialect, CompiledPolicy(Policy("p", "p", (rule,))), vault)
    data = stream(dialect, pieces)
    at = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    out = b"".join(editor.feed(data[a:b]) for a, b in itertools.pairwise(at))
    said, repeated = read(out + editor.finish())
    assert all(text == said for text in repeated) or editor.stopped is not None
    return said, editor.stopped is not None


@pytest.mark.parametrize("action", ["mask", "block"])
@pytest.mark.parametrize("dialect", DIALECTS)
@given(
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
    places=st.lists(st.integers(1, len(TEXT) - 1), max_size=8, unique=True),
)
def test_any_cutting_gives_the_same_text_and_verdict(
    dialect: str, action: str, cuts: list[int], places: list[int]
) -> None:
    at = [0, *sorted(places), len(TEXT)]
    pieces = [TEXT[a:b] for a, b in itertools.pairwise(at)]
    said, stopped = run(dialect, pieces, cuts, action)
    assert (said, stopped) == run(dialect, [TEXT], [], action)
    assert "truffle" not in said
    assert stopped == (action == "block")
    if action == "mask":
        assert "ask Ann about" in said
