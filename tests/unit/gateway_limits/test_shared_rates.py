"""Rates that several workers lease from one store: never over the stated bound."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.core.kv.memory import MemoryKeyValue
from stockpot.core.kv.port import RateAsk, RateGrant
from stockpot.gateway.contact import Contact
from stockpot.gateway.limits import Gate
from stockpot.gateway.models import Limits
from stockpot.gateway.rates import ASK_S, AWAY_S, LIFE_S, SETTLE_S, SWEEP_S, Leased, RateDesk

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 10_000 * SECOND

    def __call__(self) -> int:
        return self.now


class Desk:
    """Stands for the asynchronous desk: the simulation decides when rounds happen."""

    def __init__(self, clock: Clock) -> None:
        self.asked = False
        self.contact = Contact(int(SETTLE_S * SECOND))
        self.now = clock

    @property
    def away(self) -> bool:
        return self.contact.away

    def ask(self, leased: Leased) -> None:
        self.asked = True


def over(admitted: list[tuple[int, int]], limit: int, extra: float = 0.0) -> float:
    """The most units in any window beyond `limit + limit * (t + LIFE_S) / 60`."""
    worst, least, so_far = -float(limit), float("inf"), 0
    for at, together in groupby(admitted, itemgetter(0)):
        drained = limit * (at - admitted[0][0]) / SECOND / 60
        least = min(least, so_far - drained)
        so_far += sum(units for _, units in together)
        worst = max(worst, so_far - drained - least - limit * (1 + LIFE_S / 60) - extra)
    return worst


class Fleet:
    """Workers, one store, and a network that loses and delays."""

    def __init__(self, seed: int, limit: int, workers: int) -> None:
        self.random = random.Random(seed)
        self.clock = Clock()
        self.store = MemoryKeyValue(self.clock)
        self.desks = [Desk(self.clock) for _ in range(workers)]
        self.rates = [Leased("s", limit, workers, desk) for desk in self.desks]  # type: ignore[arg-type]
        self.sent: list[tuple[Leased, RateAsk, int]] = []
        self.answers: list[tuple[Leased, RateAsk, int, RateGrant]] = []
        self.admitted: list[tuple[int, int]] = []

    def step(self, faults: bool) -> None:
        self.clock.now += self.random.choice((0, 1_000_000, 40_000_000, 700_000_000))
        leased = self.random.choice(self.rates)
        amount = self.random.choice((1, 1, 1, 2, 5))
        now = self.clock.now
        if not leased.take(now, amount):
            self.admitted.append((now, amount))
        self.talk(leased, faults)

    def talk(self, leased: Leased, faults: bool) -> None:
        """A message takes up to ASK_S; the desk gives up one that takes longer."""
        now = self.clock.now
        if not any(one[0] is leased for one in (*self.sent, *self.answers)):
            self.sent.append((leased, leased.request(now), now))
        if self.sent and self.random.random() < 0.7:
            rate, ask, sent = self.sent.pop(self.random.randrange(len(self.sent)))
            if self.lost(sent, faults):
                rate.unanswered(ask)
            else:
                self.answers.append((rate, ask, sent, self.store._grant(ask, now)))
        if self.answers and self.random.random() < 0.7:
            rate, ask, sent, grant = self.answers.pop(self.random.randrange(len(self.answers)))
            if self.lost(sent, faults):
                rate.unanswered(ask)
            else:
                rate.granted(grant, ask, sent, now)

    def lost(self, sent: int, faults: bool) -> bool:
        late = self.clock.now - sent > ASK_S * SECOND
        return late or (faults and self.random.random() < 0.2)


@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 3, 7, 60, 250]),
    st.sampled_from([2, 4, 12]),
    st.booleans(),
)
def test_no_fleet_admits_more_than_the_bound(
    seed: int, limit: int, workers: int, faults: bool
) -> None:
    fleet = Fleet(seed, limit, workers)
    for _ in range(250):
        fleet.step(faults)
    assert over(fleet.admitted, limit) <= 0


def test_workers_that_hold_and_return_blocks_in_turn_save_nothing_up() -> None:
    clock, limit = Clock(), 300
    store = MemoryKeyValue(clock)
    workers: list[Leased] = []
    for _ in range(10):
        # The newcomer takes the refill before the others return what they have and take it again.
        newcomer = Leased("s", limit, 400, Desk(clock))  # type: ignore[arg-type]
        for rate in (newcomer, *workers):
            rate.stale(clock.now)
            for want in (0, limit):
                back = rate.request(clock.now).back
                ask = RateAsk("s", limit, want, 0, back)
                rate.granted(store._grant(ask, clock.now), ask, clock.now, clock.now)
        workers.append(newcomer)
        clock.now += int(LIFE_S * SECOND)
    held = sum(rate._held + rate._later for rate in workers)
    assert limit / 2 < held <= limit * (1 + LIFE_S / 60)


@given(st.integers(0, 10**6), st.sampled_from([12, 60, 250]))
def test_while_the_store_is_away_the_bound_holds_and_calls_go_on(seed: int, limit: int) -> None:
    fleet = Fleet(seed, limit, 4)
    for _ in range(60):
        fleet.step(faults=True)
    for desk, rate in zip(fleet.desks, fleet.rates, strict=True):
        desk.contact.lost(fleet.clock.now)
        rate.store_went(fleet.clock.now)
    before = len(fleet.admitted)
    for _ in range(200):
        fleet.clock.now += 600_000_000
        rate = fleet.random.choice(fleet.rates)
        if not rate.take(fleet.clock.now, 1):
            fleet.admitted.append((fleet.clock.now, 1))
    assert over(fleet.admitted, limit, extra=4) <= 0  # a bucket of each worker rounds up to one
    assert len(fleet.admitted) - before >= 0.7 * min(200, limit * 2)


class Absences(Fleet):
    """A fleet whose store goes and returns with its memory; workers talk as `RateDesk` does."""

    there = True

    def tick(self, eager: list[bool]) -> None:
        self.clock.now += SECOND // 5
        now = self.clock.now
        for at, rate in enumerate(self.rates):
            while eager[at] and not rate.take(now, 1):
                self.admitted.append((now, 1))
            if now >= self.due[at]:
                self.round(at, now)

    def round(self, at: int, now: int) -> None:
        rate, contact = self.rates[at], self.desks[at].contact
        rate.stale(now)
        ask = rate.request(now)
        if self.there:
            contact.heard(now)
            rate.granted(self.store._grant(ask, now), ask, now, now)
        else:
            rate.unanswered(ask)
            if contact.lost(now):
                rate.store_went(now)
        pause = AWAY_S + ASK_S if contact.away else self.random.uniform(0.1, SWEEP_S)
        self.due[at] = now + int(pause * SECOND)

    def __init__(self, seed: int, limit: int, workers: int) -> None:
        super().__init__(seed, limit, workers)
        self.due = [self.clock.now] * workers


@settings(max_examples=settings().max_examples // 3)
@given(
    st.integers(0, 10**6), st.sampled_from([(60, 2), (120, 4), (300, 12)]),
    st.lists(st.tuples(st.booleans(), st.sampled_from([1, 5, 40, 400])), min_size=2, max_size=4),
)  # fmt: skip
def test_a_store_that_returns_with_its_memory_learns_what_was_admitted_meanwhile(
    seed: int, size: tuple[int, int], times: list[tuple[bool, int]]
) -> None:
    limit, workers = size
    fleet = Absences(seed, limit, workers)
    for there, ticks in times:
        fleet.there = there
        eager = [fleet.random.random() < 0.7 for _ in range(workers)]
        for _ in range(ticks):
            fleet.tick(eager)
        fleet.there = True
        for _ in range(40):  # until all know, and everybody wants all there is
            fleet.tick([True] * workers)
    assert over(fleet.admitted, limit, extra=limit * 4 / 60) <= 0


@pytest.mark.parametrize("a_ms", [5, 1])
def test_a_steady_worker_asks_a_few_times_a_second(a_ms: int) -> None:
    clock = Clock()
    store, desk = MemoryKeyValue(clock), Desk(clock)
    rate = Leased("s", 1_000_000_000, 2, desk)  # type: ignore[arg-type]
    rounds, answer, admitted = 0, None, 0
    for ms in range(10_000):
        clock.now += 1_000_000
        if answer is not None and clock.now - answer[1] >= 2_000_000:
            rate.granted(store._grant(*answer), *answer, clock.now)
            answer = None
        for _ in range(a_ms):
            admitted += not rate.take(clock.now, 1)
        if desk.asked and answer is None:
            desk.asked = False
            answer = rate.request(clock.now), clock.now
            rounds += ms >= 2000
    assert admitted == 10_000 * a_ms
    assert 8 <= rounds <= 8 * 6, "blocks are half a second of the pace, and are asked for at half"


async def test_one_busy_worker_gets_nearly_all_of_a_limit_that_four_share() -> None:
    store = MemoryKeyValue()
    desk = RateDesk(store.rates)
    gate = Gate(Limits(rpm=100), 0.25, scope="key 'k'", ident="key:k", desk=desk)
    admitted = 0
    for _ in range(300):
        refusal = gate.reserve(desk.now(), 1)
        if refusal is None:
            admitted += 1
        elif refusal.may_come:
            await asyncio.sleep(0.002)
    assert 80 <= admitted <= 100


async def test_what_is_not_spent_goes_back_and_serves_another_worker() -> None:
    clock = Clock()
    store = MemoryKeyValue(clock)
    desks = [RateDesk(store.rates, clock) for _ in range(2)]
    rates = [Leased("s", 10, 2, desk) for desk in desks]
    for _ in range(9):
        while rates[0].take(clock.now, 1) and rates[0].may_come(clock.now):
            await asyncio.sleep(0)
    rates[0].undo(clock.now, 8)  # a later gate refused these calls
    for _ in range(2):  # the second time gives back what the first asked for at the recent pace
        clock.now += 3 * SECOND
        assert rates[0].stale(clock.now)
        desks[0].ask(rates[0])
        await asyncio.sleep(0.01)
    admitted = 0
    for _ in range(20):
        if not rates[1].take(clock.now, 1):
            admitted += 1
        await asyncio.sleep(0.001)
    assert admitted >= 8  # its floor, and what the store has to give but for three seconds' refill


async def test_a_store_that_does_not_answer_leaves_each_worker_its_share() -> None:
    clock = Clock()

    async def silent(asks: Sequence[RateAsk]) -> list[RateGrant]:
        raise ConnectionError("gone")

    desk = RateDesk(silent, clock)
    gate = Gate(Limits(rpm=600), 0.5, scope="key 'k'", ident="key:k", desk=desk)
    gate.reserve(clock.now, 1)
    await asyncio.sleep(0.01)
    assert desk.away
    admitted = 0
    for _ in range(600):
        clock.now += SECOND // 10
        if gate.reserve(clock.now, 1) is None:
            admitted += 1
    assert 290 <= admitted <= 360  # a minute of half of 600, and the floor's burst
    desk._due.clear()


async def test_a_store_without_memory_takes_every_scope_for_used_up() -> None:
    clock = Clock()
    store = MemoryKeyValue(clock, born_ns=clock.now)
    [grant] = await store.rates([RateAsk("s", 60, 60, 1)])
    assert grant.granted == 0
    assert 0 < grant.wait_ms <= 1000
    clock.now += 30 * SECOND
    [grant] = await store.rates([RateAsk("s", 60, 60, 1)])
    assert grant.granted == 30


@pytest.mark.parametrize("limit", [1, 7, 60, 1_000_000])
async def test_a_burst_is_exact(limit: int) -> None:
    clock = Clock()
    store = MemoryKeyValue(clock)
    [grant] = await store.rates([RateAsk("s", limit, limit + 5, 1)])
    assert grant.granted == limit
    [more] = await store.rates([RateAsk("s", limit, 1, 1)])
    assert more.granted == 0
