"""The kinds of rails, and how a rule becomes one. Knows names; loads a rail when it is wanted."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from stockpot.core.errors import did_you_mean
from stockpot.rails.models import InvalidRule, Rail, Rule

Builder = Callable[[Rule, Mapping[str, bytes]], Rail]

KINDS: dict[str, str] = {
    "code": "stockpot.rails.code:build_code",
    "indirect_injection": "stockpot.rails.ngram:build_indirect",
    "injection": "stockpot.rails.ngram:build_injection",
    "json_schema": "stockpot.rails.json_schema:build_json_schema",
    "language": "stockpot.rails.language:build_language",
    "length": "stockpot.rails.length:build_length",
    "pii": "stockpot.rails.pii.rail:build_pii",
    "presidio": "stockpot.rails.presidio:build_presidio",
    "secrets": "stockpot.rails.secrets:build_secrets",
    "topics": "stockpot.rails.topics:build_topics",
    "urls": "stockpot.rails.urls:build_urls",
    "words": "stockpot.rails.words:build_words",
}
"""Kind -> `module:function`. Others' packages add kinds by the entry point group below."""

GROUP = "stockpot.rails"

ELSEWHERE = frozenset({"presidio", "model"})
"""Kinds that another process runs; a policy leaves their rules to whoever asks that process."""


def kinds() -> tuple[str, ...]:
    """Every kind that a rule may name."""
    others = {entry.name for entry in entry_points(group=GROUP)}
    return tuple(sorted({*KINDS, *ELSEWHERE, *others}))


def build(rule: Rule, models: Mapping[str, bytes]) -> Rail:
    """The rail of a rule. Raises InvalidRule for an unknown kind or settings that it refuses."""
    return _builder(rule.rail)(rule, models)


def _builder(kind: str) -> Builder:
    place = KINDS.get(kind)
    if place is not None:
        module, _, name = place.partition(":")
        made: Builder = getattr(importlib.import_module(module), name)
        return made
    for entry in entry_points(group=GROUP, name=kind):
        loaded: Builder = entry.load()
        return loaded
    raise InvalidRule(
        f"there is no rail {kind!r}.{did_you_mean(kind, kinds())}",
        hint=f"kinds: {', '.join(kinds())}",
    )


class Settings:
    """A rule's settings, read with types: what is unknown or of a wrong type is refused."""

    def __init__(self, rule: Rule, known: tuple[str, ...]) -> None:
        self._told = rule.settings
        self._of = f"rule {rule.id!r} ({rule.rail})"
        for name in self._told:
            if name not in known:
                raise InvalidRule(
                    f"{self._of} has no setting {name!r}.{did_you_mean(name, known)}",
                    hint=f"settings: {', '.join(known)}" if known else "it has none",
                )

    def wrong(self, name: str, wanted: str) -> InvalidRule:
        return InvalidRule(f"{self._of}: {name!r} must be {wanted}, not {self._told.get(name)!r}")

    def flag(self, name: str, default: bool) -> bool:
        value = self._told.get(name, default)
        if type(value) is not bool:
            raise self.wrong(name, "true or false")
        return value

    def number(self, name: str, default: float | None = None) -> float | None:
        value = self._told.get(name, default)
        if value is not None and (type(value) not in (int, float) or value < 0):
            raise self.wrong(name, "a number of 0 or more")
        return value

    def text(self, name: str, default: str) -> str:
        value = self._told.get(name, default)
        if type(value) is not str:
            raise self.wrong(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._told.get(name, ())
        if not isinstance(value, list | tuple) or not all(type(v) is str and v for v in value):
            raise self.wrong(name, "a list of texts")
        return tuple(value)

    def choices(
        self, name: str, known: tuple[str, ...], default: tuple[str, ...]
    ) -> tuple[str, ...]:
        if name not in self._told:
            return default
        chosen = self.texts(name)
        for one in chosen:
            if one not in known:
                raise InvalidRule(
                    f"{self._of}: {name!r} knows no {one!r}.{did_you_mean(one, known)}",
                    hint=f"known: {', '.join(known)}",
                )
        return chosen

    def table(self, name: str) -> dict[str, Any]:
        value = self._told.get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, "a table")
        return value
