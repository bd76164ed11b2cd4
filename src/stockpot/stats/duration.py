"""How long a watched experiment takes, before it starts. Knows units a day, spread and weights.

A sequence may end whenever it has decided, so its length is a distribution: it is simulated, as the
Brownian motion with drift that sums of units are in the limit, with a fixed seed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from stockpot.stats.intervals import Floats
from stockpot.stats.sequences import BURN_IN, TUNED, Side, boundary

PATHS = 4_000
LOOKS = 400


class Outlook(NamedTuple):
    """What an experiment will do if the true difference is `effect`: `power` is the chance that it
    decides within the days given; `median_days` and `most_days` (nine in ten) are the days to the
    decision, infinite where too few decide."""

    effect: float
    power: float
    median_days: float
    most_days: float
    units: int


def sequential_effect(
    spread: float, units: int, *, weights: tuple[float, float] = (0.5, 0.5), alpha: float = 0.05,
    power: float = 0.8, tuned: float = TUNED, side: Side = "both",
) -> float:  # fmt: skip
    """The smallest true difference of two means that shows with this power by the time that `units`
    have come: half the sequence's width there and the quantile of the power. A little too large,
    since the sequence may also have decided before. `spread` is the standard deviation of units;
    `weights` are the two arms' parts of the units."""
    if units < 1:
        return math.inf
    wide = float(boundary(units, alpha, tuned, side)) + float(ndtri(power))
    return wide * _se(spread, weights, units)


def share_spread_of(baseline: float) -> float:
    """The standard deviation of units of which this share succeeds."""
    return math.sqrt(baseline * (1.0 - baseline))


def outlook(
    effect: float, spread: float, units_a_day: float, days: float, *,
    weights: tuple[float, float] = (0.5, 0.5), alpha: float = 0.05, tuned: float = TUNED,
    burn_in: int = BURN_IN, side: Side = "both", seed: int = 20_240_501,
) -> Outlook:  # fmt: skip
    """The length of an experiment that is looked at all the time and ends when its sequence leaves
    0 behind (or the margin: then `effect` is the distance to it, and the side is one)."""
    units = max(1, int(units_a_day * days))
    first = math.ceil(burn_in * (sum(weights) + abs(weights[0] - weights[1])) / min(weights))
    if first > units or spread <= 0:
        sure = spread <= 0 and effect != 0 and first <= units
        day = first / units_a_day if sure else math.inf
        return Outlook(effect, float(sure), day, day, units)
    at = np.unique(np.linspace(first, units, LOOKS).astype(np.int64)).astype(np.float64)
    walked = _walked(at, effect / _se(spread, weights, 1), seed)
    crossed = np.abs(walked) if side == "both" else walked
    beyond = crossed > boundary(at, alpha, tuned, side)
    decided = beyond.any(axis=1)
    when = np.where(decided, at[beyond.argmax(axis=1)], math.inf) / units_a_day
    median, most = np.quantile(when, [0.5, 0.9], method="higher")
    return Outlook(effect, float(decided.mean()), float(median), float(most), units)


def _walked(at: Floats, drift: float, seed: int) -> Floats:
    """Standardised sums when so many units have come, a path to a row."""
    drawn = np.random.default_rng(seed).standard_normal((PATHS, at.size))
    steps = np.diff(at, prepend=0.0)
    paths: Floats = np.cumsum(drawn * np.sqrt(steps) + drift * steps, axis=1) / np.sqrt(at)
    return paths


def _se(spread: float, weights: tuple[float, float], units: int) -> float:
    whole = sum(weights)
    return spread * math.sqrt((whole / weights[0] + whole / weights[1]) / units)
