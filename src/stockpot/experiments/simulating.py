"""What our own statistics do to experiments whose truth is known: error rates, power, durations.

Experiments without any difference are looked at all the time, by the sequence that decides live
ones and by the t test that most people would watch; so are experiments with a difference, and
splits that are even and uneven. Fixed seeds. Knows `stats`; knows no experiment of anybody's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stockpot.stats import (
    TUNED,
    binomial_interval,
    ratio_evidence,
    share_spread,
    spread_of,
    warm,
    widest,
)

Floats = NDArray[np.float64]
SEED = 20_240_501
_CHUNK = 50
"""Experiments that are simulated at once: their arrays stay in the processor's cache."""
_NAIVE = 1.959963984540054
_RARE = 0.05
_LEAST_ARM = 125

Method = Literal["sequence", "t test at every look", "t test once, at the end"]
METHODS: tuple[Method, ...] = ("sequence", "t test at every look", "t test once, at the end")


class Setting(NamedTuple):
    """What is simulated: `units` of both arms together, looked at `looks` times, of which `split`
    is the candidate's part."""

    simulations: int = 2_000
    units: int = 10_000
    looks: int = 500
    alpha: float = 0.05
    split: float = 0.5
    effects: tuple[float, ...] = (0.05, 0.1, 0.2)
    """Differences, in standard deviations of units."""
    tuned: float = TUNED
    seed: int = SEED


class ErrorRate(NamedTuple):
    """How often something was found where there is nothing, with the 99 % interval of its chance.
    `holds`: the interval includes the nominal rate or lies below."""

    scenario: str
    method: str
    errors: int
    simulations: int
    rate: float
    low: float
    high: float
    nominal: float
    holds: bool


class Power(NamedTuple):
    """How often a difference was found by the end, after how many units in the middle case (None:
    in fewer than half), and how often a t test would have found it that looks once, at the end."""

    effect: float
    power: float
    low: float
    high: float
    median_units: int | None
    once: float


class Simulated(NamedTuple):
    setting: Setting
    errors: tuple[ErrorRate, ...]
    powers: tuple[Power, ...]
    ratios: tuple[ErrorRate, ...]
    uneven: Power
    """Of a split that is 2 points off: how often it was noticed, and after how many units."""

    @property
    def sound(self) -> bool:
        """Whether everything that decides keeps to its error rate."""
        ours = (rate for rate in self.errors if rate.method == "sequence")
        return all(rate.holds for rate in (*ours, *self.ratios))


class Seen(NamedTuple):
    """One chunk at its looks: units, what they were observed, and standardised differences, an
    experiment to a row."""

    n: NDArray[np.int64]
    observed: NDArray[np.int64]
    z: Floats
    ready: NDArray[np.bool_]


def simulate(setting: Setting) -> Simulated:
    """Everything; for 2,000 experiments of 10,000 units a matter of seconds."""
    errors = [
        rate
        for name, draw in SCENARIOS.items()
        for rate in _errors(setting, name, draw, _at(setting, name))
    ]
    powers = [power_of(setting, effect) for effect in setting.effects]
    ratios = [_ratio_errors(setting, level) for level in (setting.alpha, 0.001)]
    return Simulated(setting, tuple(errors), tuple(powers), tuple(ratios), _uneven(setting))


def _at(setting: Setting, name: str) -> np.random.Generator:
    """Each scenario has numbers of its own, so that one more changes no other."""
    return np.random.default_rng([setting.seed, *name.encode()])


# --- experiments in which there is nothing to find ------------------------------------------------


