"""What the demo consists of: names, texts and recordings. Data; calls nothing."""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

PROJECT = "menu-desk"
PROMPT = "menu-answer"
LABEL = "production"
ALIAS = "menu-writer"
DATASET = "menu-questions"
SUITE = "menu-facts"
EXPERIMENT = "shorter-answers"
KEY = "menu-app"
LARGE, SMALL, TINY = "chef-large", "chef-small", "chef-tiny"
MODELS = (LARGE, SMALL, TINY)
CANDIDATE = SMALL
"""Whose answers `stockpot demo break` spoils."""

PRICES = {LARGE: (2.5, 10.0), SMALL: (0.15, 0.6), TINY: (0.05, 0.2)}
"""Dollars of a million tokens in and out; invented, like the models."""
PRICE_SOURCE = "invented for the demo"

BROKEN = "I am sorry, I cannot look that up at the moment. Is there anything else?"
"""What a spoilt model answers to everything."""

_SYSTEM = (
    "You answer guests of a restaurant. Say what is in a dish, its allergens and its price. "
    "Never guess: what the menu does not say, the kitchen knows."
)
_SHORT = "Answer guests of a restaurant in one or two sentences, from the menu alone. Never guess."


class Question(NamedTuple):
    """What a guest asks, and the phrases that a good answer has."""

    id: str
    text: str
    expected: tuple[str, ...]
    row: dict[str, Any]


@cache
def questions() -> tuple[Question, ...]:
    """All questions of the demo, which are its data set too."""
    rows = [msgspec.json.decode(line) for line in _lines("questions")]
    return tuple(Question(r["id"], r["input"]["question"], tuple(r["expected"]), r) for r in rows)


def recording(model: str) -> bytes:
    """The recorded answers of a model, as JSON lines."""
    return b"\n".join(_lines(model)) + b"\n"


def broken(model: str) -> bytes:
    """The same questions with an answer that helps nobody, as slow as before."""
    spoilt = []
    for line in _lines(model):
        told = msgspec.json.decode(line)
        spoilt.append(msgspec.json.encode({**told, "answer": BROKEN}))
    return b"\n".join(spoilt) + b"\n"


def _lines(name: str) -> list[bytes]:
    return (files(__package__) / f"{name}.jsonl").read_bytes().splitlines()


def versions() -> tuple[dict[str, Any], ...]:
    """The prompt's versions: what is live, and the shorter one on a cheaper model."""
    schema = {
        "type": "object",
        "properties": {"question": {"type": "string"}},
        "required": ["question"],
    }

    def version(system: str, model: str) -> dict[str, Any]:
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": "{{ question }}"},
        ]
        return {
            "kind": "chat",
            "messages": messages,
            "variables_schema": schema,
            "model": f"recorded/{model}",
        }

    return version(_SYSTEM, LARGE), version(_SHORT, SMALL)


def experiment() -> dict[str, Any]:
    """Half of the guests get the shorter version; thumbs and errors guard it."""
    return {
        "name": EXPERIMENT,
        "hypothesis": "Shorter answers of a cheaper model please guests as well.",
        "kind": "label",
        "subject": f"{PROMPT}@{LABEL}",
        "unit": "user",
        "arms": [
            {"name": "long", "weight": 5000, "target": f"{PROMPT}@1"},
            {"name": "short", "weight": 5000, "target": f"{PROMPT}@2"},
        ],
        "control": "long",
        "metrics": [
            {"name": "feedback:thumbs", "role": "primary", "margin": 0.03, "kind": "proportion"},
            {"name": "feedback:thumbs", "role": "guardrail", "margin": 0.0, "kind": "proportion"},
            {"name": "error", "role": "guardrail", "margin": 0.05},
            {"name": "cost", "role": "secondary"},
            {"name": "latency_ms", "role": "secondary"},
        ],
    }


def suite() -> dict[str, Any]:
    """Whether answers say what the menu says; the gate asks for nine tenths of it."""
    return {
        "name": SUITE,
        "dataset": DATASET,
        "target": {"kind": "prompt", "prompt": f"{PROMPT}@{LABEL}"},
        "scorers": [{"use": "mentions"}],
        "slices": ["metadata.kind"],
        "gate": {"base": "none", "metrics": {"mentions": {"minimum": 0.9}}},
    }


def pleased(question: Question, answer: str, chance: random.Random) -> bool:
    """Whether a guest gives a thumbs-up: mostly when the answer says what it should."""
    said = answer.casefold()
    share = sum(phrase.casefold() in said for phrase in question.expected) / len(question.expected)
    return chance.random() < 0.05 + 0.9 * share
