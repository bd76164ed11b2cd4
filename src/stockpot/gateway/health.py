"""What one worker knows of each target's health. Knows outcomes and time; knows no requests.

A target that keeps failing cools down: it is tried last, not never, so that a route whose targets
all cool still serves.
"""

from __future__ import annotations

import time

from stockpot.gateway.models import TargetState

FAILURES_TO_COOL = 3
COOL_FIRST_S, COOL_MOST_S = 1.0, 30.0


class Health:
    """Mutable state of one target, carried over from snapshot to snapshot by the target's id."""

    __slots__ = (
        "_run",
        "cooling_until",
        "errors",
        "in_flight",
        "last_error",
        "last_error_ms",
        "last_ok_ms",
        "ok",
    )

    def __init__(self) -> None:
        self._run = 0
        self.cooling_until = 0.0
        self.ok = 0
        self.errors = 0
        self.in_flight = 0
        self.last_error = ""
        self.last_ok_ms = 0
        self.last_error_ms = 0

    def succeeded(self, at_ns: int) -> None:
        self.ok += 1
        self._run = 0
        self.cooling_until = 0.0
        self.last_ok_ms = at_ns // 1_000_000

    def failed(self, error: str, retry_after_s: float = 0.0) -> None:
        """Note a failure; cool after several in a row, or for as long as the target asks."""
        self.errors += 1
        self._run += 1
        self.last_error = error
        self.last_error_ms = int(time.time() * 1000)
        pause = retry_after_s
        if self._run >= FAILURES_TO_COOL:
            pause = max(pause, COOL_FIRST_S * 2 ** min(self._run - FAILURES_TO_COOL, 5))
        if pause > 0:
            self.cooling_until = time.monotonic() + min(pause, COOL_MOST_S)

    def cooling(self) -> bool:
        return self.cooling_until > 0.0 and self.cooling_until > time.monotonic()

    def report(self) -> TargetState:
        left = max(0.0, self.cooling_until - time.monotonic()) if self.cooling_until else 0.0
        return TargetState(
            ok=self.ok,
            errors=self.errors,
            last_error=self.last_error,
            last_ok_ms=self.last_ok_ms,
            last_error_ms=self.last_error_ms,
            cooling_until_ms=int((time.time() + left) * 1000) if left else 0,
            in_flight=self.in_flight,
        )
