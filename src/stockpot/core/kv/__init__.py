"""The port `KeyValue`: small shared state of many processes, and rates that they share.

Chosen by URL: `memory://` inside one process, `valkey://HOST:PORT/DB` (or `redis://`, `rediss://`)
between hosts. Importing this front costs nothing; a driver is loaded when its URL is opened.
"""

from stockpot.core.kv.port import KeyValue, RateAsk, RateGrant, open_kv

__all__ = ["KeyValue", "RateAsk", "RateGrant", "open_kv"]
