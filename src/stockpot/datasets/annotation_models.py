"""Annotation queues: what is asked, of whom, and what was answered. Frozen, without I/O."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from stockpot.datasets.models import Clean, DatasetName, Frozen, Split
from stockpot.traces import TraceFilter

Kind = Literal["categorical", "bool", "numeric", "text"]
Label = Annotated[str, Field(min_length=1, max_length=200), Clean]


class Question(Frozen):
    """One thing that is asked of each item; `name` is the name of the score that it becomes.

    `scale` says how far apart answers are: classes that differ or not, labels in an order, or
    numbers. Numbers that differ by at most `tolerance` agree.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/ -]{0,99}$")]
    kind: Kind = "categorical"
    labels: tuple[Label, ...] = Field((), max_length=50)
    least: float | None = Field(None, ge=-1e12, le=1e12)
    most: float | None = Field(None, ge=-1e12, le=1e12)
    tolerance: float = Field(0, ge=0, le=1e12)
    scale: Literal["nominal", "ordinal", "interval"] | None = None
    help: Annotated[str, Field(max_length=2000), Clean] = ""
    required: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "categorical" and len(set(self.labels)) < 2:
            raise ValueError(f"the question {self.name!r} needs two 'labels' or more")
        if self.least is not None and self.most is not None and self.least >= self.most:
            raise ValueError(f"the question {self.name!r} has no number between its bounds")
        return self

    @property
    def level(self) -> Literal["nominal", "ordinal", "interval"]:
        """The scale, where it is not said: numbers have distances, classes have none."""
        return self.scale or ("interval" if self.kind == "numeric" else "nominal")


class QueueSource(Frozen):
    """What to annotate: rows of a data set, or traces that are named or match a filter."""

    dataset: DatasetName | None = None
    version: Annotated[str, Field(max_length=10)] = "latest"
    split: Split | None = None
    slice: Annotated[str, Field(max_length=100)] | None = None
    filter: TraceFilter | None = None
    trace_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], ...] = Field(
        (), max_length=5000
    )
    limit: int = Field(200, ge=1, le=10_000)


class NewQueue(Frozen):
    """A queue. Each item is asked of `annotators` people; `blind` hides from each what others say
    until all have answered. `assignees` are addresses of people; none: every editor."""

    name: DatasetName
    instructions: Annotated[str, Field(max_length=20_000), Clean] = ""
    rubric: tuple[Question, ...] = Field(
        (Question(name="verdict", labels=("good", "bad")),), min_length=1, max_length=20
    )
    annotators: int = Field(1, ge=1, le=9)
    blind: bool = True
    assignees: tuple[Annotated[str, Field(min_length=1, max_length=400), Clean], ...] = Field(
        (), max_length=200
    )
    source: QueueSource = QueueSource()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [question.name for question in self.rubric]
        if len(set(names)) < len(names):
            raise ValueError("two questions have the same name")
        return self


class QueueSettings(Frozen):
    """What to change; null keeps. A closed queue hands nothing out."""

    instructions: Annotated[str, Field(max_length=20_000), Clean] | None = None
    assignees: tuple[Annotated[str, Field(min_length=1, max_length=400), Clean], ...] | None = (
        Field(None, max_length=200)
    )
    state: Literal["open", "closed"] | None = None


ItemState = Literal["open", "done", "disputed", "settled"]


class Progress(Frozen):
    """Items by state, and what each annotator has done."""

    items: int
    open: int
    done: int
    disputed: int
    settled: int
    by_annotator: dict[str, int]


class Queue(Frozen):
    """`dataset` and `dataset_version` say whose rows are annotated; '' for traces."""

    id: str
    project: str
    name: str
    instructions: str
    rubric: tuple[Question, ...]
    annotators: int
    blind: bool
    assignees: tuple[str, ...]
    state: Literal["open", "closed"]
    dataset: str
    dataset_version: int | None
    created_ms: float
    created_by: str
    progress: Progress


class Answered(Frozen):
    """What one annotator said of an item."""

    annotator: str
    answers: dict[str, Any]
    comment: str
    done_ms: float


class Item(Frozen):
    """One thing to annotate. Of a blind queue `answered` stays empty until all have answered."""

    id: str
    position: int
    trace_id: str
    span_id: str
    row_id: str
    state: ItemState
    answered: tuple[Answered, ...] = ()
    disputed: tuple[str, ...] = ()
    """The questions on which the annotators differ."""
    settled: dict[str, Any] | None = None
    settled_by: str = ""
    note: str = ""


class Task(Frozen):
    """An item with what there is to look at, and what the caller has answered before."""

    item: Item
    input: Any
    output: Any
    expected: Any
    metadata: dict[str, Any]
    mine: Answered | None
    locked_until_ms: float | None


class Answers(Frozen):
    """An answer for each question: a label, a number, true or false, or a text."""

    answers: dict[Annotated[str, Field(max_length=100)], JsonValue] = Field(default_factory=dict)
    comment: Annotated[str, Field(max_length=10_000), Clean] = ""


class Settlement(Frozen):
    """The answers that stand where annotators differed, and why."""

    answers: dict[Annotated[str, Field(max_length=100)], JsonValue] = Field(default_factory=dict)
    note: Annotated[str, Field(max_length=10_000), Clean] = ""


class ItemPage(Frozen):
    items: tuple[Item, ...]
    total: int


class Figure(Frozen):
    """An agreement with its 95 % interval; null where only one value was ever given."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class PairAgreement(Frozen):
    """Two annotators on the items that both rated."""

    one: str
    other: str
    items: int
    agreed: int
    kappa: Figure | None


class QuestionAgreement(Frozen):
    """How far the annotators agree on one question: Krippendorff's alpha over all, Cohen's kappa of
    each two (weighted where labels are in an order), and on how many items all said the same."""

    name: str
    level: str
    items: int
    agreed: int
    alpha: Figure | None
    pairs: tuple[PairAgreement, ...]


class Agreement(Frozen):
    questions: tuple[QuestionAgreement, ...]
