"""What an experiment will be able to see, and how long it takes, before it starts. Pure."""

from __future__ import annotations

import math

from stockpot.core.errors import InvalidInput
from stockpot.experiments.models import WHOLE, ExperimentPlan, ExperimentPlanRequest
from stockpot.stats import BURN_IN, outlook, sequential_effect, share_spread_of

_MOST_UNITS = 10**9
_MOST_DAYS = 3650.0


def plan(asked: ExperimentPlanRequest) -> ExperimentPlan:
    """The smallest difference that shows in the days given, and what the asked one takes."""
    spread = _spread(asked)
    part = asked.weight / WHOLE
    weights = (1.0 - part, part)
    pace = asked.units_per_day * asked.share / WHOLE
    units = int(pace * asked.days)
    seen = sequential_effect(
        spread, units, weights=weights, alpha=asked.alpha, power=asked.power
    )  # fmt: skip
    if min(weights) * units < BURN_IN:
        seen = math.inf
    detectable = seen if math.isfinite(seen) else None
    if asked.effect is None:
        return ExperimentPlan(detectable=detectable, units=units)
    needed = _needed(asked, spread, weights)
    told = outlook(
        asked.effect, spread, pace, min(_MOST_DAYS, max(asked.days, 3 * (needed or 0) / pace)),
        weights=weights, alpha=asked.alpha,
    )  # fmt: skip
    within = outlook(asked.effect, spread, pace, asked.days, weights=weights, alpha=asked.alpha)
    return ExperimentPlan(
        detectable=detectable,
        units=units,
        needed_units=needed,
        needed_days=None if needed is None else needed / pace,
        median_days=told.median_days if math.isfinite(told.median_days) else None,
        most_days=told.most_days if math.isfinite(told.most_days) else None,
        power=within.power,
    )


def _spread(asked: ExperimentPlanRequest) -> float:
    if asked.spread is not None:
        return asked.spread
    if asked.kind != "proportion" or not 0 < asked.baseline < 1:
        raise InvalidInput(
            "how much units differ is not known: give a spread (their standard deviation), or a "
            "proportion with a baseline between 0 and 1"
        )
    return share_spread_of(asked.baseline)


def _needed(
    asked: ExperimentPlanRequest, spread: float, weights: tuple[float, float]
) -> int | None:
    """The units of both arms together at which the effect shows with the power asked for."""
    assert asked.effect is not None
    units = math.ceil(BURN_IN / min(weights))
    while units < _MOST_UNITS:
        if asked.effect >= sequential_effect(
            spread, units, weights=weights, alpha=asked.alpha, power=asked.power
        ):
            return units
        units = math.ceil(units * 1.02)
    return None
