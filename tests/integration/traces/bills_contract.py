"""What every span store must tell of bills: why a span costs what it does, and what was saved."""

from __future__ import annotations

from stockpot.prices import DETAIL, PriceRow, Usage, price_of
from stockpot.traces.store import SpanStore
from tests.integration.traces.span_store_contract import EVERYTHING, ship
from tests.unit.traces.made import AT_NS, make_shipped


class BillsContract:
    """An engine's test derives from it, beside `SpanStoreContract`."""

    def test_a_span_explains_its_price(self, store: SpanStore) -> None:
        usage = Usage(1000, 300, 200, 100, 50, 40, 30, 10, searches=2, cache_read_audio=20)
        row = PriceRow(
            "prices-1/vendor/m", 0, 1_000_000, 4_000_000, 100_000, 1_250_000, request=5_000,
            source="prices 1", cache_write_1h=2_000_000, audio_input=8_000_000, search=10_000_000,
        )  # fmt: skip
        cost = price_of(usage, (row,), 0)
        assert cost is not None
        shipped = make_shipped(
            1, input_tokens=1000, output_tokens=300, cache_read_tokens=200, cache_write_tokens=100,
            reasoning_tokens=50, cost_nano=cost.total, cost_detail=cost.parts,
            usage_detail=tuple(getattr(usage, name) for name in DETAIL), unit_prices=cost.units,
            price_id=cost.price_id, price_source=cost.source, service_tier="flex",
            saved_nano=cost.saved,
        )  # fmt: skip
        ship(store, shipped)
        (span,) = store.trace(shipped.record.trace_id, None)
        assert (span.price_id, span.price_source) == ("prices-1/vendor/m", "prices 1")
        assert (span.service_tier, span.saved_nano) == ("flex", cost.saved)
        assert span.tokens.audio_input == 30
        bill = {line.bucket: (line.quantity, line.unit_pico, line.nano) for line in span.bill}
        assert bill == {
            "input": (690, 1_000_000, 690_000), "output": (240, 4_000_000, 960_000),
            "cache_read": (180, 100_000, 18_000), "cache_write": (60, 1_250_000, 75_000),
            "reasoning": (50, 4_000_000, 200_000), "request": (1, 5_000, 5),
            "cache_write_1h": (40, 2_000_000, 80_000), "audio_input": (10, 8_000_000, 80_000),
            "audio_output": (10, 4_000_000, 40_000), "audio_cache_read": (20, 100_000, 2_000),
            "search": (2, 10_000_000, 20_000),
        }  # fmt: skip
        assert sum(line.nano for line in span.bill) == span.cost_nano
        assert span.cost_detail["search"] == 20_000

    def test_what_caches_saved_adds_up(self, store: SpanStore) -> None:
        ship(
            store,
            make_shipped(1, saved_nano=700, cache="miss"),
            make_shipped(2, saved_nano=-200),
            make_shipped(3, saved_nano=1_000, cost_nano=0, cache="hit"),
        )
        now = (AT_NS + 10_000_000_000) / 1e6
        found = store.overview(EVERYTHING, now - 3_600_000, now, 60_000)
        assert (found.totals.saved_nano, found.totals.cache_hits) == (1_500, 1)
        assert sum(point.totals.saved_nano for point in found.series) == 1_500
