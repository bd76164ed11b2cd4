"""The data plane's records: what a snapshot says, what a call leaves behind, what is shipped.

All are msgspec Structs without I/O. Snapshot parts are encoded as MessagePack maps (a worker one
version older ignores a field that it does not know); records are arrays, for size and speed, and
grow only at their end.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stockpot.prices import PriceRow

PayloadPolicy = Literal["none", "masked", "full"]
DisconnectPolicy = Literal["cancel", "drain", "partial"]
Endpoint = Literal[
    "chat", "completions", "embeddings", "speech", "transcriptions", "translations",
    "images", "image_edits", "moderations", "rerank",
]  # fmt: skip
"""What a route serves."""
DegradePolicy = Literal["never", "hints", "all"]
Strategy = Literal["weighted", "priority", "least_latency", "least_cost", "least_busy"]
Sticky = Literal["never", "session", "user"]
RuleSource = Literal["header", "metadata", "tag", "project"]

SNAPSHOT_PART = "gateway"
SNAPSHOT_PART_VERSION = 1


# --- the snapshot: data only ------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True):
    """One capability's share of a snapshot, opaque to all others."""

    name: str
    version: int
    data: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """One immutable state of the whole configuration, as published by the control plane."""

    revision: int
    created_ms: int
    parts: tuple[Part, ...]
    trial: bool = False
    """One worker serves it alone, and it may be taken back: not to be kept for a restart."""


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds. `idle_s` is the longest silence inside an answer, `total_s` bounds one attempt."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 600.0


class Target(msgspec.Struct, frozen=True):
    """One upstream that can serve a model.

    `base_url` ends before the endpoint's path (`https://host/v1`); `headers` already hold the
    resolved credential, which is why snapshots are sealed on disk.
    """

    id: str
    provider: str
    wire: str
    base_url: str
    model: str
    headers: tuple[tuple[str, str], ...] = ()
    timeouts: Timeouts = Timeouts()
    stream_usage: Literal["inject", "always", "never"] = "inject"
    prices: tuple[PriceRow, ...] = ()
    free: bool = False
    smoke: bool = False
    native: tuple[str, ...] = ()
    """Dialects that the upstream speaks besides its wire's own."""
    options: dict[str, str] = {}
    """Settings of the wire, such as a region or an API version; secrets among them."""
    returns: bool = False
    """Whether somebody starts it again when it is gone, as an engine of the instance: calls that
    have nowhere else to go wait a moment for it."""


class WeightedTarget(msgspec.Struct, frozen=True):
    """A share of a route. Lower tiers are tried first; inside a tier `weight` is the share."""

    target: str
    weight: int = 1
    tier: int = 0


class Rule(msgspec.Struct, frozen=True):
    """Calls whose `source` has one of these values go to these targets.

    `field` names the header (in lower case) or the metadata field; a tag or a project has none.
    Exactly one of `targets` (ids) and `tier` is given. `only` keeps the call from going anywhere
    else when they fail.
    """

    name: str
    source: RuleSource
    values: tuple[str, ...]
    field: str = ""
    targets: tuple[str, ...] = ()
    tier: int | None = None
    only: bool = False


class Breaker(msgspec.Struct, frozen=True, order=True):
    """When a target rests, and how long.

    After `failures` in a row, or when of at least `window_calls` calls within `window_s` the share
    `window_share` failed; for `pause_s`, and twice as long after each probe that fails, at most
    `pause_most_s`. In the order of strictness.
    """

    failures: int = 3
    window_share: float = 0.5
    window_calls: int = 10
    window_s: float = 10.0
    pause_s: float = 1.0
    pause_most_s: float = 30.0


class Hedge(msgspec.Struct, frozen=True):
    """A second try while the first is silent for longer than nearly all of its kind.

    The wait is the 95th percentile of the target's time to the first byte, within these bounds;
    `share` of a route's calls may have one, `burst` of them at once after a quiet time.
    """

    share: float = 0.05
    min_ms: int = 20
    max_ms: int = 10_000
    burst: float = 5.0


class Shadow(msgspec.Struct, frozen=True):
    """A copy of a share of calls to another target, once the client has its answer."""

    target: str
    share: float = 0.01
    concurrency: int = 4
    """Copies on their way at once, in one worker."""


class Route(msgspec.Struct, frozen=True):
    """What a model name (an alias) means: targets in tiers, how to choose, and how to retry.

    `retry_on` names error classes: connect, timeout, rate_limit, server, stream.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    targets: tuple[WeightedTarget, ...]
    attempts: int = 3
    retry_on: tuple[str, ...] = ("connect", "timeout", "rate_limit", "server", "stream")
    backoff_ms: int = 50
    max_retry_after_s: float = 5.0
    created_ms: int = 0
    timeouts: Timeouts | None = None
    """Of each attempt, instead of the target's own."""
    degrade: DegradePolicy = "hints"
    """What may be left out of a request that is translated, where the target's format cannot say
    it: nothing, what changes how an answer comes about, or also what was asked."""
    strategy: Strategy = "weighted"
    """How the targets of a tier are ordered for a call."""
    rules: tuple[Rule, ...] = ()
    """Looked at first, in order; the first that holds decides."""
    sticky: Sticky = "never"
    """What keeps calls at one target: their session (else their user), or their user."""
    retry_share: float = 0.2
    retry_floor: float = 2.0
    """Tries at targets that are not well: this share of calls, and so many a second besides."""
    hedge: Hedge | None = None
    shadow: Shadow | None = None
    retry_burst: float = 20.0
    """So many of these tries may come at once after a quiet time."""
    breaker: Breaker | None = None
    """Of its targets. Where several routes name a target, the strictest that one of them states
    holds; None states nothing."""


