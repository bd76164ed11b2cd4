"""From results to metrics: means with intervals, over all rows and over slices. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from stockpot.evals.models import Measured, Result, SuiteSpec
from stockpot.evals.scorers import Case, Scorer

LATENCY, COST = "latency", "cost"


class Metric(NamedTuple):
    """What is known of a metric without its values."""

    name: str
    better: Literal["higher", "lower"]
    unit: str
    share: bool


def metrics_of(spec: SuiteSpec, scorers: Sequence[Scorer]) -> dict[str, Metric]:
    """The metrics that a suite's scorers give, by name."""
    return {
        told.metric: Metric(
            told.metric, scorer.better, "share" if scorer.returns == "bool" else scorer.unit,
            scorer.returns == "bool",
        )
        for told, scorer in zip(spec.scorers, scorers, strict=True)
    }  # fmt: skip


class Values(NamedTuple):
    """The values of one metric, with the rows and clusters that they come from."""

    rows: tuple[tuple[str, int], ...]
    values: tuple[float, ...]
    clusters: tuple[str, ...] | None


def values_of(results: Iterable[Result], metric: str, part: str = "") -> Values:
    """One metric's values, over all rows or those of a slice. Rows without a score are left out;
    repeats of a row are a cluster where nothing else is."""
    found = [
        ((one.item, one.repeat), verdict.value, one.cluster or one.item)
        for one in results
        if (not part or part in one.slices)
        and (verdict := one.scores.get(metric)) is not None
        and verdict.value is not None
    ]
    rows, values, clusters = (tuple(column) for column in zip(*found, strict=True)) if found else (
        (), (), ()
    )  # fmt: skip
    apart = len(set(clusters)) == len(clusters)
    return Values(rows, values, None if apart else clusters)


def measured(results: Sequence[Result], metric: Metric, part: str = "",
             confidence: float = 0.95) -> Measured | None:  # fmt: skip
    """One metric with its interval; None where nothing was scored."""
    from stockpot.stats import clustered_mean, mean, wilson

    found = values_of(results, metric.name, part)
    if not found.values:
        return None
    apart = len(set(found.clusters or found.rows))
    if metric.unit == "share" and set(found.values) in ({0.0}, {1.0}):
        # All alike: no spread is no certainty. Rows that belong together count as one.
        estimate = wilson(int(found.values[0]) * apart, apart, confidence)
        estimate = estimate._replace(n=len(found.values))
    elif found.clusters is not None:
        estimate = clustered_mean(found.values, found.clusters, confidence)
    elif metric.share and set(found.values) <= {0.0, 1.0}:
        estimate = wilson(int(sum(found.values)), len(found.values), confidence)
    else:
        estimate = mean(found.values, confidence)
    return Measured(
        metric=metric.name, slice=part, value=estimate.value, low=finite(estimate.low),
        high=finite(estimate.high), se=finite(estimate.se), n=estimate.n,
        clusters=estimate.clusters, method=estimate.method, better=metric.better, unit=metric.unit,
    )  # fmt: skip


def slices_in(results: Iterable[Result]) -> list[str]:
    """Every slice that rows are in, by name."""
    return sorted({part for one in results for part in one.slices})


def all_measured(
    spec: SuiteSpec, scorers: Sequence[Scorer], cases: Sequence[Case], results: Sequence[Result]
) -> tuple[Measured, ...]:
    """Every metric of a run: on all rows, on slices, and what the scorers add. `cases` may be empty
    where no scorer `looks_at_cases`."""
    confidence = spec.gate.confidence
    found: list[Measured] = []
    parts = ["", *slices_in(results)]
    for told, scorer in zip(spec.scorers, scorers, strict=True):
        metric = metrics_of(spec, scorers)[told.metric]
        shown = (measured(results, metric, part, confidence) for part in parts)
        found += [one for one in shown if one is not None]
        if looks_at_cases(spec, scorer):
            found += _extras(told.metric, scorer, cases, results, spec)
    return tuple(found)


def looks_at_cases(spec: SuiteSpec, scorer: Scorer) -> bool:
    """Whether a scorer adds metrics of all cases together."""
    repeated = spec.repeats > 1 and scorer.returns == "bool"
    return repeated or type(scorer).extras is not Scorer.extras


def _extras(
    name: str, scorer: Scorer, cases: Sequence[Case], results: Sequence[Result], spec: SuiteSpec
) -> list[Measured]:
    from stockpot.evals.scorers.trajectories import passes

    pairs = [
        (case, one.scores[name])
        for case, one in zip(cases, results, strict=True)
        if name in one.scores
    ]
    extras = scorer.extras([c for c, _ in pairs], [v for _, v in pairs], spec.gate.confidence)
    if spec.repeats > 1 and scorer.returns == "bool" and not extras:
        tasks: dict[str, list[bool]] = {}
        for case, verdict in pairs:
            tasks.setdefault(case.item, []).append(verdict.value == 1.0)
        extras = passes(list(tasks.values()), None, spec.gate.confidence)
    return [
        Measured(
            metric=f"{name}.{extra.metric}", value=extra.estimate.value,
            low=finite(extra.estimate.low), high=finite(extra.estimate.high),
            se=finite(extra.estimate.se), n=extra.estimate.n, clusters=extra.estimate.clusters,
            method=extra.estimate.method, better=scorer.better, unit=extra.unit,
        )
        for extra in extras
    ]  # fmt: skip


def finite(value: float) -> float | None:
    """A number that JSON can say, or nothing."""
    return value if math.isfinite(value) else None
