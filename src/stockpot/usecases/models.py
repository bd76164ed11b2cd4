"""Rungs, needs and what was found of them, as the API shows them. Frozen, without I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


RungName = Literal["demo", "accountable", "measured", "guarded", "production"]
NeedName = Literal[
    "traffic", "owner", "prompt", "budget", "dataset", "gate", "feedback", "judge", "rails", "slo",
    "watched", "rollback",
]  # fmt: skip
RiskTier = Literal["low", "medium", "high"]
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Waiver(Frozen):
    """Somebody answers for a need that is not met, for a while and with a reason."""

    id: str
    project: str
    need: NeedName
    reason: str
    until_ms: float
    created_ms: float
    created_by: str


class NewWaiver(Frozen):
    """`until_ms` is at most a year ahead."""

    project: ProjectName
    need: NeedName
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
    until_ms: float = Field(gt=0, lt=9e12)


class NeedFound(Frozen):
    """One need and its evidence. `link` is where in the console the evidence stands, `mend` the
    commands that bring what is missing, one a line."""

    need: NeedName
    title: str
    met: bool
    waived: Waiver | None = None
    found: str
    link: str
    mend: str

    @property
    def settled(self) -> bool:
        """Met, or waived by somebody."""
        return self.met or self.waived is not None


class Rung(Frozen):
    """A step of the way. `reached`: its needs and those of every rung below are settled. `needed`:
    a release in the project's risk tier has to stand here or above."""

    rung: RungName
    title: str
    about: str
    reached: bool
    needed: bool
    needs: tuple[NeedFound, ...]


class Readiness(Frozen):
    """How far a project is. `current` is the highest rung reached, None before the first; `blocks`
    are the needs that keep it from the next. `ready` says that a release has all rungs that the
    risk tier asks for, `required` is the highest of those."""

    project: str
    risk_tier: RiskTier
    stage: str
    current: RungName | None
    next: RungName | None
    required: RungName
    ready: bool
    blocks: tuple[NeedFound, ...]
    rungs: tuple[Rung, ...]
    computed_ms: float
