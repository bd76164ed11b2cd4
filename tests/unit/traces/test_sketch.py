from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.traces.sketch import ACCURACY, Sketch

durations = st.lists(st.integers(1, 2**62), max_size=300)


def exact(values: list[int], q: float) -> int:
    return sorted(values)[max(ceil(q * len(values) - 1e-6) - 1, 0)]


@given(durations, st.floats(0, 1))
def test_a_quantile_is_within_one_percent(values: list[int], q: float) -> None:
    found = Sketch.of(values).quantiles(q)[0]
    if not values:
        assert found is None
        return
    truth = exact(values, q)
    assert found is not None
    assert abs(found - truth) <= truth * (ACCURACY + 1e-9)


def test_the_p99_of_a_few_is_the_greatest_and_the_p50_of_two_the_lesser() -> None:
    half, most = Sketch.of([1_000, 9_000]).quantiles(0.5, 0.99)
    assert (round(half or 0, -2), round(most or 0, -2)) == (1_000, 9_000)
    powers = [2**n for n in range(1, 51)]
    shares = Sketch.of(powers).quantiles(*(n / 50 for n in range(1, 51)))
    assert shares == [pytest.approx(power, rel=ACCURACY) for power in powers]


@given(durations, durations)
def test_merging_equals_seeing_both_streams(one: list[int], other: list[int]) -> None:
    merged = Sketch.of(one)
    merged.merge(Sketch.of(other))
    assert merged.bins == Sketch.of(one + other).bins


@given(durations, durations)
def test_what_was_encoded_merges_like_the_original(one: list[int], other: list[int]) -> None:
    sketch = Sketch.decode(Sketch.of(one).encode())
    sketch.merge(Sketch.decode(Sketch.of(other).encode()))
    assert sketch.bins == Sketch.of(one + other).bins


def test_many_values_are_encoded_as_counts() -> None:
    sketch = Sketch.of([1_000_000] * 100_000 + [2_000_000])
    assert len(sketch.encode()) < 20
    assert Sketch.decode(sketch.encode()).count == 100_001


def test_a_value_of_nothing_counts() -> None:
    assert Sketch.of([0, 0, 5]).count == 3


@given(durations)
def test_quantiles_ascend(values: list[int]) -> None:
    found = [q for q in Sketch.of(values).quantiles(0, 0.5, 0.95, 0.99, 1) if q is not None]
    assert found == sorted(found)
