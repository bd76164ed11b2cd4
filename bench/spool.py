"""What the spool costs a call: `python bench/spool.py [--calls N] [--fsync never|group]`.

Calls of 2 KB in and 1 KB out, 64 (or 1) at once: each is a Start, a turn of the loop, and a finish
whose callback lets the next one begin. Printed are microseconds of CPU per call of this process,
user and system, less the same loop without a spool; best of several rounds, because a busy machine
only ever makes them larger. Then what a record costs the shipper (reading, checking, encoding), and
what masking costs a key whose payloads are masked.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from stockpot.gateway.mask import mask, mask_sse
from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool import Spool, Tail

REQUEST, ANSWER = os.urandom(2048), [os.urandom(1024)]
IDS: dict[str, Any] = {"trace_id": os.urandom(16), "span_id": os.urandom(8), "parent_id": b""}
START = Start(
    **IDS, start_ns=time.time_ns(), project="prj_0a1b2c3d4e5f6g7h8j9k", environment="production",
    key_id="key_0a1b2c3d4e5f6g7h8j9k", endpoint="chat", route="smart", provider="vendor",
    target="tgt_0a1b2c3d4e5f6g7h8j9k", model="smart-1-2026", estimated_input=500,
    estimated_cost_nano=123_456, price_id="vendor/smart-1",
)  # fmt: skip
RECORD = Record(
    **IDS, is_root=True, start_ns=START.start_ns, duration_ns=734_000_000, project=START.project,
    environment=START.environment, key_id=START.key_id, endpoint="chat", route="smart",
    provider="vendor", target=START.target, model=START.model, served_model="smart-1-2026-08-06",
    status=200, error="", error_message="", finish_reason="stop", stream=False, attempt=1,
    ttft_ns=123_456_789, tpot_ns=0, input_tokens=512, output_tokens=256, cache_read_tokens=0,
    cache_write_tokens=0, reasoning_tokens=0, usage_source="provider", cost_nano=12_345_678,
    cost_detail=(5, 6, 0, 0, 0, 0), price_id=START.price_id, user="", session="", tags=(),
    client="10.0.0.1", response_id="chatcmpl-abcdefghijklmnop",
    stages=(1000, 2000, 3000, 4000, 5000, 6000, 7000), request_bytes=2048, response_bytes=1024,
    payload=1, revision=7,
)  # fmt: skip

Fsync = Literal["never", "group"]


async def calls(spool: Spool | None, count: int, at_once: int) -> None:
    """So many calls, so many at once, each begun by the end of another."""
    loop = asyncio.get_running_loop()
    finished = loop.create_future()
    begun = ended = 0

    def begin() -> None:
        nonlocal begun
        begun += 1
        if spool is not None:
            spool.start(START)
        loop.call_soon(end)

    def end() -> None:
        if spool is not None:
            spool.finish(RECORD, REQUEST, ANSWER, done)
        else:
            loop.call_soon(done)

    def done() -> None:
        nonlocal ended
        ended += 1
        if begun < count:
            begin()
        elif ended == count:
            finished.set_result(None)

    for _ in range(at_once):
        begin()
    await finished


async def round_of(folder: Path, fsync: Fsync, count: int, at_once: int) -> tuple[float, float]:
    """CPU and wall-clock microseconds per call, less those of the loop."""
    spool = Spool.open(
        folder, f"bench-{time.monotonic_ns()}", fsync=fsync, payload_quota=1 << 34,
        ledger_quota=1 << 34, disk_reserve=0, loop=asyncio.get_running_loop(),
    )  # fmt: skip
    figures = []
    for one in (spool, None):
        wall, used = time.perf_counter(), time.process_time()
        await calls(one, count, at_once)
        figures.append((time.process_time() - used, time.perf_counter() - wall))
    spool.close()
    (with_cpu, with_wall), (bare_cpu, bare_wall) = figures
    return (with_cpu - bare_cpu) / count * 1e6, (with_wall - bare_wall) / count * 1e6


def measure(fsync: Fsync, count: int, at_once: int, rounds: int) -> None:
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="stockpot-bench-") as folder:
            found.append(run(round_of(Path(folder), fsync, count, at_once)))
    used = min(one for one, _ in found)
    wall = min(one for _, one in found)
    print(
        f"start + finish + flush, fsync={fsync:5}, {at_once:2} at once: {used:6.2f} us CPU,"
        f" {wall:8.2f} us elapsed"
    )


def measure_reading(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="stockpot-bench-") as name:
        folder = Path(name)
        run(round_of(folder, "never", count, 64))
        (stream,) = folder.iterdir()
        tail, used, records = Tail(stream), time.process_time(), 0
        while batch := tail.batch(500, 4 << 20):
            msgspec.msgpack.encode(batch.shipment)
            records += len(batch.shipment.items)
            tail.acknowledge(batch, batch.shipment.end)
        used = (time.process_time() - used) / records * 1e6
        print(f"reading and encoding a shipment: {used:6.2f} us a record")


def measure_masking(rounds: int) -> None:
    prose = "The kettle sings, and in 1998 about 12 cooks stirred 350 litres of stock. " * 40
    ask = msgspec.json.encode(
        {"model": "m", "messages": [{"role": "user", "content": prose[:2000]}]}
    )
    dirty = ask.replace(b"12 cooks", b"ann@example.com, +49 170 1234567 and 12 cooks")
    deltas = [
        {"id": "c-1", "choices": [{"index": 0, "delta": {"content": word + " "}}]}
        for word in prose.split(" ")[:200]
    ]
    stream = b"".join(b"data: %b\n\n" % msgspec.json.encode(delta) for delta in deltas)
    for name, work, data in (
        ("2 KB, nothing found", mask, ask),
        ("2 KB, forty entities", mask, dirty),
        ("a stream of 200 deltas", mask_sse, stream),
    ):
        best = min(_timed(work, data) for _ in range(rounds * 4))
        print(f"masking {name}: {best:8.2f} us")


def _timed(work: Callable[[bytes], bytes], data: bytes) -> float:
    begun = time.process_time()
    for _ in range(20):
        work(data)
    return (time.process_time() - begun) / 20 * 1e6


def run(work: Any) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--calls", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--fsync", choices=["never", "group"], action="append")
    options = asked.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}; request 2 KB, answer 1 KB")
    for fsync in options.fsync or ["never", "group"]:
        # A synced batch waits for the disk: a tenth of the calls says as much.
        count = options.calls if fsync == "never" else options.calls // 10
        measure(fsync, count, 64, options.rounds)
        measure(fsync, count // 10, 1, options.rounds)
    measure_reading(options.calls // 2)
    measure_masking(options.rounds)


if __name__ == "__main__":
    main()
