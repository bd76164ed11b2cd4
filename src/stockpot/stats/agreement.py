"""How far annotators agree beyond chance: Krippendorff's alpha, Cohen's and Fleiss' kappa, each
with its interval. Knows ratings by unit and rater; knows nothing of queues and judges.

Where only one value was ever given, chance alone would agree always, and no figure says anything:
`value` is then not a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from stockpot.stats.intervals import Estimate

Level = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "linear", "quadratic"]
Floats = NDArray[np.float64]

_SEED = 20_260_101
_AT_ONCE = 250
"""Resamples that are in memory together."""


def krippendorff_alpha(
    units: Sequence[Sequence[Any]],
    level: Level = "nominal",
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Estimate:
    """Alpha of units, each the values that its raters gave (None: this rater gave none).

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability". Units with one value say
    nothing and are left out. The interval is the percentile one over resampled units (seeded).
    """
    rated = [[v for v in unit if v is not None] for unit in units]
    rated = [unit for unit in rated if len(unit) > 1]
    if not rated:
        raise ValueError("alpha needs a unit that two raters rated")
    parts = _interval_parts(rated) if level == "interval" else _counted_parts(rated, level)
    method = f"krippendorff-{level}"
    return _resampled(parts, len(rated), confidence, resamples, method)


def cohen_kappa(
    one: Sequence[Hashable],
    other: Sequence[Hashable],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Estimate:
    """Kappa of two raters who rated the same units, in the same order (Cohen 1960, 1968), with the
    large-sample interval of Fleiss, Cohen and Everitt (1969, Psychological Bulletin 72:323).

    With weights the values must be in order: numbers, or texts that sort as they rank.
    """
    if len(one) != len(other) or not one:
        raise ValueError("kappa needs the same units from both raters, and at least one")
    values = sorted({*one, *other}, key=_rank)
    place = {value: index for index, value in enumerate(values)}
    table = np.zeros((len(values), len(values)))
    for a, b in zip(one, other, strict=True):
        table[place[a], place[b]] += 1
    return kappa_of_table(table, weights, confidence)


def kappa_of_table(
    table: Sequence[Sequence[float]] | Floats, weights: Weights = "none", confidence: float = 0.95
) -> Estimate:
    """Cohen's kappa of a table of counts, first rater down, second across."""
    counts = np.asarray(table, dtype=np.float64)
    n = float(counts.sum())
    p = counts / n
    w = _weights(len(p), weights)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((w * p).sum()), float((w * np.outer(rows, columns)).sum())
    method = "cohen" if weights == "none" else f"cohen-{weights}"
    if expected >= 1:
        return _undefined(int(n), method)
    kappa = (observed - expected) / (1 - expected)
    beside = (w @ columns)[:, None] + (rows @ w)[None, :]
    spread = float((p * (w - beside * (1 - kappa)) ** 2).sum())
    variance = (spread - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    se = math.sqrt(max(0.0, variance))
    z = float(ndtri(0.5 + confidence / 2))
    p_value = 2 * float(ndtr(-abs(kappa) / se)) if se else math.nan
    low, high = max(-1.0, kappa - z * se), min(1.0, kappa + z * se)
    return Estimate(kappa, low, high, se, int(n), int(n), math.inf, p_value, method)


def careful_kappa(
    one: Sequence[Hashable],
    other: Sequence[Hashable],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Estimate:
    """Kappa with the wider of two intervals, for decisions that rest on its lower end: the one of
    `cohen_kappa`, which is too narrow where raters nearly always agree and empty where they always
    do, and the score interval (Wilson 1927) of the agreement that was observed, taken through
    kappa's formula with chance agreement as it is."""
    found = cohen_kappa(one, other, weights, confidence)
    values = sorted({*one, *other}, key=_rank)
    if math.isnan(found.value) or len(values) < 2:
        return found
    place = {value: index for index, value in enumerate(values)}
    near = _weights(len(values), weights)
    pairs = zip(one, other, strict=True)
    observed = float(np.mean([near[place[a], place[b]] for a, b in pairs]))
    chance = (observed - found.value) / (1 - found.value) if found.value < 1 else (
        _chance(one, other, place, near)
    )  # fmt: skip
    n, z = found.n, float(ndtri(0.5 + confidence / 2))
    middle = (observed + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(observed * (1 - observed) / n + z * z / (4 * n * n))
    low, high = ((end - chance) / (1 - chance) for end in (middle - half, middle + half))
    return found._replace(
        low=max(-1.0, min(found.low, low)), high=min(1.0, max(found.high, high)),
        method=f"{found.method}+score",
    )  # fmt: skip


def _chance(
    one: Sequence[Hashable], other: Sequence[Hashable], place: dict[Hashable, int], near: Floats
) -> float:
    """The weighted agreement that the raters' own shares of each value would give by chance."""
    shares = [
        np.bincount([place[value] for value in rated], minlength=len(place)) / len(rated)
        for rated in (one, other)
    ]
    return float(shares[0] @ near @ shares[1])


def clustered_kappa(
    one: Sequence[Hashable],
    other: Sequence[Hashable],
    clusters: Sequence[Hashable],
    weights: Weights = "none",
    confidence: float = 0.95,
    resamples: int = 1000,
) -> Estimate:
    """Kappa of pairs of ratings of which some are about the same item: whole items are resampled
    for the interval (percentile, seeded; Field and Welsh 2007, JRSS B 69:369)."""
    if len(one) != len(other) or len(one) != len(clusters) or not one:
        raise ValueError("kappa needs pairs, each with its item, and at least one")
    values = sorted({*one, *other}, key=_rank)
    place = {value: index for index, value in enumerate(values)}
    size = len(values)
    codes = np.array([place[a] * size + place[b] for a, b in zip(one, other, strict=True)])
    number: dict[Hashable, int] = {}
    items = np.array([number.setdefault(name, len(number)) for name in clusters])
    weighing = _weights(size, weights)

    def kappa(weights: Floats) -> Floats:
        tables = np.stack([np.bincount(codes, w[items], size * size) for w in weights])
        p = tables.reshape(-1, size, size) / tables.sum(axis=1)[:, None, None]
        observed = (p * weighing).sum(axis=(1, 2))
        chance = p.sum(axis=2)[:, :, None] * p.sum(axis=1)[:, None, :]
        expected = (chance * weighing).sum(axis=(1, 2))
        return _ratio(observed - expected, 1 - expected)

    return _resampled(kappa, len(number), confidence, resamples, "cohen-by-item")


def fleiss_kappa(
    counts: Sequence[Sequence[int]], confidence: float = 0.95, resamples: int = 2000
) -> Estimate:
    """Kappa of any number of raters, the same number for each unit: `counts` holds, unit by unit,
    how many chose each category (Fleiss 1971, Psychological Bulletin 76:378)."""
    table = np.asarray(counts, dtype=np.float64)
    raters = table.sum(axis=1)
    if table.size == 0 or raters.min() < 2 or raters.max() != raters.min():
        raise ValueError("Fleiss' kappa needs two raters or more, as many for each unit")
    m = float(raters[0])
    agreed = ((table**2).sum(axis=1) - m) / (m * (m - 1))

    def kappa(weights: Floats) -> Floats:
        units = weights.sum(axis=1)
        shares = (weights @ table) / (units * m)[:, None]
        chance = (shares**2).sum(axis=1)
        observed = weights @ agreed / units
        return _ratio(observed - chance, 1 - chance)

    return _resampled(kappa, len(table), confidence, resamples, "fleiss")


def share_agreed(units: Sequence[Sequence[Any]]) -> tuple[int, int]:
    """On how many units all raters said the same, of those that two or more rated."""
    rated = [[v for v in unit if v is not None] for unit in units]
    rated = [unit for unit in rated if len(unit) > 1]
    return sum(1 for unit in rated if len(set(unit)) == 1), len(rated)


# --- alpha ----------------------------------------------------------------------------------------

Of = Callable[[Floats], Floats]
"""The figure of each resample, out of how often it holds each unit."""


def _counted_parts(units: Sequence[Sequence[Any]], level: Level) -> Of:
    """Alpha by the coincidences of values, for values that are names or ranks."""
    values = sorted({value for unit in units for value in unit}, key=_rank)
    place = {value: index for index, value in enumerate(values)}
    counts = np.zeros((len(units), len(values)))
    for row, unit in enumerate(units):
        for value in unit:
            counts[row, place[value]] += 1
    raters = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs -= counts[:, :, None] * np.eye(len(values))[None]
    pairs /= (raters - 1)[:, None, None]

    def alpha(weights: Floats) -> Floats:
        seen = np.einsum("ru,uck->rck", weights, pairs)
        marginal = weights @ counts
        n = marginal.sum(axis=1)
        apart = _apart(marginal, level)
        observed = (seen * apart).sum(axis=(1, 2)) / n
        chance = marginal[:, :, None] * marginal[:, None, :]
        expected = (chance * apart).sum(axis=(1, 2)) / (n * (n - 1))
        return 1 - _ratio(observed, expected)

    return alpha


def _apart(marginal: Floats, level: Level) -> Floats:
    """The squared difference of each two values: one for names, for ranks what lies between."""
    size = marginal.shape[1]
    if level == "nominal":
        return np.broadcast_to(1 - np.eye(size), (len(marginal), size, size))
    middle = np.cumsum(marginal, axis=1) - marginal / 2
    between: Floats = (middle[:, :, None] - middle[:, None, :]) ** 2
    return between


def _interval_parts(units: Sequence[Sequence[Any]]) -> Of:
    """Alpha by sums of squares, for values that are numbers."""
    numbers = [np.asarray(unit, dtype=np.float64) for unit in units]
    sizes = np.array([float(x.size) for x in numbers])
    sums = np.array([float(x.sum()) for x in numbers])
    squares = np.array([float((x**2).sum()) for x in numbers])
    inside = 2 * (sizes * squares - sums**2) / (sizes - 1)

    def alpha(weights: Floats) -> Floats:
        n = weights @ sizes
        observed = weights @ inside / n
        expected = 2 * (n * (weights @ squares) - (weights @ sums) ** 2) / (n * (n - 1))
        return 1 - _ratio(observed, expected)

    return alpha


# --- both -----------------------------------------------------------------------------------------


def _resampled(of: Of, units: int, confidence: float, resamples: int, method: str) -> Estimate:
    """The figure of all units, with the percentile interval over resampled units."""
    value = float(of(np.ones((1, units)))[0])
    if math.isnan(value):
        return _undefined(units, method)
    rng = np.random.default_rng(_SEED)
    even = np.full(units, 1 / units)
    drawn = []
    for start in range(0, resamples, _AT_ONCE):
        count = min(_AT_ONCE, resamples - start)
        drawn.append(of(rng.multinomial(units, even, size=count).astype(np.float64)))
    found = np.concatenate(drawn)
    found = found[~np.isnan(found)]
    if units < 2 or found.size < 2:
        return Estimate(value, -math.inf, math.inf, math.inf, units, units, 0, math.nan, method)
    tail = (1 - confidence) / 2
    low, high = (float(x) for x in np.quantile(found, [tail, 1 - tail]))
    se = float(found.std(ddof=1))
    return Estimate(value, low, high, se, units, units, math.inf, math.nan, method)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Not a number where chance leaves nothing to disagree about."""
    safe = np.where(below > 1e-12, below, 1.0)
    return np.where(below > 1e-12, above / safe, np.nan)


def _undefined(n: int, method: str) -> Estimate:
    return Estimate(math.nan, -math.inf, math.inf, math.inf, n, n, 0, math.nan, method)


def _weights(size: int, kind: Weights) -> Floats:
    if kind == "none" or size < 2:
        return np.eye(size)
    away = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / (size - 1)
    found: Floats = 1 - (away if kind == "linear" else away**2)
    return found


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers before texts, each in order; what cannot be told apart otherwise, by its name."""
    if isinstance(value, bool | int | float):
        return (0, value)
    return (1, value if isinstance(value, str) else repr(value))
