"""Spending within budgets out of leased allowances, without asking anybody during a request.

Knows nano-dollars and the lease records; knows no store, no HTTP, no key. A `Purse` per budget
holds what the control plane lent to this worker; one `LeaseClient` runs beside the requests,
reports what was spent and asks for more.

The bound. A purse admits a call only while what was spent, what is reserved for calls in flight and
the new estimate together stay within what was lent; the lender never lets spent and lent money
together exceed the limit. So over all workers, and whatever is delayed, repeated or lost,

    money spent <= limit + sum of (actual - estimate) over calls that cost more than estimated,

where only calls count that were in flight when their worker's allowance ran out. While the lender
is away and the allowance is used up, a `closed` budget admits nothing and one that says `continue`
lets all workers together spend `away_multiple` times the limit more in a period.

The protocol. A report tells what was spent since the last answered report, and its number. Until it
is answered the same report is repeated unchanged, so a lender that counts each number once counts
each nano-dollar once. A purse lowers its allowance to `want` before the report leaves, so the
lender may lend out the rest at once. `held` of the answer is what may be spent beyond the spending
reported. The lender regards it as lent until a later report of this worker says otherwise, also
across the end of a period.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from stockpot.gateway.limits import Refusal
from stockpot.gateway.models import Budget, LeaseAsk, LeaseGrant, LeaseReply, LeaseRequest

_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode
_decode_reply = msgspec.msgpack.Decoder(LeaseReply).decode

REPORT_S = 1.0
"""A purse that spent something reports it this long after its previous report."""

KEEPALIVE_S = 10.0
"""A purse that spends nothing reports this often, so that its lease is not taken for abandoned."""

_TICK_S, _AWAY_S, _POST_S = 0.1, 0.5, 5.0


class Purse:
    """What this worker may spend of one budget. All amounts are nano-dollars."""

    __slots__ = (
        "_beyond", "_floor", "_granted", "_largest", "_last_report", "_left", "_open", "_pace",
        "_pending", "_refused", "_sequence", "_share", "_short", "_spent", "_want", "away",
        "budget", "exhausted", "held", "known", "period_end_ms", "scope",
    )  # fmt: skip

    def __init__(self, budget: Budget, share: float = 1.0, scope: str = "") -> None:
        self.budget = budget
        self.scope = scope
        """Whose budget it is, such as `key 'my-app'`."""
        self.held = 0
        self.known = False
        """Whether the lender has answered at all."""
        self.exhausted = False
        self.away = False
        self.period_end_ms = 0
        self._share = share
        self._open = self._spent = self._sequence = 0
        self._beyond = self._floor = self._refused = 0
        self._left = -1
        self._pending: LeaseAsk | None = None
        self._last_report = 0.0
        self._pace = self._largest = self._short = self._granted = 0
        self._want = max(1, int(budget.limit_nano * share) // 4)

    def update(self, budget: Budget, share: float = 1.0) -> None:
        """Apply a changed budget: the next report asks anew; what was spent stays spent."""
        if budget != self.budget or share != self._share:
            self.budget, self._share = budget, share
            self._last_report = 0.0

    # --- during a request -------------------------------------------------------------------------

    def reserve(self, estimate: int) -> Refusal | None:
        """Set money aside for a call, or say why not. A used up purse refuses even a free call."""
        if estimate > self._largest:
            self._largest = estimate
        room = self.held - self._open
        if self.away and self.budget.when_away == "continue":
            room += self._extra()
        if room < estimate or room <= 0:
            return self._refusal(estimate, max(0, room))
        self._open += estimate
        return None

    def settle(self, reserved: int, actual: int) -> None:
        """A call ended: free its reservation and take what it cost."""
        self._open -= reserved
        self.held -= actual
        self._spent += actual

    def _extra(self) -> int:
        """What may be spent beyond the lease in this period while the lender is away."""
        whole = int(self.budget.limit_nano * self.budget.away_multiple * self._share)
        return max(0, whole - self._beyond) - self._floor

    def _refusal(self, estimate: int, room: int) -> Refusal:
        budget = self.budget
        wait = math.inf
        if estimate <= budget.limit_nano:
            if not self.exhausted and not 0 <= self._left < estimate:
                # The budget may have what this worker does not hold: it is asked for in a moment.
                self._short = max(self._short, estimate)
                wait = REPORT_S
            else:
                self._refused = min(self._refused or estimate, estimate)
                if self.period_end_ms:
                    wait = max(1.0, self.period_end_ms / 1000 - time.time())
        whose = f"the budget of {self.scope or budget.id}"
        return Refusal(whose, "budget", budget.limit_nano, room, wait)

    # --- beside the requests ----------------------------------------------------------------------

    def due(self, now: float) -> bool:
        """Whether to report at this time (seconds since the epoch)."""
        if self.period_end_ms and now * 1000 >= self.period_end_ms:
            self._roll(now)
        if self._pending is not None or self._short:
            return True
        silent = now - self._last_report
        if self._spent or self._open:
            low = self.held - self._open < self._granted // 2
            return silent >= REPORT_S or (low and not self.exhausted)
        return silent >= KEEPALIVE_S

    @property
    def waiting(self) -> bool:
        """Whether a report is unanswered."""
        return self._pending is not None

    def report(self, now: float, *, leaving: bool = False) -> LeaseAsk:
        """The unanswered report again, or a new one. Gives up what it does not want any more."""
        if self._pending is None:
            self._pace = max(self._spent, self._pace - self._pace // 8)
            self._want = 0 if leaving else self._wanted()
            self.held = min(self.held, self._want)
            self._sequence += 1
            self._pending = LeaseAsk(self._spent, self._want, self._sequence, self._refused)
            self._spent = self._refused = 0
        self._last_report = now
        return self._pending

    def granted(self, grant: LeaseGrant) -> None:
        """The answer to the last report: its allowance, less what was spent since the report."""
        if self.away:
            self._beyond += max(0, self._floor - self.held)
        self._pending = None
        self._short = 0
        self._granted = grant.held
        self.held = grant.held - self._spent
        self.exhausted = grant.exhausted
        self._left = grant.left
        self.period_end_ms = grant.period_end_ms
        self.known, self.away = True, False

    def lost_contact(self) -> None:
        """The lender does not answer: from here on the budget's `when_away` decides."""
        if not self.away:
            self.away = True
            self._floor = min(0, self.held)

    def _wanted(self) -> int:
        """Enough for eight intervals at the recent pace and for two of the largest calls seen.

        What is wanted beyond that shrinks from report to report, for the good of busier workers.
        """
        self._largest -= self._largest // 64
        limit = max(1, self.budget.limit_nano)
        rest = self._want - self._want // 4 if self.known else self._want
        need = max(8 * self._pace, 2 * self._largest, self._short, rest, limit // 64, 1)
        return self._open + min(need, limit)

    def _roll(self, now: float) -> None:
        """A new period began: the overdraft of the old one no longer counts; ask at once."""
        while self.period_end_ms and now * 1000 >= self.period_end_ms:
            self.period_end_ms = _next_end(self.budget.period, self.period_end_ms)
        self.exhausted = False
        self._left = -1
        self.held = max(0, self.held)
        self._beyond = self._floor = 0
        self._last_report = 0.0


class LeaseClient:
    """Keeps the purses filled. `post` carries a LeaseRequest to the control plane, as MessagePack,
    and brings the LeaseReply; any exception of it means that the control plane is away.

    `purses` is shared: a purse that a new snapshot adds is served from the next tick on.
    """

    def __init__(
        self,
        worker: str,
        post: Callable[[bytes], Awaitable[bytes]],
        purses: Mapping[str, Purse],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._worker = worker
        self._post = post
        self._purses = purses
        self._clock = clock
        self._busy = asyncio.Lock()
        self.away = False

    async def run(self) -> None:
        """Report what is due, until cancelled."""
        while True:
            await asyncio.sleep(_AWAY_S if self.away else _TICK_S)
            await self.exchange()

    async def prime(self, timeout_s: float = 1.0) -> bool:
        """Wait for the first grant of new purses, so that a fresh budget refuses nobody."""
        if all(purse.known for purse in self._purses.values()):
            return True
        try:
            async with asyncio.timeout(timeout_s):
                return await self.exchange()
        except TimeoutError:
            return False

    async def exchange(self) -> bool:
        """One report of all purses that are due. False when the control plane did not answer."""
        async with self._busy:
            now = self._clock()
            due = {ident: purse for ident, purse in self._purses.items() if purse.due(now)}
            return not due or await self._exchange(
                due, {ident: purse.report(now) for ident, purse in due.items()}
            )

    async def close(self) -> bool:
        """Report the last spending and give all leases back."""
        async with self._busy:
            now = self._clock()
            purses = dict(self._purses)
            waiting = {ident: p.report(now) for ident, p in purses.items() if p.waiting}
            if waiting and not await self._exchange(purses, waiting):
                return False
            last = {ident: p.report(now, leaving=True) for ident, p in purses.items()}
            return not last or await self._exchange(purses, last)

    async def _exchange(self, purses: Mapping[str, Purse], asks: dict[str, LeaseAsk]) -> bool:
        try:
            async with asyncio.timeout(_POST_S):
                answer = await self._post(_encode(LeaseRequest(self._worker, asks)))
            grants = _decode_reply(answer).budgets
        except Exception as error:
            if not self.away:
                _log.warning("no answer to budget reports, leases run on: %s", error)
            self.away = True
            for purse in self._purses.values():
                purse.lost_contact()
            return False
        self.away = False
        for ident in asks:
            # A budget that is not answered for is gone: nothing may be spent of it here.
            purses[ident].granted(grants.get(ident) or LeaseGrant(0, 0, True))
        return True


def _next_end(period: str, end_ms: int) -> int:
    """The end of the period after the one that ends at `end_ms`; calendar periods are UTC."""
    if period == "total":
        return 0
    end = datetime.fromtimestamp(end_ms / 1000, UTC)
    if period == "month":
        following = (end.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        following = end + timedelta(days=7 if period == "week" else 1)
    return int(following.timestamp() * 1000)
