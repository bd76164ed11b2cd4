"""Policies, bindings, calibrations and what a test of a text tells. Frozen, without I/O."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, computed_field, model_validator

from stockpot.rails import presidio


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Where = Literal["input", "output", "tool_call", "tool_result", "retrieved"]
Action = Literal["mask", "block", "reask", "route", "flag"]
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$")]
BindingKind = Literal["project", "route", "key"]


class PolicyRule(Frozen):
    """One rail with what is done about what it finds.

    `on` says which texts it reads. `threshold` is that of rails that score; none is the tenant's
    calibrated one, else the shipped one. `on_error` says what a rail that fails or takes longer
    than `budget_ms` means: `open` goes on, `closed` blocks; a rule that does not say allows 50 ms,
    to Presidio 1,000 and to a chat model 10,000. `shadow` records and does nothing. `reversible`
    masks are taken back in the answer. `route_to` is another model name, for `route`.
    """

    id: Name
    rail: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    on: tuple[Where, ...] = Field(("input",), min_length=1, max_length=5)
    action: Action = "flag"
    settings: dict[str, JsonValue] = Field(default_factory=dict, max_length=50)
    threshold: float | None = Field(None, ge=0, le=1)
    on_error: Literal["open", "closed"] = "open"
    budget_ms: float | None = Field(None, gt=0, le=60_000)
    shadow: bool = False
    reversible: bool = False
    route_to: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.action == "route") != bool(self.route_to):
            raise ValueError(f"the rule {self.id!r}: 'route_to' belongs to the action 'route'")
        if self.reversible and self.action != "mask":
            raise ValueError(f"the rule {self.id!r}: only a mask can be reversible")
        if self.action == "reask" and not set(self.on) <= {"output", "tool_call"}:
            raise ValueError(
                f"the rule {self.id!r}: 'reask' asks the model again about its answer, so it is "
                "for 'output' and 'tool_call'"
            )
        return self


class NewPolicy(Frozen):
    """A policy: rules, looked at in order. With `parallel` slow rails of the input work while the
    model is asked already; no byte of its answer leaves before they clear. What was flagged,
    blocked or masked goes to the annotation queue `queue` ('' sends nothing)."""

    name: Name
    project: ProjectName = "default"
    description: Annotated[str, Field(max_length=2000)] = ""
    parallel: bool = False
    rules: tuple[PolicyRule, ...] = Field(min_length=1, max_length=50)
    queue: Annotated[str, Field(pattern=r"^$|^[a-z0-9][a-z0-9._-]{0,99}$")] = "flagged"

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [rule.id for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError("two rules have the same id")
        return self


def only_flags(rule: PolicyRule) -> tuple[str, ...]:
    """Entities that a rule looks for and flags, though its action is another. A rule that was
    written before this was so acted on them."""
    if rule.rail != "presidio" or rule.action == "flag":
        return ()
    named, acted_on = (_texts(rule.settings.get(name)) for name in ("entities", "act_on"))
    return tuple(sorted((presidio.LOOSE & named if named else presidio.LOOSE) - acted_on))


def _texts(value: JsonValue) -> frozenset[str]:
    given = value if isinstance(value, list) else [value]
    return frozenset(one for one in given if isinstance(one, str))


class Binding(Frozen):
    """Where a policy holds: for all of its project (`subject` ''), a route's name, or a key's id.
    The narrowest decides: key, then route, then project."""

    kind: BindingKind
    subject: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _subject(self) -> Self:
        if (self.kind == "project") == bool(self.subject):
            raise ValueError("a key or a route is named in 'subject'; a project is not")
        return self


class Policy(Frozen):
    """A policy with where it holds. `only_flags` names, by rule, what the rule flags whatever its
    action is."""

    id: str
    project: str
    name: str
    description: str
    parallel: bool
    rules: tuple[PolicyRule, ...]
    queue: str
    bindings: tuple[Binding, ...] = ()
    created_ms: float
    created_by: str
    updated_ms: float

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own, over a property
    @property
    def only_flags(self) -> dict[str, tuple[str, ...]]:
        """Rules that leave some of what they find as it is, and what that is."""
        return {rule.id: told for rule in self.rules if (told := only_flags(rule))}


class CalibrationSummary(Frozen):
    """A threshold that a tenant measured on its own texts. `evidence` are the measured figures;
    `digest` names the fitted model, '' where the shipped one is used."""

    project: str
    rail: str
    threshold: float
    digest: str
    evidence: dict[str, Any]
    created_ms: float
    created_by: str


class Calibration(CalibrationSummary):
    """With the fitted model's bytes."""

    model: bytes | None = None


class KeptCalibration(CalibrationSummary):
    """A calibration whole: with the fitted model in base64, null where the shipped one is used."""

    model: str | None = None


class NewCalibration(Frozen):
    """What a calibration found; `model` is the fitted model in base64."""

    project: ProjectName = "default"
    rail: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    threshold: float = Field(ge=0, le=1)
    model: Annotated[str, Field(max_length=8_000_000)] | None = None
    evidence: dict[str, JsonValue] = Field(default_factory=dict, max_length=50)


class TextToTest(Frozen):
    """A text, and what to ask of it: a policy by its name, or rules as they would stand in one."""

    project: ProjectName = "default"
    text: Annotated[str, Field(max_length=200_000)]
    on: Where = "input"
    policy: str = ""
    rules: tuple[PolicyRule, ...] = Field((), max_length=50)


class TestFinding(Frozen):
    """Characters `start` to `end` of the text."""

    start: int
    end: int
    type: str
    score: float


class RuleVerdict(Frozen):
    """What one rule found. `skipped` says why a rail was not asked here; `holds` what the rule
    holds back of a streamed answer, '' where it delays nothing."""

    rule: str
    rail: str
    action: str
    shadow: bool
    findings: tuple[TestFinding, ...] = ()
    us: float = 0.0
    failed: str = ""
    skipped: str = ""
    holds: str = ""


class Tested(Frozen):
    """What a policy makes of a text: the action, and the text after masking."""

    action: str
    text: str
    rules: tuple[RuleVerdict, ...]
    us: float


class RailRates(Frozen):
    """A rail and how good it was measured to be; `rates` is empty for one that may only flag."""

    rail: str
    title: str
    measured: bool
    rates: dict[str, Any]
