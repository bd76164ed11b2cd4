"""A score and how it is asked for. Frozen, typed, without I/O.

A score is never changed. A newer one for the same target, name, source, author, evaluator and
queue takes its place (`retracted` takes it away), and the older one stays in the history.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from stockpot.traces.badges import Badge
from stockpot.traces.models import Frozen, Named, OfProject

ScoreSource = Literal["human", "end_user", "api", "code", "judge", "guardrail"]
ScoreBy = Literal["name", "prompt", "model", "source", "author", "day", "variant", "environment"]
"""What a summary is told apart by, beside the name of the score."""

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:/ -]{0,99}$"
Name = Annotated[str, Field(pattern=NAME)]
ScoreId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,120}$")]
TraceId = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{32})?$")]
SpanId = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{16}$")]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)]
Clean = StringConstraints(pattern=r"^[^\x00]*$")
"""Postgres keeps no NUL in a text."""


class NewScore(Frozen):
    """A score to be written. `id` makes a re-send harmless: the same content again changes nothing.

    It is about a trace (or a span of it), a session, or an `item` (a row of a data set). `value` is
    a number (a boolean is 1 or 0), `label` a class; `correction` is what the answer should have
    been. `weight` is how many answers it stands for, where others were left out by chance: one over
    the probability with which it was drawn.
    """

    id: ScoreId | None = None
    project: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    trace_id: TraceId = ""
    span_id: SpanId | None = None
    session: Annotated[str, Field(max_length=200), Clean] | None = None
    item: Annotated[str, Field(max_length=80), Clean] | None = None
    name: Name
    value: Finite | None = None
    label: Annotated[str, Field(max_length=200), Clean] = ""
    comment: Annotated[str, Field(max_length=10_000), Clean] = ""
    correction: Annotated[str, Field(max_length=100_000), Clean] | None = None
    source: ScoreSource = "api"
    author: Annotated[str, Field(max_length=400), Clean] = ""
    evaluator: Annotated[str, Field(max_length=200), Clean] = ""
    evaluator_trace: TraceId = ""
    queue: Annotated[str, Field(max_length=40), Clean] = ""
    weight: float = Field(1.0, gt=0, le=1e12, allow_inf_nan=False)
    retracted: bool = False

    @model_validator(mode="after")
    def _says_something_about_something(self) -> Self:
        if not (self.trace_id or self.session or self.item):
            raise ValueError("a score is about a 'trace_id', a 'session' or an 'item': give one")
        if self.span_id and not self.trace_id:
            raise ValueError("a 'span_id' needs the 'trace_id' that the span is in")
        said = self.value is not None or self.label or self.comment or self.correction is not None
        if not (said or self.retracted):
            raise ValueError("a score has a 'value', a 'label', a 'comment' or a 'correction'")
        return self


class Score(NewScore):
    """A score as it is kept. What it is about (prompt, model, user, start) comes from the span log,
    as soon as the span is there; `edit_distance` counts the characters to insert, delete or replace
    from the recorded output to the correction, `edit_share` is that over the longer of the two."""

    id: str = ""
    created_ms: float
    superseded: bool = False
    environment: str = ""
    user: str = ""
    model: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    variant: str = ""
    start_ms: float | None = None
    edit_distance: int | None = None
    edit_share: float | None = None
    badge: Badge | None = None
    """Of a judge's score: the judge's certificate in short, as of now."""


class ScoreFilter(Frozen):
    """All given conditions must hold. Only scores that nothing replaced, unless `history`.
    `by_people` are those of users and of people here, not of programs; `annotated` those that came
    out of an annotation queue."""

    project: OfProject | None = None
    trace_id: TraceId | None = None
    span_id: SpanId | None = None
    session: Named | None = None
    item: str | None = Field(None, max_length=80)
    name: str | None = Field(None, max_length=100)
    source: ScoreSource | None = None
    author: str | None = Field(None, max_length=400)
    evaluator: str | None = Field(None, max_length=200)
    queue: str | None = Field(None, max_length=40)
    label: str | None = Field(None, max_length=200)
    min_value: Finite | None = None
    max_value: Finite | None = None
    commented: bool | None = None
    corrected: bool | None = None
    by_people: bool | None = None
    annotated: bool | None = None
    prompt_name: Named | None = None
    prompt_version: Named | None = None
    model: Named | None = None
    user: Named | None = None
    variant: Named | None = None
    environment: Named | None = None
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)
    history: bool = False


class ScorePage(Frozen):
    """Newest first; `next_cursor` is opaque and None at the end."""

    items: tuple[Score, ...]
    next_cursor: str | None


class ScoreSummary(Frozen):
    """The scores of one name in one group. `key` is what the group has in common, by the name of
    its field; `mean` and `sd` weigh each score by what it stands for, `weight` in all, so that
    sampling does not bend them; `n` counts scores, `numbers` those with a value, `positive` those
    of 0.5 or more, `traces` what they are about, `edits` corrections whose output is known. `sd` is
    the sample standard deviation."""

    name: str
    key: dict[str, str]
    n: int
    numbers: int
    positive: int
    traces: int
    weight: float = 0.0
    mean: float | None
    sd: float | None
    least: float | None
    most: float | None
    comments: int
    corrections: int
    edits: int
    mean_edit_share: float | None
    sd_edit_share: float | None
    labels: dict[str, int]
    badges: tuple[Badge, ...] = ()
    """The certificates of the judges among those who gave these scores."""


class Written(Frozen):
    """The ids of what was written, in the order of the request; those that were there are told."""

    ids: tuple[str, ...]
    repeated: tuple[str, ...] = ()


class ScoreBatch(Frozen):
    """Scores to write together: all of them or none."""

    scores: tuple[NewScore, ...] = Field(min_length=1, max_length=1000)
