"""Revisions, plans, the journal of pointers, and what a rehearsal or a watch found. Without I/O.

`before` and `after` are None where nothing is said: an entry that is not there, or a field at its
default. No record here ever holds a secret: definitions name them by reference.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


LARGEST = 2**31 - 1
"""The largest number of a revision that JSON clients and every store can say."""
Kind = Literal["start", "edit", "apply", "rollback"]
State = Literal["released", "watching", "reverted"]


class Change(Frozen):
    """One step from a state to another. `name` is the path as a person writes it."""

    path: tuple[str, ...]
    name: str
    kind: Literal["add", "change", "remove"]
    before: Any
    after: Any


class Figures(Frozen):
    """Calls of one group of workers in one span of time. `p95_ms` None: no call."""

    calls: int = 0
    errors: int = 0
    p95_ms: float | None = None


class Watched(Frozen):
    """What a release showed on its first worker, beside the others and the time before it."""

    worker: str
    verdict: Literal["watching", "spread", "reverted", "stopped", "not watched"]
    reason: str
    window_s: float
    min_calls: int
    seconds: float = 0.0
    canary: Figures = Figures()
    others: Figures = Figures()
    before: Figures = Figures()


class Revision(Frozen):
    """One state of all definitions: who made it, from which one, why. `digest` is the SHA-256 of
    the state; equal states have equal digests."""

    number: int
    parent: int | None
    kind: Kind
    state: State
    author: str
    message: str
    digest: str
    created_ms: float
    watched: Watched | None = None


class RevisionDetail(Frozen):
    """A revision with its state and what it changed against its parent."""

    revision: Revision
    content: dict[str, dict[str, dict[str, Any]]]
    changes: tuple[Change, ...]


class Difference(Frozen):
    """What turns one revision into another."""

    before: int
    after: int
    changes: tuple[Change, ...]
    text: str


class Move(Frozen):
    """A pointer that was moved at run time. `standing`: the definitions still say otherwise."""

    id: str
    at_ms: float
    pointer: str
    path: tuple[str, ...]
    before: Any
    after: Any
    actor: str
    reason: str
    revision: int
    standing: bool = False


class NewMove(Frozen):
    """Move a pointer now, without a new revision: `keys.NAME.state`, `aliases.NAME.targets`."""

    path: tuple[str, str, str]
    value: Any
    reason: str = Field("", max_length=2000)


class Conflict(Frozen):
    """Why a change is not simply applied. `pointer`: a person moved it at run time; `definition`:
    somebody changed it since the file's base; `safety`: an automatic rollback stands against it."""

    name: str
    kind: Literal["pointer", "definition", "safety"]
    present: Any
    wanted: Any
    message: str
    way_out: str


class Shift(Frozen):
    """Recorded calls that the planned state would send elsewhere. Targets are provider/model."""

    route: str
    before: str
    after: str
    calls: int


class Rehearsal(Frozen):
    """The last recorded calls, decided again by the present and by the planned state.

    `refused` counts calls that only the planned state refuses, by error code; `admitted` those that
    only the present one does. Costs are what the recorded usage costs at today's prices, of calls
    whose price is known in both states.
    """

    calls: int
    from_ms: float | None
    to_ms: float | None
    refused: dict[str, int]
    admitted: dict[str, int]
    moved: int
    shifts: tuple[Shift, ...]
    cost_before_nano: int
    cost_after_nano: int
    unpriced: int
    unknown: tuple[str, ...]
    sentence: str


class Wanted(Frozen):
    """What to plan or apply: the text of a `stockpot.toml`, or the same as JSON.

    A section that is not given stays as it is; with `partial` so does every entry that is not
    named. `base` is the revision that the text was made from. `overrule` names conflicts whose
    present value may be replaced, `lift` the safety rollbacks that may be undone.
    """

    toml: str | None = Field(None, max_length=8_000_000)
    definitions: dict[str, Any] | None = None
    partial: bool = False
    base: int | None = Field(None, ge=0, le=LARGEST)
    overrule: tuple[str, ...] = ()
    lift: tuple[str, ...] = ()


class PlanRequest(Wanted):
    """`calls` is how many recorded calls to rehearse; 0 skips it. With `rollback` nothing else is
    wanted: the plan is that of going back to the revision of this number."""

    rollback: int | None = Field(None, ge=1, le=LARGEST)
    calls: int = Field(1000, ge=0, le=200_000)


class ApplyRequest(Wanted):
    """Release what is wanted. It goes to one worker first, for `watch_s` seconds and at least
    `min_calls` calls there; with `now` it goes to all at once. `expect` is the digest that a plan
    told: when another state would come about by now, nothing is applied."""

    message: str = Field("", max_length=2000)
    expect: str | None = None
    now: bool = False
    watch_s: float = Field(30.0, ge=1, le=86_400)
    min_calls: int = Field(50, ge=1, le=1_000_000)


class RollbackRequest(Frozen):
    """Go back to a revision's state; to that of the newest one's parent when none is named."""

    revision: int | None = Field(None, ge=1, le=LARGEST)
    message: str = Field("", max_length=2000)
    overrule: tuple[str, ...] = ()
    lift: tuple[str, ...] = ()
    now: bool = True
    watch_s: float = Field(30.0, ge=1, le=86_400)
    min_calls: int = Field(50, ge=1, le=1_000_000)


class LiftRequest(Frozen):
    """Lift a safety rollback, by its name."""

    name: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=2000)


class Plan(Frozen):
    """What applying would do. `digest` identifies the state that would come about."""

    base: int
    head: int
    digest: str
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]
    rehearsal: Rehearsal | None
    text: str


class NewSecret(Frozen):
    """The only time that the secret of a key which applying made is shown."""

    name: str
    key: str


class Applied(Frozen):
    """What became of it. While it is `watching`, ask for the revision again."""

    revision: Revision
    changes: tuple[Change, ...]
    keys: tuple[NewSecret, ...] = ()


class Exported(Frozen):
    """The present state as the text of a `stockpot.toml`."""

    revision: int
    toml: str
