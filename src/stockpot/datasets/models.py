"""Data sets as they are kept and asked for. Frozen, typed, without I/O."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    field_validator,
    model_validator,
)

from stockpot.traces import TraceFilter

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
Clean = StringConstraints(pattern=r"^[^\x00]*$")
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
DatasetName = Annotated[str, Field(pattern=NAME)]
RowId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")]
Split = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,40}$")]
Message = Annotated[str, Field(max_length=2000), Clean]
TraceId = Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")]
SpanId = Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")]
MOST_ROWS = 10_000
"""Rows of one request."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewRow(Frozen):
    """A row to add. Without an `id` it gets one out of its input and expected answer, so that the
    same row again is the same row; with the id of a row that is there it takes its place."""

    id: RowId | None = None
    input: dict[str, JsonValue]
    expected: JsonValue = None
    metadata: dict[str, JsonValue] = {}
    source_trace: TraceId = ""
    source_span: SpanId = ""
    split: Split = ""


class DatasetRow(Frozen):
    """A row of a version. `hash` is of all that the row says, or said: of one that is `erased` the
    hash and where it came from are left."""

    id: str
    hash: str
    input: dict[str, Any]
    expected: Any
    metadata: dict[str, Any]
    source_trace: str
    source_span: str
    split: str
    erased: bool = False


class DatasetVersion(Frozen):
    """What a data set was at one time. `content_hash` is of its rows: two versions with the same
    hash hold the same."""

    id: str
    dataset_id: str
    number: int
    content_hash: str
    rows: int
    added: int
    changed: int
    removed: int
    message: str
    author: str
    created_ms: float


class Dataset(Frozen):
    """A data set; `version` is its newest, None before the first rows."""

    id: str
    project: str
    name: str
    description: str
    input_schema: dict[str, Any] | None
    expected_schema: dict[str, Any] | None
    created_ms: float
    created_by: str
    version: DatasetVersion | None


class NewDataset(Frozen):
    """`input_schema` and `expected_schema` are JSON Schemas that every row must meet."""

    name: DatasetName
    description: Annotated[str, Field(max_length=10_000), Clean] = ""
    input_schema: dict[str, JsonValue] | None = None
    expected_schema: dict[str, JsonValue] | None = None


class DatasetSettings(Frozen):
    """What to change; null keeps. An empty schema `{}` allows everything. A stricter schema must
    hold for the rows that are there."""

    description: Annotated[str, Field(max_length=10_000), Clean] | None = None
    input_schema: dict[str, JsonValue] | None = None
    expected_schema: dict[str, JsonValue] | None = None


class AddRows(Frozen):
    """Rows for a new version, and why."""

    rows: tuple[NewRow, ...] = Field(min_length=1, max_length=MOST_ROWS)
    message: Message = ""


class RemoveRows(Frozen):
    """Rows that the next version is without."""

    ids: tuple[RowId, ...] = Field(min_length=1, max_length=MOST_ROWS)
    message: Message = ""


class Added(Frozen):
    """What became of rows: `version` is None when nothing changed."""

    version: DatasetVersion | None
    added: int
    changed: int
    unchanged: int
    skipped: tuple[str, ...] = ()
    """What made no row, and why; the first of them."""


class FromTraces(Frozen):
    """Rows out of traces: those named and the newest that match a filter; the newest of all where
    neither is given.

    The input is the request's messages (or a prompt's variables). Expected is a correction where
    somebody gave one, else the output; `correction` takes the corrected alone, `none` leaves it
    empty.
    """

    trace_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], ...] = Field(
        (), max_length=1000
    )
    filter: TraceFilter | None = None
    limit: int = Field(100, ge=1, le=5000)
    expected: Literal["output", "correction", "none"] = "output"
    split: Split = ""
    message: Message = ""


class FromFeedback(Frozen):
    """Rows out of what users said: traces with a thumb (down unless said), those with a correction
    alone when `corrected`."""

    thumb: Literal["up", "down", "any"] = "down"
    corrected: bool = True
    limit: int = Field(500, ge=1, le=5000)
    from_ms: float | None = Field(None, ge=0, le=9e12)
    split: Split = ""
    message: Message = ""


