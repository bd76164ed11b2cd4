"""Experiments, what they measure, how they stand and what was decided. Frozen, without I/O.

Weights and shares are parts of 10,000. A metric is a mean over units: of each unit the mean of its
calls, so that a unit which calls often counts as much as one that calls once. Money is US dollars
per call, times are milliseconds, `error` is the share of calls that failed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stockpot.traces import Badge

WHOLE = 10_000
"""What weights and shares are parts of."""

SPAN_METRICS = ("cost", "latency_ms", "ttft_ms", "tokens", "error")
"""Metrics that spans tell; the others are scores."""

Kind = Literal["label", "alias", "route"]
State = Literal["draft", "running", "stopped", "rolled_back", "concluded"]
Role = Literal["primary", "secondary", "guardrail"]
Direction = Literal["up", "down"]
DecisionKind = Literal[
    "started", "ramped", "rolled_back", "concluded", "srm_alarm", "stopped", "lifted", "released"
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
ArmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
Unit = Annotated[
    str, Field(pattern=r"^(user|session|key|header:[a-z0-9-]{1,80}|metadata:[A-Za-z0-9_.-]{1,80})$")
]
MetricName = Annotated[
    str,
    Field(
        pattern=r"^(cost|latency_ms|ttft_ms|tokens|error|(score|feedback):[^\x00]{1,100})$",
        description="cost, latency_ms, ttft_ms, tokens, error, score:NAME or feedback:NAME.",
    ),
]
Part = Annotated[int, Field(ge=0, le=WHOLE)]
Reason = Annotated[str, Field(max_length=2000)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Arm(Frozen):
    """One variant: its part of the units that take part, and what stands in for the subject: a
    prompt's version or label (`NAME@7`), the name of a model. '' is the subject as it is."""

    name: ArmName
    weight: Part
    target: str = Field("", max_length=200)


class Metric(Frozen):
    """What is compared. `direction` says where better lies.

    `margin` is how much worse an arm may be: of a guardrail before it is rolled back, of a primary
    metric (above 0) while it still counts as not worse; 0 asks a primary metric to be better. With
    `relative` it is a share of the control's mean. A proportion is bounded by 0 and 1.
    """

    name: MetricName
    role: Role = "secondary"
    direction: Direction = "up"
    margin: float = Field(0.0, ge=0, le=1e12, allow_inf_nan=False)
    relative: bool = False
    kind: Literal["mean", "proportion"] = "mean"

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, given: Any) -> Any:
        """Less is better of what spans tell, more is better of scores; errors are a share."""
        if isinstance(given, dict) and given.get("name") in SPAN_METRICS:
            usual = {"direction": "down"}
            if given["name"] == "error":
                usual["kind"] = "proportion"
            return {**usual, **given}
        return given


class Stage(Frozen):
    """A step of the ramp: this share, once the stage before it has lasted `after_s` seconds and
    every arm has `units`, and nothing speaks against it."""

    share: int = Field(ge=1, le=WHOLE)
    after_s: float = Field(0.0, ge=0, le=31_536_000)
    units: int = Field(0, ge=0, le=10**9)


class NewExperiment(Frozen):
    """An experiment as it is defined, also in a file.

    `subject` is what is split: `NAME@LABEL` of a prompt, an alias, or another model name. `unit`
    says whose calls stay together. `share` is the part of the units that takes part at first, the
    others are served as if there were no experiment. Everybody who takes part is in an arm by the
    arms' weights. `control` is the arm that the others are compared with, the first where none is
    named. `auto_release` moves the subject to the winner at the end, where nothing protects it;
    otherwise the move of a label is proposed.
    """

    name: Name
    hypothesis: str = Field("", max_length=4000)
    owner: str = Field("", max_length=320)
    kind: Kind = "label"
    subject: str = Field(min_length=1, max_length=200)
    unit: Unit = "user"
    arms: tuple[Arm, ...] = Field(min_length=2, max_length=10)
    control: str = Field("", max_length=60)
    share: Part = WHOLE
    ramp: tuple[Stage, ...] = Field((), max_length=20)
    metrics: tuple[Metric, ...] = Field(min_length=1, max_length=20)
    alpha: float = Field(0.05, ge=1e-6, le=0.5)
    auto_release: bool = False

    @field_validator("subject")
    @classmethod
    def _plain(cls, subject: str) -> str:
        return subject.strip()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError("two arms have the same name")
        if self.control and self.control not in names:
            raise ValueError(f"the control {self.control!r} is no arm: {', '.join(names)}")
        if sum(arm.weight for arm in self.arms) != WHOLE:
            raise ValueError(f"the weights of the arms must add up to {WHOLE}")
        if not next(a.weight for a in self.arms if a.name == self.compared_with):
            raise ValueError("the control needs a weight above 0")
        told = [(metric.name, metric.role) for metric in self.metrics]
        if len(set(told)) != len(told):
            raise ValueError("a metric has each role once")
        shares = [self.share, *(stage.share for stage in self.ramp)]
        if shares != sorted(shares):
            raise ValueError("a ramp only rises")
        if self.kind == "label" and not all(self.subject.partition("@")):
            raise ValueError("the subject of a label's experiment is NAME@LABEL")
        return self

    @property
    def compared_with(self) -> str:
        """The control's name."""
        return self.control or self.arms[0].name


class Experiment(NewExperiment):
    """An experiment and how it stands. `share` is the one in force and `first_share` what was
    defined; `stage` counts the stages of the ramp that were reached,
    `stage_ms` is when the last one was; `winner` is the arm that it ended with. `held` is why
    stockpot rolled it back: it starts again only when somebody lifts that by name."""

    id: str
    project: str
    first_share: Part
    state: State = "draft"
    stage: int = 0
    stage_ms: float | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    winner: str = ""
    held: str = ""
    alarmed: bool = False
    created_ms: float
    created_by: str
    changed_ms: float


