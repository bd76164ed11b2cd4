"""A candidate on copies of a route's calls against what served them, pair by pair.

Knows pairs and `stockpot.stats`; knows no store. A call is copied only once it was answered well,
so of `base` there are no failures here and the errors are the candidate's alone. Figures other than
errors are of the pairs in which both answered.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from stockpot.traces.copied import Copied, Counted, Said
from stockpot.traces.models import Frozen, PayloadState, Span, TraceFilter
from stockpot.traces.shadow_weights import weighted_sides

if TYPE_CHECKING:
    from stockpot.stats import Comparison, Estimate

MOST = 1000
"""Pairs, the newest, that figures are made of."""

FEWEST = 20
"""Pairs from which on quantiles, and means of differences that are all equal, have an interval."""

Only = Literal["all", "different", "failed"]
Unit = Literal["share", "ms", "tokens", "nano", "characters"]

_STANDARD = {
    "end_turn": "stop", "stop_sequence": "stop", "completed": "stop", "STOP": "stop",
    "max_tokens": "length", "max_output_tokens": "length", "MAX_TOKENS": "length",
    "tool_use": "tool_calls", "function_call": "tool_calls", "SAFETY": "content_filter",
}  # fmt: skip
"""Words of other formats, so that two formats do not differ by their words."""

_REFUSALS = ("content_filter", "refusal")


class ShadowFigure(Frozen):
    """One measure in `n` pairs: what calls had, what their copies had, and the difference (copy
    less call) with its 95 % interval. `low` and `high` are None where the pairs do not tell it."""

    what: str
    unit: Unit
    n: int
    base: float
    candidate: float
    difference: float
    low: float | None
    high: float | None
    method: str


class ShadowShare(Frozen):
    """A share of `n` pairs, with its 95 % interval."""

    what: Literal["identical", "other_finish"]
    value: float
    low: float
    high: float
    n: int
    method: str


class ShadowFinish(Frozen):
    """How often a call ended so and its copy so; words of different formats are one."""

    base: str
    candidate: str
    pairs: int


class ShadowTarget(Frozen):
    """A candidate that got copies; `paired` of them have their call in the log."""

    provider: str
    model: str
    copies: int
    paired: int


class ShadowComparison(Frozen):
    """A candidate on a route's copies. `pairs`, the newest of `candidate.paired`, are what the
    figures are of; the oldest of them began at `since_ms`, and `answers` of them have both answers
    kept. Where sessions have several calls, intervals count whole sessions. Where tail sampling
    dropped pairs, figures and shares are weighted by what each pair stands for, `stands_for` in
    all; `finishes` count pairs as they are.
    `candidate` is None where the window has no copies."""

    route: str
    from_ms: float
    to_ms: float
    candidates: tuple[ShadowTarget, ...]
    candidate: ShadowTarget | None
    pairs: int
    since_ms: float | None
    answers: int
    stands_for: float
    figures: tuple[ShadowFigure, ...]
    shares: tuple[ShadowShare, ...]
    finishes: tuple[ShadowFinish, ...]


class ShadowSide(Frozen):
    """One side of a pair. `answer` is None where it was not kept (`payload` says why); `more` says
    that it goes on, `characters` is how long the whole is."""

    trace_id: str
    span_id: str
    provider: str
    model: str
    status: str
    error: str
    error_message: str
    duration_ms: float
    ttft_ms: float | None
    input_tokens: int
    output_tokens: int
    cost_nano: int | None
    finish_reason: str
    payload: PayloadState
    answer: str | None
    characters: int | None
    more: bool
    refused: bool


class ShadowPair(Frozen):
    """A call and its copy; whether both said the same is None where it was not kept."""

    start_ms: float
    project: str
    asked: str
    identical: bool | None
    base: ShadowSide
    candidate: ShadowSide


class ShadowPairs(Frozen):
    """Newest first. A page that met few of those asked for may be short, even empty, and still have
    a `next_cursor`."""

    items: tuple[ShadowPair, ...]
    next_cursor: str | None


def chosen(targets: Sequence[Counted], provider: str | None, model: str | None) -> Counted | None:
    """The candidate that is meant; the one with the newest copy where none is named."""
    for target in targets:
        if provider in (None, target.provider) and model in (None, target.model):
            return target
    return None


def wanted(pair: Copied, only: Only) -> bool:
    """Whether a pair is one of those asked for."""
    failed = pair.candidate.status != "ok"
    if only == "failed":
        return failed
    return only == "all" or failed or identical(pair) is False


def identical(pair: Copied) -> bool | None:
    """Whether both said the same, but for white space at the ends."""
    if pair.candidate.status != "ok" or not (pair.base_said and pair.candidate_said):
        return None
    return pair.base_said.digest == pair.candidate_said.digest


def shown(pair: Copied) -> ShadowPair:
    """A pair with both answers."""
    return ShadowPair(
        start_ms=pair.base.start_ms, project=pair.base.project, identical=identical(pair),
        asked=pair.base_said.asked if pair.base_said else pair.base.input_preview,
        base=_side(pair.base, pair.base_said),
        candidate=_side(pair.candidate, pair.candidate_said),
    )  # fmt: skip


def _side(span: Span, said: Said | None) -> ShadowSide:
    return ShadowSide(
        trace_id=span.trace_id, span_id=span.span_id, provider=span.provider, model=span.model,
        status=span.status, error=span.error, error_message=span.error_message,
        duration_ms=span.duration_ms, ttft_ms=span.ttft_ms, input_tokens=span.tokens.input,
        output_tokens=span.tokens.output, cost_nano=span.cost_nano, payload=span.payload,
        finish_reason=span.finish_reason, answer=None if said is None else said.answered,
        characters=None if said is None else said.characters, refused=_refused(span, said) == 1.0,
        more=said is not None and said.characters > len(said.answered),
    )  # fmt: skip


# --- figures --------------------------------------------------------------------------------------


def compared(
    where: TraceFilter, targets: Sequence[Counted], target: Counted | None, pairs: Sequence[Copied]
) -> ShadowComparison:
    """All figures of some pairs of one candidate."""
    well = [pair for pair in pairs if pair.base.status == pair.candidate.status == "ok"]
    told = [_shown(measure, pairs if measure.what == "errors" else well) for measure in _MEASURES]
    same = [(same, _weight(pair)) for pair in well if (same := identical(pair)) is not None]
    finishes = Counter((_finish(p.base), _finish(p.candidate)) for p in well)
    other = [(_finish(p.base) != _finish(p.candidate), _weight(p)) for p in well]
    shares = [_share("identical", same), _share("other_finish", other)]
    candidates = tuple(ShadowTarget(**one._asdict()) for one in targets)
    return ShadowComparison(
        route=where.requested_model or "", from_ms=where.from_ms or 0, to_ms=where.to_ms or 0,
        candidates=candidates,
        candidate=None if target is None else candidates[list(targets).index(target)],
        pairs=len(pairs), since_ms=min((pair.base.start_ms for pair in pairs), default=None),
        answers=len(same), stands_for=sum(map(_weight, pairs)),
        figures=tuple(figure for figure in told if figure is not None),
        shares=tuple(share for share in shares if share is not None),
        finishes=tuple(
            ShadowFinish(base=base, candidate=candidate, pairs=count)
            for (base, candidate), count in finishes.most_common()
        ),
    )  # fmt: skip


class _Measure(NamedTuple):
    """`tell` gives a side's number, None where there is none; `quantile` of it, else the mean."""

    what: str
    unit: Unit
    tell: Callable[[Span, Said | None], float | None]
    quantile: float | None = None


