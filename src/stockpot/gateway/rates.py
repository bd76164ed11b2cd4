"""Rates per minute: in this worker alone, or leased in blocks from a store that workers share.

Knows the generic cell rate algorithm and integer nanoseconds of a monotonic clock; knows no key, no
call and no driver.

The algorithm is the virtual-scheduling form of GCRA (ITU-T I.371, Annex A; Brandur Leach's "Rate
Limiting, Cells, and GCRA" explains it for APIs): each limit keeps one number, the theoretical
arrival time `tat`, by which everything admitted so far will have drained at the permitted rate.
A call that costs `c` nanoseconds of rate is admitted when `max(tat, now) + c` is at most one minute
ahead of now. So a limit of N per minute admits a burst of N after a quiet minute and N a minute
from then on: never more than N at once and never more than N + N * t / 60 s in any t seconds.

Several workers split N. Each has a floor of its own, together a fifth of N; the store grants the
rest in blocks, by the same algorithm and its own clock. A block is spent within LIFE_S; what is not
goes back, less what the rate refilled since it was granted, or is lost. Over all workers and hosts,
whatever is lost or killed, no more is admitted than

    N + N * (t + LIFE_S) / 60   in any t seconds.

Why. Let the pool be P, refilled at r = P / 60 s. Compare `tat` of the store with what it would be
had a block of B units never been granted: the difference is B / r after the grant and shrinks only
while the other one stands at the clock, so after `age` it is at least B / r - age. Just so much is
taken off when B units come back (the age is counted up to ASK_S after the telling), hence `tat` is
never below that of a store which granted only what is spent, and what is spent obeys (1) in times
of granting: P + r * t in any t seconds. A unit is spent at most LIFE_S after it was granted, which
makes it P + r * (t + LIFE_S), and the floors add their share of N + N * t / 60. Had blocks come
back whole, workers who hold and return them in turn would save up the refill without end.

(1) GCRA: a grant leaves `tat` at most P / r ahead of the clock and moves it by units / r.

A message that the store hears d seconds later than ASK_S after it left adds at most N * d / 60.
What is undone (a call that a later limit refused, the part of a reservation of tokens that was not
used) counts as never taken: it comes back whole and may let in as many more, as in one worker.

While the store is away, each worker admits N / W a minute, and starts that with nothing saved up:
when it is away for all W workers, the bound above still holds until it returns; one worker that is
cut off alone adds at most N / W and N / W a minute.

A store that returns hears from each worker the lesser of two numbers: a, what it admitted by its
share, and d, what of its share has not drained. Let v be what a store that had been told at once
would still have to drain, s that when it went, and T how long it was away. v is the greater of
s - r * T + sum(a) and of what was admitted after any moment, less its drain; of the latter each
worker's part is at most its a and at most its d; and where d < a, a <= d + (r * T - P) / W, since
its bucket began full. So v <= s' + sum(min(a, d)), s' being what the store itself remembers, and
v <= sum(d) <= P all the time. Grants begin again SETTLE_S after the return, when every worker has
been heard: one asks each second, also when nobody calls. What shares admit and is not heard until
then, or in an absence too short for this, is at most the rate of 4 s. So around an absence

    N + N * (t + LIFE_S + 4) / 60   in any t seconds.

Only a worker that starts within SETTLE_S after the return may be granted what others have not told.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from stockpot.core.kv import RateAsk, RateGrant, SlotAsk
from stockpot.gateway.contact import Contact

_log = logging.getLogger(__name__)

MINUTE = 60_000_000_000
LIFE_S = 2.0
"""A granted block is spent within this time after it was asked for."""
FLOOR_PERCENT = 20
ASK_S, AWAY_S, SWEEP_S = 0.5, 1.0, 1.0
"""The store answers within the first, is asked again after the second; blocks that expired go back
after the third."""
SETTLE_S = 2.5
"""More than AWAY_S and twice ASK_S: within it every worker finds out that the store is back."""
PATIENCE_S = 0.1
"""A call that this worker has nothing for, though the store may, waits so long for a grant."""
_LIFE, _BLOCK = int(LIFE_S * 1e9), 500_000_000

Ask = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


class Shared(Protocol):
    """What a desk asks for: a rate, or slots for calls at once."""

    def request(self, now: int) -> RateAsk | SlotAsk:
        """What to ask for."""
        ...

    def granted(self, grant: Any, asked: Any, sent: int, now: int) -> None:
        """The answer to `request`, which left at `sent`."""
        ...

    def unanswered(self, asked: Any) -> None:
        """The store may or may not have heard."""
        ...

    def store_went(self, now: int) -> None:
        """The store is away."""
        ...

    def stale(self, now: int) -> bool:
        """Whether it holds or owes what should be told, though nobody calls."""
        ...


class Meter(Protocol):
    """What a gate wants of a rate. Times are nanoseconds of a monotonic clock."""

    limit: int

    def take(self, now: int, amount: int) -> int:
        """0 when taken; else nanoseconds until it may be worth to try again."""
        ...

    def undo(self, now: int, amount: int) -> None:
        """What was taken will not be used."""
        ...

    def owe(self, now: int, amount: int) -> None:
        """Take whatever is free or not."""
        ...

    def left(self, now: int) -> int:
        """Units that could be taken at once, as far as is known here."""
        ...

    def busy_ns(self, now: int) -> int:
        """Time until the limit is whole again, as far as is known here."""
        ...

    def fits(self, amount: int) -> bool:
        """Whether so much could ever be taken at once."""
        ...


class Rate:
    """One GCRA limit: nanoseconds that one unit takes, how far ahead `tat` may be, and `tat`.

    The nanoseconds are rounded up, so a rate is never exceeded; a burst is exact, because the
    window is measured in the same units.
    """

    __slots__ = ("limit", "per", "share", "tat", "window")

    def __init__(self, limit: int, share: float = 1.0) -> None:
        self.limit = limit
        self.share = share
        own = limit * share
        self.per = math.ceil(MINUTE / own)
        # A share below one call a minute must still let one call through, only less often.
        self.window = max(1, int(own + 1e-9)) * self.per
        self.tat = 0

    def take(self, now: int, amount: int) -> int:
        tat = self.tat
        tat = (tat if tat > now else now) + amount * self.per
        wait = tat - now - self.window
        if wait > 0:
            return wait
        self.tat = tat
        return 0

    def undo(self, now: int, amount: int) -> None:
        self.tat -= amount * self.per

    def owe(self, now: int, amount: int) -> None:
        tat = self.tat
        self.tat = (tat if tat > now else now) + amount * self.per

    def left_here(self, now: int) -> int:
        """Of this worker's share."""
        ahead = self.tat - now
        free = self.window - ahead if ahead > 0 else self.window
        return free // self.per if free > 0 else 0

    def left(self, now: int) -> int:
        return min(self.limit, int(self.left_here(now) / self.share))

    def busy_ns(self, now: int) -> int:
        return max(0, self.tat - now)

    def fits(self, amount: int) -> bool:
        return amount * self.per <= self.window

    def resized(self, limit: int, share: float, now: int) -> Rate:
        """The same with another limit: what was used stays used, in the new limit's measure."""
        new = Rate(limit, share)
        if self.tat > now:
            new.tat = now + (self.tat - now) * new.per // self.per
        return new


