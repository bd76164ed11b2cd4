"""Price arithmetic. Knows usage and price rows; knows no request, no store and no vendor's API."""

from stockpot.prices.arithmetic import ordinary_row, price_of, quantities, row_for
from stockpot.prices.models import BUCKETS, DETAIL, Cost, PriceRow, Usage

__all__ = [
    "BUCKETS",
    "DETAIL",
    "Cost",
    "PriceRow",
    "Usage",
    "ordinary_row",
    "price_of",
    "quantities",
    "row_for",
]
