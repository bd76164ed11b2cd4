"""What a route may do beyond one try a call: a share of its traffic. Knows counts and time only.

A bucket is filled by calls, so that what is extra stays in proportion to what is asked for, as in
Finagle's `RetryBudget`; Google's "Handling Overload" (Site Reliability Engineering, chapter 21)
argues for a tenth. Without it, an upstream that fails under load gets a multiple of that load.
"""

from __future__ import annotations

import time

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

    def allow(self, retry_share: float, retry_floor: float, hedge_share: float) -> None:
        """Apply the shares of a new snapshot; what was used stays used."""
        self.retries.share, self.retries.floor = retry_share, retry_floor
        self.hedges.share = hedge_share