class Decision(Frozen):
    """Something that was decided, by whom, and the figures that justified it."""

    id: str
    at_ms: float
    kind: DecisionKind
    actor: str
    reason: str
    share_before: int
    share_after: int
    figures: dict[str, Any] = {}


class ExperimentDetail(Frozen):
    """An experiment with its decisions, newest first."""

    experiment: Experiment
    decisions: tuple[Decision, ...]


class Why(Frozen):
    """Why somebody does what they do."""

    reason: Reason = ""


class RampTo(Why):
    """The share that takes part from now on."""

    share: int = Field(ge=1, le=WHOLE)


class ReleaseTo(Why):
    """Make the winner permanent. With `expect`, what a plan told, nothing happens where another
    change would come about by now."""

    expect: str = Field("", max_length=200)


class Winner(Frozen):
    """Who won what, and the figures that decided it in a sentence."""

    experiment: str
    subject: str
    winner: str
    target: str
    reason: str


class ReleasePlan(Winner):
    """What making the winner permanent would change. `way`: a plan over the definitions is applied,
    a label is moved, or its move is proposed because others decide; `text` is the difference."""

    way: Literal["apply", "move", "propose", "nothing"]
    text: str
    expect: str
    changes: tuple[str, ...]
    conflicts: tuple[str, ...]


class Released(Winner):
    """What was done. `revision` is that of an alias, which may be `watching` on its first worker;
    0 of a label."""

    text: str
    revision: int = 0
    state: str


# --- what came of it ------------------------------------------------------------------------------


class ArmUnits(Frozen):
    """An arm in the report: how many units it has and how many calls they made. `expected` is the
    part of the units that its weight asks for; `traces` is the filter of its calls."""

    name: str
    target: str
    control: bool
    expected: float
    units: int
    calls: int
    traces: dict[str, str | float]


class ArmMean(Frozen):
    """The mean of a metric over an arm's units, with an interval that holds at all times at once.
    None where there is too little."""

    arm: str
    n: int
    mean: float | None
    low: float | None
    high: float | None


class ArmDifference(Frozen):
    """An arm minus the control. The interval [low, high] holds at all times at once, so it may be
    looked at whenever one likes; `p` is valid at all times too, and `p_adjusted` is it after Holm
    over the secondary metrics. `margin` is in the metric's own unit.

    `verdict`: better, worse (than the control); harmed (worse than the margin allows), not_worse
    (within the margin for sure), open.
    """

    arm: str
    difference: float | None
    low: float | None
    high: float | None
    relative: float | None
    margin: float
    p: float | None
    p_adjusted: float | None
    verdict: Literal["better", "worse", "harmed", "not_worse", "open"]


class MetricReport(Frozen):
    metric: Metric
    arms: tuple[ArmMean, ...]
    differences: tuple[ArmDifference, ...]
    badges: tuple[Badge, ...] = ()
    """Of a score that judges gave: their certificates. With one that is not valid the metric may
    inform, never decide: its role is `secondary`, whatever was asked for."""


class RatioCheck(Frozen):
    """Whether the arms have as many units as their weights ask for: `p` holds at all times; below
    `level` something other than chance sorts units, and no figure here can be trusted."""

    p: float
    level: float
    alarm: bool


class Advice(Frozen):
    """What follows, in a word and in a sentence; how many more units each arm takes until the first
    primary metric is decided, and how many days that is at the present pace."""

    verdict: Literal["wait", "ship", "roll_back", "stop", "mismatch", "ended", "draft"]
    text: str
    arm: str = ""
    units_left: int | None = None
    days_left: float | None = None


class Look(Frozen):
    """The difference of one metric and arm at one instant; a line of the band. `role` is the one
    that the metric had, '' where that was not kept."""

    at_ms: float
    metric: str
    role: str = ""
    arm: str
    units: int
    difference: float
    low: float
    high: float


class ExperimentReport(Frozen):
    """What is known of an experiment now. `crossed` units were seen in two arms; they are counted
    here and nowhere else."""

    experiment: Experiment
    at_ms: float
    arms: tuple[ArmUnits, ...]
    crossed: int
    ratio: RatioCheck | None
    metrics: tuple[MetricReport, ...]
    advice: Advice
    band: tuple[Look, ...]
    decisions: tuple[Decision, ...]


class ExperimentPlanRequest(Frozen):
    """What to expect of an experiment: of two arms of a metric whose units differ by `spread` (a
    standard deviation; of a proportion that of `baseline`), with so many units a day."""

    baseline: float = Field(ge=-1e12, le=1e12, allow_inf_nan=False)
    spread: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False)
    effect: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False)
    units_per_day: float = Field(ge=0.01, le=1e12)
    days: float = Field(14.0, ge=0.01, le=3650)
    share: int = Field(WHOLE, ge=1, le=WHOLE)
    weight: int = Field(WHOLE // 2, ge=1, lt=WHOLE)
    kind: Literal["mean", "proportion"] = "mean"
    alpha: float = Field(0.05, ge=1e-6, le=0.5)
    power: float = Field(0.8, ge=0.01, le=0.9999)


class ExperimentPlan(Frozen):
    """`detectable` is the smallest difference that `days`, with so many `units`, show with the
    power asked for (None: they are too few for any).

    Of the asked `effect`: the units that it takes, as days; the days after which half, and nine in
    ten, of such experiments have decided; and the chance that one does within `days`. None where no
    effect was asked for, or where it takes too long."""

    detectable: float | None
    units: int
    needed_units: int | None = None
    needed_days: float | None = None
    median_days: float | None = None
    most_days: float | None = None
    power: float | None = None
