"""Own prices stand above published ones from their day on, and say where they come from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from stockpot.catalog.compile import Definitions, compile_part
from stockpot.catalog.offers import Offer
from stockpot.catalog.own_prices import NewPrice, OwnPrice, row_of, shown, with_own
from stockpot.catalog.pricing import price_rows
from stockpot.prices import BUCKETS, Cost, PriceRow, Usage, price_of

PUBLISHED = (
    PriceRow("std", 0, 100, 100),
    PriceRow("long", 0, 200, 200, above=1000),
    PriceRow("flex", 0, 50, 50, tier="flex"),
    PriceRow("night", 0, 10, 10, hours=(0, 3600)),
)


def own(**said: Any) -> OwnPrice:
    given = {
        "provider": "lab", "model": "m", "dollars": {"input": "0.15", "output": "0.6"},
        "source": "contract, page 3", "id": "price_1", "created_ms": 1, "created_by": "ana",
    }  # fmt: skip
    return OwnPrice.model_validate({**given, **said})


def billed(
    rows: tuple[PriceRow, ...], tier: str = "", tokens: int = 10, at: int = 7_200_000
) -> str:
    cost = price_of(Usage(tokens, tier=tier), rows, at)
    assert cost is not None
    return cost.price_id


def test_dollars_become_whole_pico_dollars() -> None:
    said = {"input": "0.0375", "output": "1.5", "cache_read": 0, "search": "10", "request": "0.5"}
    row = row_of(own(dollars=said))
    assert (row.input, row.output, row.cache_read, row.search, row.request) == (
        37_500, 1_500_000, 0, 10_000_000_000, 500_000_000,
    )  # fmt: skip
    assert (row.id, row.source) == ("own/price_1", "contract, page 3")
    assert shown("lab", "m", row).dollars == {
        "input": 0.0375, "output": 1.5, "cache_read": 0.0, "search": 10.0, "request": 0.5,
    }  # fmt: skip


def test_every_bucket_can_be_stated() -> None:
    row = row_of(own(dollars=dict.fromkeys(BUCKETS, Decimal("2"))))
    assert min(row.units[:-2]) == row.characters == 2_000_000
    assert row.audio_time == round(2 * 10**12 / 3_600_000)
    assert set(shown("lab", "m", row).dollars.values()) == {2.0}
    by_hour = row_of(own(dollars={"audio_time": Decimal("0.01")}))
    assert shown("lab", "m", by_hour).dollars["audio_time"] == 0.01
    assert price_of(Usage(1), (row,), 0) == Cost(
        row.id, (2_000, 0, 0, 0, 0, 2_000_000), (2_000_000, 2_000_000, 0, 0, 0, 2_000_000_000),
        row.source,
    )  # fmt: skip


def test_an_own_price_stands_for_its_model_in_every_tier_hour_and_length() -> None:
    rows = with_own(PUBLISHED, [own()])
    found = {billed(rows, tier, n, at) for tier in ("", "flex") for n in (10, 2000)
             for at in (0, 7_200_000)}  # fmt: skip
    assert found == {"own/price_1"}


def test_an_own_price_of_a_later_day_leaves_the_time_before_as_published() -> None:
    rows = with_own(PUBLISHED, [own(valid_from_ms=10_000_000)])
    early = [billed(rows, "flex"), billed(rows, "", 2000), billed(rows, "", 10, 0)]
    assert early == ["flex", "long", "night"]
    late = [billed(rows, t, n, 10_000_000) for t, n in (("flex", 10), ("", 2000), ("", 10))]
    assert set(late) == {"own/price_1"}


def test_own_prices_may_have_tiers_and_lengths_of_their_own() -> None:
    rows = with_own(
        PUBLISHED,
        [own(), own(id="long", above=1000), own(id="flex", tier="flex", valid_from_ms=9_000_000)],
    )
    assert billed(rows, "", 2000) == "own/long"
    assert billed(rows, "flex", 10, 9_000_000) == "own/flex"
    assert billed(rows, "flex", 10) == "own/price_1"


def test_without_own_prices_nothing_changes() -> None:
    assert with_own(PUBLISHED, []) is PUBLISHED


@pytest.mark.parametrize(
    "wrong",
    [{"source": ""}, {"dollars": {}}, {"dollars": {"output": 1}}, {"dollars": {"input": -1}},
     {"dollars": {"soup": 1}}, {"above": -1}],
)  # fmt: skip
def test_a_price_without_a_source_or_an_input_price_is_refused(wrong: dict[str, Any]) -> None:
    given = {"provider": "p", "model": "m", "dollars": {"input": 1}, "source": "a page"}
    assert NewPrice.model_validate(given)
    with pytest.raises(ValidationError):
        NewPrice.model_validate({**given, **wrong})


def test_an_own_price_reaches_the_target_of_its_provider_alone_also_of_a_free_one() -> None:
    def offer(name: str, **more: Any) -> Offer:
        facts: dict[str, Any] = dict.fromkeys(("name", "vendor", "title"), name) | {
            "base_url": f"http://{name}/v1"
        }
        facts |= {"wire": "openai", "origin": "console", "models": ("gpt-4o-mini",)}
        return Offer(**{**facts, **more})

    prices = (own(provider="one", model="gpt-4o-mini"), own(provider="home", model="gpt-4o-mini"))
    defined = Definitions(projects=(), project_budgets={}, keys=(), routes=(), prices=prices)
    offers = (offer("one", prices_as="openai"), offer("two", prices_as="openai"),
              offer("home", free=True), offer("other", free=True))  # fmt: skip
    made = {t.provider: t for t in compile_part(defined, offers, ("openai",), 1).part.targets}
    assert [row.id for row in made["one"].prices if not row.tier] == ["own/price_1"]
    assert made["two"].prices == price_rows("openai", "gpt-4o-mini")
    assert ([row.id for row in made["home"].prices], made["home"].free) == (["own/price_1"], False)
    assert (made["other"].prices, made["other"].free) == ((), True)
