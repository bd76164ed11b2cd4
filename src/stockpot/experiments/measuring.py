"""What the figures of an experiment say: sums over units in, means, differences and advice out.

Pure. One unit is one observation; intervals and p values hold at every look at once. Knows sums by
metric and arm; knows no store, and nothing of who reads it.

The level `alpha` is shared out so that it holds for the whole of an experiment: a primary metric's
over the arms that are compared (all primary metrics must succeed, so they share nothing: Berger
1982, Technometrics 24:295), the guardrails' over all of them and the arms, and the secondary
metrics' p values are adjusted (Holm).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from stockpot.experiments.models import (
    WHOLE,
    Advice,
    ArmDifference,
    ArmMean,
    ArmUnits,
    Experiment,
    Metric,
    MetricReport,
    RatioCheck,
)
from stockpot.stats import (
    BURN_IN,
    Band,
    Sums,
    difference_sequence,
    holm,
    mean_sequence,
    non_inferior_sequence,
    proportion_sequence,
    sample_ratio,
    share_spread,
    spread_of,
    warm,
    widest,
)
from stockpot.traces import UnitSums

RATIO_LEVEL = 0.001
EARLY = 0.1
"""The part of a proportion's level that is spent before the burn-in, on exact sequences: an arm
that fails all its calls is not waited for."""

_DAY_MS = 86_400_000
_NEVER = 10**8
_NONE = UnitSums(0, 0.0, 0.0, 0)

Found = Mapping[tuple[str, str], UnitSums]
"""Sums over units, by metric and arm, in the metric's own unit."""


class Measured(NamedTuple):
    """A report without its surroundings."""

    arms: tuple[ArmUnits, ...]
    ratio: RatioCheck | None
    metrics: tuple[MetricReport, ...]
    advice: Advice


def measure(experiment: Experiment, found: Found, now_ms: float) -> Measured:
    """Everything that the figures say."""
    arms = tuple(_arm(experiment, name, found) for name in _names(experiment))
    ratio = _ratio(arms)
    metrics = _adjusted(tuple(_metric(experiment, metric, found) for metric in experiment.metrics))
    advice = _advice(experiment, found, arms, ratio, metrics, now_ms)
    return Measured(arms, ratio, metrics, advice)


# --- arms -----------------------------------------------------------------------------------------


def _names(experiment: Experiment) -> tuple[str, ...]:
    return tuple(arm.name for arm in experiment.arms)


def _treated(experiment: Experiment) -> tuple[str, ...]:
    """The arms that are compared with the control."""
    return tuple(name for name in _names(experiment) if name != experiment.compared_with)


def _arm(experiment: Experiment, name: str, found: Found) -> ArmUnits:
    arm = next(arm for arm in experiment.arms if arm.name == name)
    sums = found.get(("calls", name), _NONE)
    traces: dict[str, str | float] = {
        "project": experiment.project, "experiment": experiment.name, "variant": name,
    }  # fmt: skip
    if experiment.started_ms is not None:
        traces["from_ms"] = experiment.started_ms
    return ArmUnits(
        name=name, target=arm.target or experiment.subject,
        control=name == experiment.compared_with, expected=arm.weight / WHOLE, units=sums.n,
        calls=sums.calls, traces=traces,
    )  # fmt: skip


def _ratio(arms: tuple[ArmUnits, ...]) -> RatioCheck | None:
    if not any(arm.units for arm in arms):
        return None
    told = sample_ratio([a.units for a in arms], [a.expected for a in arms], RATIO_LEVEL)
    return RatioCheck(p=told.p, level=RATIO_LEVEL, alarm=told.alarm)


# --- metrics --------------------------------------------------------------------------------------


def level_of(experiment: Experiment, metric: Metric) -> float:
    """The part of alpha that one comparison of a metric has."""
    arms = len(experiment.arms) - 1
    guards = sum(other.role == "guardrail" for other in experiment.metrics)
    return experiment.alpha / (arms * guards if metric.role == "guardrail" else arms)


