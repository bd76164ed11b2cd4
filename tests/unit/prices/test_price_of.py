"""Prices: integers, effective dates, buckets that add up."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stockpot.prices import BUCKETS, Cost, PriceRow, Usage, ordinary_row, price_of, quantities

tokens = st.integers(0, 10_000_000)
pico = st.integers(0, 10**9)
maybe = st.none() | pico

PRICED = (
    "cache_read", "cache_write", "reasoning", "cache_write_1h", "audio_input", "audio_output",
    "audio_cache_read", "image_input", "image_output", "image_cache_read",
)  # fmt: skip
PARENTS = {
    "cache_read": "input", "cache_write": "input", "reasoning": "output",
    "cache_write_1h": "cache_write", "audio_input": "input", "audio_output": "output",
    "audio_cache_read": "cache_read", "image_input": "input", "image_output": "output",
    "image_cache_read": "cache_read",
}  # fmt: skip

rows = st.builds(
    PriceRow, st.just("r"), st.just(0), pico, pico,
    **dict.fromkeys(PRICED, maybe), request=pico, search=pico,
    audio_time=st.integers(1, 10**6), characters=st.integers(1, 10**8),
)  # fmt: skip
amounts = st.fixed_dictionaries(dict.fromkeys(BUCKETS, tokens))


def usage_of(n: dict[str, int]) -> Usage:
    """The usage whose buckets hold so much."""
    read = n["cache_read"] + n["audio_cache_read"] + n["image_cache_read"]
    write = n["cache_write"] + n["cache_write_1h"]
    audio, image = n["audio_input"], n["image_input"]
    out = n["output"] + n["reasoning"] + n["audio_output"] + n["image_output"]
    return Usage(
        input=n["input"] + read + write + audio + image, output=out, cache_read=read,
        cache_write=write, reasoning=n["reasoning"], cache_write_1h=n["cache_write_1h"],
        audio_input=audio + n["audio_cache_read"], audio_output=n["audio_output"],
        image_input=image + n["image_cache_read"], image_output=n["image_output"],
        searches=n["search"], cache_read_audio=n["audio_cache_read"],
        cache_read_image=n["image_cache_read"], audio_ms=n["audio_time"],
        characters=n["characters"],
    )  # fmt: skip


def unit(row: PriceRow, bucket: str) -> int:
    price: int | None = getattr(row, bucket)
    return unit(row, PARENTS[bucket]) if price is None else price


def priced(usage: Usage, *given_rows: PriceRow, at: int = 1) -> Cost:
    cost = price_of(usage, given_rows, at)
    assert cost is not None
    return cost


@given(amounts, rows)
def test_a_cost_is_the_sum_of_its_buckets_and_near_the_exact_product(
    n: dict[str, int], row: PriceRow
) -> None:
    n["request"] = 1
    cost = priced(usage_of(n), row)
    assert cost.total == sum(cost.parts) == sum(cost.of(bucket) for bucket in BUCKETS)
    assert abs(cost.total * 1000 - sum(n[b] * unit(row, b) for b in BUCKETS)) <= 500 * len(BUCKETS)
    for bucket, nano in zip(BUCKETS, cost.parts, strict=False):
        assert nano == (n[bucket] * unit(row, bucket) + 500) // 1000


@given(amounts, rows)
def test_quantity_times_unit_price_explains_every_part(n: dict[str, int], row: PriceRow) -> None:
    usage = usage_of(n)
    cost = priced(usage, row)
    assert len(cost.units) == len(cost.parts)
    told = zip(cost.parts, quantities(usage), cost.units, strict=False)
    assert [(q * price + 500) // 1000 for _, q, price in told] == list(cost.parts)


@given(amounts)
def test_every_token_is_in_one_bucket(n: dict[str, int]) -> None:
    n["request"] = 1
    assert quantities(usage_of(n)) == tuple(n[bucket] for bucket in BUCKETS)


@given(tokens, tokens, rows)
def test_plain_usage_costs_the_same_on_its_shorter_way(into: int, out: int, row: PriceRow) -> None:
    short = priced(Usage(into, out), row)
    in_full = priced(Usage(into, out, searches=1), row)
    for bucket in ("input", "output", "request"):
        assert short.of(bucket) == in_full.of(bucket)
    assert short.total == in_full.total - in_full.of("search")


@given(st.lists(st.integers(0, 1000), min_size=15, max_size=15), rows)
def test_numbers_that_contradict_each_other_never_make_a_part_negative(
    numbers: list[int], row: PriceRow
) -> None:
    counted = [name for name in Usage.__struct_fields__ if name != "tier"]
    said: dict[str, Any] = dict(zip(counted, numbers, strict=True))
    usage = Usage(**said)
    assert min(quantities(usage)) >= 0
    assert min(priced(usage, row).parts, default=0) >= 0


def test_the_row_that_was_valid_at_the_time_is_used() -> None:
    dated = (PriceRow("old", 100, 1000, 0), PriceRow("new", 200, 2000, 0))
    found = [price_of(Usage(5, 0), dated, at) for at in (99, 100, 199, 200)]
    assert [c and c.price_id for c in found] == [None, "old", "old", "new"]


def test_no_row_is_unknown_and_not_zero() -> None:
    assert price_of(Usage(1, 1), (), 0) is None


def test_a_length_that_a_row_has_no_price_for_is_unknown_and_not_zero() -> None:
    by_token, by_hour = PriceRow("t", 0, 5, 5), PriceRow("h", 0, 0, 0, audio_time=100_000)
    assert price_of(Usage(audio_ms=9), (by_token,), 1) is None
    assert price_of(Usage(characters=9), (by_hour,), 1) is None
    assert priced(Usage(audio_ms=3_600_000), by_hour).total == 360_000_000
    assert priced(Usage(7, audio_ms=9), by_token).total == 0


def test_a_published_price_comes_out_to_the_nano_dollar() -> None:
    # $0.15 and $0.60 a million tokens, cached input at $0.075.
    row = PriceRow("mini", 0, 150_000, 600_000, 75_000)
    cost = priced(Usage(1000, 500, 400), row)
    assert cost.total == 600 * 150 + 400 * 75 + 500 * 600
    assert cost.saved == 400 * 75


def test_a_cache_write_that_costs_more_than_input_is_a_negative_saving() -> None:
    row = PriceRow("r", 0, 3_000_000, 15_000_000, 300_000, 3_750_000, cache_write_1h=6_000_000)
    assert priced(Usage(1000, 0, cache_write=1000), row).saved == -750_000
    assert priced(Usage(1000, 0, cache_write=1000, cache_write_1h=1000), row).saved == -3_000_000
    assert priced(Usage(1000, 0, cache_read=1000), row).saved == 2_700_000


def test_a_long_prompt_is_billed_whole_by_the_row_above_its_threshold() -> None:
    tiered = (PriceRow("short", 0, 1000, 0), PriceRow("long", 0, 2000, 0, above=200_000))
    found = [priced(Usage(n), *tiered) for n in (1, 200_000, 200_001)]
    assert [cost.price_id for cost in found] == ["short", "short", "long"]
    assert found[2].total == 400_002


def test_a_service_tier_has_its_row_and_one_without_is_billed_as_the_ordinary() -> None:
    tiered = (
        PriceRow("old", 0, 1, 1),
        PriceRow("flex", 0, 1, 1, tier="flex"),
        PriceRow("new", 5, 1, 1),
    )
    tiers = ("", "flex", "scale")
    assert [priced(Usage(tier=t), *tiered, at=9).price_id for t in tiers] == ["new", "flex", "new"]
    # Estimates take the ordinary row of the day, whatever stands last.
    row = ordinary_row(tiered, 4)
    assert row is not None
    assert row.id == "old"


def test_a_price_of_some_hours_holds_within_them_also_across_midnight() -> None:
    hour = 3_600_000
    day = (PriceRow("day", 0, 1, 1), PriceRow("off", 0, 1, 1, hours=(16 * 3600, 2 * 3600)))
    at = (0, 1 * hour, 2 * hour, 15 * hour, 16 * hour, 23 * hour)
    found = [priced(Usage(), *day, at=ms).price_id for ms in at]
    assert found == ["off", "off", "day", "day", "off", "off"]
