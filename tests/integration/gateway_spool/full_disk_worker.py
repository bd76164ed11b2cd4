"""A worker whose files may grow to a bound only: `python -m ... FOLDER BYTES CALLS`.

The kernel itself refuses what goes beyond (RLIMIT_FSIZE: EFBIG), with a short write at the edge. It
prints as JSON what the spool counted, each call whose callback ran, and the states it saw.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from functools import partial
from pathlib import Path

from stockpot.gateway.spool import Spool
from tests.unit.gateway_spool.made import make_record


async def main(folder: str, bound: int, calls: int) -> None:
    spool = Spool.open(
        Path(folder), "host-0-1", fsync="never", payload_quota=1 << 30, ledger_quota=1 << 30,
        disk_reserve=0, loop=asyncio.get_running_loop(),
    )  # fmt: skip
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bound, hard))
    told: list[int] = []
    states = []
    for number in range(calls):
        spool.finish(make_record(status=number), b"q" * 300, None, partial(told.append, number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if spool.state not in states[-1:]:
            states.append(spool.state)
    full = dict(spool.counters)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))  # somebody made room
    while spool.state != "ok":
        await asyncio.sleep(0.05)
    states.append(spool.state)
    spool.finish(make_record(status=calls), b"after", None, partial(told.append, calls))
    await asyncio.sleep(0.05)
    spool.close()
    print(json.dumps({"told": told, "states": states, "full": full, "end": spool.counters}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
