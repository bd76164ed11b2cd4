"""The floor of this machine: what nginx, which only relays, costs under the same load.

    .venv/bin/python bench/floor.py [--seconds 4]

Runs the worker with every feature on and nginx (`proxy_pass`, no work at all) in turn against the
same mock upstream, and prints the CPU time of each per request and per streamed event, with the
ratio. The kernel's share of both is the same, so the ratio says what the gateway itself adds on
a machine whose absolute figures differ from day to day. Needs nginx and a C compiler.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path

from stockpot.bench import figures
from stockpot.bench.load import throughput
from stockpot.bench.processes import Process, free_port, listening, wait_for
from stockpot.bench.rig import CHUNKS, Rig, request

CONFIG = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_buffer_size 256k; tcp_nodelay on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream mock {{ server 127.0.0.1:{mock}; keepalive 1024; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


def start_nginx(rig: Rig, port: int) -> Process:
    folder = rig.folder / "nginx"
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, mock=rig.mock_port, port=port))
    program = shutil.which("nginx")
    if program is None:
        raise SystemExit("nginx is not installed: there is no floor to measure")
    argv = [program, "-c", str(config), "-p", str(folder)]
    process = Process(argv, folder / "log", core=rig.core)
    wait_for(lambda: listening(port), f"the start of nginx (see {folder / 'log'})")
    return process


def per_request(rig: Rig, process: Process, port: int, seconds: float) -> float:
    before = process.cpu_s()
    run = throughput(port, request(port), 64, seconds, rig.folder, rig.other)
    if run.errors:
        raise SystemExit(f"{run.errors} requests failed")
    return (process.cpu_s() - before) * 1e6 / run.requests


def per_event(rig: Rig, process: Process, port: int) -> float:
    before = process.cpu_s()
    figures.streams(rig, port, 64)
    return (process.cpu_s() - before) * 1e6 / (64 * (CHUNKS + 3))


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        rig = Rig(Path(name))
        if rig.program is None:
            raise SystemExit("no C compiler here: the mock upstream cannot be built")
        port = free_port()
        rig.start_mock(interval_us=5000)
        try:
            worker, nginx = rig.start_worker(), start_nginx(rig, port)
            rig.beside.append(nginx)
            sides = {"worker": (worker, rig.port), "nginx": (nginx, port)}
            found: dict[str, dict[str, list[float]]] = {
                side: {"request": [], "event": []} for side in sides
            }
            for measured in range(-1, 5):
                for side, (process, at) in sides.items():
                    request_us = per_request(rig, process, at, seconds / 4)
                    event_us = per_event(rig, process, at)
                    if measured >= 0:
                        found[side]["request"].append(request_us)
                        found[side]["event"].append(event_us)
        finally:
            rig.stop()
    facts = {
        side: {what: round(statistics.median(us), 1) for what, us in costs.items()}
        for side, costs in found.items()
    }
    for what in ("request", "event"):
        ours, floor = facts["worker"][what], facts["nginx"][what]
        print(f"CPU per {what}: worker {ours} µs, nginx {floor} µs, ratio {ours / floor:.2f}")
    print(json.dumps(facts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of load for each side")
    main(parser.parse_args().seconds)
