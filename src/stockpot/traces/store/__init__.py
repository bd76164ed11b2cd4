"""What a span store is: the port, and the rows that go in. Knows no engine.

`SqliteSpanStore` is the embedded engine. Whatever engine comes next passes
`tests/integration/traces/span_store_contract.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from stockpot.traces.copied import Copied, Counted
from stockpot.traces.measure import Measure
from stockpot.traces.models import (
    Overview,
    Payload,
    Sight,
    Span,
    SpendBy,
    Spending,
    SubjectFilter,
    SubjectKind,
    SubjectPage,
    TraceFilter,
    TraceRow,
)
from stockpot.traces.otlp import Piece
from stockpot.traces.provenance import Slice
from stockpot.traces.store.orders import Done, Order
from stockpot.traces.tree import Light
from stockpot.traces.unit_figures import UnitFigures

PAYLOAD_STATES = ("none", "full", "masked", "shed", "expired", "erased")
"""Names of `NewSpan.payload`."""


class NewSpan(msgspec.Struct, gc=False):
    """A span as it enters a store: its columns. The store sets `id`, `received_ns`, `payload_day`
    and bounds `at_ns` by its own clock.

    `at_ns` is when the span happened by a clock of the product's own processes: it decides in which
    minute a span counts. `start_ns` is what the source says and is only shown.
    """

    trace_id: bytes
    span_id: bytes
    project: str
    environment: str
    at_ns: int
    start_ns: int
    duration_ns: int
    parent_id: bytes = b""
    is_root: bool = True
    source: str = "gateway"
    dialect: str = ""
    kind: str = "llm"
    name: str = ""
    status: str = "ok"
    status_code: int = 0
    error: str = ""
    error_message: str = ""
    key_id: str = ""
    endpoint: str = ""
    route: str = ""
    provider: str = ""
    target: str = ""
    model: str = ""
    served_model: str = ""
    stream: bool = False
    attempt: int = 0
    ttft_ns: int | None = None
    tpot_ns: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    usage_source: str = "none"
    cost_nano: int | None = None
    cost_detail: str = ""
    cost_source: str = ""
    price_id: str = ""
    finish_reason: str = ""
    service: str = ""
    release: str = ""
    trace_name: str = ""
    user: str = ""
    session: str = ""
    tags: str = ""
    params: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    prompt_label: str = ""
    experiment: str = ""
    variant: str = ""
    dataset_run: str = ""
    dataset_item: str = ""
    agent: str = ""
    tool: str = ""
    input_preview: str = ""
    output_preview: str = ""
    client: str = ""
    response_id: str = ""
    stages: str = ""
    request_bytes: int = 0
    response_bytes: int = 0
    payload: int = 0
    retention: str = "standard"
    revision: int = 0
    sample_weight: float | None = None
    provenance: bytes = b""
    id: int = 0
    received_ns: int = 0
    payload_day: int | None = None
    usage_detail: str = ""
    service_tier: str = ""
    unit_prices: str = ""
    price_source: str = ""
    saved_nano: int = 0
    cache: str = ""
    degraded: str = ""
    route_reason: str = ""
    tools: str = ""
    exposures: str = ""


class NewPayload(NamedTuple):
    """Bodies to keep and the text to find them by. Of a span that came as OTLP, `raw` instead: what
    was sent of it, from which its bodies are read."""

    request: bytes | None
    response: bytes | None
    text: str
    raw: Piece | None = None


class Batch(NamedTuple):
    """Spans of one source. With a `stream` they are what lies between two offsets of a segment,
    and are taken only if `begin` is where that segment's last batch ended."""

    spans: Sequence[tuple[NewSpan, NewPayload | None]]
    stream: str = ""
    segment: int = 0
    begin: int = 0
    end: int = 0


class Outcome(NamedTuple):
    """What became of a batch: taken, or refused with the `offset` to go on from."""

    taken: bool
    offset: int
    new: int = 0
    doubles: int = 0


class Listed(NamedTuple):
    """A row of the trace list with the position that a cursor or a tail continues from."""

    position: int
    row: TraceRow


class Listing(NamedTuple):
    """One page. `next` is where to go on, None at the end; a page of a search that met many
    near misses may be short, even empty, and still have a `next`."""

    items: list[Listed]
    next: int | None


