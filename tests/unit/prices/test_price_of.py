"""Prices: integers, effective dates, buckets that add up."""

from hypothesis import given
from hypothesis import strategies as st

from stockpot.prices import PriceRow, Usage, price_of

tokens = st.integers(0, 10_000_000)
pico = st.integers(0, 10**9)
maybe = st.none() | pico


@given(tokens, tokens, tokens, tokens, tokens, pico, pico, maybe, maybe, maybe, pico)
def test_a_cost_is_the_sum_of_its_buckets_and_near_the_exact_product(
    fresh: int, read: int, write: int, plain: int, reasoning: int,
    p_in: int, p_out: int, p_read: int | None, p_write: int | None, p_reason: int | None,
    p_request: int,
) -> None:  # fmt: skip
    row = PriceRow("r", 0, p_in, p_out, p_read, p_write, p_reason, p_request)
    usage = Usage(fresh + read + write, plain + reasoning, read, write, reasoning)
    cost = price_of(usage, (row,), 1)
    assert cost is not None
    parts = (
        cost.input, cost.output, cost.cache_read, cost.cache_write, cost.reasoning, cost.request,
    )  # fmt: skip
    assert cost.total == sum(parts)
    exact = (
        fresh * p_in
        + plain * p_out
        + read * (p_in if p_read is None else p_read)
        + write * (p_in if p_write is None else p_write)
        + reasoning * (p_out if p_reason is None else p_reason)
        + p_request
    )
    assert abs(cost.total * 1000 - exact) <= 500 * len(parts)


def test_the_row_that_was_valid_at_the_time_is_used() -> None:
    rows = (PriceRow("old", 100, 1000, 0), PriceRow("new", 200, 2000, 0))
    usage = Usage(5, 0)
    found = [price_of(usage, rows, at) for at in (99, 100, 199, 200)]
    assert [c and c.price_id for c in found] == [None, "old", "old", "new"]


def test_no_row_is_unknown_and_not_zero() -> None:
    assert price_of(Usage(1, 1), (), 0) is None


def test_a_published_price_comes_out_to_the_nano_dollar() -> None:
    # $0.15 and $0.60 a million tokens, cached input at $0.075.
    row = PriceRow("mini", 0, 150_000, 600_000, 75_000)
    cost = price_of(Usage(1000, 500, 400), (row,), 0)
    assert cost is not None
    assert cost.total == 600 * 150 + 400 * 75 + 500 * 600