def _finish(span: Span) -> str:
    return _STANDARD.get(span.finish_reason, span.finish_reason)


def _refused(span: Span, said: Said | None) -> float | None:
    if _finish(span) in _REFUSALS:
        return 1.0
    return None if said is None else float(said.refused)


def _failed(span: Span) -> float | None:
    # One that was cut off when the gateway stopped says nothing of the candidate.
    return None if span.status == "interrupted" else float(span.status != "ok")


_MEASURES = (
    _Measure("errors", "share", lambda span, _: _failed(span)),
    _Measure("latency_p50", "ms", lambda span, _: span.duration_ms, 0.5),
    _Measure("latency_p95", "ms", lambda span, _: span.duration_ms, 0.95),
    _Measure("ttft_p50", "ms", lambda span, _: span.ttft_ms, 0.5),
    _Measure("ttft_p95", "ms", lambda span, _: span.ttft_ms, 0.95),
    _Measure("input_tokens", "tokens", lambda span, _: span.tokens.input),
    _Measure("output_tokens", "tokens", lambda span, _: span.tokens.output),
    _Measure("cost", "nano", lambda span, _: span.cost_nano),
    _Measure("answer_length", "characters", lambda _, said: said and said.characters),
    _Measure("refusals", "share", _refused),
)


def _shown(measure: _Measure, pairs: Sequence[Copied]) -> ShadowFigure | None:
    """One figure; None where no pair has it on both sides."""
    from stockpot.stats import compare, quantile_difference  # scipy: a start need not

    base, candidate, names, weights = [], [], [], []
    for pair in pairs:
        before = measure.tell(pair.base, pair.base_said)
        after = measure.tell(pair.candidate, pair.candidate_said)
        if before is not None and after is not None:
            base.append(float(before))
            candidate.append(float(after))
            names.append((pair.base.project, pair.base.session or pair.base.trace_id))
            weights.append(_weight(pair))
    if not base:
        return None
    clusters: Sequence[Hashable] | None = names if len(set(names)) < len(names) else None
    if len(set(weights)) > 1:
        return _weighted(measure, base, candidate, weights, clusters)
    if measure.quantile is not None:
        found = quantile_difference(base, candidate, measure.quantile, clusters)
        if len(base) < FEWEST:
            found = found._replace(low=-math.inf, high=math.inf, method=f"under {FEWEST} pairs")
        sides = tuple(_quantile(side, measure.quantile) for side in (base, candidate))
        return _figure(measure, found, *sides)
    comparison = compare(base, candidate, clusters)
    found = comparison.difference
    if measure.unit == "share" and (found.se == 0 or clusters is None):
        found = _one_way(comparison)
    elif found.se == 0 and len(base) < FEWEST:  # a few equal differences tell no spread
        found = found._replace(low=-math.inf, high=math.inf, method=f"under {FEWEST} pairs")
    return _figure(measure, found, comparison.base, comparison.candidate)


