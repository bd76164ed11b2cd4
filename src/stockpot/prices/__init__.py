"""Price arithmetic. Knows usage and price rows; knows nothing of requests, stores or vendors' APIs."""

from stockpot.prices.models import Cost, PriceRow, Usage, price_of

__all__ = ["Cost", "PriceRow", "Usage", "price_of"]
