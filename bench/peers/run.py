"""The gateway and its peers under the same load in one run, each pinned to one processor.

    bench/peers/setup.sh && .venv/bin/python bench/peers/run.py [--seconds 8] [--json]

Rounds are interleaved (stockpot, LiteLLM, Portkey, stockpot, ...), so that a slow minute of the
machine hits all of them. stockpot runs with every feature on; the peers with what their defaults
do: LiteLLM with a master key and its model list, Portkey with its open-source pass-through.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from stockpot.bench.load import Throughput, throughput
from stockpot.bench.processes import Process, free_port, listening, wait_for
from stockpot.bench.rig import Rig, request

PEERS = Path(__file__).resolve().parents[1] / ".cache/peers"
CONNECTIONS = 64


def litellm(rig: Rig, port: int) -> tuple[Process, bytes]:
    config = rig.folder / "litellm.yaml"
    upstream = f"http://127.0.0.1:{rig.mock_port}/v1"
    config.write_text(
        "model_list:\n  - model_name: bench-model\n    litellm_params:\n"
        f"      model: openai/mock\n      api_base: {upstream}\n      api_key: sk-mock\n"
        "general_settings:\n  master_key: sk-bench\n"
    )
    argv = [str(PEERS / "litellm/bin/litellm"), "--config", str(config), "--port", str(port)]
    argv += ["--host", "127.0.0.1", "--num_workers", "1"]
    environ = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    process = Process(argv, rig.folder / "litellm.log", environ, core=rig.core)
    body = request(port).replace(_secret(), b"sk-bench")
    return process, body


def portkey(rig: Rig, port: int) -> tuple[Process, bytes]:
    start = PEERS / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    argv = ["node", str(start), f"--port={port}", "--headless"]
    process = Process(argv, rig.folder / "portkey.log", core=rig.core)
    extra = (
        "x-portkey-provider: openai\r\n"
        f"x-portkey-custom-host: http://127.0.0.1:{rig.mock_port}/v1\r\n"
    )
    body = request(port).replace(b"Content-Type:", extra.encode() + b"Content-Type:", 1)
    return process, body


def _secret() -> bytes:
    from stockpot.bench.rig import SECRET

    return SECRET.encode()


def measure(process: Process, port: int, body: bytes, rig: Rig, seconds: float) -> dict[str, float]:
    before = process.cpu_s()
    run: Throughput = throughput(port, body, CONNECTIONS, seconds, rig.folder, rig.other)
    cpu = process.cpu_s() - before
    good = run.requests - run.errors
    return {
        "cpu_us_per_request": cpu * 1e6 / max(1, good),
        "observed_rps": good / run.seconds,
        "errors": run.errors,
    }


def compare(seconds: float, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="stockpot-peers-") as folder:
        rig = Rig(Path(folder))
        rig.start_mock(5000)
        worker = rig.start_worker()
        running = {"stockpot": (worker, rig.port, request(rig.port))}
        for name, start in (("litellm", litellm), ("portkey", portkey)):
            port = free_port()
            process, body = start(rig, port)
            rig.beside.append(process)
            wait_for(lambda p=port: listening(p), f"the start of {name}", 120)
            running[name] = (process, port, body)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in running}
        try:
            for number in range(rounds + 1):
                for name, (process, port, body) in running.items():
                    one = measure(process, port, body, rig, seconds if number else 2.0)
                    if number:  # the first round warms up
                        found[name].append(one)
        finally:
            rig.stop()
    return summary(found)


def summary(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, runs in found.items():
        cost = statistics.median(r["cpu_us_per_request"] for r in runs)
        out[name] = {
            "cpu_us_per_request": round(cost, 1),
            "rps_per_core": round(1e6 / cost),
            "observed_rps": round(statistics.median(r["observed_rps"] for r in runs)),
            "errors": int(sum(r["errors"] for r in runs)),
        }
    ours = out["stockpot"]["rps_per_core"]
    for name in ("litellm", "portkey"):
        out[f"times_{name}"] = round(ours / out[name]["rps_per_core"], 1)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not PEERS.exists():
        sys.exit("the peers are not installed: run bench/peers/setup.sh")
    found = compare(arguments.seconds, arguments.rounds)
    print(json.dumps(found) if arguments.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
