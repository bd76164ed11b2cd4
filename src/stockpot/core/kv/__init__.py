"""The port `KeyValue`: small shared state of many processes, and rates that they share.

Chosen by URL: `memory://` inside one process, `valkey://HOST:PORT/DB` (or `redis://`, `rediss://`)
between hosts. Importing this front costs nothing; a driver is loaded when its URL is opened.
"""

from __future__ import annotations

from stockpot.core.errors import ConfigError
from stockpot.core.kv.port import SLOT_LIFE_S, KeyValue, RateAsk, RateGrant, SlotAsk

__all__ = ["SLOT_LIFE_S", "KeyValue", "RateAsk", "RateGrant", "SlotAsk", "open_kv"]


def open_kv(url: str, *, born_ns: int | None = None) -> KeyValue:
    """The store behind a URL. Raises ConfigError for a scheme that nobody serves.

    `born_ns` is for a store in memory: when a predecessor may have granted its last unit, by the
    monotonic clock.
    """
    scheme = url.partition("://")[0]
    if scheme == "memory":
        from stockpot.core.kv.memory import MemoryKeyValue

        return MemoryKeyValue(born_ns=born_ns)
    if scheme in ("valkey", "valkeys", "redis", "rediss"):
        from stockpot.core.kv.valkey import ValkeyKeyValue

        return ValkeyKeyValue(url)
    raise ConfigError(
        f"no key-value store speaks {scheme!r}",
        hint="valkey://HOST:PORT/0, valkeys:// with TLS, or memory://",
    )
