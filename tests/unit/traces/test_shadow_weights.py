"""Pairs that stand for others tell what all of them would have told."""

from __future__ import annotations

import numpy as np
import pytest

from stockpot.traces.shadow_weights import weighted_sides


@pytest.mark.parametrize("quantile", [None, 0.5, 0.95])
def test_weighted_sides_are_near_those_of_all_pairs_where_plain_ones_are_not(
    quantile: float | None,
) -> None:
    rng = np.random.default_rng(7)
    base = rng.lognormal(3, 0.6, 4000)
    other = base * rng.lognormal(0.1, 0.1, 4000)
    weights = np.where(base > 40, 1.0, 8.0)  # slow ones are kept, of the rest one in eight
    kept = rng.random(4000) < 1 / weights
    base_kept, other_kept = list(base[kept]), list(other[kept])

    def told(values: object) -> float:
        return float(np.mean(values) if quantile is None else np.quantile(values, quantile))

    found = weighted_sides(base_kept, other_kept, list(weights[kept]), quantile)
    whole = told(other) - told(base)
    assert found.base == pytest.approx(told(base), rel=0.06)
    assert abs(told(base_kept) - told(base)) > 3 * abs(found.base - told(base))
    assert found.difference.low < whole < found.difference.high
    alike = weighted_sides(base_kept, other_kept, [3.0] * len(base_kept), quantile)
    assert alike.base == pytest.approx(told(base_kept), rel=0.01)
