"""What a route may do beyond one try a call: a share of its traffic. Knows counts and time only.

A bucket is filled by calls, so that what is extra stays in proportion to what is asked for, as in
Finagle's `RetryBudget`; Google's "Handling Overload" (Site Reliability Engineering, chapter 21)
argues for a tenth. Without it, an upstream that fails under load gets a multiple of that load.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpot.gateway.models import Route

RETRY_BURST = 20.0
HEDGE_BURST = 5.0


class Allowance:
    """A token bucket: `share` of a token a call and `floor` tokens a second, `burst` at most."""

    __slots__ = ("_at", "_left", "_seen", "burst", "denied", "floor", "share")

    def __init__(self, share: float, floor: float, burst: float, left: float) -> None:
        self.share = share
        self.floor = floor
        self.burst = burst
        self.denied = 0
        self._left = left
        self._seen = 0
        self._at = time.monotonic()

    def take(self, calls: int) -> bool:
        """One token, if there is one. `calls` is how many calls there were in all."""
        now = time.monotonic()
        earned = (calls - self._seen) * self.share + (now - self._at) * self.floor
        self._left = min(self.burst, self._left + earned)
        self._seen, self._at = calls, now
        if self._left < 1.0:
            self.denied += 1
            return False
        self._left -= 1.0
        return True


class Traffic:
    """What must be remembered of a route from snapshot to snapshot."""

    __slots__ = ("calls", "hedges", "retries", "shadows")

    def __init__(self) -> None:
        self.calls = 0
        self.shadows = 0
        """Copies on their way."""
        self.retries = Allowance(0.0, 0.0, RETRY_BURST, RETRY_BURST)
        self.hedges = Allowance(0.0, 0.0, HEDGE_BURST, 1.0)

    def allow(self, spec: Route) -> None:
        """Apply a new snapshot; what was used stays used."""
        retries, hedges, hedge = self.retries, self.hedges, spec.hedge
        retries.share, retries.floor, retries.burst = (
            spec.retry_share, spec.retry_floor, spec.retry_burst,
        )  # fmt: skip
        hedges.share = hedge.share if hedge is not None else 0.0
        hedges.burst = hedge.burst if hedge is not None else HEDGE_BURST
