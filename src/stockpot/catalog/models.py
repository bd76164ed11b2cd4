"""Projects, virtual keys, providers, models and events, as the API shows them. Without I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


PayloadPolicy = Literal["none", "masked", "full"]
Kind = Literal["chat", "embedding", "image", "audio", "moderation", "rerank"]
"""What a model is for."""


class LimitSpec(Frozen):
    """Requests and tokens per minute, calls at once; 0 is unlimited."""

    rpm: int = Field(0, ge=0, le=1_000_000_000)
    tpm: int = Field(0, ge=0, le=1_000_000_000_000)
    concurrency: int = Field(0, ge=0, le=1_000_000)


class ApartSpec(Frozen):
    """Limits within a key or a project: of each end user by himself, and of single models."""

    users: LimitSpec = LimitSpec()
    models: dict[str, LimitSpec] = Field(default_factory=dict, max_length=1000)


class BudgetSpec(Frozen):
    """A cap in nano-dollars. `when_away` says what happens when leases run out while the control
    plane is away: refuse, or continue up to `away_multiple` times the last lease."""

    limit_nano: int = Field(gt=0, le=10**18)
    period: Literal["day", "week", "month", "total"] = "month"
    when_away: Literal["closed", "continue"] = "closed"
    away_multiple: float = Field(1.0, ge=0, le=100)


class CacheSpec(Frozen):
    """Answers to the same request again, out of the gateway: how old they may be (0 is never), who
    shares them, and how large they may be in bytes."""

    ttl_s: int = Field(ge=0, le=30 * 86_400)
    scope: Literal["key", "project"] = "key"
    max_entry: int = Field(1 << 20, ge=1, le=1 << 26)


class BudgetState(Frozen):
    spec: BudgetSpec
    spent_nano: int
    leased_nano: int
    period_start_ms: float
    period_end_ms: float | None


class Project(Frozen):
    """A project is a use case."""

    id: str
    name: str
    owner: str
    description: str
    archetype: Literal["prompt", "rag", "fine-tune", "agent"]
    domain: str
    stage: Literal["crawl", "walk", "run"]
    risk_tier: Literal["low", "medium", "high"]
    target_metric: str
    environments: tuple[str, ...]
    limits: LimitSpec
    budget: BudgetState | None
    payloads: PayloadPolicy
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None
    created_ms: float


Text = Annotated[str, Field(max_length=2000)]


class NewProject(Frozen):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    owner: Text = ""
    description: Text = ""
    archetype: Literal["prompt", "rag", "fine-tune", "agent"] = "prompt"
    domain: Text = ""
    stage: Literal["crawl", "walk", "run"] = "crawl"
    risk_tier: Literal["low", "medium", "high"] = "low"
    target_metric: Text = ""
    limits: LimitSpec = LimitSpec()
    budget: BudgetSpec | None = None
    payloads: PayloadPolicy | None = None
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None


class ProjectSettings(Frozen):
    """What to change of a project; None keeps the present value."""

    owner: Text | None = None
    description: Text | None = None
    archetype: Literal["prompt", "rag", "fine-tune", "agent"] | None = None
    domain: Text | None = None
    stage: Literal["crawl", "walk", "run"] | None = None
    risk_tier: Literal["low", "medium", "high"] | None = None
    target_metric: Text | None = None
    limits: LimitSpec | None = None
    budget: BudgetSpec | None = None
    payloads: PayloadPolicy | None = None
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None


class VirtualKey(Frozen):
    """A key as it can be shown: `prefix` are the first characters of its secret."""

    id: str
    name: str
    prefix: str
    project: str
    environment: str
    state: Literal["active", "disabled", "expired", "revoked"]
    expires_ms: float | None
    models: tuple[str, ...]
    networks: tuple[str, ...]
    limits: LimitSpec
    budget: BudgetState | None
    payloads: PayloadPolicy
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None
    """None is the project's."""
    on_disconnect: Literal["cancel", "drain", "partial"]
    on_ledger_full: Literal["refuse", "pass"]
    created_ms: float
    created_by: str
    owner_id: str = ""
    """The user who may look after it with the role `own`; empty when it is nobody's."""


Name = Annotated[str, Field(min_length=1, max_length=200)]


class KeySettings(Frozen):
    """Everything that can be chosen for a key; None keeps the project's or the present value.

    `expires_ms` 0 is never; no `models` and no `networks` allow all.
    """

    environment: Name | None = None
    state: Literal["active", "disabled"] | None = None
    expires_ms: float | None = Field(None, ge=0, lt=1e14)
    models: tuple[Name, ...] | None = Field(None, max_length=1000)
    networks: tuple[Name, ...] | None = Field(None, max_length=1000)
    limits: LimitSpec | None = None
    budget: BudgetSpec | None = None
    payloads: PayloadPolicy | None = None
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None
    on_disconnect: Literal["cancel", "drain", "partial"] | None = None
    on_ledger_full: Literal["refuse", "pass"] | None = None


