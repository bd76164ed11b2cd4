"""Feedback as it arrives, public keys, and what feedback sums up to. Frozen, without I/O."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stockpot.traces import Badge

Thumb = Literal["up", "down", "none"]
Signal = Literal[
    "copied", "regenerated", "escalated", "citation_click", "accepted", "edited", "abandoned",
    "appealed",
]  # fmt: skip
"""What users do without being asked; each becomes a score of its name."""

Clean = StringConstraints(pattern=r"^[^\x00]*$")
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Origin = Annotated[str, Field(pattern=r"^(\*|https?://[A-Za-z0-9.\[\]:-]{1,253})$")]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FeedbackItem(Frozen):
    """What one person says or does about one trace, span or session.

    A `thumb` is up, down or `none`, which takes it back. `value` and `label` are a score named
    `name`. A `correction` is what the answer should have been. `signal` is what was done in
    silence. `id` makes a re-send harmless. `user` tells people apart: the newest word of each
    counts.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")] | None = None
    project: ProjectName | None = None
    trace_id: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{32}$")] | None = None
    span_id: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{16}$")] | None = None
    session: Annotated[str, Field(min_length=1, max_length=200), Clean] | None = None
    thumb: Thumb | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/ -]{0,99}$")] = "rating"
    value: Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)] | None = None
    label: Annotated[str, Field(max_length=200), Clean] = ""
    comment: Annotated[str, Field(max_length=10_000), Clean] = ""
    correction: Annotated[str, Field(max_length=50_000), Clean] | None = None
    signal: Signal | None = None
    user: Annotated[str, Field(max_length=200), Clean] = ""

    @model_validator(mode="after")
    def _says_something_about_something(self) -> Self:
        if not (self.trace_id or self.session):
            raise ValueError("feedback is about a 'trace_id' or a 'session': give one")
        if self.span_id and not self.trace_id:
            raise ValueError("a 'span_id' needs the 'trace_id' that the span is in")
        rated = self.value is not None or self.label
        told = self.thumb or self.signal or self.comment or self.correction is not None
        if not (rated or told):
            raise ValueError(
                "feedback has a 'thumb', a 'value', a 'label', a 'comment', a 'correction' or a "
                "'signal'"
            )
        return self


class FeedbackBatch(Frozen):
    """Several at once: all or none. `key` is a public key, for beacons, which send no header."""

    items: tuple[FeedbackItem, ...] = Field(min_length=1, max_length=100)


class Accepted(Frozen):
    """The ids of the scores that the feedback became; those that were there are told."""

    ids: tuple[str, ...]
    repeated: tuple[str, ...] = ()


class NewPublicKey(Frozen):
    """A key for browsers. `origins` are the web pages that may use it (`*`: all); `rpm` items a
    minute for all callers together, `caller_rpm` for each address."""

    name: Annotated[str, Field(min_length=1, max_length=100), Clean]
    project: ProjectName = "default"
    origins: tuple[Origin, ...] = Field(("*",), min_length=1, max_length=50)
    rpm: int = Field(600, ge=1, le=1_000_000)
    caller_rpm: int = Field(60, ge=1, le=1_000_000)


class PublicKeySettings(Frozen):
    """What to change of a public key; null keeps."""

    name: Annotated[str, Field(min_length=1, max_length=100), Clean] | None = None
    origins: tuple[Origin, ...] | None = Field(None, min_length=1, max_length=50)
    rpm: int | None = Field(None, ge=1, le=1_000_000)
    caller_rpm: int | None = Field(None, ge=1, le=1_000_000)


class PublicKey(Frozen):
    """A key that everybody may see, since web pages carry it. It can only give feedback onto traces
    of its project."""

    id: str
    key: str
    name: str
    project: str
    origins: tuple[str, ...]
    rpm: int
    caller_rpm: int
    state: Literal["active", "revoked"]
    created_ms: float
    created_by: str


SatisfactionBy = Literal["prompt", "model", "variant", "environment", "day"]


class Interval(Frozen):
    """A figure of `n` observations with its 95 % interval: Wilson's of a share, Student's of a
    mean; a bound is null where the data say nothing of it."""

    value: float
    low: float | None
    high: float | None
    n: int
    badges: tuple[Badge, ...] = ()
    """The certificates of the judges among those who gave the scores."""


class Satisfaction(Frozen):
    """How content people are with the answers of one group, and how far they trust them.

    `satisfied` is the share of thumbs that are up, `csat` the mean of the scores named `csat`.
    `edited` is how much of an answer a correction changes. `signals` are shares of `rated`, the
    traces that anybody said or did something about. `grounded` and `refused` are shares of the
    scores of these names (1 or 0), whoever gives them; `appealed` is a signal. `calls` are counted
    by prompt only.
    """

    key: dict[str, str]
    calls: int | None
    rated: int
    satisfied: Interval | None
    csat: Interval | None
    edited: Interval | None
    comments: int
    corrections: int
    grounded: Interval | None
    refused: Interval | None
    signals: dict[str, Interval]
    ratings: dict[str, Interval]
