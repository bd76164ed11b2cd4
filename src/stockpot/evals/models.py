"""Suites, runs, results, comparisons and gates as the API shows them. Frozen, without I/O.

Costs are integer nano-dollars, None where no price is known. Times are Unix milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stockpot.evals.records import Corrected, Frozen, Judgement, Missing, Tally
from stockpot.traces import Badge

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
Text = Annotated[str, Field(max_length=2000)]
Share = Annotated[float, Field(ge=0, le=1)]

TargetKind = Literal["prompt", "model", "recorded", "http", "python"]
HERE: frozenset[str] = frozenset({"http", "python"})
"""Targets that are called where the command runs, never by the instance: what an endpoint of the
network or a line of Python may do there is its caller's to decide."""


class Target(Frozen):
    """What is evaluated.

    `prompt` is `NAME@VERSION` or `NAME@LABEL`; a label is resolved to a version when a run starts.
    `model` is a model, a route or an alias. `url` answers a POST with the row's input as JSON, and
    `output` is the path in its answer (`choices.0.message.content`). `callable` is
    `module:function`. `recorded` takes the output that stands in the row, in the field `output`.

    `input` names the field of a row's input that holds the user's message (or `messages`); without
    it the first of messages, prompt, question, text and input is taken.
    """

    kind: TargetKind
    prompt: str = Field("", max_length=300)
    model: str = Field("", max_length=200)
    url: str = Field("", max_length=2000)
    callable: str = Field("", max_length=300)
    output: str = Field("", max_length=300)
    input: str = Field("", max_length=200)
    system: str = Field("", max_length=100_000)
    params: dict[str, Any] = Field(default_factory=dict, max_length=50)
    headers: dict[str, str] = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _is_whole(self) -> Target:
        needed = {"prompt": "prompt", "model": "model", "http": "url", "python": "callable"}
        field = needed.get(self.kind)
        if field and not getattr(self, field):
            raise ValueError(f"a target of kind {self.kind!r} needs the field {field!r}")
        return self


class ScorerSpec(Frozen):
    """A scorer by its entry point's name, what to call its metric, and its options."""

    use: str = Field(min_length=1, max_length=100)
    name: str = Field("", max_length=100)
    options: dict[str, Any] = Field(default_factory=dict, max_length=50)

    @property
    def metric(self) -> str:
        return self.name or self.use


class Rule(Frozen):
    """What a gate asks of one metric. `margin`: at most so much worse is shown, with confidence,
    than the base (non-inferiority). `minimum` and `maximum` bound the metric itself. Without any of
    them the rule is: no regression beyond the confidence."""

    margin: float | None = Field(None, ge=0)
    minimum: float | None = None
    maximum: float | None = None


class GateSpec(Frozen):
    """When a run passes. `base` is the run to compare with: its id, `last` (the last run that
    passed, the default) or `none`. `metrics` are rules by metric; those without a rule may not
    regress."""

    confidence: float = Field(0.95, ge=0.5, lt=1)
    base: str = Field("last", max_length=100)
    metrics: dict[str, Rule] = Field(default_factory=dict, max_length=100)
    max_errors: Share = 0.0


class SuiteSpec(Frozen):
    """Data set x target x scorers. `dataset` is `NAME` or `NAME@VERSION`; a run from a file has the
    file's rows instead. Rows with the same value of `cluster` (a path such as `metadata.item`)
    belong together; `slices` are paths whose values are also looked at apart."""

    name: Name
    description: Text = ""
    dataset: str = Field("", max_length=300)
    split: str = Field("", max_length=100)
    target: Target
    scorers: tuple[ScorerSpec, ...] = Field(min_length=1, max_length=50)
    cluster: str = Field("", max_length=200)
    slices: tuple[str, ...] = Field((), max_length=20)
    repeats: int = Field(1, ge=1, le=100)
    gate: GateSpec = GateSpec()

    @model_validator(mode="after")
    def _metrics_differ(self) -> SuiteSpec:
        names = [scorer.metric for scorer in self.scorers]
        if len(set(names)) != len(names):
            raise ValueError("two scorers have the same name: give each a `name`")
        return self


class Suite(Frozen):
    """A suite as it is kept."""

    id: str
    project: str
    spec: SuiteSpec
    created_ms: float
    updated_ms: float
    updated_by: str
    last_run: str | None = None


class Row(Frozen):
    """One row of a data set, or of a file of JSON lines."""

    id: str = Field(min_length=1, max_length=200)
    input: Any = None
    expected: Any = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    output: Any = None
    """A recorded answer, for the target `recorded`."""


