"""Online rules, drift checks and canaries as they are asked for. Frozen, without I/O."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stockpot.evals.models import ScorerSpec
from stockpot.monitors import CheckSettings, NewCheck
from stockpot.traces import TraceFilter


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Share = Annotated[float, Field(ge=0, le=1)]
EMBEDDING = "minilm-l6-v2"


class Cut(Frozen):
    """Which spans: each given value must hold. Without a kind, whole calls: root spans."""

    environment: Word | None = None
    kind: Literal["llm", "embedding", "retriever", "tool", "agent", "workflow"] | None = None
    model: Word | None = None
    requested_model: Word | None = None
    prompt_name: Word | None = None
    prompt_version: Word | None = None
    service: Word | None = None
    release: Word | None = None
    tag: Word | None = None

    def where(self, project: str, **more: Any) -> TraceFilter:
        """As the span log wants it."""
        return TraceFilter(project=project, **self.model_dump(exclude_none=True), **more)


class Stratum(Frozen):
    """Spans that are drawn at a rate of their own: calls that failed, that users disliked, that
    were slower than `above` milliseconds or dearer than `above` nano-dollars, or that carry a
    tag."""

    when: Literal["error", "low_feedback", "slow", "costly", "tag"]
    rate: Share
    above: float = Field(0, ge=0, le=1e15)
    tag: str = Field("", max_length=200)


class OnlineSpec(Frozen):
    """A rule by which production spans are scored.

    Every span that matches is drawn with the `rate` of the first stratum that it is in, else with
    `rate`; its score carries one over that as its weight. It is looked at `delay_s` after it came,
    so that feedback can come first. `max_usd_day` bounds what the scorer costs in a day (UTC): when
    money runs short fewer are drawn, at random, and weigh more; without any left nothing is drawn,
    which the run says.
    """

    cut: Cut = Cut()
    rate: Share = 0.1
    strata: tuple[Stratum, ...] = Field((), max_length=10)
    scorer: ScorerSpec
    score: str = Field("", max_length=100)
    delay_s: int = Field(30, ge=0, le=7 * 86_400)
    max_usd_day: float | None = Field(None, ge=0, le=1e6)
    max_per_run: int = Field(500, ge=1, le=10_000)

    @property
    def metric(self) -> str:
        """What its scores are called."""
        return self.score or self.scorer.metric.rpartition(":")[2].partition("@")[0]

    @property
    def judge(self) -> str:
        """The judge that it asks, as `NAME@VERSION`; '' for a scorer in code."""
        return self.scorer.use.removeprefix("judge:") if self.scorer.use[:6] == "judge:" else ""


class DriftSpec(Frozen):
    """What is held against what it was: `score` needs the name of one, `input` and `output` look
    at texts by `features`.

    The newest `window_h` hours are compared with the `reference_h` before them, or with the fixed
    window from `reference_from_ms`; at most `most` spans of each are taken, at random. It alarms
    when a test's p-value, adjusted for all features (Holm), is below `alpha` and the effect is at
    least `min_effect`.
    """

    of: Literal["score", "input", "output"]
    score: str = Field("", max_length=100)
    cut: Cut = Cut()
    features: tuple[Literal["embedding", "length", "language"], ...] = Field(
        ("embedding", "length", "language"), min_length=1
    )
    model: str = Field(EMBEDDING, max_length=200)
    test: Literal["mmd", "energy"] = "mmd"
    window_h: float = Field(24, gt=0, le=24 * 90)
    reference_h: float = Field(24 * 7, gt=0, le=24 * 365)
    reference_from_ms: float | None = Field(None, ge=0, le=9e12)
    most: int = Field(300, ge=20, le=2000)
    least: int = Field(30, ge=5, le=2000)
    alpha: float = Field(0.01, ge=1e-4, le=0.2)
    min_effect: float = Field(0.1, ge=0, le=100)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _whole(self) -> DriftSpec:
        if (self.of == "score") != bool(self.score):
            raise ValueError("drift of a score needs its name, drift of texts has none")
        return self


class CanarySpec(Frozen):
    """A fixed set of prompts that a model is asked again and again.

    The prompts are the rows of `dataset` (`NAME@VERSION`) or stand in `prompts`. The first
    `references` runs are what it is held against. A run asks each prompt `repeats` times, so that a
    model that scatters is told from one that changed. It alarms when the answers differ from the
    reference (permutation test within prompts; Holm over features; `alpha`), or when the served
    model, or every fingerprint of its system, is another.

    `max_usd_day` bounds what it costs in a day (UTC): a run that the rest of it does not pay for is
    skipped, and says so. `prices` are what the models cost (dollars per million tokens of input and
    output), filled in when the canary is put.
    """

    model: str = Field(min_length=1, max_length=200)
    dataset: str = Field("", max_length=300)
    prompts: tuple[Annotated[str, Field(min_length=1, max_length=20_000)], ...] = Field(
        (), max_length=500
    )
    system: str = Field("", max_length=100_000)
    params: dict[str, Any] = Field(default_factory=dict, max_length=50)
    max_tokens: int = Field(128, ge=1, le=4096)
    repeats: int = Field(2, ge=1, le=20)
    references: int = Field(2, ge=1, le=20)
    embedding: str = Field(EMBEDDING, max_length=200)
    logprobs: bool = False
    alpha: float = Field(0.001, ge=1e-4, le=0.2)
    fingerprints: bool = True
    max_usd_day: float | None = Field(None, gt=0, le=1e6)
    prices: dict[str, tuple[float, float] | None] = Field(default_factory=dict, max_length=2)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _one_source(self) -> CanarySpec:
        if bool(self.dataset) == bool(self.prompts):
            raise ValueError("a canary has a data set (NAME@VERSION) or prompts of its own")
        if self.references == self.repeats == 1:
            raise ValueError("one answer to a prompt is no reference: have 2 references or repeats")
        return self


class OnlineRule(CheckSettings, OnlineSpec):
    """An online rule with its name and schedule."""


class DriftCheck(CheckSettings, DriftSpec):
    """A drift check with its name and schedule."""


class Canary(CheckSettings, CanarySpec):
    """A canary with its name and schedule."""


def as_check(kind: Literal["online", "drift", "canary"], asked: CheckSettings) -> NewCheck:
    """What is kept: the settings of every check, and what its doer reads."""
    shared = {name: getattr(asked, name) for name in CheckSettings.model_fields}
    spec = asked.model_dump(mode="json", exclude=set(CheckSettings.model_fields))
    return NewCheck(**shared, kind=kind, spec=spec)


class Rebase(Frozen):
    """Why a canary's newest answers are accepted as what the model says from now on."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*$")]
