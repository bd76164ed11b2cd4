"""Rails in the worker take turns with everything else that it does. Knows time; knows no rail.

A worker is one thread: while it looks at a text, every other call of it waits. So that calls under
a policy delay the others by one text and not by all that have come, the worker looks at one, or at
several short ones, and turns to its sockets in between. A text is looked at once where rails were
not at work just now; else it waits its turn, and tenants take turns.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from time import perf_counter_ns

Work = Callable[[], None]

MOST_NS = 2_000_000
"""What counts of one text: a machine that is busy elsewhere makes nobody wait longer."""


SLICE_NS = 150_000
"""So long texts follow one another before the sockets' turn: a look at all of them costs as much as
a short text."""


class Turns:
    """One to a worker."""

    __slots__ = ("_begun", "_due", "_free_from", "_waiting")

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Work]] = OrderedDict()
        self._begun = self._free_from = 0
        self._due = False
        """Whether the next turn is on its way."""

    def begin(self) -> bool:
        """Whether a text may be looked at now; `end` follows. Rails have at most half of the time
        where many calls come at once."""
        now = self._begun = perf_counter_ns()
        return now >= self._free_from and not self._waiting

    def end(self) -> None:
        """The text that `begin` let through was looked at."""
        now = perf_counter_ns()
        self._free_from = now + min(now - self._begun, MOST_NS)

    def later(self, tenant: str, work: Work) -> None:
        """Do something when its turn has come."""
        self._waiting.setdefault(tenant, deque()).append(work)
        self._call_next()

    def run(self, tenant: str, work: Work) -> None:
        """Do something now, or when its turn has come."""
        if not self.begin():
            self.later(tenant, work)
            return
        try:
            work()
        finally:
            self.end()

    def _call_next(self) -> None:
        if self._waiting and not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._due = False
        begun = self._begun = perf_counter_ns()
        try:
            while self._waiting and perf_counter_ns() - begun < SLICE_NS:
                self._one()()
        finally:
            self.end()
            self._call_next()

    def _one(self) -> Work:
        tenant, works = self._waiting.popitem(last=False)
        work = works.popleft()
        if works:
            self._waiting[tenant] = works  # behind all others
        return work
