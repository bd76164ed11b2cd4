"""The test model's process: `python -m stockpot.engines.echo --name echo --port 20123`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from stockpot.engines import process
from stockpot.engines.echo.server import EchoServer
from stockpot.engines.models import ECHO, EngineAddress

_DRAIN_S = 5.0


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="stockpot.engines.echo", description=__doc__)
    parser.add_argument("--name", default=ECHO)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ttft-ms", type=float, default=0.0, help="wait before the first token")
    parser.add_argument("--tpot-ms", type=float, default=0.0, help="wait before each next token")
    options = parser.parse_args(argv)
    asyncio.run(_serve(options.name, options.port, options.ttft_ms / 1000, options.tpot_ms / 1000))
    return 0


async def _serve(name: str, port: int, ttft_s: float, tpot_s: float) -> None:
    echo = EchoServer(name, ttft_s=ttft_s, tpot_s=tpot_s)
    loop = asyncio.get_running_loop()
    port = process.claim(port)
    server = await loop.create_server(echo.protocol, process.HOST, port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    process.end_with_parent()
    withdraw = process.announce(
        EngineAddress(
            name=name,
            url=f"http://{process.HOST}:{port}/v1",
            model=name,
            kind="chat",
            pid=os.getpid(),
            engine="echo",
            smoke=False,
            context=0,
        )
    )
    await stop.wait()
    withdraw()
    server.close()
    await echo.drain(_DRAIN_S)


if __name__ == "__main__":
    sys.exit(main())