class Usage(Frozen):
    """Tokens of one call."""

    input: int = 0
    output: int = 0


class Measured(Frozen):
    """A metric of a run with its interval. `better` says which way is good; `unit` is `share`,
    `score`, `ms` or `nano`."""

    metric: str
    slice: str = ""
    value: float
    low: float | None
    high: float | None
    se: float | None
    n: int
    clusters: int
    method: str
    better: Literal["higher", "lower"] = "higher"
    unit: str = "score"
    badge: Badge | None = None
    """A judge's certificate in short: it stands beside every figure of that judge."""


class JudgeReport(Frozen):
    """How a judge fared in a run, its certificate as of now, and the score that people would have
    given, as far as its certificate tells."""

    metric: str
    judge: str
    tally: Tally
    corrected: Corrected | None = None
    badge: Badge | None = None


class Progress(Frozen):
    """How far a run is. `cached` answers were not paid for again; `judges_nano` is the part of the
    cost that judges took."""

    rows: int
    done: int
    failed: int
    cached: int
    cost_nano: int | None
    saved_nano: int
    seconds: float
    concurrency: int = 0
    judges_nano: int = 0


RunState = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[RunState, ...] = ("done", "failed", "cancelled")
"""States that a run leaves only when it is resumed."""


class GateCase(Frozen):
    """A row that got worse, named."""

    item: str
    metric: str
    base: float | None
    candidate: float | None
    reason: str
    trace_id: str


class GateCheck(Frozen):
    """One rule, on all rows or on a slice. `p` is adjusted for all checks of the gate."""

    metric: str
    slice: str
    rule: str
    passed: bool
    base: float | None
    candidate: float
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    words: str
    badge: Badge | None = None


class GateResult(Frozen):
    """Whether a run may be released, why, and which cases speak against it."""

    passed: bool
    run: str
    base: str | None
    confidence: float
    checks: tuple[GateCheck, ...]
    cases: tuple[GateCase, ...]
    warnings: tuple[str, ...]
    decided_ms: float


class RunStep(Frozen):
    """Where a run stands, without what does not change."""

    id: str
    project: str
    suite: str
    state: RunState
    progress: Progress
    finished_ms: float | None


class Run(Frozen):
    """One run of a suite. `spec` is the suite as it was, its labels resolved; `dataset_hash` names
    the rows exactly. `arm` tells what ran: kind, prompt and its version, model, parameters."""

    id: str
    project: str
    suite: str
    spec: SuiteSpec
    state: RunState
    runner: Literal["instance", "here"]
    dataset: str
    dataset_version: int | None
    dataset_hash: str
    arm: dict[str, Any]
    message: str
    error: str
    progress: Progress
    estimate_nano: int | None
    metrics: tuple[Measured, ...]
    judges: tuple[JudgeReport, ...] = ()
    gate: GateResult | None
    created_ms: float
    started_ms: float | None
    finished_ms: float | None
    created_by: str


class Verdict(Frozen):
    """What a scorer said of one row: a number (a bool is 0 or 1), or a label, with its reason.
    `missing` says why a judge gave none; `judgement` holds the votes that it comes from."""

    value: float | None = None
    label: str = ""
    reason: str = ""
    missing: Missing = ""
    judgement: Judgement | None = None


class Result(Frozen):
    """One row of a run. `cached`: answered with what the same call was answered before."""

    item: str
    repeat: int = 0
    input: Any = None
    expected: Any = None
    output: str = ""
    error: str = ""
    trace_id: str = ""
    cached: bool = False
    latency_ms: float | None = None
    cost_nano: int | None = None
    usage: Usage = Usage()
    model: str = ""
    cluster: str = ""
    slices: tuple[str, ...] = ()
    scores: dict[str, Verdict] = Field(default_factory=dict)


class ResultPage(Frozen):
    """In the order of the data set; `next_cursor` is None at the end."""

    items: tuple[Result, ...]
    next_cursor: int | None
    badges: dict[str, Badge] = Field(default_factory=dict)
    """The certificates of the judges among the metrics, by metric."""


class NewRun(Frozen):
    """A run of a kept suite by its name, or of a spec given here. `rowset` are rows that were
    uploaded before; `runner` is `here` when the caller does the work and reports results.
    `target` replaces the suite's, `repeat_calls` asks again what the cache has."""

    suite: str = Field("", max_length=100)
    spec: SuiteSpec | None = None
    rowset: str = Field("", max_length=100)
    target: Target | None = None
    runner: Literal["instance", "here"] = "instance"
    repeat_calls: bool = False
    message: Text = ""


