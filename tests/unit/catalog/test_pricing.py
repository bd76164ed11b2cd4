"""Prices are the package's own, to the nano-dollar."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as PackageUsage
from genai_prices import calc_price

from stockpot.catalog.pricing import price_rows
from stockpot.prices import Usage, price_of

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


def test_a_row_tells_where_it_comes_from_and_what_it_leaves_out() -> None:
    (tiered,) = price_rows("anthropic", "claude-sonnet-4-5")
    assert tiered.source.startswith("genai-prices ")
    assert "first tier" in tiered.source
    assert tiered.id.endswith("/anthropic/claude-sonnet-4-5")


@pytest.mark.parametrize(
    ("vendor", "model"), [("openai", "nobody-sells-this"), ("nobody", "gpt-4o"), ("", "gpt-4o")]
)
def test_what_the_package_does_not_know_has_no_price(vendor: str, model: str) -> None:
    assert price_rows(vendor, model) == ()


def test_what_is_not_priced_by_tokens_has_no_price() -> None:
    assert price_rows("openai", "whisper-1") == ()
