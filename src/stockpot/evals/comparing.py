"""Two runs beside each other, on the rows that both have. Pure.

Each metric is compared on every row and on every slice, by row; rows that belong together count as
a cluster. All p values of a table are adjusted for their number (Holm), so that looking at many
slices finds no difference that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from stockpot.evals.measuring import Metric, finite, slices_in, values_of
from stockpot.evals.models import CaseDifference, Compared, ParetoPoint, Result, Run, Verdict

_CASES = 500
_Key = tuple[str, int]


class Pairs(NamedTuple):
    """Results of the same row and repeat."""

    base: tuple[Result, ...]
    candidate: tuple[Result, ...]
    only_base: int
    only_candidate: int


def paired(base: Sequence[Result], candidate: Sequence[Result]) -> Pairs:
    """The rows that both runs have, in the candidate's order."""
    there = {(one.item, one.repeat): one for one in base}
    both = [one for one in candidate if (one.item, one.repeat) in there]
    return Pairs(
        tuple(there[one.item, one.repeat] for one in both), tuple(both),
        len(base) - len(both), len(candidate) - len(both),
    )  # fmt: skip


def compared(
    pairs: Pairs,
    metrics: Mapping[str, Metric],
    *,
    confidence: float = 0.95,
    margins: Mapping[str, float] | None = None,
    only: str | None = None,
) -> tuple[Compared, ...]:
    """Every metric on all rows and on slices; `only` names the one slice to look at."""
    from stockpot.stats import holm

    parts = ["", *slices_in(pairs.candidate)] if only is None else [only]
    found = [
        row
        for metric in metrics.values()
        for part in parts
        if (row := _compared(pairs, metric, part, confidence, (margins or {}).get(metric.name)))
    ]
    adjusted = holm([row.p for row in found])
    return tuple(
        row.model_copy(update={"p_adjusted": p, "verdict": _verdict(row, p, confidence)})
        for row, p in zip(found, adjusted, strict=True)
    )


def _compared(
    pairs: Pairs, metric: Metric, part: str, confidence: float, margin: float | None
) -> Compared | None:
    from stockpot.stats import compare, minimum_detectable_effect

    both = _both(pairs, metric.name, part)
    if len(both.base) < 2:
        return None
    found = compare(both.base, both.candidate, both.clusters, confidence)
    spread = _spread(both.base, both.candidate)
    size = len(both.base) / max(1, found.difference.clusters)
    seen = minimum_detectable_effect(spread, len(both.base), cluster_size=size,
                                     icc=1.0 if size > 1 else 0.0)  # fmt: skip
    flip = metric.better == "lower"
    low, high = finite(found.difference.low), finite(found.difference.high)
    return Compared(
        metric=metric.name, slice=part, base=found.base, candidate=found.candidate,
        difference=found.difference.value, low=low, high=high, p=found.p, p_adjusted=found.p,
        test=found.test, effect=finite(found.effect), n=len(both.base),
        clusters=found.difference.clusters, better=found.worse if flip else found.better,
        worse=found.better if flip else found.worse, direction=metric.better, unit=metric.unit,
        margin=margin, non_inferior=_non_inferior(low, high, margin, flip),
        verdict="no difference shown", detectable=finite(seen),
    )  # fmt: skip


class _Both(NamedTuple):
    base: tuple[float, ...]
    candidate: tuple[float, ...]
    clusters: tuple[str, ...] | None


def _both(pairs: Pairs, metric: str, part: str) -> _Both:
    """The values of rows that are scored in both."""
    base = values_of(pairs.base, metric)
    candidate = values_of(pairs.candidate, metric, part)
    there: dict[_Key, float] = dict(zip(base.rows, base.values, strict=True))
    names = candidate.clusters or tuple(item for item, _ in candidate.rows)
    kept = [
        (there[row], value, name)
        for row, value, name in zip(candidate.rows, candidate.values, names, strict=True)
        if row in there
    ]
    if not kept:
        return _Both((), (), None)
    one, other, clusters = zip(*kept, strict=True)
    return _Both(one, other, None if len(set(clusters)) == len(clusters) else clusters)


def _spread(base: Sequence[float], candidate: Sequence[float]) -> float:
    differences = [b - a for a, b in zip(base, candidate, strict=True)]
    centre = sum(differences) / len(differences)
    return math.sqrt(sum((d - centre) ** 2 for d in differences) / (len(differences) - 1))


def _non_inferior(
    low: float | None, high: float | None, margin: float | None, flip: bool
) -> bool | None:
    if margin is None:
        return None
    if flip:
        return high is not None and high < margin
    return low is not None and low > -margin


def _verdict(
    row: Compared, p: float, confidence: float
) -> Literal["better", "worse", "not worse", "no difference shown"]:
    if p < 1 - confidence and row.difference:
        return "better" if (row.difference > 0) == (row.direction == "higher") else "worse"
    return "not worse" if row.non_inferior else "no difference shown"


