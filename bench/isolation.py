"""What one tenant feels of another: latency of small calls, alone and beside slow and huge ones.

    .venv/bin/python bench/isolation.py [--calls N] [--rounds N] [--only TEXT]

One worker in front of a mock upstream. A quiet caller sends small calls one after the other; beside
it, in a process of its own, another tenant keeps 200 streams open that last a second each, or 20
such streams with prompts of 2 MB, or both; or, as nobody's model could take it, sends prompts of
2 MB over 4 connections as fast as they are answered. The worker is pinned to one processor, all
others to another one. The last rows are callers who ask as fast as they are answered: eight with
texts of 40 KB, without a policy and under one whose rails look at them in the rail process; and 16
with texts of 2 KB, none of which is said twice, whose rails work in the worker itself. `--rounds`
takes turns between the rows, and prints the median of each figure.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from stockpot.bench.load import Caller
from stockpot.bench.rig import Rig, request
from stockpot.gateway.models import GatewayPart, Part
from stockpot.rails import RAILS_PART, RAILS_PART_VERSION, Policy, RailsPart, Rule

INTERVAL_US = 20_000
"""Between the 50 events of a stream."""
HUGE = 2 * 1024 * 1024


class Noise(NamedTuple):
    """Connections of the other tenant: with slow streams, with huge prompts of slow streams, with
    huge prompts at once, with large texts at once and with guarded ones, with small texts at once
    and with guarded ones."""

    slow: int = 0
    huge: int = 0
    flood: int = 0
    large: int = 0
    large_guarded: int = 0
    small: int = 0
    small_guarded: int = 0


NOISE = {
    "alone": Noise(),
    "beside 200 slow streams": Noise(slow=200),
    "beside 20 prompts of 2 MB": Noise(huge=20),
    "beside both": Noise(slow=200, huge=20),
    "beside a flood of 2 MB": Noise(flood=4),
    "beside 8 callers of 40 KB": Noise(large=8),
    "beside 8 guarded of 40 KB": Noise(large_guarded=8),
    "beside 16 callers of 2 KB": Noise(small=16),
    "beside 16 guarded of 2 KB": Noise(small_guarded=16),
}
LARGE = 40 * 1024
NUMBERS = itertools.count()
LETTERS = bytes.maketrans(b"0123456789", b"abcdefghij")
GUARDED = "bench-guard"
"""The name of the guarded route: as long as the other's."""
RULES = (
    Rule("pii", "pii", ("input",), "flag", budget_ms=2000),
    Rule("injection", "injection", ("input",), "flag", budget_ms=2000),
)


class Guarding(Rig):
    """A rig with a second route to the same model, which a policy looks at."""

    def part(self) -> GatewayPart:
        made = super().part()
        other = msgspec.structs.replace(made.routes[0], name=GUARDED)
        return msgspec.structs.replace(made, routes=(*made.routes, other))


def main(calls: int, rounds: int, only: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Guarding(Path(folder))
        rails = RailsPart((Policy("p", "bench", RULES),), by_route={f"bench/{GUARDED}": "p"})
        rig.more = (Part(RAILS_PART, RAILS_PART_VERSION, msgspec.msgpack.encode(rails)),)
        rig.start_mock(INTERVAL_US)
        rig.start_worker()
        try:
            print(f"{'':26}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}{'worst':>9}")
            taken: dict[str, list[tuple[float, ...]]] = {}
            for _ in range(rounds):
                for name, noise in NOISE.items():
                    if only in name or name == "alone":
                        taken.setdefault(name, []).append(measured(rig, noise, calls))
            for name, rows in taken.items():
                print(
                    f"{name:26}" + "".join(f"{median(ms):9.2f}" for ms in zip(*rows, strict=True))
                )
        finally:
            rig.stop()


def measured(rig: Rig, noisy: Noise, calls: int) -> tuple[float, ...]:
    """Percentiles of the quiet caller's calls."""
    argv = [sys.executable, __file__, "--noise", *(str(n) for n in (rig.port, rig.other, *noisy))]
    noise = subprocess.Popen(argv) if any(noisy) else None
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


async def make_noise(port: int, core: int, noise: Noise) -> None:
    """The other tenant."""
    os.sched_setaffinity(0, {core})
    stream, small, large = request(port, stream=True), request(port), _huge(request(port), LARGE)
    streams = [stream] * noise.slow + [_huge(stream)] * noise.huge
    whole = [_huge(small)] * noise.flood
    whole += [large] * noise.large + [_guarded(large)] * noise.large_guarded
    whole += [small] * noise.small + [_guarded(small)] * noise.small_guarded
    every = [(data, True) for data in streams] + [(data, False) for data in whole]
    await asyncio.gather(*(_again_and_again(port, data, streamed) for data, streamed in every))


async def _again_and_again(port: int, data: bytes, stream: bool) -> None:
    await asyncio.sleep(random.random())  # or all would begin anew at the same moment
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        word = (b"%05d" % (next(NUMBERS) % 100_000)).translate(LETTERS)
        writer.write(data.replace(b"lorem", word, 1))
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        if stream:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))


def _guarded(data: bytes) -> bytes:
    return data.replace(b'"bench-model"', b'"%b"' % GUARDED.encode())


def _huge(whole: bytes, size: int = HUGE) -> bytes:
    head, _, body = whole.partition(b"\r\n\r\n")
    text = b"lorem ipsum " * (size // 12)
    body = body.replace(b"You are terse.", text)
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1, help="of all rows")
    parser.add_argument("--only", default="", help="rows whose name holds this, and the first")
    parser.add_argument("--noise", nargs=2 + len(Noise._fields), type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.noise:
        port, core, *connections = arguments.noise
        asyncio.run(make_noise(port, core, Noise(*connections)))
    else:
        main(arguments.calls, arguments.rounds, arguments.only)