def _metric(experiment: Experiment, metric: Metric, found: Found) -> MetricReport:
    control = found.get((metric.name, experiment.compared_with), _NONE)
    level = level_of(experiment, metric)
    past = experiment.unit == "user" and metric.kind == "mean"
    return MetricReport(
        metric=metric,
        arms=tuple(
            _mean(metric, name, found.get((metric.name, name), _NONE), experiment.alpha)
            for name in _names(experiment)
        ),
        differences=tuple(
            _difference(metric, name, found.get((metric.name, name), _NONE), control, level, past)
            for name in _treated(experiment)
        ),
    )


def _mean(metric: Metric, arm: str, sums: UnitSums, alpha: float) -> ArmMean:
    if not sums.n:
        return ArmMean(arm=arm, n=0, mean=None, low=None, high=None)
    if metric.kind == "proportion":
        share = min(max(sums.total, 0.0), float(sums.n))
        band = proportion_sequence(share, sums.n, alpha)
    else:
        band = mean_sequence(sums.n, sums.total, sums.squares, alpha, observed=sums.calls)
    low, high = _ends(band)
    return ArmMean(arm=arm, n=sums.n, mean=sums.total / sums.n, low=low, high=high)


def _difference(
    metric: Metric, arm: str, sums: UnitSums, control: UnitSums, level: float, past: bool
) -> ArmDifference:
    nothing = ArmDifference(
        arm=arm, difference=None, low=None, high=None, relative=None, margin=metric.margin, p=None,
        p_adjusted=None, verdict="open",
    )  # fmt: skip
    if not (sums.n and control.n):
        return nothing
    mean, base = sums.total / sums.n, control.total / control.n
    margin = metric.margin * (abs(base) if metric.relative else 1.0)
    change = mean - base
    told = {"margin": margin, "relative": change / abs(base) if base else None}
    if not warm(sums.n, control.n):
        if metric.kind != "proportion":
            return nothing.model_copy(update={**told, "difference": change})
        band = _exact(sums, control, level * EARLY)
        harmed, holds = _beyond(metric, sums, control, level * EARLY)
    else:
        level *= 1 - EARLY if metric.kind == "proportion" else 1
        pair = _pair(metric, sums, control)
        calls = sums.calls + control.calls
        band = difference_sequence(*pair, level, adjusted=past, observed=calls)
        shifted = pair[1] if not metric.relative else _scaled(pair[1], _factor(metric))
        beyond = non_inferior_sequence(
            pair[0], shifted, 0.0 if metric.relative else margin,
            higher_is_better=metric.direction == "up", alpha=level, adjusted=past,
            observed=calls,
        )  # fmt: skip
        harmed, holds = beyond.refuted, beyond.holds
    low, high = _ends(band)
    return nothing.model_copy(
        update={**told, "difference": band.value, "low": low, "high": high,
                "p": band.p if band.ready else None,
                "verdict": _verdict(metric, low, high, harmed=harmed, holds=holds)}
    )  # fmt: skip


Verdict = Literal["better", "worse", "harmed", "not_worse", "open"]


def _verdict(
    metric: Metric, low: float | None, high: float | None, *, harmed: bool, holds: bool
) -> Verdict:
    if harmed and (metric.role == "guardrail" or metric.margin):
        return "harmed"
    if low is not None and high is not None:
        if metric.direction == "down":
            low, high = -high, -low
        if low > 0:
            return "better"
        if holds and metric.margin:
            return "not_worse"
        if high < 0:
            return "worse"
    return "open"


def _exact(sums: UnitSums, control: UnitSums, level: float) -> Band:
    """The difference of two shares, each within its exact sequence at half of the level."""
    one, other = (
        proportion_sequence(min(max(s.total, 0.0), float(s.n)), s.n, level / 2)
        for s in (sums, control)
    )
    low, high = one.low - other.high, one.high - other.low
    p = level if low > 0 or high < 0 else 1.0
    return Band(one.value - other.value, low, high, one.n + other.n, math.inf, 1 / p, p, True,
                "beta mixture")  # fmt: skip


