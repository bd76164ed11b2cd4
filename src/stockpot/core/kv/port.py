"""What a key-value store must do. Knows no driver, no gateway, no limit's meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class RateAsk(msgspec.Struct, frozen=True, array_like=True):
    """One process and one shared rate of `limit` units per minute (a burst of `limit` included).

    `want` units to spend, at least `need` of them or none; `back` were granted before and will not
    be spent; `owe` were spent without having been granted, and `alone` while the store was away,
    within the limit: they never count for more than all of it.
    """

    scope: str
    limit: int
    want: int
    need: int
    back: int = 0
    owe: int = 0
    alone: int = 0


class RateGrant(msgspec.Struct, frozen=True, array_like=True):
    """`granted` units; with none, `wait_ms` until `need` may be had. `left` may be had at once."""

    granted: int
    wait_ms: int
    left: int


class SlotAsk(msgspec.Struct, frozen=True, array_like=True):
    """One process and one scope of which `limit` slots may be held at once, by all together.

    `held` is what `holder` holds by an earlier grant and still counts on; it wants to hold `want`
    from now on and gives back the rest, for SLOT_LIFE_S or until it asks again.
    """

    scope: str
    holder: str
    limit: int
    held: int
    want: int


SLOT_LIFE_S = 10.0
"""A holder that is not heard of for so long has given back what it held."""


class KeyValue(Protocol):
    """Every method raises OSError or TimeoutError while the store is away."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, ttl_s: float = 0) -> None:
        """A `ttl_s` of 0 keeps the value for good."""
        ...

    async def put_if_absent(self, key: str, value: bytes, ttl_s: float = 0) -> bool:
        """Whether it was absent."""
        ...

    async def delete(self, key: str) -> None: ...

    async def rates(self, asks: Sequence[RateAsk]) -> list[RateGrant]:
        """One grant for each ask, in order. Over all who ask, and whatever is lost or repeated, no
        more than `limit + limit * t / 60` units of a scope are granted, less what came back, in
        any `t` seconds. A store that has just started without memory counts every scope as used up.
        """
        ...

    async def slots(self, asks: Sequence[SlotAsk]) -> list[int]:
        """What each may hold from now on, in order: no more than it wants, and never more than
        `limit` over all holders of a scope. A store that has just started without memory gives
        nobody more than it held before, until whatever it has forgotten has lapsed.
        """
        ...

    async def close(self) -> None: ...
