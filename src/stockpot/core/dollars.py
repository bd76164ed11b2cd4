"""Money in words. Knows integer nano-dollars; knows no price."""

from __future__ import annotations

import math


def dollars(nano: float | None) -> str:
    """`$12.50`, `$0.50`, `$0.0123`, `$0.000040`: with digits enough to be told from zero. `?` where
    no price is known."""
    if nano is None:
        return "?"
    if nano < 0:
        return f"-{dollars(-nano)}"
    amount = nano / 1e9
    if amount >= 1 or not nano:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        told = f"${amount:.4f}"
        return told.removesuffix("00") if told.endswith("00") else told
    return f"${amount:.{min(9, 1 - math.floor(math.log10(amount)))}f}"
