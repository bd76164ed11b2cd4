"""What a rule needs of a window: sums and counts that can be added and taken away again.

The same code serves a live look, which adds one part, and a look back, which slides a window over
many: so what a preview shows is what would have fired. Knows metrics; knows no clock.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple

from stockpot.monitors.models import SUMS, BurnRateRule, CheckRule, FigureRule, Rule, ThresholdRule
from stockpot.traces import Measure, Sketch

_NS = 1_000_000
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Scored(NamedTuple):
    """Scores of a window: how many, their sum, and how many lay below a bound; the latter two as
    if each stood for as many answers."""

    number: int
    total: float
    below: float


class Part(NamedTuple):
    """A piece of time as a rule sees it. `amount` is what is summed, `number` what it is shared by;
    a quantile has `bins`, the counts of a sketch. `unknown` calls have no price."""

    amount: float = 0.0
    number: int = 0
    unknown: int = 0
    bins: dict[int, int] | None = None


def part_of(rule: FigureRule, measure: Measure) -> Part:
    """What a rule takes from the span log's figures."""
    if isinstance(rule, BurnRateRule):
        return _bad(rule, measure)
    name, _, quantile = rule.metric.partition("_")
    if quantile in _QUANTILES:
        sketch: Sketch = getattr(measure, name)
        return Part(number=sketch.count, bins=sketch.bins)
    match rule.metric:
        case "error_rate":
            return Part(measure.errors, measure.calls)
        case "cost":
            return Part(measure.cost_nano, measure.calls, measure.unpriced)
        case "tokens":
            return Part(measure.input_tokens + measure.output_tokens, measure.calls)
        case _:
            return Part(measure.calls, measure.calls)


def part_of_scores(rule: FigureRule, scored: Scored) -> Part:
    """What a rule takes from scores."""
    bad = isinstance(rule, BurnRateRule)
    return Part(scored.below if bad else scored.total, scored.number)


def about_scores(rule: Rule) -> bool:
    """Whether a rule looks at scores and not at spans."""
    return not isinstance(rule, CheckRule) and bool(rule.score)


def _bad(rule: BurnRateRule, measure: Measure) -> Part:
    if rule.indicator == "errors":
        return Part(measure.errors, measure.calls)
    sketch: Sketch = getattr(measure, rule.indicator)
    return Part(sketch.above((rule.bound or 0) * _NS), sketch.count)


class Window:
    """A window that parts are added to and taken from."""

    __slots__ = ("amount", "bins", "count", "unknown")

    def __init__(self, *parts: Part) -> None:
        self.amount = 0.0
        self.count = self.unknown = 0
        self.bins: dict[int, int] = {}
        for part in parts:
            self.add(part)

    def add(self, part: Part, sign: int = 1) -> None:
        """Take a part in, or with -1 out again."""
        self.amount += sign * part.amount
        self.count += sign * part.number
        self.unknown += sign * part.unknown
        for bucket, count in (part.bins or {}).items():
            left = self.bins.get(bucket, 0) + sign * count
            if left:
                self.bins[bucket] = left
            else:
                self.bins.pop(bucket, None)

    def value(self, rule: ThresholdRule) -> float | None:
        """The metric in its unit; None where nothing is known."""
        quantile = _QUANTILES.get(rule.metric.rpartition("_")[2])
        if quantile is not None:
            return self._quantile(quantile)
        if rule.metric == "cost" and self.unknown and not self.amount:
            return None
        if rule.metric in SUMS:
            return self.amount
        return self.amount / self.count if self.count else None

    def share(self) -> float | None:
        """How large a share was bad."""
        return self.amount / self.count if self.count else None

    def _quantile(self, quantile: float) -> float | None:
        sketch = Sketch()
        sketch.bins = self.bins
        (ns,) = sketch.quantiles(quantile)
        return None if ns is None else round(ns / _NS, 4)


def spoken(amount: float) -> str:
    """A number with three digits that count, without an exponent."""
    if amount == 0 or abs(amount) >= 1000:
        return f"{amount:,.0f}"
    digits = 2 - floor(_magnitude(amount))
    return f"{amount:.{max(0, digits)}f}".rstrip("0").rstrip(".") if digits > 0 else f"{amount:.0f}"


def _magnitude(amount: float) -> int:
    magnitude, size = 0, abs(amount)
    while size < 1:
        size, magnitude = size * 10, magnitude - 1
    while size >= 10:
        size, magnitude = size / 10, magnitude + 1
    return magnitude
