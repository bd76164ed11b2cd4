"""Prices are the package's own, to the nano-dollar."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as PackageUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from stockpot.catalog.pricing import price_rows
from stockpot.prices import BUCKETS, Usage, price_of, row_for

WHEN = datetime(2026, 11, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        ("openai", "gpt-4o-mini"),
        ("openai", "gpt-4o"),
        ("openai", "gpt-4.1-mini"),
        ("openai", "o3"),
        ("openai", "text-embedding-3-small"),
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-haiku-4-5"),
        ("anthropic", "claude-sonnet-4-6"),
        ("deepseek", "deepseek-v4-pro"),
        ("groq", "llama-3.1-8b-instant"),
        ("mistral", "mistral-small-latest"),
    ],
)
@pytest.mark.parametrize(
    ("into", "out", "read", "write"),
    [(1, 1, 0, 0), (1009, 997, 0, 0), (150_001, 40_009, 12_347, 0), (90_001, 7, 1234, 567)],
)
def test_a_cost_is_what_the_package_calculates(
    vendor: str, model: str, into: int, out: int, read: int, write: int
) -> None:
    theirs = calc_price(
        PackageUsage(
            input_tokens=into, output_tokens=out, cache_read_tokens=read, cache_write_tokens=write
        ),
        model_ref=model,
        provider_id=vendor,
        genai_request_timestamp=WHEN,
    )
    ours = price_of(
        Usage(into, out, read, write), price_rows(vendor, model), int(WHEN.timestamp() * 1000)
    )
    assert ours is not None
    buckets = 4  # each is rounded to a whole nano-dollar by itself
    assert abs(ours.total - theirs.total_price * Decimal(10**9)) <= Decimal("0.5") * buckets


def test_a_price_that_changed_has_a_row_for_each_time() -> None:
    rows = price_rows("openai", "o3")
    change = int(datetime(2025, 6, 10, tzinfo=UTC).timestamp()) * 1000
    before = price_of(Usage(1_000_000), rows, change - 1)
    after = price_of(Usage(1_000_000), rows, change)
    assert before is not None
    assert after is not None
    assert (before.total, after.total) == (10_000_000_000, 2_000_000_000)
    assert "valid from 2025-06-10" in rows[1].source
    assert [row.valid_from_ms for row in rows] == sorted(row.valid_from_ms for row in rows)


MODELS = [
    (provider.id, model.id)
    for provider in get_snapshot().providers
    if provider.id in ("openai", "anthropic", "google", "aws", "azure", "deepseek", "x-ai", "groq")
    for model in provider.models
    if price_rows(provider.id, model.id)
]
TIERS = {
    "": None, "default": {"service_tier": "default"}, "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"}, "batch": {"processing": "batch"},
}  # fmt: skip
counts = st.integers(0, 150_000)


@given(
    st.sampled_from(MODELS),
    st.sampled_from(sorted(TIERS)),
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)),
    st.tuples(*[counts] * 11),
)
def test_every_bucket_tier_and_day_costs_what_the_package_calculates(
    which: tuple[str, str], tier: str, when: datetime, n: tuple[int, ...]
) -> None:
    vendor, model = which
    rows = price_rows(vendor, model)
    when = when.replace(tzinfo=UTC)
    row = row_for(rows, tier, 0, int(when.timestamp() * 1000))
    assert row is not None
    fresh, read, write, hour, audio, image, plain, thought, spoken, drawn, searches = n
    # What is read from the cache of audio is told apart only where the package has a price for it:
    # without, it charges such a token twice.
    heard = audio // 3 if row.audio_cache_read is not None else 0
    seen = image // 3 if row.image_cache_read is not None else 0
    usage = Usage(
        input=fresh + read + write + hour + heard + seen + audio + image,
        output=plain + thought + spoken + drawn, cache_read=read + heard + seen,
        cache_write=write + hour, reasoning=thought, cache_write_1h=hour,
        audio_input=audio + heard, audio_output=spoken, image_input=image + seen,
        image_output=drawn, searches=searches, tier=tier, cache_read_audio=heard,
        cache_read_image=seen,
    )  # fmt: skip
    theirs = calc_price(
        PackageUsage(
            input_tokens=usage.input, output_tokens=usage.output,
            cache_read_tokens=usage.cache_read, cache_write_tokens=usage.cache_write,
            cache_write_1h_tokens=hour, output_reasoning_tokens=thought,
            input_audio_tokens=usage.audio_input, output_audio_tokens=spoken,
            cache_audio_read_tokens=heard, input_image_tokens=usage.image_input,
            output_image_tokens=drawn, cache_image_read_tokens=seen, web_searches=searches,
        ),
        model_ref=model, provider_id=vendor, genai_request_timestamp=when,
        price_context=TIERS[tier],
    )  # fmt: skip
    ours = price_of(usage, rows, int(when.timestamp() * 1000))
    assert ours is not None
    assert abs(ours.total - theirs.total_price * Decimal(10**9)) <= len(BUCKETS)


def test_a_row_tells_where_it_comes_from() -> None:
    short, long, *batch = price_rows("anthropic", "claude-sonnet-4-5")
    assert short.source.startswith("genai-prices ")
    assert short.id.endswith("/anthropic/claude-sonnet-4-5")
    assert long.id.endswith("/anthropic/claude-sonnet-4-5+above-200000")
    assert {row.tier for row in batch} == {"batch"}


def test_no_two_rows_of_a_model_have_one_id() -> None:
    for vendor, model in MODELS:
        ids = [row.id for row in price_rows(vendor, model)]
        assert len(set(ids)) == len(ids)


def test_another_vendors_model_is_sold_without_its_tiers() -> None:
    assert {row.tier for row in price_rows("azure", "gpt-5")} == {""}


@pytest.mark.parametrize(
    ("vendor", "model"), [("openai", "nobody-sells-this"), ("nobody", "gpt-4o"), ("", "gpt-4o")]
)
def test_what_the_package_does_not_know_has_no_price(vendor: str, model: str) -> None:
    assert price_rows(vendor, model) == ()


def test_sound_is_priced_by_its_length_and_speech_by_its_letters() -> None:
    (heard,), (spoken,) = price_rows("openai", "whisper-1"), price_rows("openai", "tts-1")
    assert (heard.audio_time * 3_600_000, heard.input) == (360_000_000_000, 0)
    assert (spoken.characters * 10**6, spoken.audio_time) == (15 * 10**12, 0)


def test_what_is_priced_by_nothing_that_is_counted_has_no_price() -> None:
    assert price_rows("openai", "gpt-live-transcribe") == ()
