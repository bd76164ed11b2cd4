"""Differences of pairs that stand for others: tail sampling dropped some and kept all that failed,
were slow or dear. Pure.

The sides are weighted means (Hájek 1971) or quantiles of the weighted distribution; intervals are
the percentiles of a bootstrap of pairs, or of whole clusters, each with its weight.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from stockpot.stats import Estimate

METHOD = "weighted bootstrap"


class Sides(NamedTuple):
    """What either side had, and the difference (candidate less base)."""

    base: float
    candidate: float
    difference: Estimate


def weighted_sides(
    base: Sequence[float], candidate: Sequence[float], weights: Sequence[float],
    quantile: float | None = None, clusters: Sequence[Hashable] | None = None,
) -> Sides:  # fmt: skip
    """A quantile of both sides, else their means; `weights` are above 0."""
    import numpy as np  # like scipy: a start need not

    from stockpot.stats import bootstrap

    arms = np.array([base, candidate], dtype=np.float64)
    told = np.array(weights, dtype=np.float64)

    def of(side: Any, rows: Any) -> float:
        values, w = side[rows], told[rows]
        if quantile is None:
            return float((w * values).sum() / w.sum())
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(w[order])
        place = int(np.searchsorted(reached, quantile * reached[-1] * (1 - 1e-12)))
        return float(values[order][min(place, len(order) - 1)])

    apart: Callable[[Any], float] = lambda rows: of(arms[1], rows) - of(arms[0], rows)  # noqa: E731
    rows = np.arange(arms.shape[1])
    found = bootstrap(apart, len(rows), clusters, rounds=1000)
    return Sides(of(arms[0], rows), of(arms[1], rows), found._replace(method=METHOD))
