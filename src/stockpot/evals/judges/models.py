"""Judges, what they say, and their certificates. Frozen, without I/O.

Costs are integer nano-dollars, None where no price is known. Times are Unix milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, JsonValue, model_validator

from stockpot.evals.models import Name, Text
from stockpot.evals.records import (
    Corrected,
    Estimated,
    Frozen,
    Judgement,
    Tally,
)
from stockpot.traces import Badge, CertificateState

JudgeKind = Literal["rubric", "pairwise", "reference", "groundedness", "jury"]

LEAST_KAPPA = 0.4
"""A judge may gate when its kappa's lower end is at least this."""
DEFAULT_AGE_DAYS = 180
OTHER, TIE, JUDGED = "B", "tie", "A"
"""What a pairwise judge prefers: the answer it is held against, neither, the answer that is judged.
The worst for the judged answer comes first, as in every scale."""
UNGROUNDED, GROUNDED = "ungrounded", "grounded"

Labels = tuple[Annotated[str, Field(min_length=1, max_length=100)], ...]


class Scale(Frozen):
    """What a judge may say: labels, the worst first, or a number from `least` to `most`. Labels are
    `ordered` where one is nearer to the next than to the last: then agreement is weighted."""

    labels: Labels = Field((), max_length=20)
    ordered: bool = False
    least: float | None = Field(None, ge=-1e6, le=1e6)
    most: float | None = Field(None, ge=-1e6, le=1e6)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        numbers = self.least is not None or self.most is not None
        if numbers and self.labels:
            raise ValueError("a scale has 'labels', or 'least' and 'most', not both")
        if numbers and (self.least is None or self.most is None or self.least >= self.most):
            raise ValueError("a scale of numbers needs 'least' and a larger 'most'")
        if self.labels and len({label.casefold() for label in self.labels}) < len(self.labels):
            raise ValueError("two labels of the scale are the same")
        if len(self.labels) == 1:
            raise ValueError("a scale needs two labels or more")
        return self

    @property
    def numeric(self) -> bool:
        return self.least is not None

    def value_of(self, label: str) -> float:
        """A label as a number from 0 (the first) to 1 (the last)."""
        return self.labels.index(label) / (len(self.labels) - 1)


class JudgeSpec(Frozen):
    """A judge as it is asked for; what is left out is the kind's own.

    `model` is a model, a route or an alias. `prompt` is the instruction, with `{{input}}`,
    `{{output}}`, `{{expected}}`, `{{context}}`, `{{other}}` and `{{criteria}}` where those go.
    `context`, `other` and `expected` are paths into a row (`metadata.context`). `members` are a
    jury's judges, as `NAME@VERSION`. `params` go with every call. A groundedness judge says
    grounded where the share of supported claims is at least `threshold`.
    """

    name: Name
    kind: JudgeKind = "rubric"
    model: str = Field("", max_length=200)
    criteria: str = Field("", max_length=20_000)
    prompt: str = Field("", max_length=100_000)
    scale: Scale = Scale()
    params: dict[str, JsonValue] = Field(default_factory=dict, max_length=50)
    both_orders: bool = True
    abstain: bool = True
    structured: bool = True
    context: str = Field("metadata.context", max_length=200)
    other: str = Field("metadata.other", max_length=200)
    expected: str = Field("", max_length=200)
    threshold: float = Field(1.0, ge=0, le=1)
    members: tuple[Annotated[str, Field(max_length=120)], ...] = Field((), max_length=15)
    combine: Literal["majority", "mean"] = "majority"
    message: Text = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "jury":
            if len(self.members) < 2:
                raise ValueError("a jury needs two 'members' or more, as NAME@VERSION")
        elif not self.model:
            raise ValueError(f"a judge of kind {self.kind!r} needs a 'model'")
        elif self.members:
            raise ValueError("only a judge of kind 'jury' has 'members'")
        if self.kind == "rubric" and not (self.criteria or self.prompt):
            raise ValueError("a rubric needs 'criteria': what makes an answer good")
        return self