class Audit(NamedTuple):
    """What a store knows of its own completeness; `committed` spans were ever taken."""

    spans: int
    committed: int
    traces: int
    payloads: int
    missing_payloads: int
    shed_payloads: int
    interrupted: int
    offsets: dict[tuple[str, int], int]
    problems: tuple[str, ...]


class SpanStore(Protocol):
    """Where spans live. One process appends; any number read, from any thread.

    A call of `append` that returned has been committed; of one that raised, nothing is kept.
    """

    def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Commit batches together. A span that is already there (project, trace, span) is skipped,
        and a batch that does not continue its segment is refused; the others are not affected."""
        ...

    def perform(self, order: Order) -> Done:
        """One bounded piece of upkeep, by the one process that appends."""
        ...

    def traces(
        self,
        where: TraceFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> Listing:
        """Traces whose root matches, newest first from below `before`; each once, at its newest
        matching root. With `after` instead: matching roots received since, oldest first."""
        ...

    def trace(self, trace_id: bytes, project: str | None) -> list[Span]:
        """All spans of a trace, by start; empty when unknown."""
        ...

    def payload(self, trace_id: bytes, span_id: bytes, project: str | None) -> Payload | None:
        """Bodies of a span, or None when the span is unknown."""
        ...

    def spans(self, where: TraceFilter, *, after: int, limit: int) -> tuple[list[Span], int | None]:
        """Matching spans in the order of their arrival, and where to go on, None at the end."""
        ...

    def numbered_spans(
        self, where: TraceFilter, *, after: int, limit: int, every: bool = False
    ) -> tuple[list[tuple[int, Span]], int | None]:
        """The same without full text, with the numbers by which orders name spans; without those
        whose cost their sender told, for nobody here prices them, unless `every` one is asked
        for."""
        ...

    def overview(
        self, where: TraceFilter, from_ms: float, to_ms: float, bucket_ms: float
    ) -> Overview:
        """Figures of a window from rollups, with no chart when `bucket_ms` is 0. Of the filter,
        only what rollups keep apart counts: not user, session, tag, text, cost or duration."""
        ...

    def spending(
        self, where: TraceFilter, by: SpendBy, window: tuple[float, float, float], limit: int
    ) -> Spending:
        """What was spent in a window (from, to, bucket in ms) on the `limit` dearest of a kind, out
        of rollups; of the filter counts what counts for `overview`."""
        ...

    def measures(
        self, where: Mapping[str, str], windows: Sequence[tuple[int, int]]
    ) -> list[Measure]:
        """What happened in a slice in each window (whole minutes, Unix seconds), out of rollups.
        Cut by provider, kind or error every span counts, else calls alone."""
        ...

    def stepped(
        self, where: Mapping[str, str], start: int, end: int, step: int
    ) -> dict[int, Measure]:
        """The same by steps of a window, each by its start; steps without a span are left out."""
        ...

    def skeleton(self, trace_id: bytes, project: str | None) -> list[Light]:
        """What the tree of a trace needs of all its spans."""
        ...

    def numbered(self, numbers: Sequence[int]) -> dict[int, Span]:
        """Spans by the numbers that a skeleton tells."""
        ...

    def setups(self, where: TraceFilter) -> list[Slice]:
        """What each set-up of model, prompt, parameters ... did in the filter's window."""
        ...

    def subjects(
        self, kind: SubjectKind, where: SubjectFilter, *, offset: int, limit: int
    ) -> SubjectPage:
        """Sessions, users or tags with what belongs to them, newest or dearest first."""
        ...

    def traces_of_session(
        self, session: str, project: str | None, sight: Sight | None, limit: int
    ) -> list[tuple[str, bytes]]:
        """Project and trace id of the newest traces that a session has."""
        ...

    def units(self, project: str, experiment: str, since_ns: int) -> UnitFigures:
        """What the units of an experiment did that were first exposed since a time."""
        ...

    def shadow_counts(self, where: TraceFilter) -> list[Counted]:
        """Targets that copies of a route's calls went to (`requested_model` is the route), the one
        that had the newest first."""
        ...

    def shadow_pairs(
        self, where: TraceFilter, *, before: int | None = None, limit: int
    ) -> list[Copied]:
        """The newest copies of a route's calls from below `before`, each with its call."""
        ...

    def audit(self) -> Audit:
        """Count everything and compare what must agree. Reads the whole log."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
