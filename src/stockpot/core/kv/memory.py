"""A key-value store in this process. Knows time; keeps nothing over a restart."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from stockpot.core.kv.port import SLOT_LIFE_S, RateAsk, RateGrant, SlotAsk

_MINUTE_NS = 60_000_000_000
_SLOT_NS = int(SLOT_LIFE_S * 1e9)


class MemoryKeyValue:
    """`clock` gives nanoseconds that only grow.

    `born_ns` is when a predecessor may have granted its last unit: until a minute later a scope
    that is new here counts as used up at that time, and until slots lapse nobody gets more of them
    than he held. None says that there was no predecessor.
    """

    def __init__(
        self, clock: Callable[[], int] = time.monotonic_ns, born_ns: int | None = None
    ) -> None:
        self._clock = clock
        self._born = -_MINUTE_NS if born_ns is None else born_ns
        self._values: dict[str, tuple[bytes, int]] = {}
        self._arrivals: dict[str, int] = {}
        self._slots: dict[str, dict[str, tuple[int, int]]] = {}
        """By scope and holder: how many are held, until when."""

    async def get(self, key: str) -> bytes | None:
        found = self._values.get(key)
        if found is None:
            return None
        if found[1] and found[1] <= self._clock():
            del self._values[key]
            return None
        return found[0]

    async def put(self, key: str, value: bytes, ttl_s: float = 0) -> None:
        until = self._clock() + int(ttl_s * 1e9) if ttl_s else 0
        self._values[key] = (value, until)

    async def put_if_absent(self, key: str, value: bytes, ttl_s: float = 0) -> bool:
        if await self.get(key) is not None:
            return False
        await self.put(key, value, ttl_s)
        return True

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)

    async def rates(self, asks: Sequence[RateAsk]) -> list[RateGrant]:
        now = self._clock()
        if len(self._arrivals) > 10_000:
            self._arrivals = {key: at for key, at in self._arrivals.items() if at > now}
        return [self._grant(ask, now) for ask in asks]

    def _grant(self, ask: RateAsk, now: int) -> RateGrant:
        """The generic cell rate algorithm over blocks; `gateway.limits` explains it."""
        per = math.ceil(_MINUTE_NS / ask.limit)
        window = ask.limit * per
        arrival = self._arrivals.get(ask.scope)
        if arrival is None:
            arrival = self._born + window
        arrival = max(arrival + (ask.owe - ask.back) * per, now)
        arrival = max(arrival, min(arrival + ask.alone * per, now + window))
        room = max(0, (now + window - arrival) // per)
        granted = min(ask.want, room) if room >= ask.need else 0
        self._arrivals[ask.scope] = arrival + granted * per
        wait = 0 if granted or not ask.want else arrival + ask.need * per - now - window
        return RateGrant(granted, -(-wait // 1_000_000), room - granted)

    async def slots(self, asks: Sequence[SlotAsk]) -> list[int]:
        now = self._clock()
        return [self._hold(ask, now) for ask in asks]

    def _hold(self, ask: SlotAsk, now: int) -> int:
        known = self._slots.get(ask.scope, {})
        others = {who: pair for who, pair in known.items() if who != ask.holder and pair[1] > now}
        room = max(0, ask.limit - sum(held for held, _ in others.values()))
        most = ask.held if now < self._born + _SLOT_NS else room
        granted = min(ask.want, room, most)
        if granted:
            others[ask.holder] = (granted, now + _SLOT_NS)
        if others:
            self._slots[ask.scope] = others
        else:
            self._slots.pop(ask.scope, None)
        return granted

    async def close(self) -> None:
        return None
