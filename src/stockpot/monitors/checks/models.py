"""A check, when it is due, and a run of it. Frozen, typed, without I/O.

Times are Unix milliseconds; costs are integer nano-dollars.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stockpot.monitors.checks.timing import checked_cron
from stockpot.traces import Badge

CheckKind = Literal["online", "drift", "canary", "pipeline"]
RunState = Literal["queued", "running", "done", "failed", "cancelled"]
CheckName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Clean = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
ChannelName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
SHORTEST_S = 10


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Schedule(Frozen):
    """When something is done: `every_s` seconds after the last time, or at a cron expression's
    minutes (UTC). Without either it is done when somebody asks."""

    every_s: int | None = Field(None, ge=SHORTEST_S, le=366 * 86_400)
    cron: str = Field("", max_length=200)

    @field_validator("cron")
    @classmethod
    def _readable(cls, cron: str) -> str:
        return checked_cron(cron) if cron else ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Schedule:
        if self.cron and self.every_s:
            raise ValueError("give a cron expression or an interval, not both")
        return self


class CheckSettings(Frozen):
    """What every kind of check has. `alert` are channels (names or ids) that are told when a run
    alarms: with them a monitor is kept beside the check; None leaves monitors alone."""

    project: ProjectName = "default"
    name: CheckName
    description: Clean = ""
    schedule: Schedule = Schedule()
    enabled: bool = True
    alert: tuple[ChannelName, ...] | None = Field(None, max_length=20)


class NewCheck(CheckSettings):
    """A check of a kind; `spec` is what its doer reads."""

    kind: CheckKind
    spec: dict[str, Any]


class CheckRun(Frozen):
    """One time that a check was done. `alarm`: what it looked for is there; None where it could not
    tell. `value` is its main figure, `samples` what that rests on, `words` both in a sentence."""

    id: str
    check_id: str
    project: str
    kind: CheckKind
    check: str
    state: RunState
    cause: str
    created_ms: float
    started_ms: float | None = None
    finished_ms: float | None = None
    alarm: bool | None = None
    value: float | None = None
    samples: int = 0
    words: str = ""
    cost_nano: int = 0
    error: str = ""
    result: dict[str, Any] = {}


class KeptCheck(Frozen):
    """A check as it is kept, with its newest run. `badges` are the certificates of the judges among
    those whose scores it gives or compares."""

    id: str
    project: str
    kind: CheckKind
    name: str
    description: str
    spec: dict[str, Any]
    schedule: Schedule
    enabled: bool
    next_ms: float | None
    created_ms: float
    created_by: str
    updated_ms: float
    last: CheckRun | None = None
    badges: tuple[Badge, ...] = ()


class Outcome(NamedTuple):
    """What a doer found. `state` is what the check has to know the next time."""

    words: str
    result: dict[str, Any]
    alarm: bool | None = None
    value: float | None = None
    samples: int = 0
    cost_nano: int = 0
    state: dict[str, Any] | None = None