class Judge(Frozen):
    """A version of a judge, as it is kept; it never changes. `content_hash` names exactly what it
    asks and how: prompt, model, parameters, scale, and the same of a jury's members."""

    project: str
    name: str
    version: int
    kind: JudgeKind
    model: str
    prompt: str
    criteria: str
    scale: Scale
    params: dict[str, Any]
    both_orders: bool
    abstain: bool
    structured: bool
    context: str
    other: str
    expected: str
    threshold: float
    members: tuple[Judge, ...]
    combine: Literal["majority", "mean"]
    content_hash: str
    message: str
    created_ms: float
    created_by: str

    @property
    def ref(self) -> str:
        """How suites and scores call it: `judge:NAME@VERSION`."""
        return f"judge:{self.name}@{self.version}"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it asks, of a jury those of all members."""
        if not self.members:
            return (self.model,)
        return tuple(sorted({model for one in self.members for model in one.models}))

    @property
    def calls(self) -> int:
        """How many calls one row takes."""
        if self.members:
            return sum(one.calls for one in self.members)
        return 2 if self.kind == "pairwise" and self.both_orders else 1


class Subject(NamedTuple):
    """What is judged: a row with what was answered. `other` is the answer that a pairwise judge
    holds it against."""

    item: str
    input: Any = None
    output: str = ""
    expected: Any = None
    context: Any = None
    other: Any = None


class HumanLabel(Frozen):
    """What a person said of an item; `at_ms` is when, as far as that is known."""

    item: Annotated[str, Field(min_length=1, max_length=200)]
    rater: Annotated[str, Field(min_length=1, max_length=400)]
    label: bool | int | float | Annotated[str, Field(max_length=200)]
    slice: Annotated[str, Field(max_length=200)] = ""
    at_ms: float | None = Field(None, ge=0, le=9e12)


class SliceAgreement(Frozen):
    """A judge and people on a part of the items; '' is all of them."""

    slice: str
    n: int
    kappa: Estimated
    accuracy: Estimated
    alpha: Estimated | None = None


class HumanCeiling(Frozen):
    """How far people agree with each other, on items that two or more rated: what a judge can be
    expected to reach."""

    items: int
    raters: int
    kappa: Estimated | None
    accuracy: Estimated | None
    alpha: Estimated | None


class CertificateRow(NamedTuple):
    """A labelled item: what people said, and the judge's value and label, as numbers."""

    item: str
    people: float
    judge: float
    said: float


class Certificate(Frozen):
    """How far a version of a judge agrees with people, and until when that holds.

    `fingerprint` is what served the judge's models when it was certified. `labels_ms` is the median
    time of the labels; they are good for `max_age_days`. `state` and `reason` are as of now.
    """

    id: str
    project: str
    judge: str
    version: int
    content_hash: str
    state: CertificateState
    reason: str
    progress: Literal["queued", "running", "done", "failed"]
    error: str = ""
    dataset: str
    dataset_version: int | None
    question: str
    labels: int
    raters: int
    disputed: int
    n: int
    kappa: Estimated | None = None
    accuracy: Estimated | None = None
    alpha: Estimated | None = None
    slices: tuple[SliceAgreement, ...] = ()
    ceiling: HumanCeiling | None = None
    corrected: Corrected | None = None
    tally: Tally = Tally()
    fingerprint: tuple[str, ...] = ()
    labels_ms: float | None = None
    max_age_days: int = DEFAULT_AGE_DAYS
    expires_ms: float | None = None
    issued_ms: float
    issued_by: str

    @property
    def may_gate(self) -> bool:
        """Whether decisions may rest on this judge."""
        return self.state == "certified"


class JudgeSummary(Frozen):
    """The latest version of a judge, how many there are, and its certificate in short."""

    judge: Judge
    versions: int
    badge: Badge


class NewCertificate(Frozen):
    """What to certify a judge by. `dataset` is `NAME` or `NAME@VERSION`; its rows are judged and
    held against what people said of them: in annotation queues on it (`question` names what was
    asked), or in `labels`. `slices` are paths whose values are also looked at apart; `words` maps
    what people said to the judge's labels. `answer` is where a row holds what is judged, without
    it the row's output."""

    version: int | None = Field(None, ge=1)
    dataset: str = Field("", max_length=300)
    rowset: str = Field("", max_length=100)
    question: str = Field("", max_length=100)
    labels: tuple[HumanLabel, ...] = Field((), max_length=200_000)
    slices: tuple[Annotated[str, Field(max_length=200)], ...] = Field((), max_length=20)
    words: dict[str, Annotated[str, Field(max_length=100)]] = Field(
        default_factory=dict, max_length=50
    )
    answer: str = Field("", max_length=200)
    max_age_days: int = Field(DEFAULT_AGE_DAYS, ge=1, le=3650)


class Judged(Frozen):
    """Rows that a judge was asked about at once, and how it fared."""

    judge: str
    badge: Badge
    judgements: tuple[Judgement, ...]
    tally: Tally


class AskJudge(Frozen):
    """Rows to be judged now: the judge's word is given, and nothing is kept of it but the cache."""

    rows: tuple[AskedRow, ...] = Field(min_length=1, max_length=200)


class AskedRow(Frozen):
    """One row to be judged."""

    id: str = Field(min_length=1, max_length=200)
    input: JsonValue = None
    output: str = Field("", max_length=1_000_000)
    expected: JsonValue = None
    context: JsonValue = None
    other: JsonValue = None


AskJudge.model_rebuild()
Judge.model_rebuild()
