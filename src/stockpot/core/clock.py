"""The wall clock in the unit of the API: Unix milliseconds."""

from __future__ import annotations

import time


def now_ms() -> int:
    """The time now, in whole milliseconds."""
    return time.time_ns() // 1_000_000