class NewRows(Frozen):
    """Rows of a file, to run a suite on."""

    name: str = Field("rows", min_length=1, max_length=200)
    rows: tuple[Row, ...] = Field(min_length=1, max_length=100_000)


class RowSet(Frozen):
    """Uploaded rows; the same rows have the same hash."""

    hash: str
    name: str
    rows: int


class NewResults(Frozen):
    """Results that a caller reports of a run that it does itself."""

    results: tuple[Result, ...] = Field(max_length=5000)


class Finish(Frozen):
    """The caller's run is over; `error` where it could not be done."""

    error: Text = ""


class Detectable(Frozen):
    """The smallest true difference that a comparison on these rows would show 8 times in 10."""

    metric: str
    effect: float
    spread: float
    assumed: bool
    """No run tells how much this metric differs from arm to arm yet; the spread is a guess."""


class Forecast(Frozen):
    """What a run will cost before it is started. `calls` are those that no cache answers;
    `judges_calls` are at most so many, and cost at most `judges_nano`."""

    rows: int
    calls: int
    cached: int
    input_tokens: int
    output_tokens: int
    cost_nano: int | None
    judges_calls: int = 0
    judges_nano: int | None = 0
    detectable: tuple[Detectable, ...]
    notes: tuple[str, ...]


class Compared(Frozen):
    """One metric of two runs, on the rows that both have. `p_adjusted` counts all comparisons of
    this table (Holm); `verdict` is at the confidence asked for."""

    metric: str
    slice: str
    base: float
    candidate: float
    difference: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float
    test: str
    effect: float | None
    n: int
    clusters: int
    better: int
    worse: int
    direction: Literal["higher", "lower"]
    unit: str
    margin: float | None
    non_inferior: bool | None
    verdict: Literal["better", "worse", "not worse", "no difference shown"]
    detectable: float | None
    badge: Badge | None = None


class CaseDifference(Frozen):
    """A row whose score differs between two runs."""

    item: str
    repeat: int
    metric: str
    base: Verdict
    candidate: Verdict
    base_output: str
    candidate_output: str
    base_trace: str
    candidate_trace: str
    change: Literal["better", "worse"]


class ParetoPoint(Frozen):
    """A run in quality, cost and latency; `dominated` says that another is at least as good in all
    of them and better in one."""

    run: str
    label: str
    quality: float | None
    cost_nano: float | None
    latency_ms: float | None
    dominated: bool


class RunComparison(Frozen):
    base: Run
    candidate: Run
    paired: int
    only_base: int
    only_candidate: int
    differs: tuple[str, ...]
    warnings: tuple[str, ...]
    metrics: tuple[Compared, ...]
    cases: tuple[CaseDifference, ...]
    pareto: tuple[ParetoPoint, ...]


class ScorerInfo(Frozen):
    """A scorer that is installed."""

    name: str
    about: str
    returns: Literal["bool", "number", "label"]
    options: dict[str, str]
    needs: str = ""


class Lead(Frozen):
    """How long something took, over all times it happened in a window."""

    n: int
    median_hours: float | None
    p90_hours: float | None


ReleaseKind = Literal["label", "alias", "experiment"]


class Release(Frozen):
    """Something new that production came to serve: a version of the prompt `name`, a target of the
    alias `name`, or what the experiment `name` tried. `lead_hours` passed since the idea, None
    where nothing tells it. `proof` is the run with which a version passed its gate, `experiment`
    the one that led to it; one that `failed` was taken back to `restored_to`, after
    `restore_hours`."""

    kind: ReleaseKind
    name: str
    before: str | None
    after: str
    at_ms: float
    lead_hours: float | None
    proof: str | None = None
    experiment: str | None = None
    failed: bool = False
    restored_to: str | None = None
    restore_hours: float | None = None


class Velocity(Frozen):
    """Lead-time measures of a project, from prompt versions, moved labels, aliases, experiments and
    runs (as in Forsgren, Humble and Kim 2018, Accelerate). `releases` are moves of `production` to
    newer versions, aliases that this project calls and that came to lead to new targets, and
    experiments that were rolled back, `by_kind`; each change counts once. One is `failed` when it
    was taken back; `restore` is the time until that. `latest` are the releases behind the figures,
    newest first, at most 50."""

    project: str
    from_ms: float
    to_ms: float
    releases: int
    by_kind: dict[ReleaseKind, int]
    failed: int
    failed_share: float | None
    idea_to_production: Lead
    restore: Lead
    runs: int
    gated: int
    gates_passed: int
    releases_with_proof: int
    latest: tuple[Release, ...]
