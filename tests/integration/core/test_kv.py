"""What every key-value store must do, on each of them: in memory, and a real Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import valkey

from stockpot.core.errors import ConfigError
from stockpot.core.kv import KeyValue, RateAsk, SlotAsk, open_kv

pytestmark = pytest.mark.integration


def empty(url: str, *, old: bool) -> None:
    """A store that has forgotten everything, a moment or long ago."""
    client = valkey.Valkey.from_url(url)
    client.flushdb()
    if old:
        client.set("stockpot:birth", int((time.time() - 3600) * 1e6))
    client.close()


@pytest.fixture(params=["memory", "valkey"])
async def kv(request: pytest.FixtureRequest, valkey_url: str) -> AsyncIterator[KeyValue]:
    if request.param == "valkey":
        empty(valkey_url, old=True)
        store = open_kv(valkey_url)
    else:
        store = open_kv("memory://")
    yield store
    await store.close()


async def test_a_value_is_kept_replaced_and_deleted(kv: KeyValue) -> None:
    assert await kv.get("a") is None
    await kv.put("a", b"1\x00\xff")
    await kv.put("a", b"2\x00\xff")
    assert await kv.get("a") == b"2\x00\xff"
    await kv.delete("a")
    await kv.delete("a")
    assert await kv.get("a") is None


async def test_a_value_expires(kv: KeyValue) -> None:
    await kv.put("a", b"1", ttl_s=0.05)
    assert await kv.get("a") == b"1"
    await asyncio.sleep(0.08)
    assert await kv.get("a") is None


async def test_only_the_first_puts_if_absent(kv: KeyValue) -> None:
    done = await asyncio.gather(*(kv.put_if_absent("a", b"%d" % n, 60) for n in range(8)))
    assert sorted(done) == [False] * 7 + [True]
    assert await kv.get("a") == b"%d" % done.index(True)


async def test_a_rate_is_granted_up_to_its_limit_and_not_beyond(kv: KeyValue) -> None:
    first, second = await kv.rates([RateAsk("s", 60, 40, 1), RateAsk("s", 60, 40, 1)])
    assert (first.granted, second.granted) == (40, 20)
    [third] = await kv.rates([RateAsk("s", 60, 40, 1)])
    assert third.granted == 0
    assert 500 < third.wait_ms <= 1000
    assert third.left == 0


async def test_scopes_do_not_share(kv: KeyValue) -> None:
    await kv.rates([RateAsk("s", 5, 5, 1)])
    [other] = await kv.rates([RateAsk("t", 5, 5, 1)])
    assert other.granted == 5


async def test_less_than_what_is_needed_is_not_granted(kv: KeyValue) -> None:
    await kv.rates([RateAsk("s", 100, 95, 1)])
    [grant] = await kv.rates([RateAsk("s", 100, 50, 10)])
    assert grant.granted == 0
    assert 2000 < grant.wait_ms <= 3000
    assert grant.left == 5


async def test_what_comes_back_can_be_granted_again_and_what_is_owed_cannot(kv: KeyValue) -> None:
    await kv.rates([RateAsk("s", 60, 60, 1)])
    [back] = await kv.rates([RateAsk("s", 60, 10, 1, back=30)])
    assert (back.granted, back.left) == (10, 20)
    [owe] = await kv.rates([RateAsk("s", 60, 10, 1, owe=15)])
    assert (owe.granted, owe.left) == (5, 0)


async def test_what_was_admitted_while_the_store_was_away_counts_up_to_the_limit(
    kv: KeyValue,
) -> None:
    [told] = await kv.rates([RateAsk("s", 60, 0, 0, alone=40)])
    assert (told.granted, told.left) == (0, 20)
    [more] = await kv.rates([RateAsk("s", 60, 60, 1, alone=900)])
    assert (more.granted, more.left) == (0, 0)
    assert 0 < more.wait_ms <= 1000


async def test_more_than_was_granted_cannot_come_back(kv: KeyValue) -> None:
    [grant] = await kv.rates([RateAsk("s", 60, 100, 1, back=1000)])
    assert grant.granted == 60


async def test_slots_are_never_lent_twice_and_come_back(kv: KeyValue) -> None:
    asks = [SlotAsk("s", "a", 5, 0, 4), SlotAsk("s", "b", 5, 0, 4), SlotAsk("t", "b", 5, 0, 9)]
    assert await kv.slots(asks) == [4, 1, 5]
    assert await kv.slots([SlotAsk("s", "a", 5, 4, 1), SlotAsk("s", "b", 5, 1, 4)]) == [1, 4]
    assert await kv.slots([SlotAsk("s", "a", 5, 1, 0), SlotAsk("s", "c", 5, 0, 4)]) == [0, 1]


@pytest.mark.parametrize("limit", [1, 7, 13, 999, 120_000])
async def test_a_burst_of_single_calls_is_the_limit(kv: KeyValue, limit: int) -> None:
    step = max(1, limit // 13)
    begun = time.monotonic()
    granted = 0
    while True:
        [grant] = await kv.rates([RateAsk("s", limit, step, 1)])
        granted += grant.granted
        if not grant.granted:
            break
    refilled = (time.monotonic() - begun) * limit / 60
    assert limit <= granted <= limit + refilled + 1e-3


async def test_many_who_ask_at_once_get_no_more_than_the_limit(kv: KeyValue) -> None:
    begun = time.monotonic()
    asks = [kv.rates([RateAsk("s", 300, 7, 1), RateAsk("t", 50, 3, 3)]) for _ in range(80)]
    grants = await asyncio.gather(*asks)
    spent = time.monotonic() - begun
    assert 300 <= sum(s.granted for s, _ in grants) <= 300 * (1 + spent / 60) + 1e-3
    assert 48 <= sum(t.granted for _, t in grants) <= 50 * (1 + spent / 60) + 1e-3


async def test_a_valkey_that_lost_its_memory_takes_new_scopes_for_used_up(valkey_url: str) -> None:
    empty(valkey_url, old=False)
    store = open_kv(valkey_url)
    [grant] = await store.rates([RateAsk("s", 6000, 6000, 1)])
    assert grant.granted < 10
    await asyncio.sleep(0.5)
    [grant] = await store.rates([RateAsk("s", 6000, 6000, 1)])
    assert 40 <= grant.granted < 200
    await store.close()


async def test_a_store_that_is_away_says_so_soon() -> None:
    store = open_kv("valkey://127.0.0.1:1/0")
    begun = time.monotonic()
    with pytest.raises(OSError):
        await store.rates([RateAsk("s", 1, 1, 1)])
    assert time.monotonic() - begun < 20
    await store.close()


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'memcached'"):
        open_kv("memcached://x")
