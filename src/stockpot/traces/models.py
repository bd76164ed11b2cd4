"""What the span log tells: traces, spans, payloads, rollups. Frozen, typed, without I/O.

Ids are lower-case hex. Times are Unix milliseconds (float, microsecond resolution) at the API;
durations are milliseconds. Costs are integer nano-dollars; None means that no price is known and is
never shown as zero.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

SpanKind = Literal[
    "llm", "embedding", "retriever", "reranker", "tool", "agent", "workflow", "guardrail",
    "evaluator", "span",
]  # fmt: skip
Status = Literal["ok", "error", "interrupted", "refused"]

PayloadState = Literal["none", "full", "masked", "shed", "expired", "erased"]
"""Why a payload is there or is not: `shed` when the spool was short of room, `expired` by retention
or sampling, `erased` on demand."""


OfProject = Annotated[str, Field(max_length=63)]
Named = Annotated[str, Field(max_length=400)]
"""A name in a filter. Every filter of spans and of scores has these bounds: one is made out of
another, and what one took the other must not refuse."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tokens(Frozen):
    """`input` includes cache reads and writes; `output` includes reasoning; audio and image tokens
    are parts of both. `cache_write_1h` is part of `cache_write`, `cache_read_audio` and
    `cache_read_image` of `cache_read`. `searches`, `audio_ms` (how long the sound was that was
    heard) and `characters` (of text that was spoken) are no tokens, but counted with them."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    audio_output: int = 0
    image_input: int = 0
    image_output: int = 0
    searches: int = 0
    cache_read_audio: int = 0
    cache_read_image: int = 0
    audio_ms: int = 0
    characters: int = 0
    source: Literal["provider", "estimated", "none"] = "none"


class BillLine(Frozen):
    """One part of a cost: `quantity` (tokens; requests, searches, milliseconds or
    characters in those buckets) at `unit_pico`
    pico-dollars each is `nano` nano-dollars, rounded half up. Every token is in one line."""

    bucket: str
    quantity: int
    unit_pico: int
    nano: int


class Span(Frozen):
    """One row of the span log, without its payload.

    `requested_model` is the name that was asked for, `model` what the route led to, `served_model`
    what the answer names. `params` are the request's own, where its payload was kept.

    `bill` explains the cost by the price row `price_id` out of `price_source`. `saved_nano` is what
    a cache saved: the vendor's against the price of fresh tokens (less than 0 where writing it cost
    more), or the gateway's own (`cache` is then `hit`) against the answer that was repeated.
    `degraded` are fields of the request that the target's format could not say; `route_reason` is
    why this target was chosen, empty where there was nothing to choose. `tools` are those that it
    could use.
    `exposures` are the experiments that it is counted in: name, arm, the unit's name in records.
    `sample_weight` is how many spans this one stands for where others were sampled away.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    is_root: bool
    project: str
    environment: str
    name: str
    kind: SpanKind
    status: Status
    status_code: int
    error: str
    error_message: str
    start_ms: float
    duration_ms: float
    received_ms: float
    key_id: str
    endpoint: str
    provider: str
    target: str
    requested_model: str
    model: str
    served_model: str
    stream: bool
    attempt: int
    ttft_ms: float | None
    tpot_ms: float | None
    tokens: Tokens
    cost_nano: int | None
    cost_detail: dict[str, int]
    bill: tuple[BillLine, ...] = ()
    price_id: str
    price_source: str = ""
    service_tier: str = ""
    saved_nano: int = 0
    cache: Literal["", "hit", "miss"] = ""
    degraded: tuple[str, ...] = ()
    route_reason: str = ""
    finish_reason: str
    user: str
    session: str
    tags: tuple[str, ...]
    stages_ms: dict[str, float]
    payload: PayloadState
    params: dict[str, object]
    input_preview: str
    output_preview: str
    source: str
    revision: int
    provenance: str
    dialect: str = ""
    service: str = ""
    release: str = ""
    trace_name: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    prompt_label: str = ""
    experiment: str = ""
    variant: str = ""
    dataset_run: str = ""
    dataset_item: str = ""
    agent: str = ""
    tool: str = ""
    tools: tuple[str, ...] = ()
    sample_weight: float = 1.0
    exposures: tuple[tuple[str, str, str], ...] = ()


class TraceRow(Frozen):
    """A line of the trace list: the trace's top span and what hangs below it. Of a trace that an
    application began, `root` is the application's span where it is there."""

    trace_id: str
    root: Span
    spans: int
    errors: int
    total_cost_nano: int | None
    total_tokens: int


