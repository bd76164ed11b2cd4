"""Rails as they are run: findings, rules, policies, outcomes. Records and protocols without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from stockpot.core.errors import InvalidInput

Where = Literal["input", "output", "tool_call", "tool_result", "retrieved"]
Action = Literal["allow", "mask", "block", "reask", "route", "flag"]

RAILS_PART = "guardrails"
RAILS_PART_VERSION = 1

PLACES: tuple[Where, ...] = ("input", "output", "tool_call", "tool_result", "retrieved")
ACTIONS: tuple[Action, ...] = ("allow", "mask", "block", "reask", "route", "flag")

STRENGTH: dict[str, int] = {"allow": 0, "flag": 1, "mask": 2, "route": 3, "reask": 4, "block": 5}
"""Which action wins where several rules found something."""


class InvalidRule(InvalidInput):
    """A rule that cannot be run: an unknown kind of rail, or settings that it does not know."""

    code: ClassVar[str] = "invalid_rule"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of a text, by character offsets, and what it is.

    `score` is 1.0 where a rail knows, else its confidence between 0 and 1. `note` says in words
    what is wrong, where words help: the fault of a document, the measured length. One that is
    `flag_only` is told, and no rule masks, blocks or routes because of it.
    """

    start: int
    end: int
    type: str
    score: float = 1.0
    note: str = ""
    flag_only: bool = False


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rail at work: where it looks, and what happens when it finds something.

    `threshold` is the least score that counts; None takes the rail's own. `on_error` decides for
    a rail that fails or takes more than `budget_ms` (milliseconds of processor time for one text;
    0 sets none): `open` goes on, `closed` blocks. A `shadow` rule is counted and has no effect.
    `reversible` masks by placeholders that are undone in the answer. `route_to` is the model or
    route that takes the call instead, for the action `route`.
    """

    id: str
    rail: str
    on: tuple[Where, ...] = ("input", "output")
    action: Action = "flag"
    settings: dict[str, Any] = {}
    threshold: float | None = None
    on_error: Literal["open", "closed"] = "open"
    budget_ms: float = 0.0
    shadow: bool = False
    reversible: bool = False
    route_to: str = ""


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules in the order in which they are asked. With `parallel`, the model may be called while
    the input is still being looked at; nothing leaves before the input is cleared."""

    id: str
    name: str
    rules: tuple[Rule, ...] = ()
    parallel: bool = False


class RailsPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """Version 1 of the snapshot's part `guardrails`.

    `by_key`, `by_route` and `by_project` lead from an id or a name to a policy's id. `models` are
    the files of trained rails, by the name that a rule's settings give.
    """

    policies: tuple[Policy, ...] = ()
    by_key: dict[str, str] = {}
    by_route: dict[str, str] = {}
    by_project: dict[str, str] = {}
    models: dict[str, bytes] = {}


@runtime_checkable
class Rail(Protocol):
    """What looks at a text.

    `reach` is the most characters that one finding can span; 0 says that only the whole text can
    be judged. A rail that may also tell from where on the end of a text a finding may still grow
    has `open_at` (see `Bounded`); one that can mend a text has `rewrite` (see `Mending`).
    """

    kind: str
    reach: int

    def find(self, text: str) -> Sequence[Finding]: ...


@runtime_checkable
class Bounded(Protocol):
    """A rail that knows when nothing is open, so that a stream is held back as little as can be.

    `open_at(text)` is the first position from which on `text` may belong to a finding that what
    comes next completes or prolongs; `len(text)` says that nothing is open.
    """

    def open_at(self, text: str) -> int: ...


@runtime_checkable
class Mending(Protocol):
    """A rail that can mend what it finds wrong. None says that it cannot."""

    def rewrite(self, text: str) -> str | None: ...


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that found something. `mended` says that the text was put right and nothing else
    was to be done."""

    rule: str
    rail: str
    action: Action
    findings: tuple[Finding, ...]
    shadow: bool = False
    mended: bool = False


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rail that raised (`error`) or took longer than its rule allows (`budget`)."""

    rule: str
    rail: str
    why: Literal["error", "budget"]
    closed: bool = False
    detail: str = ""


class Ran(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rule's rail said of one text, before the policy decides. `us` is microseconds of
    processor time; `mended` is the whole text put right, where the rail could."""

    rule: str
    findings: tuple[Finding, ...] = ()
    us: float = 0.0
    error: str = ""
    mended: str | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a policy decided on one text.

    `action` is the strongest that applies and `rule` whose it was. `text` is what may go on: the
    text itself, or with what was found masked or mended. `shadowed` are the actions that shadow
    rules would have had. `us` is microseconds of processor time in all.
    """

    action: Action
    text: str
    rule: str = ""
    hits: tuple[Hit, ...] = ()
    shadowed: tuple[Hit, ...] = ()
    failed: tuple[Failure, ...] = ()
    us: float = 0.0
    route_to: str = ""
    message: str = ""
