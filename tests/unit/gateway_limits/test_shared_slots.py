"""Calls at once that several workers lease from one store: never over the stated bound."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stockpot.core.kv import SLOT_LIFE_S, SlotAsk
from stockpot.core.kv.memory import MemoryKeyValue
from stockpot.gateway.limits import Gate
from stockpot.gateway.models import Limits
from stockpot.gateway.rates import RateDesk
from stockpot.gateway.slots import Slots

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 10_000 * SECOND

    def __call__(self) -> int:
        return self.now


class Worker:
    """Its calls in flight, and the desk that the simulation drives."""

    def __init__(self, name: str, limit: int, workers: int) -> None:
        self.holder = name
        self.away = False
        self.in_flight = 0
        self.slots = Slots("s", limit, workers, self, self)  # type: ignore[arg-type]

    def ask(self, shared: object) -> None:
        return None


class Fleet:
    """Workers, one store, and a network that loses and delays."""

    def __init__(self, seed: int, limit: int, workers: int) -> None:
        self.random = random.Random(seed)
        self.clock = Clock()
        self.store = MemoryKeyValue(self.clock)
        self.workers = [Worker(f"w{n}", limit, workers) for n in range(workers)]
        self.sent: list[tuple[Worker, SlotAsk, int]] = []
        self.answers: list[tuple[Worker, SlotAsk, int, int]] = []

    def step(self, faults: bool) -> None:
        slow = (900_000_000, 6 * SECOND) if faults else ()  # else no lease lapses
        self.clock.now += self.random.choice((0, 1_000_000, 40_000_000, *slow))
        worker = self.random.choice(self.workers)
        if worker.in_flight and self.random.random() < 0.4:
            worker.in_flight -= 1
        elif worker.slots.take(self.clock.now):
            worker.in_flight += 1
        self.talk(worker, faults)

    def talk(self, worker: Worker, faults: bool) -> None:
        now, chance = self.clock.now, self.random.random
        if not any(one[0] is worker for one in (*self.sent, *self.answers)):
            self.sent.append((worker, worker.slots.request(now), now))
        if self.sent and chance() < 0.7:
            who, ask, sent = self.sent.pop(self.random.randrange(len(self.sent)))
            if faults and chance() < 0.2:
                who.slots.unanswered(ask)
            else:
                self.answers.append((who, ask, sent, self.store._hold(ask, now)))
        if self.answers and chance() < 0.7:
            who, ask, sent, held = self.answers.pop(self.random.randrange(len(self.answers)))
            if faults and chance() < 0.2:
                who.slots.unanswered(ask)
            else:
                who.slots.granted(held, ask, sent, now)

    def lapsed(self) -> int:
        """Calls in flight of workers whose lease does not cover them any more."""
        now = self.clock.now
        return sum(
            max(0, w.in_flight - w.slots._floor - (w.slots._held if now < w.slots._until else 0))
            for w in self.workers
        )


@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 3, 10, 40]),
    st.sampled_from([2, 4, 12]),
    st.booleans(),
)
def test_no_fleet_has_more_calls_at_once_than_the_bound(
    seed: int, limit: int, workers: int, faults: bool
) -> None:
    fleet = Fleet(seed, limit, workers)
    for _ in range(200):
        fleet.step(faults)
        at_once = sum(worker.in_flight for worker in fleet.workers)
        assert at_once <= limit + fleet.lapsed()
        if not faults:
            assert at_once <= limit


@given(st.integers(0, 10**6), st.sampled_from([4, 12, 40]))
def test_while_the_store_is_away_each_worker_keeps_to_its_share(seed: int, limit: int) -> None:
    fleet = Fleet(seed, limit, 4)
    for _ in range(60):
        fleet.step(faults=False)
    running = {worker.holder: worker.in_flight for worker in fleet.workers}
    for worker in fleet.workers:
        worker.away = True
        while worker.slots.take(fleet.clock.now):
            worker.in_flight += 1
        assert worker.in_flight == max(running[worker.holder], limit // 4)


async def all_at_once(gate: Gate, desk: RateDesk, calls: int) -> int:
    """How many of so many calls a worker admits, each waiting for a grant that may come."""
    admitted = 0
    for _ in range(calls):
        for _ in range(200):
            refusal = gate.reserve(desk.now(), 1)
            if refusal is None:
                admitted += 1
                break
            if not refusal.may_come:
                break
            woken = asyncio.Event()
            desk.wait(woken.set)
            await woken.wait()
    return admitted


async def test_one_busy_worker_gets_nearly_all_and_another_gets_it_when_the_first_is_done() -> None:
    store = MemoryKeyValue()
    desks = [RateDesk(store.slots, holder=name) for name in "ab"]
    one, two = (
        Gate(Limits(concurrency=20), 0.25, scope="key 'k'", ident="key:k", slots=desk)
        for desk in desks
    )
    assert await all_at_once(one, desks[0], 30) == 17  # 20 less the floors of three others
    assert await all_at_once(two, desks[1], 30) == 1
    refusal = two.reserve(desks[1].now(), 1)
    assert refusal is not None
    assert refusal.kind == "concurrency"
    for _ in range(17):
        one.settle(desks[0].now(), 1, 1)
    await desks[0].leave()
    two._slots._refused_until = 0  # type: ignore[union-attr]
    assert await all_at_once(two, desks[1], 30) == 16


async def test_a_limit_below_the_number_of_workers_is_kept_exactly() -> None:
    store = MemoryKeyValue()
    desks = [RateDesk(store.slots, holder=name) for name in "abcd"]
    gates = [Gate(Limits(concurrency=2), 0.25, ident="key:k", slots=desk) for desk in desks]
    pairs = zip(gates, desks, strict=True)
    assert [await all_at_once(gate, desk, 5) for gate, desk in pairs] == [2, 0, 0, 0]


async def test_a_worker_that_is_not_heard_of_has_given_back_its_slots() -> None:
    clock = Clock()
    store = MemoryKeyValue(clock)
    assert await store.slots([SlotAsk("s", "a", 5, 0, 4), SlotAsk("s", "b", 5, 0, 4)]) == [4, 1]
    clock.now += int(SLOT_LIFE_S * 1e9)
    assert await store.slots([SlotAsk("s", "b", 5, 1, 4)]) == [4]


async def test_a_store_without_memory_gives_nobody_more_than_he_held() -> None:
    clock = Clock()
    store = MemoryKeyValue(clock, born_ns=clock.now)
    asks: list[Any] = [SlotAsk("s", "a", 5, 3, 5), SlotAsk("s", "b", 5, 0, 2)]
    assert await store.slots(asks) == [3, 0]
    clock.now += int(SLOT_LIFE_S * 1e9)
    assert await store.slots(asks[:1]) == [5]