class NewKey(KeySettings):
    name: str = Field(min_length=1, max_length=100)
    project: Name = "default"
    owner: str | None = Field(None, min_length=1, max_length=320)
    """The e-mail address of the user whose key it is; the caller's when left out."""


class CreatedKey(Frozen):
    """The only time that a key's secret is shown; `key` is the secret."""

    key: str
    record: VirtualKey


class NewRequest(Frozen):
    """What a member of a project asks for: a `model` for a key, or a budget of `limit_nano` for a
    key that has one, or without a key for the project."""

    key_id: Name | None = None
    project: Name | None = None
    model: Name | None = None
    limit_nano: int | None = Field(None, gt=0, le=10**18)
    reason: str = Field(min_length=1, max_length=2000)


class Decided(Frozen):
    """What whoever decides says to who asked."""

    note: Text = ""


class ProviderVendor(Frozen):
    """A row of the vendors' table that a user can connect."""

    name: str
    title: str
    wire: str
    base_url: str
    needs_secret: bool
    local: bool
    verified: bool


class Provider(Frozen):
    """A connected upstream. The secret is never shown; `secret_hint` are its last 4 characters, or
    the name of the environment variable that holds it."""

    name: str
    vendor: str
    title: str
    wire: str
    base_url: str
    origin: Literal["engine", "environment", "local", "console"]
    secret_hint: str
    models: tuple[str, ...]
    created_ms: float
    routable: bool = True
    notice: str = ""
    """Why it cannot be routed to, or what to know about it."""


class ProviderSettings(Frozen):
    """Connecting a provider by hand. `secret` is stored encrypted and cannot be read back;
    `secret_ref` names it instead: `env:NAME` or `file:/path` where the control plane runs."""

    vendor: Name
    base_url: str | None = Field(None, max_length=2000)
    secret: str | None = Field(None, repr=False, min_length=1, max_length=10_000)
    secret_ref: str | None = Field(
        None, pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\x00\r\n]+)$", max_length=2000
    )
    models: tuple[Name, ...] = Field((), max_length=10_000)


class TargetHealth(Frozen):
    """`breaker` closed lets calls through, open none, half_open one at a time as a probe."""

    id: str
    provider: str
    model: str
    base_url: str
    wire: str
    weight: int
    tier: int
    state: Literal["healthy", "failing", "cooling", "unknown"]
    last_error: str
    last_ok_ms: float | None
    in_flight: int
    price: dict[str, float] | None
    """Dollars per million tokens by bucket, or None when no price is known."""
    price_source: str
    free: bool
    breaker: Literal["closed", "open", "half_open"] = "closed"
    limited_until_ms: float | None = None
    """Until when the vendor says that nothing is left of a rate limit."""
    first_byte_ms: float | None = None
    """How long streams take to begin, where a route asks for it."""


class TimeoutSpec(Frozen):
    """Seconds of one attempt: to connect, to the first byte, of silence, in all. 0 is no bound."""

    connect_s: float = Field(5.0, ge=0, le=3600)
    first_byte_s: float = Field(120.0, ge=0, le=3600)
    idle_s: float = Field(60.0, ge=0, le=3600)
    total_s: float = Field(600.0, ge=0, le=86_400)