def case_differences(
    pairs: Pairs, metrics: Mapping[str, Metric], limit: int = _CASES
) -> tuple[CaseDifference, ...]:
    """Rows whose score differs, what got worse first, the largest difference first."""
    found: list[tuple[float, CaseDifference]] = []
    for one, other in zip(pairs.base, pairs.candidate, strict=True):
        for metric in metrics.values():
            was, now = one.scores.get(metric.name), other.scores.get(metric.name)
            if was is None or now is None or was.value is None or now.value is None:
                continue
            if was.value != now.value and metric.unit not in ("ms", "nano"):
                found.append((abs(now.value - was.value), _case(one, other, metric, was, now)))
    found.sort(key=lambda pair: (pair[1].change != "worse", -pair[0]))
    return tuple(case for _, case in found[:limit])


def _case(one: Result, other: Result, metric: Metric, was: Verdict, now: Verdict) -> CaseDifference:
    assert was.value is not None
    assert now.value is not None
    rose = now.value > was.value
    return CaseDifference(
        item=other.item, repeat=other.repeat, metric=metric.name, base=was, candidate=now,
        base_output=one.output, candidate_output=other.output, base_trace=one.trace_id,
        candidate_trace=other.trace_id,
        change="better" if rose == (metric.better == "higher") else "worse",
    )  # fmt: skip


def differing(base: Run, candidate: Run) -> tuple[str, ...]:
    """What differs between two arms, in words that a person would use."""
    found = []
    for name, words in (
        ("kind", "target"), ("prompt", "prompt"), ("prompt_version", "prompt version"),
        ("model", "model"), ("url", "endpoint"), ("callable", "function"), ("params", "parameters"),
        ("system", "system message"), ("served", "what serves the model"),
    ):  # fmt: skip
        if base.arm.get(name) != candidate.arm.get(name):
            found.append(words)
    if "prompt" in found and "prompt version" in found:
        found.remove("prompt version")
    if base.dataset_hash != candidate.dataset_hash:
        found.append("rows")
    if _scoring(base) != _scoring(candidate):
        found.append("scorers")
    return tuple(found)


def _scoring(run: Run) -> list[Any]:
    return [
        {"name": one.metric, "use": one.use, "judge": one.options["judge"].get("content_hash")}
        if isinstance(one.options.get("judge"), dict)
        else one.model_dump()
        for one in run.spec.scorers
    ]


def warnings_of(base: Run, candidate: Run, pairs: Pairs) -> tuple[str, ...]:
    """What a reader must know before believing a comparison."""
    said = []
    differs = differing(base, candidate)
    if len(differs) > 1:
        said.append(
            f"The two runs differ in more than one thing ({', '.join(differs)}): a difference "
            "cannot be put down to one of them."
        )
    left_out = pairs.only_base + pairs.only_candidate
    if left_out:
        said.append(f"{left_out} results stand in one run alone and are left out.")
    for run in (base, candidate):
        if run.progress.failed:
            said.append(
                f"{run.progress.failed} rows of {run.id} failed and have no score; "
                "a comparison of the rest may flatter it."
            )
        if run.state != "done":
            said.append(f"{run.id} is {run.state}: not all of its rows are there.")
    return tuple(said)


def pareto(points: Sequence[ParetoPoint]) -> tuple[ParetoPoint, ...]:
    """The same points, each told whether another is at least as good in everything that both tell
    and better in one of quality, cost and latency."""
    return tuple(
        point.model_copy(update={"dominated": any(_beats(other, point) for other in points)})
        for point in points
    )


def _beats(one: ParetoPoint, other: ParetoPoint) -> bool:
    axes = (
        (one.quality, other.quality, 1), (one.cost_nano, other.cost_nano, -1),
        (one.latency_ms, other.latency_ms, -1),
    )  # fmt: skip
    gains = [(a - b) * sign for a, b, sign in axes if a is not None and b is not None]
    return bool(gains) and min(gains) >= 0 and max(gains) > 0


def point_of(run: Run, results: Sequence[Result]) -> ParetoPoint:
    """A run in quality (the mean of its first scorer), cost and latency (means of its rows)."""
    first = run.spec.scorers[0].metric
    quality = next((m.value for m in run.metrics if m.metric == first and not m.slice), None)
    return ParetoPoint(
        run=run.id, label=label_of(run), quality=quality,
        cost_nano=_mean([r.cost_nano for r in results]),
        latency_ms=_mean([r.latency_ms for r in results]), dominated=False,
    )  # fmt: skip


def label_of(run: Run) -> str:
    """What ran, in a few words."""
    arm = run.arm
    if arm.get("prompt"):
        name = f"{arm['prompt']}@{arm.get('prompt_version', '?')}"
        return f"{name} on {arm['model']}" if arm.get("model") else name
    return str(arm.get("model") or arm.get("url") or arm.get("callable") or arm.get("kind"))


def _mean(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told and len(told) == len(values) else None
