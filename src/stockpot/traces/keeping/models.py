"""Policies, demands and what became of them. Frozen, typed, without I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stockpot.traces.models import Frozen

Days = Annotated[int, Field(ge=1, le=36_500)]
Text = Annotated[str, Field(max_length=400, pattern=r"^[^\x00]*$")]


class LowScore(Frozen):
    """Traces with a score of this name below a value."""

    name: str = Field(max_length=100)
    below: float = Field(allow_inf_nan=False)


class Sampling(Frozen):
    """Which traces stay once they are `after_s` old: all that failed, were slow, dear or scored
    low, and a share `rate` of the rest. `drops` says what the others lose: their payloads, or their
    spans too; those that stay of the rest then stand for 1/rate each."""

    rate: float = Field(gt=0, le=1)
    keep_errors: bool = True
    keep_slower_ms: float | None = Field(None, gt=0, le=9e12)
    keep_dearer_nano: int | None = Field(None, gt=0, le=10**18)
    keep_low_score: LowScore | None = None
    after_s: int = Field(3600, ge=60, le=30 * 86_400)
    drops: Literal["payloads", "spans"] = "payloads"


class RetentionPolicy(Frozen):
    """How long a project's spans and payloads stay, None for ever; sums over them always stay."""

    span_days: Days | None = None
    payload_days: Days | None = None
    sampling: Sampling | None = None


class Erasure(Frozen):
    """Whose words to forget, in one project or in all. Spans keep 300 characters of a name: whose
    names begin alike for so long are forgotten together."""

    user: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
    project: Annotated[str, Field(max_length=63)] | None = None


class Erased(Frozen):
    """What was forgotten. Sums stay: they hold no name. `rows` are of data sets, made from these
    traces, and `results` what evaluation runs kept of such rows; `calls` are traces of calls that
    evaluations and judges made with these words, `references` canaries that asked such rows;
    `quotes` are runs of checks that quoted calls, `shares` set-ups of the playground."""

    traces: int
    spans: int
    scores: int
    rows: int = 0
    results: int = 0
    calls: int = 0
    references: int = 0
    quotes: int = 0
    shares: int = 0


class KeptSince(Frozen):
    """Whoever keeps copies of answers beside the instance lets go what came before this: payloads
    stay no longer, or somebody was erased since. 0 where nothing has to go."""

    since_ms: float


class Repricing(Frozen):
    """Which calls to price again, with the prices in force for their time; without `apply` nothing
    is written."""

    from_ms: float = Field(ge=0, le=9e12)
    to_ms: float = Field(ge=0, le=9e12)
    project: Annotated[str, Field(max_length=63)] | None = None
    model: Text | None = None
    apply: bool = False


class Repriced(Frozen):
    """Spans that were looked at, those whose cost is another, and their sums before and after."""

    spans: int
    changed: int
    before_nano: int
    after_nano: int
    unpriced_before: int
    unpriced_after: int
    applied: bool


class NewView(Frozen):
    """A look to come back to: a page and its address, for oneself or for all who see the
    project."""

    page: Literal["traces", "sessions", "cost"] = "traces"
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
    search: Annotated[dict[str, str | float | bool], Field(max_length=40)]
    project: Annotated[str, Field(max_length=63)] | None = None
    shared: bool = False
    default: bool = False


class View(NewView):
    id: str
    owner: str
    owner_name: str
    created_ms: int
    own: bool = True
