"""What a monitor watches, when it alerts, and where it tells. Frozen, typed, without I/O.

Times are Unix milliseconds, spans of time seconds. A threshold has its metric's unit: milliseconds
for latency, TTFT and TPOT, a share from 0 to 1 for the error rate, nano-dollars for cost, and
numbers for the rest.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stockpot.traces import Badge

MINUTE_S = 60
DAY_S = 86_400

Metric = Literal[
    "latency_p50", "latency_p95", "latency_p99", "ttft_p50", "ttft_p95", "ttft_p99", "tpot_p50",
    "tpot_p95", "tpot_p99", "error_rate", "calls", "cost", "tokens", "score_mean",
]  # fmt: skip
Indicator = Literal["errors", "latency", "ttft", "tpot", "score"]
Severity = Literal["page", "ticket"]
State = Literal["ok", "pending", "firing", "resolved", "no_data"]
SUMS: frozenset[str] = frozenset({"calls", "cost", "tokens"})
"""Metrics that are 0, not unknown, where nothing happened; no minimum of samples applies."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# No NUL anywhere: Postgres keeps none in a text.
CLEAN = r"^[^\x00]*$"
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=CLEAN)]
Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[^\s\x00]([^\x00]*[^\s\x00])?$")
]
ScoreName = Annotated[str, Field(max_length=100, pattern=CLEAN)]
ProjectName = Annotated[str, Field(max_length=63, pattern=CLEAN)]
Id = Annotated[str, Field(min_length=1, max_length=40, pattern=CLEAN)]


class MonitorSlice(Frozen):
    """Whose calls a monitor looks at: each given value must hold. Cut by provider, kind or error
    every span counts, since each attempt met one provider; else calls alone. `route` is the model
    name that was asked for."""

    environment: Word | None = None
    kind: Word | None = None
    provider: Word | None = None
    model: Word | None = None
    key_id: Word | None = None
    route: Word | None = None
    prompt_name: Word | None = None
    prompt_version: Word | None = None
    experiment: Word | None = None
    variant: Word | None = None
    error: Word | None = None

    def where(self, project: str) -> dict[str, str]:
        """As the span log wants it; '' is every project."""
        given = {"project": project} if project else {}
        return given | {k: v for k, v in self.model_dump().items() if v is not None}


class ThresholdRule(Frozen):
    """A metric of the last `window_s` beyond a value.

    It fires after it was beyond for `for_s`, and is resolved after it was back for `back_for_s` on
    the good side of `back_at`: with `back_at` set apart from `threshold`, a value that dances
    around the threshold alerts once. Fewer than `min_samples` calls (or scores) tell nothing.
    """

    kind: Literal["threshold"] = "threshold"
    metric: Metric
    score: ScoreName = ""
    op: Literal["above", "below"] = "above"
    threshold: float = Field(ge=-1e15, le=1e15, allow_inf_nan=False)
    back_at: float | None = Field(None, ge=-1e15, le=1e15, allow_inf_nan=False)
    window_s: int = Field(300, ge=MINUTE_S, le=7 * DAY_S, multiple_of=MINUTE_S)
    for_s: int = Field(0, ge=0, le=DAY_S)
    back_for_s: int = Field(60, ge=0, le=DAY_S)
    min_samples: int = Field(20, ge=1, le=10**9)
    severity: Severity = "page"

    @model_validator(mode="after")
    def _sensible(self) -> ThresholdRule:
        if (self.metric == "score_mean") != bool(self.score):
            raise ValueError("score_mean needs the name of a score, other metrics have none")
        if self.back_at is not None:
            wrong = self.back_at > self.threshold
            if self.op == "below":
                wrong = self.back_at < self.threshold
            if wrong:
                raise ValueError("back_at must lie on the good side of the threshold")
        return self


class BurnWindow(Frozen):
    """Fires when the error budget burns `factor` times too fast over both windows: the long one
    says that it matters, the short one that it still goes on."""

    long_s: int = Field(ge=5 * MINUTE_S, le=14 * DAY_S, multiple_of=MINUTE_S)
    short_s: int = Field(ge=MINUTE_S, le=DAY_S, multiple_of=MINUTE_S)
    factor: float = Field(gt=0, le=10_000, allow_inf_nan=False)
    severity: Severity = "page"

    @model_validator(mode="after")
    def _ordered(self) -> BurnWindow:
        if self.short_s >= self.long_s:
            raise ValueError("the short window must be shorter than the long one")
        return self