class RuleSpec(Frozen):
    """Calls whose header, metadata field, tag or project has one of these values go to these
    targets first, or to this tier; with `only`, nowhere else.

    `field` names the header or the metadata field. `targets` are written `provider/model` and are
    among the route's; one of weight 0 gets such calls alone.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    source: Literal["header", "metadata", "tag", "project"]
    field: str = Field("", max_length=100, pattern=r"^[!-~]*$")
    values: tuple[Name, ...] = Field(min_length=1, max_length=100)
    targets: tuple[Name, ...] = Field((), max_length=100)
    tier: int | None = Field(None, ge=0, le=100)
    only: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> RuleSpec:
        if bool(self.field) != (self.source in ("header", "metadata")):
            raise ValueError("a header and a metadata field have a name, a tag and a project none")
        if bool(self.targets) == (self.tier is not None):
            raise ValueError("a rule names targets or a tier")
        if self.source == "header" and self.field.lower() in _SECRET_HEADERS:
            raise ValueError(f"{self.field!r} holds a key; route by project instead")
        return self


_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"})


class HedgeSpec(Frozen):
    """A second try at the next target while the first is silent for longer than 95 of 100 of its
    answers took to begin, within these bounds; at most this share of calls has one, and `burst` of
    them at once after a quiet time."""

    share: float = Field(0.05, gt=0, le=1)
    min_ms: int = Field(20, ge=0, le=600_000)
    max_ms: int = Field(10_000, ge=1, le=600_000)
    burst: float = Field(5.0, ge=1, le=10_000)

    @model_validator(mode="after")
    def _is_a_range(self) -> HedgeSpec:
        if self.min_ms > self.max_ms:
            raise ValueError("min_ms is above max_ms")
        return self


class BreakerSpec(Frozen):
    """When a target rests: after so many `failures` in a row, or when of at least `window_calls`
    calls within `window_s` seconds such a share failed. It rests `pause_s` seconds, and twice as
    long after each probe that fails, at most `pause_most_s`. Of several routes that state this of
    one target the strictest holds."""

    failures: int = Field(3, ge=1, le=1000)
    window_share: float = Field(0.5, gt=0, le=1)
    window_calls: int = Field(10, ge=1, le=10_000)
    window_s: float = Field(10.0, ge=1, le=3600)
    pause_s: float = Field(1.0, ge=0.05, le=3600)
    pause_most_s: float = Field(30.0, ge=0.05, le=3600)

    @model_validator(mode="after")
    def _is_a_range(self) -> BreakerSpec:
        if self.pause_s > self.pause_most_s:
            raise ValueError("pause_s is above pause_most_s")
        return self


class ShadowSpec(Frozen):
    """A copy of this share of calls goes to a candidate once the client has its answer; at most so
    many at once from each worker."""

    provider: Name
    model: Name
    share: float = Field(0.01, gt=0, le=1)
    concurrency: int = Field(4, ge=1, le=1000)


Strategy = Literal["weighted", "priority", "least_latency", "least_cost", "least_busy"]


class RouteChoice(Frozen):
    """How a route chooses: rules first, then stickiness, then the strategy inside each tier.

    `retry_share` of its calls, and `retry_floor` a second besides, may be tried again at targets
    that are not well, `retry_burst` at once after a quiet time; a target that is well and new to a
    call is always tried.
    """

    strategy: Strategy = "weighted"
    rules: tuple[RuleSpec, ...] = Field((), max_length=50)
    sticky: Literal["never", "session", "user"] = "never"
    retry_share: float = Field(0.2, ge=0, le=10)
    retry_floor: float = Field(2.0, ge=0, le=10_000)
    retry_burst: float = Field(20.0, ge=1, le=10_000)
    breaker: BreakerSpec | None = None
    hedge: HedgeSpec | None = None
    shadow: ShadowSpec | None = None
    degrade: Literal["never", "hints", "all"] = "hints"

    @field_validator("rules")
    @classmethod
    def _are_told_apart(cls, rules: tuple[RuleSpec, ...]) -> tuple[RuleSpec, ...]:
        if len({rule.name for rule in rules}) < len(rules):
            raise ValueError("two rules have one name")
        return rules


class RouteTarget(Frozen):
    provider: Name
    model: Name
    weight: int = Field(1, ge=0, le=1_000_000)
    tier: int = Field(0, ge=0, le=100)


class Model(RouteChoice):
    """A name that applications may ask for, and what serves it. `defined` are its targets as
    they are written, in their order; `absent` those whose provider is not connected now."""

    name: str
    kind: Kind
    smoke: bool
    origin: str
    targets: tuple[TargetHealth, ...]
    defined: tuple[RouteTarget, ...] = ()
    absent: tuple[RouteTarget, ...] = ()
    attempts: int
    retry_on: tuple[str, ...]
    timeouts: TimeoutSpec
    created_ms: float


class RouteSettings(RouteChoice):
    """Define an alias: weighted targets in tiers, lower tiers first, and how to choose."""

    kind: Kind = "chat"
    targets: tuple[RouteTarget, ...] = Field(min_length=1, max_length=100)
    attempts: int = Field(3, ge=1, le=10)
    retry_on: tuple[Literal["connect", "timeout", "rate_limit", "server", "stream"], ...] = (
        "connect", "timeout", "rate_limit", "server", "stream",
    )  # fmt: skip
    timeouts: TimeoutSpec = TimeoutSpec()

    @model_validator(mode="after")
    def _rules_lead_somewhere(self) -> RouteSettings:
        known = {f"{target.provider}/{target.model}" for target in self.targets}
        tiers = {target.tier for target in self.targets}
        for rule in self.rules:
            if strange := set(rule.targets) - known:
                raise ValueError(f"rule {rule.name!r}: {min(strange)!r} is no target of this route")
            if rule.tier is not None and rule.tier not in tiers:
                raise ValueError(f"rule {rule.name!r}: this route has no tier {rule.tier}")
        return self


class TestResult(Frozen):
    """One real call to a model through the gateway."""

    ok: bool
    status: int
    duration_ms: float
    text: str
    error: str
    trace_id: str | None


class Event(Frozen):
    """Something that happened and that a person may want to know, such as a budget at 80 %."""

    id: str
    at_ms: float
    kind: str
    severity: Literal["info", "warning", "error"]
    subject: str
    message: str
    data: dict[str, object]


class ProcessState(Frozen):
    name: str
    pid: int | None
    state: Literal["running", "starting", "backing-off", "stopped"]
    restarts: int
    since_ms: float
    last_exit: str


class InstanceInfo(Frozen):
    """What the console's frame and its snippets need."""

    version: str
    gateway_url: str
    console_url: str
    revision: int
    default_model: str
    embedding_model: str | None
    processes: tuple[ProcessState, ...]
    workers: int
    notices: tuple[str, ...]
