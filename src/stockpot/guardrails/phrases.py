"""Our own examples of attacks and of harmless texts, made from the templates in
`injection_phrases.toml`. Knows templates and chance with a fixed seed; reads nobody's texts."""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_SLOT = re.compile(r"\{(\w+)\}")
_EACH = {"change": 6, "carry": 6, "task": 3, "hidden": 5}
"""How many texts one template gives."""


@cache
def examples(rail: str) -> tuple[tuple[str, int], ...]:
    """Texts with labels (1 is an attack) for `injection` or `indirect_injection`."""
    told = tomllib.loads(
        files("stockpot.guardrails").joinpath("injection_phrases.toml").read_text("utf-8")
    )
    return tuple(_direct(told) if rail == "injection" else _indirect(told))


def _direct(told: dict[str, Any]) -> list[tuple[str, int]]:
    rng = random.Random(0)  # noqa: S311
    slots = {**told["slots"], **told["harmless"]}
    attacks = _filled(rng, slots, [t for group in told["injection"].values() for t in group], 6)
    harmless = [*told["harmless"]["near"]]
    harmless += _filled(rng, slots, told["harmless"]["plain"] + told["harmless"]["plain_de"], 8)
    made = [(_surrounded(rng, attack, harmless), 1) for attack in attacks]
    return made + [(text, 0) for text in harmless]


def _indirect(told: dict[str, Any]) -> list[tuple[str, int]]:
    rng = random.Random(0)  # noqa: S311
    group = told["indirect"]
    slots = {**told["slots"], **group}
    made: list[str] = []
    for family in ("change", "carry", "task", "hidden"):
        made += _filled(rng, slots, group[family], _EACH[family])
    harmless = told["documents"]["mail"] + told["documents"]["manual"]
    return [(text, 1) for text in made] + [(text, 0) for text in harmless]


def _filled(
    rng: random.Random, slots: dict[str, list[str]], templates: list[str], each: int
) -> list[str]:
    """Each template filled so many times; what came out twice is there once."""

    def fill(template: str) -> str:
        while _SLOT.search(template):
            template = _SLOT.sub(lambda slot: rng.choice(slots[slot[1]]), template)
        return template

    return sorted({fill(template) for template in templates for _ in range(each)})


def _surrounded(rng: random.Random, attack: str, harmless: list[str]) -> str:
    """An attack as it comes: alone, behind or before a harmless question, shouted, spaced."""
    chance = rng.random()
    if chance < 0.2:
        return f"{rng.choice(harmless)} {attack}"
    if chance < 0.35:
        return f"{rng.choice(harmless)} {rng.choice(harmless)} {attack}"
    if chance < 0.42:
        return f"{attack} {rng.choice(harmless)}"
    if chance < 0.47:
        return attack.lower()
    return attack.upper() if chance < 0.5 else attack
