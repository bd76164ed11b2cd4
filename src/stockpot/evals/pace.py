"""How many calls may be under way: as many as the other side takes, found out while calling.

Knows answers and refusals; knows no model and no HTTP. The limit grows by one with each answer
until something is refused, then stays at what was taken, and tries one more from time to time, less
often each time that is refused. A refused call waits as long as it was told and comes again; all
wait only when nothing is taken any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

MOST = 512
_PATIENCE = 64


class Pace:
    """Places for calls. `enter` waits for one; `left` or `refused` gives it back."""

    def __init__(self, start: int = 8, most: int = MOST) -> None:
        self._most = most
        self._limit = min(start, most)
        self._found = False
        """Whether a limit of the other side was met; until then growth is fast."""
        self._answers = 0
        self._rounds = 1
        self._in_a_row = 0
        self._not_before = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.in_flight = 0
        self.held_back = 0
        """Answers that are not kept yet: they count, so that a crash repeats only a few calls."""

    @property
    def limit(self) -> int:
        return self._limit

    async def enter(self) -> None:
        """Wait for a place."""
        while True:
            pause = self._not_before - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            elif self._full():
                future = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future
            else:
                self.in_flight += 1
                return

    def left(self) -> None:
        """A call was answered."""
        busy = self.in_flight >= self._limit
        self.in_flight -= 1
        self._in_a_row = 0
        self._answers += 1
        if busy and self._answers >= (self._limit * self._rounds if self._found else 1):
            self._answers = 0
            self._limit = min(self._most, self._limit + 1)
        self.wake()

    def refused(self, retry_after_s: float) -> None:
        """A call was turned away because there were too many."""
        self.in_flight -= 1
        self._in_a_row += 1
        if self.in_flight < self._limit:
            self._rounds = min(_PATIENCE, self._rounds * 2) if self._found else 1
            self._limit = max(1, self.in_flight)
        self._found, self._answers = True, 0
        if self.in_flight == 0 or self._in_a_row > 2 * self._limit:
            self._not_before = time.monotonic() + min(60.0, max(0.05, retry_after_s))
        self.wake()

    def failed(self) -> None:
        """A call ended without saying anything of how many there may be."""
        self.in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Let those enter who wait, as far as there are places."""
        places = self._limit - self.in_flight
        while self._waiting and places > 0:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                places -= 1

    def _full(self) -> bool:
        spare = max(4, self._limit // 4)
        return self.in_flight >= self._limit or self.held_back >= spare
