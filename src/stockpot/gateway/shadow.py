"""Sending a copy of a call to a candidate target, to compare. Knows calls; knows no client.

The copy leaves when the client's answer is complete, so that it takes nothing from it. It reserves
nothing, is tried once, and what becomes of it changes neither the route nor the target's health
for the worse. Its record is a child of the call's, with the reason `shadow` and its own cost.
"""

from __future__ import annotations

import asyncio
import copy
import random
from typing import TYPE_CHECKING

from stockpot.core import ids
from stockpot.gateway.attempt import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.gateway.attempt import Desk
    from stockpot.gateway.call import Call
    from stockpot.gateway.outcome import Failure
    from stockpot.gateway.snapshot import RouteEntry


class Shadowing:
    """Owns the one try of a copy; see `attempt.Owner`."""

    __slots__ = ("_attempt", "_route", "call", "number", "rival", "shared")

    @classmethod
    def offer(cls, call: Call, route: RouteEntry, shared: Desk) -> None:
        """Draw whether this call is copied; the copy leaves in a moment."""
        spec, traffic = route.spec.shadow, route.traffic
        assert spec is not None
        if random.random() >= spec.share or traffic.shadows >= spec.concurrency:  # noqa: S311
            return
        traffic.shadows += 1
        asyncio.get_running_loop().call_soon(cls(call, route, shared).begin)

    def __init__(self, call: Call, route: RouteEntry, shared: Desk) -> None:
        # As if the client had left: what the upstream says is read and recorded, and goes nowhere.
        self.call = copy.copy(call)
        self.call.client_lost = True
        self.call.attempts = self.call.listener = self.call.guard = None
        self.call.gates = self.call.purses = ()
        self.call.marks = list(call.marks)
        self.call.reserved_nano = 0
        self.shared = shared
        self.number = 1
        self.rival: Attempt | None = None
        self._route = route
        self._attempt: Attempt | None = None

    def begin(self) -> None:
        assert self._route.shadow is not None
        attempt = self._attempt = Attempt(self, self._route.shadow)
        attempt.reason = "shadow"
        attempt.span_id = ids.span_id()
        self.shared.running.add(self)
        attempt.send()

    def won(self, attempt: Attempt) -> None:
        """There is no other."""

    def failed(self, attempt: Attempt, failure: Failure) -> None:
        attempt.error, attempt.message = failure.error, failure.message
        attempt.status = failure.status
        self.conclude(attempt, _nothing)

    def conclude(self, attempt: Attempt, done: Callable[[], None]) -> None:
        self._route.traffic.shadows -= 1
        self.shared.running.discard(self)
        self.shared.accountant.finished(attempt, root=False, done=_nothing)
        self._attempt = attempt.upstream = None

    def shut_down(self) -> None:
        if self._attempt is not None:
            self._attempt.cut("shutdown", "the gateway was stopped during this copy of a call")


def _nothing() -> None:
    return None
