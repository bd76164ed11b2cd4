"""Calls at once that several workers share: each leases slots for what it has in flight.

Knows counts and nanoseconds of a monotonic clock; knows no key, no call and no driver.

Of a limit of N calls at once each of W workers has a floor of its own, together a fifth of N; the
rest is a pool, of which the store lends slots, never more than there are. A worker asks for what it
has in flight beyond its floor and a little more, and gives back the rest when it next asks, within
about a second. What a worker holds lapses SLOT_LIFE_S after it asked, at the store never before it
does here. So over all workers and hosts, whatever is lost, late or killed,

    calls at once <= N + calls still in flight whose worker's lease has lapsed,

and a lease lapses only while the store does not answer that worker. Meanwhile it admits while it
has fewer than N / W in flight (at least one): away for all, the sum of these is N again; one worker
that is cut off alone adds at most N / W.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from stockpot.core.kv import SLOT_LIFE_S, SlotAsk
from stockpot.gateway.rates import FLOOR_PERCENT

if TYPE_CHECKING:
    from stockpot.gateway.rates import RateDesk

_LIFE = int(SLOT_LIFE_S * 1e9)
_AGAIN = 200_000_000
"""After a refusal by the store so long nobody asks again."""


class Busy(Protocol):
    """Whose calls at once are counted."""

    in_flight: int


class Slots:
    """One worker's part of a limit of calls at once that `workers` share."""

    __slots__ = (
        "_busy", "_desk", "_floor", "_held", "_need", "_refused_until", "_share", "_spare_most",
        "_until", "pool", "scope",
    )  # fmt: skip

    def __init__(self, scope: str, limit: int, workers: int, desk: RateDesk, busy: Busy) -> None:
        self.scope = scope
        self._desk = desk
        self._busy = busy
        self._floor = limit * FLOOR_PERCENT // 100 // workers
        self.pool = limit - self._floor * workers
        """Slots that the store lends."""
        self._share = max(1, limit // workers)
        self._spare_most = self.pool // (4 * workers)
        self._held = self._until = self._refused_until = 0
        self._need = 0
        """Calls that were refused since the store was asked."""

    # --- during a call ------------------------------------------------------------------------

    def take(self, now: int) -> bool:
        """Whether one more call may begin here."""
        used = self._busy.in_flight
        if self._desk.away:
            return used < self._share
        room = self._floor + (self._held if now < self._until else 0)
        if used < room:
            near = used + self._spare_most // 2 >= room and now >= self._refused_until
            if near and self._wanted() > self._held:
                self._desk.ask(self)
            return True
        if now >= self._refused_until:
            self._need += 1
            self._desk.ask(self)
        return False

    def may_come(self, now: int) -> bool:
        """Whether a grant that is under way may let in what was just refused."""
        return self._need > 0 and not self._desk.away and now >= self._refused_until

    # --- beside the calls ---------------------------------------------------------------------

    def _wanted(self) -> int:
        used = self._busy.in_flight
        spare = min(used // 4, self._spare_most)
        return min(self.pool, max(0, used - self._floor + spare + self._need))

    def request(self, now: int) -> SlotAsk:
        """What to hold from now on; what is not wanted is given up before the ask leaves."""
        want = self._wanted()
        self._held = min(self._held, want) if now < self._until else 0
        return SlotAsk(self.scope, self._desk.holder, self.pool, self._held, want)

    def granted(self, grant: int, asked: SlotAsk, sent: int, now: int) -> None:
        """The answer to `request`, which left at `sent`."""
        self._refused_until = now + _AGAIN if grant < asked.want else 0
        self._held, self._until = grant, sent + _LIFE
        self._need = 0

    def unanswered(self, asked: SlotAsk) -> None:
        """Whatever the store heard lapses or is said anew."""

    def store_went(self, now: int) -> None:
        """`RateDesk.away` says it all."""

    def stale(self, now: int) -> bool:
        """Whether it holds more than it wants, or what lapses soon."""
        if not self._held:
            return False
        return self._held > self._wanted() or now > self._until - _LIFE // 2