def _beyond(metric: Metric, sums: UnitSums, control: UnitSums, level: float) -> tuple[bool, bool]:
    """Whether the margin is surely broken, and whether it surely holds; of shares."""
    one, other = (
        proportion_sequence(min(max(s.total, 0.0), float(s.n)), s.n, level / 2)
        for s in (sums, control)
    )
    factor = _factor(metric) if metric.relative else 1.0
    margin = 0.0 if metric.relative else metric.margin
    if metric.direction == "down":
        return (one.low - other.high * factor > margin, one.high - other.low * factor < margin)
    return (one.high - other.low * factor < -margin, one.low - other.high * factor > -margin)


def _factor(metric: Metric) -> float:
    """What the control's mean may become at worst."""
    return 1.0 + metric.margin if metric.direction == "down" else 1.0 - metric.margin


def _pair(metric: Metric, sums: UnitSums, control: UnitSums) -> tuple[Sums, Sums]:
    """Both arms as the sequences take them. Whose past is not known is taken to have been like the
    others: one number for both arms, so that it does not move the difference."""
    known = sums.known + control.known
    usual = (sums.before + control.before) / known if known else 0.0
    return _given(metric, sums, usual), _given(metric, control, usual)


def _given(metric: Metric, sums: UnitSums, usual: float) -> Sums:
    unknown = sums.n - sums.known
    squares = sums.squares
    if metric.kind == "proportion":
        squares = max(squares, _least_squares(sums))
    return Sums(
        sums.n, sums.total, squares,
        sums.before + unknown * usual,
        sums.before_squares + unknown * usual * usual,
        sums.products + usual * (sums.total - sums.known_total),
    )  # fmt: skip


def _least_squares(sums: UnitSums) -> float:
    """The sum of squares of a share whose units differ as chance alone makes them differ, so that a
    share of 0 is not taken for certain."""
    each = max(1.0, sums.calls / sums.n)
    mean = sums.total / sums.n
    variance = float(share_spread(mean * sums.n * each, sums.n * each)) / each
    return variance * (sums.n - 1) + sums.total * mean


def _scaled(sums: Sums, factor: float) -> Sums:
    """The same units with all values times a factor."""
    return sums._replace(
        total=sums.total * factor, squares=sums.squares * factor**2, cross=sums.cross * factor
    )


def _ends(band: Band) -> tuple[float | None, float | None]:
    if not band.ready:
        return None, None
    ends = (band.low, band.high)
    low, high = (end if math.isfinite(end) else None for end in ends)
    return low, high


def _adjusted(reports: tuple[MetricReport, ...]) -> tuple[MetricReport, ...]:
    """With Holm's p values on the secondary metrics."""
    of = [
        (number, place, d.p)
        for number, report in enumerate(reports)
        if report.metric.role == "secondary"
        for place, d in enumerate(report.differences)
        if d.p is not None
    ]
    adjusted = holm([p for _, _, p in of])
    known = {(number, place): p for (number, place, _), p in zip(of, adjusted, strict=True)}
    return tuple(
        report.model_copy(
            update={
                "differences": tuple(
                    d.model_copy(update={"p_adjusted": known.get((number, place))})
                    for place, d in enumerate(report.differences)
                )
            }
        )
        for number, report in enumerate(reports)
    )


# --- what follows ---------------------------------------------------------------------------------


def harms(metrics: tuple[MetricReport, ...]) -> list[tuple[Metric, ArmDifference]]:
    """Guardrails that an arm surely breaks."""
    return [
        (report.metric, d)
        for report in metrics
        if report.metric.role == "guardrail"
        for d in report.differences
        if d.verdict == "harmed"
    ]


def winner(metrics: tuple[MetricReport, ...]) -> str | None:
    """The arm of which every primary metric is decided in its favour; of several the best by the
    first of them."""
    primary = [report for report in metrics if report.metric.role == "primary"]
    if not primary:
        return None
    passed = [
        d
        for place, d in enumerate(primary[0].differences)
        if all(report.differences[place].verdict in ("better", "not_worse") for report in primary)
    ]
    sign = 1.0 if primary[0].metric.direction == "up" else -1.0
    best = max(passed, key=lambda d: sign * (d.difference or 0.0), default=None)
    return best.arm if best else None