_RECOMMENDED: tuple[tuple[float, int, int, Severity], ...] = (
    (0.02, 3600, 300, "page"),
    (0.05, 6 * 3600, 1800, "page"),
    (0.10, 3 * DAY_S, 6 * 3600, "ticket"),
)
"""Share of the period's budget, long and short window, severity: table 5-8 of "The Site Reliability
Workbook" (Beyer, Murphy, Rensin, Kawahara, Thorne, eds., O'Reilly 2018), chapter 5, "Alerting on
SLOs", way 6: multiwindow, multi-burn-rate alerts."""


def recommended_windows(period_days: int) -> tuple[BurnWindow, ...]:
    """The workbook's windows; over 30 days their factors are 14.4, 6 and 1."""
    return tuple(
        BurnWindow(
            long_s=long_s,
            short_s=short_s,
            factor=round(share * period_days * DAY_S / long_s, 4),
            severity=severity,
        )
        for share, long_s, short_s, severity in _RECOMMENDED
    )


class BurnRateRule(Frozen):
    """A service level objective, alerted on by how fast its error budget burns.

    `objective` is the share of good calls. A bad one ended not ok (`errors`), was slower than
    `bound` milliseconds (`latency`, `ttft`, `tpot`), or was scored below `bound` (`score`). A
    window speaks only where its long part saw `min_samples`.
    """

    kind: Literal["burn_rate"] = "burn_rate"
    indicator: Indicator = "errors"
    bound: float | None = Field(None, ge=-1e12, le=1e12, allow_inf_nan=False)
    score: ScoreName = ""
    objective: float = Field(ge=0.5, le=0.99999)
    period_days: int = Field(30, ge=1, le=90)
    windows: tuple[BurnWindow, ...] = Field((), max_length=5)
    back_for_s: int = Field(60, ge=0, le=DAY_S)
    min_samples: int = Field(100, ge=1, le=10**9)

    @model_validator(mode="after")
    def _sensible(self) -> BurnRateRule:
        if (self.indicator == "errors") != (self.bound is None):
            raise ValueError("errors have no bound, every other indicator needs one")
        if (self.indicator == "score") != bool(self.score):
            raise ValueError("the indicator score needs the name of a score, others have none")
        return self

    @property
    def watched(self) -> tuple[BurnWindow, ...]:
        """The windows given, or those of the workbook."""
        return self.windows or recommended_windows(self.period_days)


class CheckRule(Frozen):
    """The runs of a check (`canary:menu`, `drift:inputs`): it fires when the last `runs` of them
    alarmed, one after another, and is resolved by the first that did not. The slice says nothing
    here."""

    kind: Literal["check"] = "check"
    check: str = Field(pattern=r"^(online|drift|canary|pipeline):[a-z0-9][a-z0-9._-]{0,99}$")
    runs: int = Field(1, ge=1, le=20)
    back_for_s: int = Field(0, ge=0, le=DAY_S)
    severity: Severity = "page"

    @property
    def named(self) -> tuple[str, str]:
        """The kind and the name of the check."""
        kind, _, name = self.check.partition(":")
        return kind, name


FigureRule = ThresholdRule | BurnRateRule
"""Rules over what is counted, minute by minute."""

Rule = Annotated[ThresholdRule | BurnRateRule | CheckRule, Field(discriminator="kind")]

# --- monitors -------------------------------------------------------------------------------------


class MonitorSettings(Frozen):
    """What a monitor is but for its place. `no_data` says what silence means: `keep` leaves the
    state as it was, `resolve` ends an alert, `alert` makes silence itself one. A firing alert is
    told again every `remind_s`; 0: never."""

    name: Name
    description: str = Field("", max_length=2000, pattern=CLEAN)
    slice: MonitorSlice = MonitorSlice()
    rule: Rule
    channels: tuple[Id, ...] = Field((), max_length=20)
    remind_s: int = Field(4 * 3600, ge=0, le=7 * DAY_S)
    no_data: Literal["keep", "resolve", "alert"] = "keep"
    enabled: bool = True


class NewMonitor(MonitorSettings):
    """A monitor and its project; '' watches every project, which needs a role on the instance."""

    project: ProjectName


class Standing(Frozen):
    """How a monitor stands. `value` has the metric's unit, or is the burn rate of the window that
    is nearest to firing; `reason` says it in words."""

    state: State = "no_data"
    since_ms: float = 0
    value: float | None = None
    samples: int = 0
    severity: Severity = "page"
    reason: str = ""
    evaluated_ms: float | None = None
    alert_id: str | None = None
    silenced_until_ms: float | None = None
    badges: tuple[Badge, ...] = ()
    """Of a rule on scores: the certificates of the judges who gave them."""


