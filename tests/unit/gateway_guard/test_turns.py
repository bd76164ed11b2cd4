"""Which guarded call's texts are looked at next, and what else the worker does in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest

from stockpot.gateway.guard.turns import Turns

WORK_S = 0.001


def busy(done: list[str], name: str) -> None:
    until = time.perf_counter() + WORK_S
    while time.perf_counter() < until:
        pass
    done.append(name)


async def all_done(done: list[str], count: int) -> None:
    async with asyncio.timeout(30):
        while len(done) < count:
            await asyncio.sleep(0)


async def test_between_two_guarded_texts_the_worker_serves_everything_else_that_has_come() -> None:
    turns, done = Turns(), list[str]()
    loop = asyncio.get_running_loop()
    for number in range(20):
        turns.run("tenant", partial(busy, done, f"guarded {number}"))
    assert done == ["guarded 0"]

    def other() -> None:
        done.append("other")
        if len(done) < 40:
            loop.call_soon(other)

    other()
    await all_done(done, 40)
    guarded = [at for at, name in enumerate(done) if name != "other"]
    assert [done[at] for at in guarded] == [f"guarded {n}" for n in range(20)]
    assert all(after - before > 1 for before, after in pairwise(guarded))


async def test_tenants_take_turns_and_one_that_fails_holds_up_nobody() -> None:
    turns, done, faults = Turns(), list[str](), list[str]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: faults.append(repr(told["exception"])))

    def fails() -> None:
        raise ValueError("broken")

    turns.run("loud", lambda: busy(done, "first"))
    for _ in range(3):
        turns.run("loud", lambda: busy(done, "loud"))
    turns.run("loud", fails)
    turns.run("quiet", lambda: busy(done, "quiet"))
    await all_done(done, 5)
    assert done == ["first", "loud", "quiet", "loud", "loud"]
    async with asyncio.timeout(30):
        while not faults:
            await asyncio.sleep(0)
    assert faults == ["ValueError('broken')"]


async def test_a_call_that_comes_alone_does_not_wait() -> None:
    turns, done = Turns(), list[str]()
    for name in ("one", "two", "three"):
        turns.run("tenant", partial(busy, done, name))
        assert done[-1] == name
        await asyncio.sleep(0.05)  # longer than the work took, on any machine
    assert done == ["one", "two", "three"]


async def test_short_texts_follow_one_another_and_after_a_long_one_the_sockets_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, seen, rails = [0], list[str](), Turns()
    monkeypatch.setattr("stockpot.gateway.guard.turns.perf_counter_ns", lambda: now[0])

    def looking(name: str, ns: int) -> Callable[[], None]:
        def look() -> None:
            now[0] += ns
            seen.append(name)

        return look

    for name, ns in (("a", 10_000), ("b", 10_000), ("long", 1_000_000), ("c", 10_000)):
        rails.later("menu", looking(name, ns))
    await asyncio.sleep(0)
    assert seen == ["a", "b", "long"]
    await asyncio.sleep(0)
    assert seen == ["a", "b", "long", "c"]