class ImportRows(Frozen):
    """Rows out of the text of a file. `columns` says what each column (CSV) or member (JSONL) is:
    `input`, `input.NAME`, `expected`, `expected.NAME`, `metadata.NAME`, `split`, `id` or `-` to
    leave it out. What is not named: `input`, `expected`, `metadata`, `split` and `id` are what they
    say, everything else is metadata of a CSV file and part of the input of a JSONL file without
    `input`."""

    format: Literal["csv", "jsonl"]
    text: Annotated[str, Field(max_length=32_000_000)]
    columns: dict[str, Annotated[str, Field(max_length=200)]] = {}
    split: Split = ""
    message: Message = ""
    dry_run: bool = False


class LineFault(Frozen):
    """What is wrong with a line of a file."""

    line: int
    message: str


class Imported(Frozen):
    """What an import did, or would do: with faults it does nothing."""

    added: Added | None
    faults: tuple[LineFault, ...]
    rows: int
    columns: dict[str, str]
    """How each column was read."""
    sample: tuple[NewRow, ...] = ()


class RowPage(Frozen):
    items: tuple[DatasetRow, ...]
    total: int
    next_offset: int | None


class ChangedRow(Frozen):
    id: str
    before: DatasetRow
    after: DatasetRow


class DatasetDiff(Frozen):
    """What turns one version into another; the lists are cut at a limit, the counts are not."""

    base: int
    version: int
    added_count: int
    removed_count: int
    changed_count: int
    unchanged_count: int
    added: tuple[DatasetRow, ...]
    removed: tuple[DatasetRow, ...]
    changed: tuple[ChangedRow, ...]


Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "exists"]


class Condition(Frozen):
    """One condition of a slice. `field` is `split`, `id`, or a path such as `metadata.language`,
    `input.messages.0.content`, `expected.label`."""

    field: Annotated[
        str, Field(pattern=r"^(id|split|(input|expected|metadata)(\.[^.]+)*)$", max_length=300)
    ]
    op: Operator = "eq"
    value: JsonValue = None

    @field_validator("field")
    @classmethod
    def _clean(cls, field: str) -> str:
        if "\0" in field:
            raise ValueError("a path holds no NUL")
        return field


class Slice(Frozen):
    """A named part of a data set: the rows that meet all conditions, in every version."""

    name: DatasetName
    conditions: tuple[Condition, ...]
    created_ms: float = 0
    created_by: str = ""


class NewSlice(Frozen):
    conditions: tuple[Condition, ...] = Field(min_length=1, max_length=20)


class SplitRequest(Frozen):
    """Shares of rows by split, such as `{"train": 0.8, "test": 0.2}`, told by the hash of each row
    (or of the field `group_by`, whose rows stay together), so that a row keeps its split when
    others come."""

    shares: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")],
        Annotated[float, Field(gt=0, le=1)],
    ] = {"train": 0.8, "test": 0.2}
    group_by: (
        Annotated[str, Field(pattern=r"^(input|expected|metadata)(\.[^.\x00]+)+$", max_length=300)]
        | None
    ) = None
    only_unassigned: bool = False
    seed: Annotated[str, Field(max_length=100), Clean] = ""
    message: Message = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.shares or abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError("the 'shares' must add up to 1")
        return self


class NearPair(Frozen):
    """Two rows whose inputs are nearly the same; `similarity` is the share of character 5-grams
    that they have in common (Jaccard)."""

    one: str
    other: str
    similarity: float
    one_split: str
    other_split: str
    one_preview: str
    other_preview: str


class Check(Frozen):
    """Near-duplicates of a version, and those of them that stand in different splits: a row of the
    test that training has seen makes a result look better than it is."""

    rows: int
    threshold: float
    method: str
    pairs_count: int
    contaminated_count: int
    pairs: tuple[NearPair, ...]
    contaminated: tuple[NearPair, ...]


class Use(Frozen):
    """Something that used a version: an evaluation run, a tuning job."""

    number: int
    kind: str
    ref: str
    label: str
    created_ms: float


class RowOfTrace(Frozen):
    """A row that was made from a trace. `since` and `until` are versions; None: it is still in. Of
    an `erased` one nothing is left but that it was there."""

    dataset: str
    row_id: str
    since: int
    until: int | None
    source_span: str
    erased: bool = False
