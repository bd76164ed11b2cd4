"""From the answers of all arms to a verdict for each candidate. Pure; knows no run and no store.

A candidate passes when it is shown, with confidence and after Holm's correction over all
candidates, not to be worse than the baseline by the margin or more, and costs less. It is refused
when it is surely worse and not shown to keep to the margin, or when it saves nothing. Whatever lies
between is not enough data, with the number of rows that would decide. An answer without a score is
never left out in a candidate's favour: passing has to hold with it counted as the worst seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from stockpot.evals import Result
from stockpot.pipelines.rightsize.models import ArmFigures, Candidate, SizeReport, VerdictWord
from stockpot.stats import (
    Comparison,
    Estimate,
    bootstrap,
    clustered_mean,
    compare,
    holm,
    mean,
    non_inferiority_p,
    sample_size,
)

FEWEST = 10
"""Rows (or clusters of them) below which nothing passes: an interval of so few is not to be
trusted, whatever it says."""
FEW = 50
METHOD = (
    "paired differences on the rows that both have, Student's interval, cluster-robust (CR2) where "
    "rows belong together, the score interval (Tango 1998) where they pass or fail; "
    "non-inferiority by the margin (Blackwelder 1982), one-sided, adjusted for {count} (Holm 1979)"
)


class Question(NamedTuple):
    """What is decided, and how. `calls_per_month` is 0 where no traffic is known."""

    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    margin: float
    confidence: float
    calls_per_month: float = 0.0
    judge: str = ""


class Told(NamedTuple):
    """An arm: its model, the run of its evaluation, its results, its share of known costs."""

    model: str
    run: str
    results: Sequence[Result]


class _Pairs(NamedTuple):
    """Signed so that higher is better; `filled` are rows where the candidate has no score, counted
    as the worst seen."""

    base: list[float]
    candidate: list[float]
    clusters: list[str]
    filled: int
    rows: list[tuple[Result, Result]]


class _Seen(NamedTuple):
    told: Told
    figures: ArmFigures
    pairs: _Pairs
    found: Comparison | None
    worst: Comparison | None


def decided(question: Question, baseline: Told, candidates: Sequence[Told]) -> SizeReport:
    """The verdict of every candidate."""
    base = figures_of(baseline, question)
    seen = [_seen(question, baseline, told) for told in candidates]
    ps = [_p(one.found, question.margin) for one in seen]
    worst = [_p(one.worst, question.margin) for one in seen]
    judged = [
        _judged(question, base, one, p, adjusted, worst_adjusted, len(seen))
        for one, p, adjusted, worst_adjusted in zip(seen, ps, holm(ps), holm(worst), strict=True)
    ]
    passing = [c for c in judged if c.verdict == "passes"]
    passing.sort(key=lambda c: (_known(c.figures.cost_per_call_nano), -(c.low or -math.inf)))
    return SizeReport(
        metric=question.metric, unit=question.unit, direction=question.direction,
        margin=question.margin, confidence=question.confidence, baseline=base,
        candidates=tuple(judged), recommended=passing[0].figures.model if passing else "",
        method=METHOD.format(count=_candidates(len(seen))), judge=question.judge,
        warnings=tuple(_warnings(base, judged)),
    )  # fmt: skip


def figures_of(told: Told, question: Question) -> ArmFigures:
    """An arm by itself: quality, cost, time."""
    values, clusters, unscored, failed = [], [], 0, 0
    for one in told.results:
        value = _value(one, question.metric)
        failed += bool(one.error)
        unscored += value is None and not one.error
        if value is not None:
            values.append(value)
            clusters.append(one.cluster or one.item)
    quality = _mean(values, clusters, question.confidence) if values else None
    answered = [one for one in told.results if not one.error]
    cost = _average([one.cost_nano for one in answered])
    times = sorted(one.latency_ms for one in answered if one.latency_ms is not None)
    return ArmFigures(
        model=told.model, run=told.run, scored=len(values), unscored=unscored, failed=failed,
        quality=quality.value if quality else None,
        low=_finite(quality.low) if quality else None,
        high=_finite(quality.high) if quality else None,
        cost_per_call_nano=cost, cost_per_1000_nano=None if cost is None else cost * 1000,
        cost_per_month_nano=_monthly(cost, question),
        input_tokens=_average([one.usage.input for one in answered]),
        output_tokens=_average([one.usage.output for one in answered]),
        p50_ms=_quantile(times, 0.5), p95_ms=_quantile(times, 0.95),
    )  # fmt: skip


def _seen(question: Question, baseline: Told, told: Told) -> _Seen:
    sign = 1.0 if question.direction == "higher" else -1.0
    pairs = _paired(baseline.results, told.results, question.metric, sign)
    found = worst = None
    scored = [place for place, value in enumerate(pairs.candidate) if not math.isnan(value)]
    if len(scored) >= 2:
        found = _compared(pairs, scored, question.confidence)
        worst = found
        if pairs.filled:
            floor = min(min(pairs.base), min(pairs.candidate[n] for n in scored))
            full = [floor if math.isnan(value) else value for value in pairs.candidate]
            whole = pairs._replace(candidate=full)
            worst = _compared(whole, list(range(len(full))), question.confidence)
    return _Seen(told, figures_of(told, question), pairs, found, worst)


def _paired(
    base: Sequence[Result], candidate: Sequence[Result], metric: str, sign: float
) -> _Pairs:
    """Rows of which both arms know, by the row and its repeat, where the baseline has a score."""
    there = {(one.item, one.repeat): one for one in base}
    pairs = _Pairs([], [], [], 0, [])
    filled = 0
    for one in candidate:
        was = there.get((one.item, one.repeat))
        value = _value(was, metric) if was else None
        if was is None or value is None:
            continue
        told = _value(one, metric)
        filled += told is None
        pairs.base.append(sign * value)
        pairs.candidate.append(math.nan if told is None else sign * told)
        pairs.clusters.append(one.cluster or one.item)
        if told is not None:
            pairs.rows.append((was, one))
    return pairs._replace(filled=filled)


def _compared(pairs: _Pairs, places: Sequence[int], confidence: float) -> Comparison:
    clusters = [pairs.clusters[n] for n in places]
    apart = len(set(clusters)) == len(clusters)
    return compare(
        [pairs.base[n] for n in places], [pairs.candidate[n] for n in places],
        None if apart else clusters, confidence,
    )  # fmt: skip


def _p(found: Comparison | None, margin: float) -> float:
    return 1.0 if found is None else non_inferiority_p(found.difference, margin)


def _judged(
    question: Question, base: ArmFigures, seen: _Seen, p: float, adjusted: float,
    worst_adjusted: float, count: int,
) -> Candidate:  # fmt: skip
    """A candidate with its verdict. Inside, higher is better; what is told is in the metric's own
    direction."""
    verdict, reason = _verdict(question, base, seen, adjusted, worst_adjusted)
    found, worst = seen.found, seen.worst
    flip = question.direction == "lower"
    known = found is not None
    difference = found.difference if found else None
    low, high = (_finite(difference.low), _finite(difference.high)) if difference else (None, None)
    value = difference.value if difference else None
    saved = _saved(base, seen.figures)
    return Candidate(
        figures=seen.figures, n=difference.n if difference else 0,
        clusters=difference.clusters if difference else 0,
        difference=_signed(value, flip), low=_signed(high if flip else low, flip),
        high=_signed(low if flip else high, flip), p=p if known else None,
        p_adjusted=adjusted if known else None, test=found.test if found else "",
        better=found.better if found else 0, worse=found.worse if found else 0,
        worst_low=_finite(worst.difference.low) if worst else None,
        verdict=verdict, reason=reason,
        needed=_needed(question, seen, count) if verdict == "not enough data" else None,
        saved_share=saved, saved_per_month_nano=_saved_monthly(base, seen.figures),
        length_ratio=_length_ratio(seen.pairs, question.confidence),
    )  # fmt: skip


def _verdict(
    question: Question, base: ArmFigures, seen: _Seen, adjusted: float, worst_adjusted: float
) -> tuple[VerdictWord, str]:
    found, alpha = seen.found, (1 - question.confidence) / 2
    if found is None:
        return "not enough data", "no rows have a score in both arms"
    told, margin = found.difference, f"{question.margin:g}"
    if told.high < 0 and adjusted >= alpha and told.clusters >= FEWEST:
        beyond = told.high < -question.margin
        how = f"it is worse by more than {margin}" if beyond else (
            f"it is worse, and not shown to keep within {margin}"
        )  # fmt: skip
        return "refused", how
    if told.clusters < FEWEST:
        return "not enough data", f"{told.clusters} independent rows are fewer than {FEWEST}"
    if adjusted >= alpha:
        return "not enough data", f"neither shown to keep within {margin} nor to be worse"
    if worst_adjusted >= alpha:
        return (
            "not enough data",
            f"it would not pass with its {seen.pairs.filled} answers without a score counted as "
            "the worst",
        )
    costs = seen.figures.cost_per_call_nano, base.cost_per_call_nano
    if costs[0] is not None and costs[1] is not None and costs[0] >= costs[1]:
        return "refused", "it is as good, but costs no less"
    return "passes", f"not worse by more than {margin}, and cheaper" if None not in costs else (
        f"not worse by more than {margin}; what it saves is not known"
    )  # fmt: skip


def _needed(question: Question, seen: _Seen, count: int) -> int | None:
    """Rows that would show it, were it as good as the baseline; and, where it looks worse than that
    but within the margin, as good as it looks. The spread is the one seen, clusters included."""
    found = seen.found
    if found is None or question.margin <= 0 or not math.isfinite(found.difference.se):
        return None
    told = found.difference
    spread = told.se * math.sqrt(told.n)
    confidence = 1 - (1 - question.confidence) / count
    effects = [question.margin]
    if -question.margin < told.value < 0:
        effects.append(question.margin + told.value)
    rows = max(sample_size(spread, effect, confidence=confidence) for effect in effects)
    size = told.n / max(1, told.clusters)
    return max(rows, math.ceil(FEWEST * size))


def _length_ratio(pairs: _Pairs, confidence: float) -> tuple[float, float, float] | None:
    """Output tokens of the baseline for one of the candidate's, on the same rows, with the
    percentile interval of a bootstrap over clusters."""
    told = [(a, b) for a, b in pairs.rows if a.usage.output and b.usage.output]
    if len(told) < 2:
        return None
    base = [a.usage.output for a, _ in told]
    candidate = [b.usage.output for _, b in told]
    clusters = [b.cluster or b.item for _, b in told]

    def ratio(places: Sequence[int]) -> float:
        return sum(base[n] for n in places) / sum(candidate[n] for n in places)

    found = bootstrap(ratio, len(told), clusters, confidence=confidence, rounds=500)  # type: ignore[arg-type]
    return found.value, found.low, found.high


def _warnings(base: ArmFigures, judged: Sequence[Candidate]) -> list[str]:
    said = []
    most = max((c.n for c in judged), default=0)
    groups = max((c.clusters for c in judged), default=0)
    if groups < FEW:
        what = "rows" if groups == most else "groups of rows"
        said.append(f"Only {groups} independent {what}: intervals of so few are rough.")
    for arm in (base, *(c.figures for c in judged)):
        if arm.failed:
            said.append(f"{arm.failed} rows of {arm.model!r} failed and have no answer.")
        if arm.unscored:
            said.append(
                f"{arm.unscored} answers of {arm.model!r} got no score (not parsed, or not judged)."
            )
        if arm.cost_per_call_nano is None and arm.scored:
            said.append(
                f"What {arm.model!r} costs is not known: state it with "
                f"stockpot prices set PROVIDER/MODEL."
            )
    return said


def _saved(base: ArmFigures, arm: ArmFigures) -> float | None:
    if not base.cost_per_call_nano or arm.cost_per_call_nano is None:
        return None
    return 1 - arm.cost_per_call_nano / base.cost_per_call_nano


def _saved_monthly(base: ArmFigures, arm: ArmFigures) -> float | None:
    if base.cost_per_month_nano is None or arm.cost_per_month_nano is None:
        return None
    return base.cost_per_month_nano - arm.cost_per_month_nano


def _monthly(cost: float | None, question: Question) -> float | None:
    if cost is None or not question.calls_per_month:
        return None
    return cost * question.calls_per_month


def _value(one: Result | None, metric: str) -> float | None:
    if one is None or one.error:
        return None
    verdict = one.scores.get(metric)
    return verdict.value if verdict else None


def _mean(values: Sequence[float], clusters: Sequence[str], confidence: float) -> Estimate:
    if len(set(clusters)) == len(clusters):
        return mean(values, confidence)
    return clustered_mean(values, clusters, confidence)


def _average(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told and len(told) == len(values) else None


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _signed(value: float | None, flip: bool) -> float | None:
    return None if value is None else -value if flip else value


def _candidates(count: int) -> str:
    return "1 candidate" if count == 1 else f"{count} candidates"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _known(cost: float | None) -> float:
    return math.inf if cost is None else cost