def _normal(draw: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return draw.standard_normal(shape)


def _skewed(draw: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """As cost and latency are: lognormal, with a skewness of 6."""
    return np.exp(draw.standard_normal(shape))


def _share(draw: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """As errors and thumbs are: 1 in 20."""
    return (draw.random(shape) < _RARE).astype(np.float64)


class Returning(NamedTuple):
    """Units that come back, `calls` times each on average, and whose means move meanwhile. They
    differ among themselves by `own` times what their calls do. At `worst` the sequence is narrowest
    where all units have come, and from then on only their means move."""

    calls: int
    own: float
    worst: bool


Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
SCENARIOS: dict[str, Draw | Returning] = {
    "a mean, even": _normal,
    "a mean, skewed like cost": _skewed,
    "a share of 5 %": _share,
    "a mean of units that come back": Returning(4, 1.0, worst=False),
    "a mean of units that stay and call on": Returning(40, 0.0, worst=True),
}


def _errors(
    setting: Setting, name: str, draw: Draw | Returning, numbers: np.random.Generator
) -> Iterator[ErrorRate]:
    share = draw is _share
    tuned = setting.tuned
    if isinstance(draw, Returning) and draw.worst:
        tuned = _units(setting, draw)
    found = dict.fromkeys(METHODS, 0)
    for size in _chunks(setting.simulations):
        chunk = (size, setting.units)
        seen = (
            _returning(setting, numbers, size, draw)
            if isinstance(draw, Returning)
            else _looked(setting, numbers, draw(numbers, chunk), share=share)
        )
        for method, many in _found(setting._replace(tuned=tuned), seen).items():
            found[method] += int(many.any(axis=1).sum())
    for method, errors in found.items():
        yield _rate(name, method, errors, setting.simulations, setting.alpha)


def _rate(scenario: str, method: str, errors: int, of: int, nominal: float) -> ErrorRate:
    low, high = binomial_interval(errors, of)
    return ErrorRate(scenario, method, errors, of, errors / of, low, high, nominal, low <= nominal)


def _found(setting: Setting, seen: Seen) -> dict[Method, NDArray[np.bool_]]:
    """At which looks each method finds a difference."""
    strength = np.abs(seen.z)
    wide = widest(seen.n, seen.observed, setting.alpha, setting.tuned)
    sequence = (strength > wide) & seen.ready
    naive = (strength > _NAIVE) & seen.ready
    return dict(zip(METHODS, (sequence, naive, naive[:, -1:]), strict=True))


def _chunks(simulations: int) -> Iterator[int]:
    for begin in range(0, simulations, _CHUNK):
        yield min(_CHUNK, simulations - begin)


def _ends(setting: Setting, of: int) -> NDArray[np.int64]:
    """After how many of `of` events each look is."""
    return np.unique(np.linspace(0, of, setting.looks + 1).astype(np.int64)[1:])


def _looked(
    setting: Setting, numbers: np.random.Generator, values: Floats, *, effect: float = 0.0,
    share: bool = False,
) -> Seen:  # fmt: skip
    """Units that come one after the other, each once, to an arm by chance."""
    treated = (numbers.random(values.shape) < setting.split).astype(np.float64)
    if effect:
        values = values + effect * treated
    ends = _ends(setting, values.shape[1])
    squared = values * values
    n_1, t_1, q_1 = (_so_far(x, ends) for x in (treated, treated * values, treated * squared))
    total, squares = _so_far(values, ends), _so_far(squared, ends)
    return _seen((n_1, t_1, q_1), (ends - n_1, total - t_1, squares - q_1), ends, share=share)


def _so_far(values: Floats, ends: NDArray[np.int64]) -> Floats:
    """Sums up to each look."""
    begins = np.concatenate(([0], ends[:-1]))
    sums: Floats = np.add.reduceat(values, begins, axis=1).cumsum(axis=1)
    return sums


def _seen(
    one: tuple[Any, Any, Any], other: tuple[Any, Any, Any], observed: NDArray[np.int64], *,
    share: bool = False,
) -> Seen:  # fmt: skip
    """As `stats.difference_sequence` and `stats.proportion_difference_sequence` look at sums."""
    n_1, n_0 = np.maximum(one[0], 1), np.maximum(other[0], 1)
    mean_1, variance_1 = spread_of(n_1, *one[1:])
    mean_0, variance_0 = spread_of(n_0, *other[1:])
    if share:
        variance_1, variance_0 = share_spread(one[1], n_1), share_spread(other[1], n_0)
    se = np.sqrt(variance_1 / n_1 + variance_0 / n_0)
    z = np.divide(mean_1 - mean_0, se, out=np.zeros_like(se), where=se > 0)
    return Seen((one[0] + other[0]), observed, z, warm(one[0], other[0]))


def _units(setting: Setting, back: Returning) -> int:
    """How many units there are whose calls are as many as the setting's units."""
    smaller = min(setting.split, 1.0 - setting.split)
    least = math.ceil(_LEAST_ARM * (2.0 - 2.0 * smaller) / smaller)
    return min(setting.units, max(least, setting.units // back.calls))


def _returning(setting: Setting, numbers: np.random.Generator, size: int, back: Returning) -> Seen:
    """Calls of units that come back: a unit counts once, with the mean of its calls so far."""
    calls, units = setting.units, _units(setting, back)
    ends = _ends(setting, calls)
    sums = np.zeros((2, 3, size, ends.size))
    begins = np.concatenate(([0], ends[:-1]))
    for row in range(size):
        unit = numbers.integers(0, units, calls)
        own = numbers.standard_normal(units)
        values = back.own * own[unit] + numbers.standard_normal(calls)
        treated = (numbers.random(units) < setting.split)[unit]
        steps = _steps(unit, values)
        for arm, chosen in enumerate((~treated, treated)):
            picked = np.where(chosen, steps, 0.0)
            sums[arm, :, row] = np.add.reduceat(picked, begins, axis=1).cumsum(axis=1)
    return _seen(tuple(sums[1]), tuple(sums[0]), ends)


def _steps(unit: NDArray[np.int64], values: Floats) -> Floats:
    """What each call changes: the count of units, the sum of their means, and of its squares."""
    order = np.argsort(unit, kind="stable")
    sorted_values, first = values[order], np.ones(unit.size, np.bool_)
    first[1:] = unit[order][1:] != unit[order][:-1]
    starts = np.flatnonzero(first)
    running = sorted_values.cumsum()
    before = np.repeat(running[starts] - sorted_values[starts], np.diff([*starts, unit.size]))
    visit = np.arange(unit.size) - np.repeat(starts, np.diff([*starts, unit.size])) + 1
    mean = (running - before) / visit
    last = np.where(first, 0.0, np.roll(mean, 1))
    steps = np.empty((3, unit.size))
    steps[:, order] = (first, mean - last, mean**2 - last**2)
    return steps


def false_alarms(setting: Setting) -> tuple[NDArray[np.int64], dict[Method, Floats]]:
    """After how many units which part of experiments without a difference has had a false alarm."""
    ends, numbers = _ends(setting, setting.units), _at(setting, "a mean, even")
    summed = {method: np.zeros(ends.size) for method in METHODS[:2]}
    for size in _chunks(setting.simulations):
        seen = _looked(setting, numbers, _normal(numbers, (size, setting.units)))
        for method, found in _found(setting, seen).items():
            if method in summed:
                summed[method] += np.logical_or.accumulate(found, axis=1).sum(axis=0)
    return ends, {method: found / setting.simulations for method, found in summed.items()}


# --- experiments in which there is something ------------------------------------------------------


def power_of(setting: Setting, effect: float) -> Power:
    """How often, and how soon, a difference of so many standard deviations is found."""
    numbers = _at(setting, f"power {effect:g}")
    decided, units, once = 0, [], 0
    for size in _chunks(setting.simulations):
        values = _normal(numbers, (size, setting.units))
        seen = _looked(setting, numbers, values, effect=effect)
        found = _found(setting, seen)
        sequence = found["sequence"]
        decided += int(sequence.any(axis=1).sum())
        once += int(found["t test once, at the end"].sum())
        units.append(_first(sequence, seen.n))
    return _power(setting, effect, decided, np.concatenate(units), once / setting.simulations)


def _first(found: NDArray[np.bool_], n: Any) -> Floats:
    """After how many units each experiment is decided; infinite where it is not."""
    at = np.take_along_axis(np.broadcast_to(n, found.shape), found.argmax(axis=1)[:, None], axis=1)
    return np.where(found.any(axis=1), at[:, 0], math.inf)


def _power(setting: Setting, effect: float, decided: int, units: Floats, once: float) -> Power:
    median = float(np.quantile(units, 0.5, method="higher"))
    low, high = binomial_interval(decided, setting.simulations)
    rate = decided / setting.simulations
    return Power(effect, rate, low, high, int(median) if math.isfinite(median) else None, once)


# --- the split ------------------------------------------------------------------------------------


def _noticed(setting: Setting, truth: float, alpha: float, name: str) -> Floats:
    """After how many units the alarm is raised where so many come to the candidate."""
    numbers, ends, found = _at(setting, name), _ends(setting, setting.units), []
    blocks = np.diff(ends, prepend=0)
    for size in _chunks(setting.simulations):
        treated = numbers.binomial(blocks, truth, (size, blocks.size)).cumsum(axis=1)
        weights = [setting.split, 1.0 - setting.split]
        alarm = ratio_evidence([treated, ends - treated], weights) >= -math.log(alpha)
        found.append(_first(alarm, ends))
    return np.concatenate(found)


def _ratio_errors(setting: Setting, alpha: float) -> ErrorRate:
    units = _noticed(setting, setting.split, alpha, "even split")
    errors = int(np.isfinite(units).sum())
    return _rate("units by weight", "sample ratio", errors, setting.simulations, alpha)


def _uneven(setting: Setting) -> Power:
    units = _noticed(setting, setting.split + 0.02, 0.001, "uneven split")
    return _power(setting, 0.02, int(np.isfinite(units).sum()), units, 0.0)
