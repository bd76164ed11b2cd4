"""The snapshot's part `guardrails`, compiled: which policy holds for a call. Asks no rail."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal

import msgspec

from stockpot.core.errors import ConfigError
from stockpot.gateway.models import Part
from stockpot.rails import (
    RAILS_PART_VERSION,
    CompiledPolicy,
    InvalidRule,
    Policy,
    RailsPart,
    Rule,
    Where,
)

_decode = msgspec.msgpack.Decoder(RailsPart).decode
_encode = msgspec.msgpack.Encoder().encode

_ASKED: frozenset[Where] = frozenset({"input", "tool_result", "retrieved"})
_SAID: frozenset[Where] = frozenset({"output", "tool_call"})


CLEARED = 4096
"""Texts of one policy that are remembered as clean: system prompts and the turns before."""


class Cleared:
    """Texts in which a policy found nothing, by digest: conversations say the same again and again,
    and the same text under the same policy has the same verdict."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # To find the oldest in a plain dict takes longer and longer.
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def name(self, where: Where | Literal["history"], text: str) -> bytes:
        """What a text is remembered by; what the model itself said is asked less."""
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16,
                       person=where.encode()).digest()  # fmt: skip

    def __contains__(self, name: bytes) -> bool:
        return name in self._known

    def add(self, name: bytes) -> None:
        """Remember one; the oldest goes."""
        if len(self._known) >= CLEARED:
            self._known.popitem(last=False)
        self._known[name] = None


class GuardEntry:
    """A policy, ready to be asked, and what the gateway wants to know of it beforehand."""

    __slots__ = (
        "asks", "away", "by_id", "cleared", "digest", "edits", "history", "holds", "id", "models",
        "name", "parallel", "policy", "reversible", "says",
    )  # fmt: skip

    def __init__(self, policy: Policy, models: Mapping[str, bytes]) -> None:
        self.id = policy.id
        self.name = policy.name
        self.policy = CompiledPolicy(policy, models)
        rules = policy.rules
        self.by_id: dict[str, Rule] = {rule.id: rule for rule in rules}
        self.digest = blake2b(_encode(policy), digest_size=8).digest()
        self.cleared = Cleared()
        self.asks = any(_ASKED & set(rule.on) for rule in rules)
        self.says = any(_SAID & set(rule.on) for rule in rules)
        """Whether answers are looked at."""
        self.reversible = any(rule.reversible and not rule.shadow for rule in rules)
        masks = tuple(_in_history(rule) for rule in rules if _masks_input(rule))
        self.history = CompiledPolicy(Policy(policy.id, policy.name, masks), models)
        """What is asked of texts that the model itself said before."""
        self.edits = any(
            rule.action in ("mask", "route") for rule in rules if _ASKED & set(rule.on)
        )
        self.parallel = policy.parallel
        acting = [rule for rule in rules if _SAID & set(rule.on) and not rule.shadow]
        self.holds = any(rule.action in ("reask", "route") for rule in acting) or any(
            rule for rule in self.policy.elsewhere if _SAID & set(rule.on)
        )
        """Whether a streamed answer is held until it is whole: it may have to be asked for again,
        or a rail elsewhere looks at all of it."""

        self.models = _by_place(rule for rule in self.policy.elsewhere if rule.rail == "model")
        """Rules that ask a chat model, by place."""
        self.away = _by_place(rule for rule in self.policy.elsewhere if rule.rail != "model")
        """Rules whose rails only the rail process runs, by place."""


def _by_place(rules: Iterable[Rule]) -> dict[Where, tuple[Rule, ...]]:
    made: dict[Where, tuple[Rule, ...]] = {}
    for rule in rules:
        for where in rule.on:
            made[where] = (*made.get(where, ()), rule)
    return made


def _masks_input(rule: Rule) -> bool:
    return rule.action == "mask" and "input" in rule.on and rule.rail not in ("model", "presidio")


def _in_history(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, on=("input",))


class RailTable:
    """Which policy holds: the key's, else the route's, else the project's."""

    __slots__ = ("_by_key", "_by_project", "_by_route", "data", "entries")

    def __init__(self, data: bytes) -> None:
        part = _decode(data)
        self.data = data
        self.entries = {policy.id: GuardEntry(policy, part.models) for policy in part.policies}
        self._by_key = part.by_key
        self._by_route = part.by_route
        self._by_project = part.by_project

    def of(self, key_id: str, project: str, route: str) -> GuardEntry | None:
        """The policy of a call, None without one."""
        found = self._by_key.get(key_id) if self._by_key else None
        if found is None and self._by_route:
            found = self._by_route.get(f"{project}/{route}")
        if found is None:
            found = self._by_project.get(project)
        return self.entries.get(found) if found is not None else None


def read_part(part: Part) -> RailTable:
    """Raises ConfigError for a version that is not known here, or a rule that cannot be run."""
    if part.version != RAILS_PART_VERSION:
        raise ConfigError(
            f"snapshot part {part.name!r} has version {part.version}, this worker knows "
            f"version {RAILS_PART_VERSION}",
            hint="update this host's stockpot",
        )
    try:
        return RailTable(part.data)
    except InvalidRule as bad:
        raise ConfigError(f"a guardrail rule cannot be run here: {bad.message}") from None