class TracePage(Frozen):
    """Newest first; `next_cursor` is opaque and None at the end."""

    items: tuple[TraceRow, ...]
    next_cursor: str | None


class Trace(Frozen):
    trace_id: str
    spans: tuple[Span, ...]


class Payload(Frozen):
    """Bodies as text (UTF-8, replacement characters where bytes are not text)."""

    state: PayloadState
    request: str | None
    response: str | None


class ExportedSpan(Span):
    """A line of an export; bodies where they were asked for and kept."""

    request: str | None = None
    response: str | None = None


class Sight(Frozen):
    """What somebody may see: all of some projects, and elsewhere the calls of some keys."""

    projects: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    def sees(self, project: str, key_id: str) -> bool:
        return project in self.projects or key_id in self.keys


INSIDE = (
    "kind", "model", "requested_model", "provider", "error", "user", "session", "tag",
    "prompt_name", "prompt_version", "agent", "tool", "dataset_run", "experiment", "variant",
    "unit", "q",
)  # fmt: skip
"""Conditions that any span of a trace may meet."""


class TraceFilter(Frozen):
    """All given conditions must hold of one span. `q` is full text over payloads; times are
    milliseconds; `error` is an error class as in `Overview.by_error`; `failed` keeps every call
    that is not ok, `unpriced` those of unknown cost; `model` is the target's, `requested_model`
    what was asked for.

    A list of traces looks at root spans, unless a condition asks for what happens inside a trace:
    a kind, a model, a provider, an error, a user, a session, a tag, a prompt, an agent, a tool, an
    experiment, a text. Then any span counts. `variant` is an experiment's arm, `unit` the name that
    whoever was assigned has in records.
    """

    project: OfProject | None = None
    environment: Named | None = None
    model: Named | None = None
    requested_model: Named | None = None
    provider: Named | None = None
    key_id: Named | None = None
    status: Status | None = None
    failed: bool | None = None
    error: Named | None = None
    unpriced: bool | None = None
    kind: SpanKind | None = None
    user: Named | None = None
    session: Named | None = None
    tag: Named | None = None
    prompt_name: Named | None = None
    prompt_version: Named | None = None
    service: Named | None = None
    release: Named | None = None
    tool: Named | None = None
    agent: Named | None = None
    dataset_run: Named | None = None
    experiment: Named | None = None
    variant: Named | None = None
    unit: Named | None = None
    q: str | None = Field(None, max_length=4000)
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)
    min_cost_nano: int | None = Field(None, ge=0, le=10**18)
    min_duration_ms: float | None = Field(None, ge=0, le=9e12)
    trace_prefix: str | None = Field(None, max_length=32)
    _sight: Sight | None = PrivateAttr(None)

    @property
    def inside(self) -> bool:
        """Whether a trace is found by any of its spans, not by its root alone."""
        return any(getattr(self, name) is not None for name in INSIDE)

    @property
    def sight(self) -> Sight | None:
        """Whose eyes look; None sees everything. Nobody can ask for it in a query."""
        return self._sight

    def seen_with(self, sight: Sight | None) -> TraceFilter:
        """The same filter, within what somebody may see."""
        given = {name: getattr(self, name) for name in TraceFilter.model_fields}
        if sight is not None and not sight.keys and len(sight.projects) == 1:
            given["project"] = given["project"] or min(sight.projects)  # an index serves it
        narrowed = TraceFilter(**given)
        narrowed._sight = sight
        return narrowed

    def narrowed(self, **more: Any) -> TraceFilter:
        """The same filter with some conditions set, seen with the same eyes."""
        given = {name: getattr(self, name) for name in TraceFilter.model_fields}
        return TraceFilter(**{**given, **more}).seen_with(self._sight)


SubjectKind = Literal["session", "user", "tag"]
SubjectOrder = Literal["newest", "cost", "traces", "errors"]


class Subject(Frozen):
    """A session, an end user or a tag, with all that belongs to it. `calls` are calls of
    models, each counted once whoever tells it, `errors` spans that did not end ok; `unpriced` calls
    are of unknown cost and not in `cost_nano`.
    The figures are of every span that ever came, also of those that were sampled away since."""

    kind: SubjectKind
    project: str
    environment: str
    name: str
    user: str
    first_ms: float
    last_ms: float
    spans: int
    traces: int
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nano: int
    unpriced: int


class SubjectPage(Frozen):
    items: tuple[Subject, ...]
    next_cursor: str | None