def _weight(pair: Copied) -> float:
    """How many pairs one stands for: a copy is in its call's trace, which was judged as a whole."""
    return float(pair.base.sample_weight)


def _weighted(
    measure: _Measure, base: Sequence[float], candidate: Sequence[float],
    weights: Sequence[float], clusters: Sequence[Hashable] | None,
) -> ShadowFigure:  # fmt: skip
    told = weighted_sides(base, candidate, weights, measure.quantile, clusters)
    found = told.difference
    if len(base) < FEWEST or found.se == 0:  # equal differences, or a few, tell no spread
        found = found._replace(low=-math.inf, high=math.inf)
    return _figure(measure, found, told.base, told.candidate)


def _one_way(comparison: Comparison) -> Estimate:
    """A difference of shares with Wilson's interval where all pairs that differ do so the same way:
    the difference is then their share. Where some go the other way, the paired interval stands."""
    from stockpot.stats import wilson

    found, more, less = comparison.difference, comparison.better, comparison.worse
    if more and less:
        return found
    of = wilson(more + less, found.n)
    if more:
        low, high = of.low, of.high
    else:
        low, high = -of.high, -of.low if less else of.high
    return found._replace(low=low, high=high, method=of.method)


def _quantile(values: Sequence[float], share: float) -> float:
    """As numpy interpolates it, so that the sides' difference is the difference that is told."""
    ordered, place = sorted(values), share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _figure(measure: _Measure, found: Estimate, base: float, candidate: float) -> ShadowFigure:
    return ShadowFigure(
        what=measure.what, unit=measure.unit, n=found.n, base=base, candidate=candidate,
        difference=found.value, low=_finite(found.low), high=_finite(found.high),
        method=found.method,
    )  # fmt: skip


def _share(
    what: Literal["identical", "other_finish"], told: Sequence[tuple[bool, float]]
) -> ShadowShare | None:
    """A share of pairs, each with its weight."""
    from stockpot.stats import weighted_mean, wilson

    n, weights = len(told), [weight for _, weight in told]
    if not n:
        return None
    if len(set(weights)) > 1:
        seen = weighted_mean([float(one) for one, _ in told], weights)
        assert seen is not None
        low, high = seen.low or 0.0, 1.0 if seen.high is None else seen.high
        return ShadowShare(what=what, value=seen.mean, low=low, high=high, n=n, method="weighted")
    found = wilson(sum(one for one, _ in told), n)
    return ShadowShare(
        what=what, value=found.value, low=found.low, high=found.high, n=n, method=found.method
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
