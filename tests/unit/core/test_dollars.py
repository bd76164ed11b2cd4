"""Money in words."""

from __future__ import annotations

import pytest

from stockpot.core.dollars import dollars


@pytest.mark.parametrize(
    ("nano", "words"),
    [(0, "$0.00"), (1_234_500_000_000, "$1,234.50"), (500_000_000, "$0.50"),
     (12_340_000, "$0.0123"), (999_999_999, "$1.00"), (40_000, "$0.000040"), (1, "$0.000000001"),
     (-2_500_000, "-$0.0025"), (None, "?")],
)  # fmt: skip
def test_an_amount_is_told_from_zero_and_an_unknown_one_is_no_zero(
    nano: int | None, words: str
) -> None:
    assert dollars(nano) == words