class Leased:
    """One worker's part of a rate that `workers` share."""

    __slots__ = (
        "_alone", "_asking", "_away", "_back", "_block", "_count", "_desk", "_floor", "_held",
        "_later", "_left", "_need", "_owe", "_paced_at", "_refused_until", "_spare", "_spare_since",
        "_told", "_until", "_until_later", "limit", "pool", "scope",
    )  # fmt: skip

    def __init__(self, scope: str, limit: int, workers: int, desk: RateDesk) -> None:
        self.scope = scope
        self.limit = limit
        self._desk = desk
        floor = limit * FLOOR_PERCENT // 100 // workers
        self._floor = Rate(floor) if floor else None
        self.pool = limit - floor * workers
        """Units a minute that the store grants."""
        self._away = Rate(self.pool, 1 / workers)
        self._held = self._later = self._until = self._until_later = 0
        self._back = self._owe = self._need = 0
        self._spare = self._spare_since = 0
        self._block = self._count = 0
        self._left = self.pool
        self._refused_until = 0
        self._paced_at = 0
        self._alone = self._told = 0
        """Units that this worker admitted by its share alone; how many of them the ask tells of."""
        self._asking = False
        """Whether an answer is under way."""
        if desk.away:
            self.store_went(desk.now())

    # --- during a call ------------------------------------------------------------------------

    def take(self, now: int, amount: int) -> int:
        self._count += amount
        if now >= self._until or self._held < amount:
            self._next_lot(now)
        if self._held >= amount and now < self._until:
            self._held -= amount
            if self._held + self._later < self._block // 2 and not self._asking:
                self._desk.ask(self)
            return 0
        if self._floor is not None and not self._floor.take(now, amount):
            if not self._asking:
                self._desk.ask(self)
            return 0
        if self._desk.away:
            wait = self._away.take(now, amount)
            self._alone += 0 if wait else amount
            return wait
        if now < self._refused_until:
            return self._refused_until - now
        self._need = max(self._need, amount)
        self._desk.ask(self)
        return max(1, int(PATIENCE_S * 1e9))

    def may_come(self, now: int) -> bool:
        """Whether a grant that is under way may let in what was just refused."""
        return bool(self._need) and not self._desk.away and now >= self._refused_until

    def undo(self, now: int, amount: int) -> None:
        self._back += amount

    def owe(self, now: int, amount: int) -> None:
        self._owe += amount

    def left(self, now: int) -> int:
        floor = self._floor.left_here(now) if self._floor is not None else 0
        return min(self.limit, self._held + self._later + self._left + floor)

    def busy_ns(self, now: int) -> int:
        used = self.limit - self.left(now)
        return used * MINUTE // self.limit

    def fits(self, amount: int) -> bool:
        return amount <= self.pool

    def _next_lot(self, now: int) -> None:
        """What is held and cannot be spent any more goes back; the newer block comes first."""
        if now >= self._until:
            self._expire(self._held, self._until)
            self._held = 0
        if self._later and (not self._held or now < self._until_later):
            self._until = min(self._until, self._until_later) if self._held else self._until_later
            self._held += self._later
            self._later = 0

    def _expire(self, units: int, until: int) -> None:
        if units:
            since = until - _LIFE
            self._spare_since = min(self._spare_since, since) if self._spare else since
            self._spare += units

    # --- beside the calls ---------------------------------------------------------------------

    def request(self, now: int) -> RateAsk:
        """What to ask for: half a second at the recent pace, and what a call waits for."""
        past, count = now - self._paced_at, self._count
        if past >= _BLOCK:
            faded = self._block - self._block // 4
            self._block = max(count * _BLOCK // past, faded) if count else 0
            self._count, self._paced_at = 0, now
        else:
            self._block = max(self._block, count)
        need = 0 if self._desk.away else min(self._need, self.pool)
        want = 0 if self._desk.away else max(need, self._block - self._held - self._later, 0)
        age = now + int(ASK_S * 1e9) - self._spare_since
        back = self._back + max(0, self._spare + -(age * self.pool) // MINUTE)
        alone = min(self._alone, -(-self._away.busy_ns(now) // self._away.per))
        ask = RateAsk(self.scope, self.pool, min(want, self.pool), need, back, self._owe, alone)
        self._told = self._alone
        self._back = self._owe = self._spare = 0
        self._asking = True
        return ask

    def granted(self, grant: RateGrant, asked: RateAsk, sent: int, now: int) -> None:
        """The answer to `request`, which left at `sent`."""
        self._asking = False
        self._alone -= self._told
        self._left = grant.left
        self._need = 0
        if asked.need and not grant.granted:
            self._refused_until = now + grant.wait_ms * 1_000_000
        if grant.granted:
            self._refused_until = 0
            self._next_lot(now)
            self._later += grant.granted
            until, mixed = sent + _LIFE, self._later > grant.granted
            self._until_later = min(self._until_later, until) if mixed else until
            if not self._held:
                self._next_lot(now)

    def unanswered(self, asked: RateAsk) -> None:
        """The store may or may not have heard: what it granted expires unspent, what came back is
        not told again, what is owed is."""
        self._asking = False
        self._owe += asked.owe

    def store_went(self, now: int) -> None:
        """From here on this worker's share, with nothing saved up."""
        self._away.tat = max(self._away.tat, now + self._away.window)

    def stale(self, now: int) -> bool:
        """Whether it holds or owes what should be told, though nobody calls."""
        if self._held and now >= self._until:
            self._next_lot(now)
        if self._later and now >= self._until_later:
            self._expire(self._later, self._until_later)
            self._later = 0
        return bool(self._spare or self._back or self._owe or self._alone)


class RateDesk:
    """Asks the store beside the calls, for many scopes at a time; wakes who waits. `holder` is this
    worker's name there."""

    def __init__(
        self,
        ask: Ask,
        clock: Callable[[], int] = time.monotonic_ns,
        holder: str = "",
        settle_s: float = SETTLE_S,
    ) -> None:
        self._ask = ask
        self.holder = holder
        self._clock = clock
        self._contact = Contact(int(settle_s * 1e9))
        self._asked_at = 0
        self._due: set[Shared] = set()
        self._known: set[Shared] = set()
        self._running: asyncio.Task[None] | None = None
        self._waiting: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def away(self) -> bool:
        """Whether each worker keeps to its share."""
        return self._contact.away

    def now(self) -> int:
        return self._clock()

    def ask(self, leased: Shared) -> None:
        """Have this rate asked for in the next round."""
        if leased not in self._due:
            self._due.add(leased)
            self._known.add(leased)
            if self._running is None:
                self._running = asyncio.ensure_future(self._rounds())

    def wait(self, again: Callable[[], None]) -> None:
        """Call back after the next round, or after PATIENCE_S."""
        handle: asyncio.TimerHandle | None = None

        def once() -> None:
            nonlocal handle
            if handle is not None:
                handle.cancel()
                handle = None
                again()

        handle = asyncio.get_running_loop().call_later(PATIENCE_S, once)
        self._waiting.append(once)

    async def leave(self) -> None:
        """A last round: what is held and not used goes back."""
        self._due.update(leased for leased in self._known if leased.stale(self._clock()))
        if self._due:
            due, self._due = self._due, set()
            await self._round(tuple(due))

    async def run(self) -> None:
        """Give back what expired and find out when an absent store returns, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self._clock()
            for leased in self._known:
                if leased.stale(now):
                    self.ask(leased)
            if self._known and now - self._asked_at > int(SWEEP_S * 1e9):
                self.ask(next(iter(self._known)))

    def forget(self, leased: Shared) -> None:
        """Its scope is no more."""
        self._known.discard(leased)
        self._due.discard(leased)

    async def _rounds(self) -> None:
        try:
            while self._due:
                due, self._due = self._due, set()
                await self._round(tuple(due))
                if self.away:
                    await asyncio.sleep(AWAY_S)
        finally:
            self._running = None

    async def _round(self, due: tuple[Shared, ...]) -> None:
        sent = self._asked_at = self._clock()
        asks = tuple(leased.request(sent) for leased in due)
        try:
            async with asyncio.timeout(ASK_S):
                grants = await self._ask(asks)
        except Exception as error:
            self._lost(due, asks, error)
        else:
            now = self._clock()
            self._contact.heard(now)
            for leased, asked, grant in zip(due, asks, grants, strict=True):
                leased.granted(grant, asked, sent, now)
            if self.away:
                self._due.update(leased for leased in due if leased in self._known)
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def _lost(self, due: tuple[Shared, ...], asks: tuple[Any, ...], error: Exception) -> None:
        for leased, asked in zip(due, asks, strict=True):
            leased.unanswered(asked)
        now = self._clock()
        if self._contact.lost(now):
            _log.warning("no answer about shared limits, each worker keeps to its share: %s", error)
            for leased in self._known:
                leased.store_went(now)
        self._due.update(leased for leased in due if leased in self._known)
