"""Price arithmetic. Knows usage and price rows; knows no request, no store and no vendor's API."""

from stockpot.prices.models import Cost, PriceRow, Usage, price_of

__all__ = ["Cost", "PriceRow", "Usage", "price_of"]