class Budget(msgspec.Struct, frozen=True):
    """A cap in nano-dollars per period for one scope (a key or a project)."""

    id: str
    limit_nano: int
    period: Literal["day", "week", "month", "total"] = "month"
    when_away: Literal["closed", "continue"] = "closed"
    away_multiple: float = 1.0


class Limits(msgspec.Struct, frozen=True):
    """Requests and tokens per minute and calls at once; 0 is unlimited."""

    rpm: int = 0
    tpm: int = 0
    concurrency: int = 0


class ModelLimits(msgspec.Struct, frozen=True):
    """Limits of one model, by the name that clients use."""

    model: str
    limits: Limits


class CachePolicy(msgspec.Struct, frozen=True):
    """Answers to the same request again: who shares them, how old they may be, how large. A time of
    0 turns a project's policy off for a key."""

    ttl_s: int
    scope: Literal["key", "project"] = "key"
    max_entry: int = 1 << 20


class Project(msgspec.Struct, frozen=True):
    """`user_limits` are those of each end user by himself, `model_limits` those of single models;
    both over all keys of the project."""

    id: str
    name: str
    limits: Limits = Limits()
    budgets: tuple[Budget, ...] = ()
    user_limits: Limits = Limits()
    model_limits: tuple[ModelLimits, ...] = ()
    cache: CachePolicy | None = None


class Key(msgspec.Struct, frozen=True):
    """A virtual key. Only the SHA-256 of its secret is known here."""

    id: str
    hash: bytes
    name: str
    project: str
    environment: str
    state: Literal["active", "disabled"] = "active"
    expires_ms: int = 0
    models: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    limits: Limits = Limits()
    budgets: tuple[Budget, ...] = ()
    payloads: PayloadPolicy = "full"
    on_disconnect: DisconnectPolicy = "cancel"
    on_ledger_full: Literal["refuse", "pass"] = "refuse"
    user_limits: Limits = Limits()
    """Of each end user of this key by himself."""
    model_limits: tuple[ModelLimits, ...] = ()
    cache: CachePolicy | None = None
    """None is the project's."""


class GatewayPart(msgspec.Struct, frozen=True):
    """Version 1 of the part named `gateway`."""

    keys: tuple[Key, ...]
    projects: tuple[Project, ...]
    routes: tuple[Route, ...]
    targets: tuple[Target, ...]
    rate_share: float = 1.0
    """Share of each rate limit that one worker may admit: 1 / number of workers."""


# --- what a call leaves behind ------------------------------------------------------------------


