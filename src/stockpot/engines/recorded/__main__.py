"""The process that plays recordings: `python -m stockpot.engines.recorded --port 20123`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable

from stockpot.core.config import load
from stockpot.core.errors import InvalidInput
from stockpot.core.instance import Instance
from stockpot.engines import process
from stockpot.engines.models import RECORDED, EngineAddress
from stockpot.engines.recorded import shelf
from stockpot.engines.recorded.server import RecordedServer

_LOOK_EVERY_S = 0.5
_DRAIN_S = 5.0


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or until there is nothing to play any more."""
    parser = argparse.ArgumentParser(prog="stockpot.engines.recorded", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(argv)
    asyncio.run(_serve(options.port))
    return 0


async def _serve(port: int) -> None:
    instance = Instance(load().home)
    shelved = shelf.Shelf(shelf.folder_of(instance))
    playing = RecordedServer(shelved)
    loop = asyncio.get_running_loop()
    port = process.claim(port)
    server = await loop.create_server(playing.protocol, process.HOST, port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    process.end_with_parent()
    announced: dict[str, Callable[[], None]] = {}
    while not stop.is_set():
        _look(shelved, announced, port)
        if not announced and not shelf.wanted(instance).exists():
            break
        try:
            await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)
        except TimeoutError:
            continue
    for withdraw in announced.values():
        withdraw()
    server.close()
    await playing.drain(_DRAIN_S)


def _look(shelved: shelf.Shelf, announced: dict[str, Callable[[], None]], port: int) -> None:
    """Announce what came, withdraw what went; a damaged recording is told in the log."""
    try:
        changed = shelved.look()
    except (InvalidInput, OSError) as bad:
        print(f"a recording cannot be played: {bad}", file=sys.stderr)
        return
    if not changed:
        return
    for name in set(announced) - set(shelved.tapes):
        announced.pop(name)()
    for name in set(shelved.tapes) - set(announced):
        announced[name] = process.announce(_address(name, port))


def _address(name: str, port: int) -> EngineAddress:
    return EngineAddress(
        name=f"{RECORDED}.{name}",
        url=f"http://{process.HOST}:{port}/v1",
        model=name,
        kind="chat",
        pid=os.getpid(),
        engine=RECORDED,
        smoke=False,
        context=0,
    )


if __name__ == "__main__":
    sys.exit(main())
