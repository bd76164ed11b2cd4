"""A worker that only spools, for tests that kill it: `python writing_worker.py FOLDER STREAM ...`.

Every call has a number, which is its span id. The number of each call whose callback ran is written
to standard output, one line each, in one write per turn: what a client was told.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from stockpot.gateway.spool import Spool
from tests.unit.gateway_spool.made import make_record, make_start

REQUEST, ANSWER = b"q" * 2048, [b"a" * 300] * 3


async def main(folder: str, stream: str, fsync: str, calls_at_once: int) -> None:
    spool = Spool.open(
        Path(folder), stream, fsync=fsync, payload_quota=1 << 30, ledger_quota=1 << 30,
        disk_reserve=0, segment_bytes=1 << 17, loop=asyncio.get_running_loop(),
    )  # fmt: skip
    number = 0

    async def client() -> None:
        nonlocal number
        while True:
            number += 1
            mine = number
            span = mine.to_bytes(8, "big")
            start = make_start(span_id=span, trace_id=span * 2)
            spool.start(start)
            await asyncio.sleep(0.01)  # 3,000 calls a second at most
            done = asyncio.Event()
            record = make_record(span_id=span, trace_id=span * 2, status=mine % 600)
            spool.finish(record, REQUEST, ANSWER, done.set)
            await done.wait()
            os.write(1, b"%d\n" % mine)

    await asyncio.gather(*(client() for _ in range(calls_at_once)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
