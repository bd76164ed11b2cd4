"""Whether the figures of a running experiment justify a step, and which. Pure; does nothing itself.

In this order: a broken guardrail rolls back; units that are not split by the weights raise an alarm
and stop the ramp; a decided primary metric concludes; a stage that has lasted leads to the next.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stockpot.experiments.measuring import Measured, harms, lost, winner
from stockpot.experiments.models import DecisionKind, Experiment, Stage


class Step(NamedTuple):
    """What to do, why, and the figures that justify it. `share` is that of a ramp, `arm` the one
    that won or that broke a guardrail."""

    kind: DecisionKind
    reason: str
    figures: dict[str, Any]
    share: int = 0
    arm: str = ""


def decide(experiment: Experiment, told: Measured, now_ms: float) -> Step | None:
    """The step that is due now, or None."""
    if experiment.state != "running":
        return None
    figures = figures_of(told)
    if broken := harms(told.metrics):
        metric, d = broken[0]
        reason = (
            f"{d.arm} is worse in {metric.name} than its margin of {d.margin:.6g} allows: "
            f"{_spoken(d.difference)} against the control, {_interval(d.low, d.high)}"
        )
        return Step("rolled_back", reason, figures, arm=d.arm)
    if told.ratio is not None and told.ratio.alarm:
        if experiment.alarmed:
            return None
        counts = ", ".join(f"{a.name} {a.units} of {a.expected:.2%}" for a in told.arms)
        reason = f"units are not split by the weights (p {told.ratio.p:.2g}): {counts}"
        return Step("srm_alarm", reason, figures)
    if best := winner(told.metrics):
        return Step("concluded", f"{best} wins on every primary metric", figures, arm=best)
    if lost(told.metrics):
        reason = "no arm can beat the control any more"
        return Step("concluded", reason, figures, arm=experiment.compared_with)
    return _ramp(experiment, told, figures, now_ms)


def figures_of(told: Measured) -> dict[str, Any]:
    """What a decision keeps of the figures that it was made on."""
    return {
        "arms": [{"arm": a.name, "units": a.units, "calls": a.calls} for a in told.arms],
        "split_p": None if told.ratio is None else told.ratio.p,
        "metrics": [
            {
                "metric": report.metric.name,
                "role": report.metric.role,
                "arm": d.arm,
                "difference": d.difference,
                "low": d.low,
                "high": d.high,
                "margin": d.margin,
                "p": d.p,
                "verdict": d.verdict,
            }
            for report in told.metrics
            for d in report.differences
        ],
    }


def _ramp(
    experiment: Experiment, told: Measured, figures: dict[str, Any], now_ms: float
) -> Step | None:
    stage = next((s for s in experiment.ramp if s.share > experiment.share), None)
    if stage is None or not _lasted(experiment, stage, told, now_ms):
        return None
    for report in told.metrics:
        if report.metric.role != "guardrail":
            continue
        sign = 1.0 if report.metric.direction == "up" else -1.0
        if any(sign * (d.difference or 0.0) < -d.margin for d in report.differences):
            return None  # nothing is proven, but it does not look well either
    reason = f"every guardrail holds at {experiment.share / 100:g} %"
    return Step("ramped", reason, figures, share=stage.share)


def _lasted(experiment: Experiment, stage: Stage, told: Measured, now_ms: float) -> bool:
    known = (at for at in (experiment.stage_ms, experiment.started_ms) if at is not None)
    since = next(known, now_ms)
    enough = min(arm.units for arm in told.arms) >= stage.units
    return enough and now_ms - since >= stage.after_s * 1000


def _spoken(difference: float | None) -> str:
    return "unknown" if difference is None else f"{difference:+.4g}"


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "no interval yet"
    return f"[{low:+.4g}, {high:+.4g}] at every look"
