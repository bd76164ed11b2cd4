"""What one tenant feels of another: latency of small calls, alone and beside slow and huge ones.

    .venv/bin/python bench/isolation.py [--calls N]

One worker in front of a mock upstream. A quiet caller sends small calls one after the other; beside
it, in a process of its own, another tenant keeps 200 streams open that last a second each, or sends
prompts of 2 MB over 4 connections, or both. The worker has one processor to itself, all others
share what is left, so that the second tenant's own work is not in the figures where there are two.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stockpot.bench.load import Caller
from stockpot.bench.rig import Rig, request

INTERVAL_US = 20_000
HUGE = 2 * 1024 * 1024
NOISE = {
    "alone": (0, 0),
    "beside 200 slow streams": (200, 0),
    "beside prompts of 2 MB": (0, 4),
    "beside both": (200, 4),
}


def main(calls: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        rig.start_mock(INTERVAL_US)
        rig.start_worker()
        try:
            print(f"{'':26}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}{'worst':>9}")
            for name, (slow, huge) in NOISE.items():
                print(
                    f"{name:26}" + "".join(f"{ms:9.2f}" for ms in measured(rig, slow, huge, calls))
                )
        finally:
            rig.stop()


def measured(rig: Rig, slow: int, huge: int, calls: int) -> tuple[float, ...]:
    """Percentiles of the quiet caller's calls."""
    argv = [sys.executable, __file__, "--noise", str(rig.port), str(slow), str(huge)]
    noise = subprocess.Popen(argv) if slow or huge else None
    time.sleep(1.5)
    caller = Caller(rig.port, request(rig.port))
    try:
        for _ in range(50):
            caller.whole()
        taken = []
        for _ in range(calls):
            taken.append(caller.whole())
            time.sleep(0.002)
        taken.sort()
    finally:
        caller.close()
        if noise is not None:
            assert noise.poll() is None, "the other tenant gave up"
            noise.kill()
            noise.wait()
    return (*(taken[int(len(taken) * part)] for part in (0.5, 0.9, 0.99)), taken[-1])


async def make_noise(port: int, slow: int, huge: int) -> None:
    """The other tenant."""
    stream, large = request(port, stream=True), _huge(port)
    every = [stream] * slow + [large] * huge
    await asyncio.gather(*(_again_and_again(port, data, data is stream) for data in every))


async def _again_and_again(port: int, data: bytes, stream: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(data)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        if stream:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))


def _huge(port: int) -> bytes:
    whole = request(port)
    head, _, body = whole.partition(b"\r\n\r\n")
    text = b"lorem ipsum " * (HUGE // 12)
    body = body.replace(b"You are terse.", text)
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--noise", nargs=3, type=int, metavar=("PORT", "SLOW", "HUGE"))
    arguments = parser.parse_args()
    if arguments.noise:
        asyncio.run(make_noise(*arguments.noise))
    else:
        main(arguments.calls)
