"""What changed between two windows: prompt versions, models, parameters, tools, releases, with the
figures beside. Records and arithmetic; knows no store.

A dimension changed when its values' shares of the calls did: half the sum of the differences of
their shares (the total variation distance) says by how much, 0 for nothing and 1 for everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import Field

from stockpot.traces.badges import Badge
from stockpot.traces.models import Frozen, Quantiles
from stockpot.traces.sketch import ACCURACY

DIMENSIONS = (
    "prompt",
    "model",
    "served_model",
    "provider",
    "params",
    "tools",
    "release",
    "service",
)
Setup = tuple[str, ...]
"""A value for each of `DIMENSIONS`."""

_SHOWN = 12
_NS = 1_000_000


class Feedback(Frozen):
    """Scores of one name: how many, and their mean."""

    name: str
    n: int
    mean: float | None
    badges: tuple[Badge, ...] = ()


FeedbackOf = Mapping[str, tuple[Feedback, ...]]
"""By the value of a dimension."""


class WindowFigures(Frozen):
    """Calls of models in one window; sums and shares stand for all calls, also for those whose
    spans were sampled away. `share` is of the window's calls."""

    calls: float = 0
    share: float = 0
    errors: float = 0
    cost_nano: float = 0
    unpriced: float = 0
    input_tokens: float = 0
    output_tokens: float = 0
    latency_ms: Quantiles = Quantiles(p50=None, p95=None, p99=None)
    feedback: tuple[Feedback, ...] = ()


class ChangedValue(Frozen):
    """One value of a dimension in both windows; `shift` is the difference of its shares."""

    value: str
    base: WindowFigures
    now: WindowFigures
    shift: float


class Dimension(Frozen):
    """A dimension and its most shifted values. `distance` is 0 to 1."""

    dimension: str
    distance: float
    values: tuple[ChangedValue, ...]
    more: int = 0


class Window(Frozen):
    from_ms: float
    to_ms: float


class Changes(Frozen):
    """Two windows compared; dimensions that changed most stand first."""

    base: Window
    now: Window
    totals: ChangedValue
    dimensions: tuple[Dimension, ...]
    note: str = Field("", description="What limits the comparison, if anything.")


class Slice(NamedTuple):
    """What one set-up did in a window, weighted; `bins` are a sketch's, with fractions."""

    setup: Setup
    calls: float
    errors: float
    cost_nano: float
    unpriced: float
    input_tokens: float
    output_tokens: float
    bins: dict[int, float]


def compared(
    base: Iterable[Slice], now: Iterable[Slice], windows: tuple[Window, Window]
) -> Changes:
    """Two windows by dimension."""
    then, later = list(base), list(now)
    dimensions = [
        _dimension(name, _grouped(then, place), _grouped(later, place))
        for place, name in enumerate(DIMENSIONS)
    ]
    whole = _value("all", _merged(then), _merged(later), sum(s.calls for s in then),
                   sum(s.calls for s in later))  # fmt: skip
    empty = [name for name, found in (("base", then), ("later", later)) if not found]
    return Changes(
        base=windows[0], now=windows[1], totals=whole,
        dimensions=tuple(sorted(dimensions, key=lambda d: -d.distance)),
        note=f"the {' and the '.join(empty)} window holds no call" if empty else "",
    )  # fmt: skip


def with_feedback(changes: Changes, dimension: str, base: FeedbackOf, now: FeedbackOf) -> Changes:
    """The same with the scores of each value of one dimension, '' being all of them."""

    def beside(value: ChangedValue, key: str) -> ChangedValue:
        return value.model_copy(update={
            "base": value.base.model_copy(update={"feedback": base.get(key, ())}),
            "now": value.now.model_copy(update={"feedback": now.get(key, ())}),
        })  # fmt: skip

    if not dimension:
        return changes.model_copy(update={"totals": beside(changes.totals, "")})
    dimensions = tuple(
        d.model_copy(update={"values": tuple(beside(v, v.value) for v in d.values)})
        if d.dimension == dimension
        else d
        for d in changes.dimensions
    )
    return changes.model_copy(update={"dimensions": dimensions})


def _grouped(slices: Iterable[Slice], place: int) -> dict[str, Slice]:
    groups: dict[str, list[Slice]] = {}
    for one in slices:
        groups.setdefault(one.setup[place], []).append(one)
    return {value: _merged(of) for value, of in groups.items()}


def _merged(slices: Iterable[Slice]) -> Slice:
    of = list(slices)
    bins: dict[int, float] = {}
    for one in of:
        for bucket, count in one.bins.items():
            bins[bucket] = bins.get(bucket, 0.0) + count
    return Slice(
        (), sum(s.calls for s in of), sum(s.errors for s in of), sum(s.cost_nano for s in of),
        sum(s.unpriced for s in of), sum(s.input_tokens for s in of),
        sum(s.output_tokens for s in of), bins,
    )  # fmt: skip


def _dimension(name: str, base: dict[str, Slice], now: dict[str, Slice]) -> Dimension:
    then = sum(one.calls for one in base.values())
    later = sum(one.calls for one in now.values())
    nothing = _merged(())
    values = [
        _value(value, base.get(value, nothing), now.get(value, nothing), then, later)
        for value in {*base, *now}
    ]
    values.sort(key=lambda v: (-abs(v.shift), -v.now.calls, v.value))
    distance = sum(abs(v.shift) for v in values) / 2 if then and later else 0.0
    return Dimension(
        dimension=name, distance=round(distance, 6), values=tuple(values[:_SHOWN]),
        more=max(0, len(values) - _SHOWN),
    )  # fmt: skip


def _value(value: str, base: Slice, now: Slice, then: float, later: float) -> ChangedValue:
    before, after = _figures(base, then), _figures(now, later)
    return ChangedValue(
        value=value, base=before, now=after, shift=round(after.share - before.share, 6)
    )


def _figures(one: Slice, whole: float) -> WindowFigures:
    return WindowFigures(
        calls=round(one.calls, 3), share=round(one.calls / whole, 6) if whole else 0.0,
        errors=round(one.errors, 3), cost_nano=round(one.cost_nano),
        unpriced=round(one.unpriced, 3), input_tokens=round(one.input_tokens),
        output_tokens=round(one.output_tokens),
        latency_ms=Quantiles(**{
            f"p{q}": _quantile(one.bins, q / 100) for q in (50, 95, 99)
        }),
    )  # fmt: skip


def _quantile(bins: dict[int, float], q: float) -> float | None:
    """Of a sketch whose counts have fractions, in milliseconds."""
    if not bins:
        return None
    rank, passed = q * sum(bins.values()), 0.0
    gamma = (1 + ACCURACY) / (1 - ACCURACY)
    for bucket in sorted(bins):
        passed += bins[bucket]
        if passed >= rank:
            break
    return round(gamma**bucket * 2 / (gamma + 1) / _NS, 4)
