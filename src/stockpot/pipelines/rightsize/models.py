"""Runs, what they found, and what they saved, as the API shows them. Frozen, without I/O.

Costs are integer nano-dollars, or means of them; None where no price is known. Times are Unix
milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stockpot.evals import ScorerSpec
from stockpot.traces import Badge


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


ModelName = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(max_length=300)]
State = Literal["queued", "running", "done", "stopped", "failed", "cancelled"]
"""`stopped`: the budget was spent before all rows were asked."""
VerdictWord = Literal["passes", "refused", "not enough data"]


class NewRightsize(Frozen):
    """Which candidates to hold against which baseline, on what, and how much worse is accepted.

    Rows come out of a data set (`NAME` or `NAME@VERSION`; the suite's, where none is named), or of
    the last `traffic_hours` of logged calls of the baseline. `suite` brings scorers, prompt and
    parameters; without one `scorers` are named here. `metric` decides, the first scorer's where
    none is named. `margin` is in the metric's own unit. Nothing is asked any more when
    `budget_nano` does not suffice for it, judges' calls included; answers and verdicts that were
    paid for before cost nothing. `cluster` is a path,
    such as `metadata.item`, whose rows belong together. `alias` is what the plan would move.
    """

    candidates: tuple[ModelName, ...] = Field(min_length=1, max_length=20)
    baseline: ModelName
    margin: float = Field(ge=0, le=1e12, allow_inf_nan=False)
    suite: str = Field("", max_length=100)
    scorers: tuple[ScorerSpec, ...] = Field((), max_length=20)
    metric: str = Field("", max_length=100)
    dataset: Word = ""
    traffic_hours: float | None = Field(None, gt=0, le=24 * 366)
    rows: int = Field(1000, ge=2, le=20_000)
    budget_nano: int | None = Field(None, ge=0, le=10**15)
    confidence: float = Field(0.95, ge=0.5, lt=1)
    alias: str = Field("", max_length=200)
    cluster: str = Field("", max_length=200)
    input: str = Field("", max_length=200)
    system: str = Field("", max_length=100_000)
    params: dict[str, Any] = Field(default_factory=dict, max_length=50)
    repeat_calls: bool = False
    message: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _are_told_apart(self) -> NewRightsize:
        names = (self.baseline, *self.candidates)
        if len(set(names)) < len(names):
            raise ValueError("a model stands twice among baseline and candidates")
        if self.dataset and self.traffic_hours is not None:
            raise ValueError("rows come from a data set or from traffic, not from both")
        if not self.suite and not self.scorers:
            raise ValueError("nothing says how answers are scored: name a suite or scorers")
        return self


class SizeArm(Frozen):
    """One model and the run of its evaluation. `cached` answers were not paid for again;
    `judges_nano` is the part of the cost that judges took."""

    model: str
    run: str
    rows: int
    done: int = 0
    failed: int = 0
    cached: int = 0
    cost_nano: int | None = 0
    judges_nano: int = 0
    state: str = "queued"


class Traffic(Frozen):
    """How often the baseline is called: `calls` in the last `days`, told of `route`, or of the
    whole project where '' stands."""

    route: str
    calls: int
    days: float
    calls_per_month: float


class ArmFigures(Frozen):
    """A model on the rows: its quality with an interval, its cost and its time. `unscored` answers
    came, but got no score; `failed` rows got no answer."""

    model: str
    run: str
    quality: float | None
    low: float | None
    high: float | None
    scored: int
    unscored: int
    failed: int
    cost_per_call_nano: float | None
    cost_per_1000_nano: float | None
    cost_per_month_nano: float | None
    input_tokens: float | None
    output_tokens: float | None
    p50_ms: float | None
    p95_ms: float | None


class Candidate(Frozen):
    """A candidate against the baseline, on the `n` rows that both have.

    `difference` is candidate - baseline with its paired interval. `p` tests that the candidate is
    worse by the margin or more, `p_adjusted` is it after Holm over all candidates. `worst_low` is
    the interval's lower end with answers that have no score counted as the worst seen. `needed`
    rows would show with power .8 that it is not worse, were it as good as it looks, or as the
    baseline. `length_ratio` says how many tokens the baseline writes for one of the candidate's.
    """

    figures: ArmFigures
    n: int
    clusters: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    test: str
    better: int
    worse: int
    worst_low: float | None
    verdict: VerdictWord
    reason: str
    needed: int | None
    saved_share: float | None
    saved_per_month_nano: float | None
    length_ratio: tuple[float, float, float] | None


class SizeReport(Frozen):
    """What a run found. `recommended` is the cheapest candidate that passes, '' where none does;
    `badge` is the certificate of the judge behind the scores, as of now, None where none judged."""

    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    margin: float
    confidence: float
    baseline: ArmFigures
    candidates: tuple[Candidate, ...]
    recommended: str
    method: str
    judge: str
    warnings: tuple[str, ...]
    badge: Badge | None = None


class RightsizeRun(Frozen):
    """One run, how far it is, and what it found. `spent_nano` is the models' calls and those of
    judges, whose part stands with each arm. `experiment` is what applying it started."""

    id: str
    project: str
    asked: NewRightsize
    state: State
    source: str
    rows: int
    arms: tuple[SizeArm, ...]
    spent_nano: int
    unpriced: tuple[str, ...]
    traffic: Traffic | None
    notes: tuple[str, ...]
    report: SizeReport | None
    applied: str
    experiment: str
    error: str
    created_ms: float
    started_ms: float | None
    finished_ms: float | None
    created_by: str


class Resume(Frozen):
    """Go on with a run, with this budget in all; None: no bound."""

    budget_nano: int | None = Field(None, ge=0, le=10**15)


class Wanted(Frozen):
    """Which candidate to move to; the recommended one where none is named."""

    candidate: str = Field("", max_length=200)


class Proposal(Frozen):
    """The change of the alias that a run proposes, as a plan over the definitions. `definitions`
    is what `stockpot apply` takes; `digest` is what would come about."""

    run: str
    alias: str
    candidate: str
    definitions: dict[str, Any]
    digest: str
    changes: tuple[str, ...]
    conflicts: tuple[str, ...]
    text: str


class ApplyAsked(Wanted):
    """Start the move as an experiment on `share` of the units (0 to 1), with these guardrails:
    the candidate is rolled back when one of them is surely worse than its margin, a share of the
    baseline's. `unit` says whose calls stay together; where none is named it is `session`, `user`
    or `key`, the first that most logged calls tell. `scores` are scores that have to hold too."""

    share: float = Field(0.1, gt=0, lt=1)
    unit: str = Field("", max_length=100)
    max_error_rise: float = Field(0.02, ge=0, le=1)
    max_latency_rise: float = Field(0.5, ge=0, le=100)
    scores: tuple[str, ...] = Field((), max_length=10)
    override: str = Field("", max_length=2000)


class Started(Frozen):
    """The experiment that an apply started."""

    run: str
    experiment: str
    alias: str
    baseline: str
    candidate: str
    share: float


class Saved(Frozen):
    """What one experiment's candidate saved against what its calls would have cost on the baseline.

    `counterfactual_nano` prices the recorded tokens by the baseline's price rows, with the output
    as long as the baseline writes (`length_ratio` of the run); `low` and `high` are its interval,
    `on_recorded_nano` leaves the length as it was. Calls without a known price are in no figure.
    """

    run: str
    experiment: str
    candidate: str
    baseline: str
    calls: int
    unpriced: int
    actual_nano: int
    counterfactual_nano: float
    saved_nano: float
    low_nano: float
    high_nano: float
    on_recorded_nano: float
    since_ms: float | None
    per_month_nano: float | None


class Savings(Frozen):
    """What right-sizing saved in a project so far."""

    project: str
    saved: tuple[Saved, ...]
    saved_nano: float
    low_nano: float
    high_nano: float
    notes: tuple[str, ...]
