"""A key-value store on Valkey, or anything else that speaks its protocol and Lua.

Knows RESP by the `valkey` package (extra `valkey`); knows no gateway. Rates are granted by one
script on the server's own clock, so that hosts need not agree on the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stockpot.core.errors import ConfigError
from stockpot.core.kv.port import SLOT_LIFE_S, RateAsk, RateGrant, SlotAsk

_PREFIX = "stockpot:"
_TIMEOUT_S = 1.0

# Times are microseconds: they fit a double exactly until the year 2255. `birth` is when this store
# first granted anything: what was granted shortly before it, the store may have forgotten.
_BEGIN = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local birth = tonumber(redis.call('GET', KEYS[1]))
if not birth then
  birth = now
  redis.call('SET', KEYS[1], string.format('%.0f', now))
end
"""

# What is granted takes its time rounded up, so that a rate is never exceeded; a thousandth of a
# unit makes up for the roundings of a burst. A scope that appears within a minute after `birth` may
# have been used before.
_RATES = """
local MINUTE = 60000000
local out = {}
for i = 2, #KEYS do
  local a = (i - 2) * 6
  local limit, want, need = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local back, owe, alone = tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
  local arrival = tonumber(redis.call('GET', KEYS[i])) or (birth + MINUTE)
  arrival = arrival + math.ceil(owe * MINUTE / limit) - math.floor(back * MINUTE / limit)
  arrival = math.max(arrival, now)
  arrival = math.max(arrival, math.min(arrival + math.ceil(alone * MINUTE / limit), now + MINUTE))
  local free = (now + MINUTE - arrival) * limit / MINUTE
  local room = math.max(0, math.floor(free + 0.001))
  local granted = 0
  if room >= need then granted = math.min(want, room) end
  local after = arrival + math.ceil(granted * MINUTE / limit)
  local life = math.max(1000, math.ceil((after - now) / 1000))
  if now - birth < 61000000 then life = life + 61000 end
  redis.call('SET', KEYS[i], string.format('%.0f', after), 'PX', string.format('%.0f', life))
  local wait = 0
  if granted == 0 and want > 0 then
    wait = math.ceil((need - free) * MINUTE / limit / 1000)
  end
  out[#out + 1] = granted
  out[#out + 1] = math.max(0, wait)
  out[#out + 1] = room - granted
end
return out
"""

# A hash per scope: to each holder how many it holds and until when. Until slots that were granted
# before `birth` have lapsed, nobody is given more than he held.
_SLOTS = """
local life = tonumber(ARGV[1])
local out = {}
for i = 2, #KEYS do
  local a = (i - 2) * 4 + 1
  local holder, limit = ARGV[a + 1], tonumber(ARGV[a + 2])
  local held, want = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local all, others = redis.call('HGETALL', KEYS[i]), 0
  for j = 1, #all, 2 do
    local count, till = string.match(all[j + 1], '(%d+) (%d+)')
    if tonumber(till) <= now then
      redis.call('HDEL', KEYS[i], all[j])
    elseif all[j] ~= holder then
      others = others + tonumber(count)
    end
  end
  local granted = math.min(want, math.max(0, limit - others))
  if now - birth < life then granted = math.min(granted, held) end
  if granted > 0 then
    redis.call('HSET', KEYS[i], holder, string.format('%.0f %.0f', granted, now + life))
    redis.call('PEXPIRE', KEYS[i], string.format('%.0f', life / 1000))
  else
    redis.call('HDEL', KEYS[i], holder)
  end
  out[#out + 1] = granted
end
return out
"""


class ValkeyKeyValue:
    """One pooled connection set; commands fail within a second when the server is away."""

    def __init__(self, url: str) -> None:
        try:
            import valkey.asyncio as driver
        except ImportError:
            raise ConfigError(
                "the package `valkey` is not installed", hint="pip install 'stockpot[valkey]'"
            ) from None
        self._errors = (driver.ConnectionError, driver.TimeoutError)
        self._client: Any = driver.Valkey.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
        self._rates: Any = self._client.register_script(_BEGIN + _RATES)
        self._slots: Any = self._client.register_script(_BEGIN + _SLOTS)

    async def get(self, key: str) -> bytes | None:
        found: bytes | None = await self._do(self._client.get(_PREFIX + key))
        return found

    async def put(self, key: str, value: bytes, ttl_s: float = 0) -> None:
        await self._do(self._client.set(_PREFIX + key, value, px=_ms(ttl_s)))

    async def put_if_absent(self, key: str, value: bytes, ttl_s: float = 0) -> bool:
        done = await self._do(self._client.set(_PREFIX + key, value, px=_ms(ttl_s), nx=True))
        return bool(done)

    async def delete(self, key: str) -> None:
        await self._do(self._client.delete(_PREFIX + key))

    async def rates(self, asks: Sequence[RateAsk]) -> list[RateGrant]:
        if not asks:
            return []
        keys = [f"{_PREFIX}birth", *(f"{_PREFIX}rate:{ask.scope}" for ask in asks)]
        numbers = [n for a in asks for n in (a.limit, a.want, a.need, a.back, a.owe, a.alone)]
        flat = await self._do(self._rates(keys=keys, args=numbers))
        return [RateGrant(*map(int, flat[at : at + 3])) for at in range(0, len(flat), 3)]

    async def slots(self, asks: Sequence[SlotAsk]) -> list[int]:
        if not asks:
            return []
        keys = [f"{_PREFIX}birth", *(f"{_PREFIX}slots:{ask.scope}" for ask in asks)]
        said = [part for a in asks for part in (a.holder, a.limit, a.held, a.want)]
        life = round(SLOT_LIFE_S * 1e6)
        held = await self._do(self._slots(keys=keys, args=[life, *said]))
        return [int(count) for count in held]

    async def close(self) -> None:
        await self._client.aclose()

    async def _do(self, command: Any) -> Any:
        try:
            return await command
        except self._errors as away:
            raise ConnectionError(f"the key-value store does not answer: {away}") from away


def _ms(seconds: float) -> int | None:
    return max(1, round(seconds * 1000)) if seconds else None
