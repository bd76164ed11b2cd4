"""Work beside requests that must not end. Knows tasks; knows nothing of what they do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger("stockpot.background")

PAUSE_S = 5.0
"""Between a failure and the next beginning: long enough not to fill the log."""


async def kept_going(
    name: str, work: Callable[[], Awaitable[None]], pause_s: float = PAUSE_S
) -> None:
    """Do some work until it ends by itself or is cancelled; what fails is told in the log and begun
    anew. A task that just fails is missed by nobody before somebody misses what it did."""
    while True:
        try:
            return await work()
        except Exception:
            _log.exception("%s failed; it begins anew in %g s", name, pause_s)
        await asyncio.sleep(pause_s)
