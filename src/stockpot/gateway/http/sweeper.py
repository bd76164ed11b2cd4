"""A coarse clock that looks after deadlines in bulk, instead of one timer per request.

Knows the event loop; knows nothing of what it watches.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)

FOREVER = float("inf")
_STEP_MAX_S = 1.0


class Sweeper:
    """Calls `sweep(now)` again and again while there is something to watch.

    `sweep` returns the seconds until the next call, 0 to stop. `now` counts the seconds in which
    this process ran: a stop of the whole process (a suspended laptop, a blocked loop) advances it
    by a second at most, so that nobody is timed out for what we did not read.
    """

    __slots__ = ("_handle", "_loop", "_quick", "_sweep", "now", "real", "running")

    def __init__(self, sweep: Callable[[float], float], quick_s: float) -> None:
        self._sweep = sweep
        self._quick = quick_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None
        self.real = 0.0
        """The loop's own clock at the last sweep."""
        self.now = 0.0
        self.running = False
        """Whether the next sweep is near; `start` makes it so."""

    def start(self) -> None:
        """Sweep soon, and from now on."""
        if self._handle is not None:
            self._handle.cancel()
            self._advance()
        else:
            self._loop = asyncio.get_running_loop()
            self.real = self._loop.time()
        self._schedule(self._quick)

    def stop(self) -> None:
        """Sweep no more."""
        self.running = False
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _advance(self) -> None:
        assert self._loop is not None
        real = self._loop.time()
        self.now += min(real - self.real, _STEP_MAX_S)
        self.real = real

    def _schedule(self, delay: float) -> None:
        assert self._loop is not None
        self.running = delay <= self._quick
        self._handle = self._loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        self._advance()
        try:
            delay = self._sweep(self.now)
        except Exception:
            _log.exception("a sweep over open connections failed")
            delay = self._quick
        if delay > 0:
            self._schedule(delay)
        else:
            self.stop()