class SubjectFilter(Frozen):
    """Which sessions, users or tags: `q` is a part of the name; of a window, all that were alive in
    it."""

    project: OfProject | None = None
    environment: Named | None = None
    name: Named | None = None
    user: Named | None = None
    q: str | None = Field(None, max_length=4000)
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)
    order: SubjectOrder = "newest"
    _sight: Sight | None = PrivateAttr(None)

    @property
    def sight(self) -> Sight | None:
        """Whose eyes look; None sees everything."""
        return self._sight

    def seen_with(self, sight: Sight | None) -> SubjectFilter:
        """The same filter, within what somebody may see."""
        narrowed = SubjectFilter(**{n: getattr(self, n) for n in SubjectFilter.model_fields})
        narrowed._sight = sight
        return narrowed


class Turn(Frozen):
    """One trace of a conversation: what was asked last and what came back, as text. `more` says
    that a text was longer."""

    row: TraceRow
    asked: str
    answered: str
    more: bool = False


class Conversation(Frozen):
    """A session as a conversation, oldest turn first."""

    subject: Subject
    turns: tuple[Turn, ...]
    next_cursor: str | None


class Quantiles(Frozen):
    """Milliseconds, relative error at most 1 % (DDSketch)."""

    p50: float | None
    p95: float | None
    p99: float | None


class Totals(Frozen):
    """Sums and quantiles of one group over one window.

    A call counts once, by its root span; its retries add only their tokens and cost. Groups by
    provider and by error count every attempt, since each met one provider. `errors` are those that
    did not end ok, `unpriced` those of unknown price; latency leaves out what was refused here.
    `saved_nano` is what caches saved, `cache_hits` counts answers of the gateway's own.
    """

    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nano: int
    unpriced: int
    saved_nano: int = 0
    cache_hits: int = 0
    latency_ms: Quantiles
    ttft_ms: Quantiles
    tpot_ms: Quantiles


class Point(Frozen):
    start_ms: float
    totals: Totals


class Group(Frozen):
    """`key` is the value grouped by: a model name, a key id, an error class, a provider, the name
    that was asked for."""

    key: str
    totals: Totals


class TargetGroup(Frozen):
    """What a target of a route was asked, every attempt counted."""

    route: str
    provider: str
    model: str
    totals: Totals


class Overview(Frozen):
    from_ms: float
    to_ms: float
    bucket_ms: float
    totals: Totals
    series: tuple[Point, ...]
    by_model: tuple[Group, ...]
    by_key: tuple[Group, ...]
    by_provider: tuple[Group, ...]
    by_error: tuple[Group, ...]
    by_route: tuple[Group, ...] = ()
    by_target: tuple[TargetGroup, ...] = ()


SpendBy = Literal["key", "project", "environment", "model", "provider", "day"]


class SpendTotals(Frozen):
    """Sums of one group over one window. `unpriced` calls are of unknown cost and are not in
    `cost_nano`. What vendors' prompt caches saved is less than 0 where writing them cost more than
    they brought; what answers out of the gateway's own cache saved is what they had cost first."""

    calls: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_nano: int = 0
    saved_by_vendor_nano: int = 0
    saved_here_nano: int = 0
    cache_hits: int = 0


class SpentOn(Frozen):
    """One key, project, environment, model, provider or day (UTC); `costs` are its nano-dollars by
    bucket."""

    key: str
    totals: SpendTotals
    costs: tuple[int, ...]


class Spending(Frozen):
    """What was spent, on the dearest first. `rest` sums up the `more` groups that are left out.

    By provider every attempt counts as a call, else the root span of each."""

    from_ms: float
    to_ms: float
    bucket_ms: float
    by: SpendBy
    totals: SpendTotals
    costs: tuple[int, ...]
    groups: tuple[SpentOn, ...]
    more: int
    rest: SpendTotals


class CostForecast(Frozen):
    """What the month (UTC) will have cost at its end: `forecast_nano` lies between `low_nano` and
    `high_nano` with `confidence`. None of the three is told before there are `days_needed` whole
    days to tell it from; `note` says so then. `unpriced` calls of the month are in no figure."""

    month: str
    spent_nano: int
    unpriced: int
    forecast_nano: int | None
    low_nano: int | None
    high_nano: int | None
    confidence: float
    days: int
    days_needed: int
    method: str
    note: str


class Verification(Frozen):
    """What `stockpot traces verify` found. `lost` must be 0."""

    spans: int
    traces: int
    payloads: int
    spooled: int
    torn_entries: int
    interrupted: int
    missing_payloads: int
    shed_payloads: int
    lost: int
    problems: tuple[str, ...]