def lost(metrics: tuple[MetricReport, ...]) -> bool:
    """Whether no arm can win any more: each is surely worse in some primary metric. Within a margin
    an arm may be worse, so that such a metric is lost only beyond it."""
    primary = [report for report in metrics if report.metric.role == "primary"]

    def is_lost(report: MetricReport, place: int) -> bool:
        verdict = report.differences[place].verdict
        return verdict == "harmed" or (verdict == "worse" and not report.metric.margin)

    return bool(primary) and all(
        any(is_lost(report, place) for report in primary)
        for place in range(len(primary[0].differences))
    )


def _advice(
    experiment: Experiment,
    found: Found,
    arms: tuple[ArmUnits, ...],
    ratio: RatioCheck | None,
    metrics: tuple[MetricReport, ...],
    now_ms: float,
) -> Advice:
    if experiment.state == "draft":
        return Advice(verdict="draft", text="It has not been started.")
    if experiment.state != "running":
        told = f": {experiment.winner} won" if experiment.winner else ""
        return Advice(verdict="ended", text=f"It is {experiment.state.replace('_', ' ')}{told}.")
    if ratio is not None and ratio.alarm:
        text = "The arms have not the units that their weights ask for: trust none of the figures."
        return Advice(verdict="mismatch", text=text)
    if broken := harms(metrics):
        metric, d = broken[0]
        text = f"{d.arm} breaks the guardrail {metric.name}: roll back."
        return Advice(verdict="roll_back", text=text, arm=d.arm)
    if best := winner(metrics):
        return Advice(verdict="ship", text=f"{best} wins on every primary metric.", arm=best)
    if lost(metrics):
        return Advice(verdict="stop", text="No arm can beat the control any more.")
    return _waiting(experiment, found, arms, metrics, now_ms)


def _waiting(
    experiment: Experiment,
    found: Found,
    arms: tuple[ArmUnits, ...],
    metrics: tuple[MetricReport, ...],
    now_ms: float,
) -> Advice:
    units = sum(arm.units for arm in arms)
    fewest = min(arm.units for arm in arms)
    left = _units_left(experiment, found, metrics)
    days = None
    if left is not None and units and experiment.started_ms is not None:
        elapsed = max(now_ms - experiment.started_ms, 1.0) / _DAY_MS
        days = left * elapsed / max(fewest, 1)
    if fewest < BURN_IN:
        text = f"Too early: every arm needs {BURN_IN} units, the smallest has {fewest}."
    elif left is None:
        text = "Nothing is decided, and as it looks now nothing will be soon."
    else:
        text = f"Nothing is decided yet. As it looks now, it takes {left} more units an arm."
    return Advice(verdict="wait", text=text, units_left=left, days_left=days)


def _units_left(
    experiment: Experiment, found: Found, metrics: tuple[MetricReport, ...]
) -> int | None:
    """How many more units each arm takes until the first primary metric would be decided, if the
    difference stays what it is."""
    report = next((r for r in metrics if r.metric.role == "primary"), None)
    if report is None:
        return None
    metric, needed = report.metric, []
    control = found.get((metric.name, experiment.compared_with), _NONE)
    for d in report.differences:
        sums = found.get((metric.name, d.arm), _NONE)
        if d.difference is None or min(sums.n, control.n) < 2:
            continue
        sign = 1.0 if metric.direction == "up" else -1.0
        distance = sign * d.difference + d.margin
        pair = _pair(metric, sums, control)
        spread = sum(float(spread_of(*one[:3])[1]) for one in pair)
        again = (sums.calls + control.calls) / (sums.n + control.n)
        wanted = _size(distance, spread, level_of(experiment, metric), again)
        if wanted is not None:
            needed.append(max(0, wanted - min(sums.n, control.n)))
    return min(needed, default=None)


def _size(distance: float, spread: float, level: float, again: float) -> int | None:
    """Units of each arm at which the sequence is as wide as the distance, where each comes `again`
    so often; None where it takes more than anybody has."""
    if distance <= 0:
        return None
    n = BURN_IN
    while n < _NEVER:
        if widest(2 * n, 2 * n * again, level) * math.sqrt(spread / n) <= distance:
            return n
        n = math.ceil(n * 1.1)
    return None