class Spark(Frozen):
    """The last hour, a value a minute, oldest first; unknown where there was too little."""

    until_ms: float
    values: tuple[float | None, ...]


class Monitor(NewMonitor):
    """A monitor, how it stands, and what its metric did."""

    id: str
    standing: Standing = Standing()
    spark: Spark | None = None
    created_ms: float
    created_by: str
    updated_ms: float


class Alert(Frozen):
    """One episode, from firing to resolved. `worst` is the value that was farthest beyond."""

    id: str
    monitor_id: str
    project: str
    monitor: str
    severity: Severity
    state: Literal["firing", "resolved"]
    started_ms: float
    resolved_ms: float | None
    value: float | None
    worst: float | None
    reason: str
    silenced: bool = False
    told_ms: float | None = None
    reminders: int = 0


# --- telling --------------------------------------------------------------------------------------


class ChannelSettings(Frozen):
    """Where alerts are sent. The URL may hold a secret: it is kept encrypted and never shown in
    full. None keeps the present one."""

    name: Name
    kind: Literal["webhook", "slack"] = "webhook"
    url: str | None = Field(None, min_length=1, max_length=2000, repr=False)


class NewChannel(ChannelSettings):
    project: ProjectName


class Channel(Frozen):
    """`address` is the URL as it may be shown: without its path and query."""

    id: str
    project: str
    name: str
    kind: Literal["webhook", "slack"]
    address: str
    created_ms: float
    created_by: str


class CreatedChannel(Frozen):
    """The only time that the secret which signs a webhook is shown; '' for Slack."""

    channel: Channel
    secret: str


Said = Literal["firing", "reminder", "resolved", "test"]


class Delivery(Frozen):
    """One message to one channel. `dead` was given up; it can be tried again by hand."""

    id: str
    channel_id: str
    channel: str
    project: str
    monitor_id: str
    alert_id: str
    said: Said
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    created_ms: float
    next_ms: float | None
    delivered_ms: float | None
    status: int
    error: str


class ChannelTest(Frozen):
    """What came of a test message."""

    ok: bool
    status: int
    duration_ms: float
    error: str


# --- silences -------------------------------------------------------------------------------------


class NewSilence(Frozen):
    """Nothing is sent until then. Without a monitor all of the project is silent."""

    project: ProjectName
    monitor_id: Id | None = None
    until_ms: float = Field(gt=0, lt=9e12)
    reason: str = Field(min_length=1, max_length=500, pattern=CLEAN)


class Silence(NewSilence):
    id: str
    created_ms: float
    created_by: str
    ended_ms: float | None = None

    def holds(self, at_ms: float) -> bool:
        """Whether it is in force."""
        return self.ended_ms is None and self.created_ms <= at_ms < self.until_ms

    def covers(self, project: str, monitor_id: str) -> bool:
        """Whether it is about a monitor."""
        return self.monitor_id == monitor_id or (
            self.monitor_id is None and self.project == project
        )


# --- looking back ---------------------------------------------------------------------------------


class MonitorTrial(Frozen):
    """What a monitor would have done in the last `hours`."""

    project: ProjectName
    slice: MonitorSlice = MonitorSlice()
    rule: Rule
    no_data: Literal["keep", "resolve", "alert"] = "keep"
    hours: int = Field(24, ge=1, le=24 * 14)


class AlertEpisode(Frozen):
    """When it would have fired; `until_ms` is None for one that would go on now."""

    from_ms: float
    until_ms: float | None
    severity: Severity
    worst: float | None


class MonitorHistory(Frozen):
    """A metric's history. `lines` are the values to compare with: the threshold and where it is
    back, or the factors of the burn rates; `series` has one list for each window of a burn rate."""

    from_ms: float
    to_ms: float
    step_ms: float
    series: tuple[tuple[float | None, ...], ...]
    titles: tuple[str, ...]
    lines: tuple[float, ...]
    samples: int
    episodes: tuple[AlertEpisode, ...]
    badges: tuple[Badge, ...] = ()


# --- between service and rule ---------------------------------------------------------------------


class Reading(NamedTuple):
    """What one look found. `beyond` and `back` are None where too little is known."""

    value: float | None
    samples: int
    beyond: bool | None
    back: bool | None
    severity: Severity
    reason: str
    badges: tuple[Badge, ...] = ()
