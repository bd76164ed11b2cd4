"""What one worker knows of each target's health. Knows outcomes and time; knows no requests.

A breaker per target (Nygard, "Release It!"): closed while all is well; open after failures in a
row, or when most calls of a short window fail; after a pause that doubles each time, one call is
let through as a probe, and its outcome closes the breaker or opens it again. A target also rests
while its vendor says that nothing is left of a rate limit. A target that rests is tried last, not
never, so that a route whose targets all rest still serves.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from stockpot.gateway.models import Breaker, TargetState
from stockpot.gateway.pace import Pace

ORDINARY: Final = Breaker()
"""Where no route states anything else."""
LIMIT_MOST_S = 300.0
_REMEMBERED = 64
"""Failures, or as many as calls that a window asks for; under heavy load the window is as long as
these lie back."""


class Health:
    """Mutable state of one target, carried over from snapshot to snapshot by the target's id.

    Times of calls are wall-clock nanoseconds: what a call says counts only when it began after the
    breaker opened, or after the probe left.
    """

    __slots__ = (
        "_failures", "_half_open", "_limited_until", "_open_until", "_pause", "_run", "_since_ns",
        "errors", "in_flight", "last_error", "last_error_ms", "last_ok_ms", "ok", "opened", "paces",
        "rules", "unwell",
    )  # fmt: skip

    def __init__(self) -> None:
        self.unwell = False
        """Whether there is anything to look at but the ordinary: see `ready`."""
        self.ok = 0
        self.errors = 0
        self.opened = 0
        self.in_flight = 0
        self.last_error = ""
        self.last_ok_ms = 0
        self.last_error_ms = 0
        self.paces: tuple[Pace, Pace] | None = None
        """Of whole and of streamed answers, where a route asks for them."""
        self.rules = ORDINARY
        self._run = 0
        self._failures: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)
        self._pause = 0.0
        self._open_until = 0.0
        self._half_open = False
        self._since_ns = 0
        self._limited_until = 0.0

    def follow(self, rules: Breaker) -> None:
        """Rest by these rules from now on; what was seen stays seen."""
        if rules == self.rules:
            return
        self.rules = rules
        self._failures = deque(self._failures, max(_REMEMBERED, rules.window_calls))

    # --- before a call ----------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether calls may be sent here as usual, or one as a probe."""
        if not self.unwell:
            return True
        now = time.monotonic()
        if now < self._limited_until or now < self._open_until:
            return False
        self.unwell = self._pause > 0.0
        return True

    def departs(self, start_ns: int) -> None:
        """A call leaves for a target that is unwell; it is the probe when one is due.

        The pause begins anew for all others: so a probe that never comes back is followed by
        another one, and there is nothing to clean up.
        """
        now = time.monotonic()
        if self._pause and now >= self._open_until:
            self._open_until = now + self._pause
            self._half_open = True
            self._since_ns = start_ns

    # --- after it ---------------------------------------------------------------------------------

    def succeeded(self, start_ns: int) -> None:
        self.ok += 1
        self._run = 0
        self.last_ok_ms = start_ns // 1_000_000
        if self._pause and start_ns >= self._since_ns:
            self._pause = self._open_until = 0.0
            self._half_open = False
            self._failures.clear()

    def failed(self, error: str, start_ns: int, retry_after_s: float = 0.0) -> None:
        """Note a failure; rest after several, or for as long as the target asks."""
        now = time.monotonic()
        self.errors += 1
        self.last_error = error
        self.last_error_ms = int(time.time() * 1000)
        if retry_after_s > 0.0:
            self.limited(retry_after_s)
            return
        self._run += 1
        self._failures.append((now, self.ok))
        if not self._pause:
            if self._run >= self.rules.failures or self._mostly_fails(now):
                self._open(now, self.rules.pause_s)
        elif self._half_open and start_ns >= self._since_ns:
            self._open(now, min(self._pause * 2, self.rules.pause_most_s))

    def limited(self, wait_s: float) -> None:
        """The vendor says that nothing is left for so long."""
        self._limited_until = time.monotonic() + min(wait_s, LIMIT_MOST_S)
        self.unwell = True

    def _mostly_fails(self, now: float) -> bool:
        """The window begins with the oldest failure in it, so that successes need no list."""
        failures, rules = self._failures, self.rules
        while failures[0][0] < now - rules.window_s:
            failures.popleft()
        calls = len(failures) + self.ok - failures[0][1]
        return calls >= rules.window_calls and len(failures) >= calls * rules.window_share

    def _open(self, now: float, pause: float) -> None:
        self._pause = pause
        self._open_until = now + pause
        self._half_open = False
        self._since_ns = time.time_ns()
        self.opened += 1
        self.unwell = True

    # --- what others see --------------------------------------------------------------------------

    @property
    def breaker(self) -> str:
        """closed, open or half_open."""
        if not self._pause:
            return "closed"
        due = self._half_open or time.monotonic() >= self._open_until
        return "half_open" if due else "open"

    def report(self) -> TargetState:
        pace = self.paces[1] if self.paces is not None else None
        return TargetState(
            ok=self.ok,
            errors=self.errors,
            last_error=self.last_error,
            last_ok_ms=self.last_ok_ms,
            last_error_ms=self.last_error_ms,
            cooling_until_ms=_wall(max(self._open_until, self._limited_until)),
            in_flight=self.in_flight,
            breaker=self.breaker,
            opened=self.opened,
            limited_until_ms=_wall(self._limited_until),
            first_byte_ms=pace.average / 1e6 if pace is not None else 0.0,
            first_byte_p95_ms=pace.p95 / 1e6 if pace is not None else 0.0,
        )


def _wall(until: float) -> int:
    """Milliseconds since the epoch of a monotonic time to come; 0 when it is past."""
    left = until - time.monotonic() if until else 0.0
    return int((time.time() + left) * 1000) if left > 0.0 else 0
