"""How good each shipped rail was measured to be: `rates.json`, which `stockpot guardrails measure`
filled. Knows figures; measures nothing.

A rail that stands there under no name was never measured. It may flag, and nothing else.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from stockpot.guardrails.models import RailRates
from stockpot.rails import kinds

EXACT = {
    "words": "Words and phrases of a list",
    "urls": "Addresses on and off a list",
    "length": "Length in characters, words or tokens",
    "json_schema": "A JSON Schema, mended where it can be",
    "topics": "Topics by weighted words",
    "code": "Commands, queries and scripts as attacks write them",
    "language": "The language of a text",
}
"""What a rule itself defines: a list, a length, a schema. It finds what it is told to, so that
there is no rate but that of the definition. `code` and `language` guess, and are measured."""

_GUESSES = frozenset({"code", "language"})

TITLES = {
    **EXACT,
    "pii": "Personal data with a structure, by pattern and checksum",
    "secrets": "Keys, tokens and passwords",
    "injection": "Prompt injection and jailbreaks, by an n-gram model",
    "indirect_injection": "Instructions hidden in retrieved text and tool results",
    "presidio": "Microsoft Presidio: patterns; names and places with a spaCy model",
    "model": "A chat model as a judge of safety",
}


@cache
def shipped() -> dict[str, dict[str, Any]]:
    """The measured figures, by rail."""
    text = files("stockpot.guardrails").joinpath("rates.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def is_measured(rail: str) -> bool:
    """Whether a rule may act by this rail without the tenant's own measurement."""
    return rail in shipped() or (rail in EXACT and rail not in _GUESSES)


def all_rates() -> tuple[RailRates, ...]:
    """Every rail that a rule may name."""
    return tuple(
        RailRates(
            rail=kind,
            title=TITLES.get(kind, ""),
            measured=is_measured(kind),
            rates=shipped().get(kind, {}),
        )
        for kind in kinds()
    )
