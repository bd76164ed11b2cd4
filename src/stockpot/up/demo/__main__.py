"""Guests that come while the instance runs: many at first, then one now and then."""

from __future__ import annotations

import asyncio
import signal

from stockpot.core import config
from stockpot.core.instance import Instance
from stockpot.core.urls import console_url, gateway_url
from stockpot.up.demo.seeding import SEEDED, kept_key
from stockpot.up.demo.traffic import Guests

FIRST = 160
FIRST_PER_S = 10.0
LATER_PER_S = 0.5
_LOOK_S = 0.5


async def main() -> None:
    """Ask until SIGTERM, once the demo's key is there."""
    settings = config.load()
    instance = Instance(settings.home)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not (instance.run / SEEDED).exists():
        if await _stopped(stop, _LOOK_S):
            return
    guests = Guests(gateway_url(settings), console_url(settings), kept_key(instance))
    traffic = asyncio.create_task(_come(guests))
    await stop.wait()
    traffic.cancel()


async def _come(guests: Guests) -> None:
    await guests.ask(FIRST, FIRST_PER_S)
    while True:
        await guests.ask(30, LATER_PER_S)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


asyncio.run(main())