class Start(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Written before an attempt leaves for its upstream; turns into an `interrupted` record if no
    Record follows before the worker dies."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    start_ns: int
    project: str
    environment: str
    key_id: str
    endpoint: str
    route: str
    provider: str
    target: str
    model: str
    estimated_input: int
    estimated_cost_nano: int | None
    price_id: str


class Verdict(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one guardrail rule said of the texts of a call at one place, never the texts.

    The first of a call has no rule and stands for the whole policy, whose name is in `rail`: the
    strongest action, all microseconds of processor time, and the most characters of an answer that
    were held back at once. `found` are types with their counts. `failed` is `error` or `budget`.
    """

    rule: str
    rail: str
    where: str
    action: str
    shadow: bool = False
    found: tuple[tuple[str, int], ...] = ()
    us: int = 0
    failed: str = ""
    held: int = 0


class Record(msgspec.Struct, array_like=True, gc=False):
    """The ledger entry of one attempt (about 300 bytes); its payload travels apart.

    A trace's root span is the last attempt; earlier attempts are its children. A call refused
    before any attempt (limit, budget, unknown model) leaves one record without a target.

    Times are nanoseconds; `stages` are durations in the order of `STAGES`. `cost_nano` None means
    that no price is known; `cost_detail` are its parts in the order of `prices.BUCKETS` and may end
    early. `usage_source`: provider (reported), estimated (counted here), none.
    """

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    is_root: bool
    start_ns: int
    duration_ns: int
    project: str
    environment: str
    key_id: str
    endpoint: str
    route: str
    provider: str
    target: str
    model: str
    served_model: str
    status: int
    error: str
    error_message: str
    finish_reason: str
    stream: bool
    attempt: int
    ttft_ns: int
    tpot_ns: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    usage_source: str
    cost_nano: int | None
    cost_detail: tuple[int, ...]
    price_id: str
    user: str
    session: str
    tags: tuple[str, ...]
    client: str
    response_id: str
    stages: tuple[int, ...]
    request_bytes: int
    response_bytes: int
    payload: int
    """0 none by policy, 1 full, 2 masked, 3 shed (the spool was short of room)."""
    revision: int
    dialect: str = "openai"
    """The client's."""
    degraded: tuple[str, ...] = ()
    """Fields of the request that the target's format could not say."""
    route_reason: str = ""
    """Why this target: the strategy's name, `rule:NAME`, sticky, breaker (the first choice was not
    well), fallback, retry, hedge or shadow; empty where there was nothing to choose."""
    usage_detail: tuple[int, ...] = ()
    """The usage beyond its first five figures, in the order of `prices.DETAIL`; may end early."""
    service_tier: str = ""
    """The vendor's word for the tier that served the call."""
    unit_prices: tuple[int, ...] = ()
    """Pico-dollars of the parts in `cost_detail`; the quantities follow from the usage."""
    price_source: str = ""
    saved_nano: int = 0
    """What a vendor's prompt cache saved (less than 0: writing it cost more than it brought), or
    what an answer out of the gateway's own cache had cost."""
    cache: str = ""
    """The gateway's own: hit, miss, or '' where it was not asked."""
    dataset_run: str = ""
    """The evaluation that made the call, as its header says; `dataset_item` is the row."""
    dataset_item: str = ""
    prompt_name: str = ""
    """The prompt that the call named, with its version and the label that led there."""
    prompt_version: str = ""
    prompt_label: str = ""
    exposures: tuple[tuple[str, str, str], ...] = ()
    """Experiments that this call is counted in: the experiment's name, the arm's, and the name that
    the unit has in records (`assign.Drawn.unit`). One to each subject that the call came through,
    first the one that was met first. Every attempt of a call carries them."""
    guardrails: tuple[Verdict, ...] = ()
    """What the policy that held for this call said; empty where none did."""


STAGES = ("read", "auth", "limits", "route", "connect", "upstream", "account")
"""Names of `Record.stages`: reading the request, the pipeline's stages, time to a ready upstream
connection, waiting for and reading the upstream, and settling."""


class Shipped(msgspec.Struct, array_like=True, gc=False):
    """One record with its payload, as it goes to ingest. Bodies are None when not kept."""

    record: Record
    request: bytes | None = None
    response: bytes | None = None


class Shipment(msgspec.Struct, array_like=True):
    """Records of one spool stream between two ledger offsets (bytes, whole entries).

    `stream` is unique per worker process (`<host>-<slot>-<started_ms>`). Ingest commits the
    records and the new offset in one transaction and answers `ShipmentAck`; a shipment whose
    `begin` is not the committed offset is refused with the offset to go on from, so that a repeated
    shipment can neither be lost nor be counted twice.
    """

    stream: str
    segment: int
    begin: int
    end: int
    items: tuple[Shipped, ...]


class ShipmentAck(msgspec.Struct):
    """`rejected` spans of requests in it could not be kept, `message` says why; -1 is a request
    that could not be read at all."""

    stream: str
    segment: int
    offset: int
    rejected: int = 0
    message: str = ""


# --- leases and heartbeats ------------------------------------------------------------------


class LeaseRequest(msgspec.Struct):
    """A worker reports what it spent since its last report and asks for more, per budget."""

    worker: str
    budgets: dict[str, LeaseAsk]


class LeaseAsk(msgspec.Struct):
    """Nano-dollars: `spent` since the last acknowledged report, `want` to hold from now on, and the
    smallest call that was `refused` for good since then, 0 when none was."""

    spent: int
    want: int
    sequence: int
    refused: int = 0


class LeaseGrant(msgspec.Struct):
    """`held` is what the worker may still spend; `period_end_ms` is when the period ends (0 never);
    `exhausted` says that the budget itself, not only the lease, is used up; `left` is what nobody
    has spent of it, -1 when the lender does not say."""

    held: int
    period_end_ms: int
    exhausted: bool
    left: int = -1


class LeaseReply(msgspec.Struct):
    budgets: dict[str, LeaseGrant]


class TargetState(msgspec.Struct):
    """What one worker saw of one target. `breaker` is closed, open or half_open."""

    ok: int = 0
    errors: int = 0
    last_error: str = ""
    last_ok_ms: int = 0
    last_error_ms: int = 0
    cooling_until_ms: int = 0
    in_flight: int = 0
    breaker: str = "closed"
    opened: int = 0
    """How often the breaker opened."""
    limited_until_ms: int = 0
    """Until when the vendor's own headers say that nothing is left."""
    first_byte_ms: float = 0.0
    first_byte_p95_ms: float = 0.0
    """Of streams, where a route asks for it."""


class Heartbeat(msgspec.Struct):
    """Sent by each worker every few seconds; counters are totals since the worker's start."""

    worker: str
    pid: int
    revision: int
    spool_state: str
    counters: dict[str, float]
    targets: dict[str, TargetState]
