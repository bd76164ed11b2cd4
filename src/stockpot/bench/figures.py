"""What is measured of the gateway, one function a figure. Knows the rig and the loads."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from stockpot.bench.load import Caller, medians_of, quantile, throughput
from stockpot.bench.processes import pinned
from stockpot.bench.rig import CHUNKS, Rig, request

Say = Callable[[str], None]
ROUNDS = 9


def warm(rig: Rig, seconds: float = 1.5) -> None:
    """Fill pools and caches before anything counts."""
    throughput(rig.port, request(rig.port), 64, seconds, rig.folder, rig.other)


def cpu_per_request(rig: Rig, seconds: float, prompt_bytes: int = 2048) -> dict[str, Any]:
    """CPU time of the worker per chat request, 64 connections; the median of three rounds."""
    assert rig.worker is not None
    costs, rates, errors, tool = [], [], 0, ""
    body = request(rig.port, prompt_bytes=prompt_bytes)
    for _ in range(3):
        before = rig.worker.cpu_s()
        run = throughput(rig.port, body, 64, seconds / 3, rig.folder, rig.other)
        costs.append((rig.worker.cpu_s() - before) * 1e6 / max(1, run.requests))
        rates.append(run.requests / run.seconds)
        errors, tool = errors + run.errors, run.tool
    cost = medians_of(costs)
    return {
        "cpu_us_per_request": round(cost, 1),
        "rps_per_core": round(1e6 / cost),
        "observed_rps": round(medians_of(rates)),
        "errors": errors,
        "load": tool,
    }


def added_latency(rig: Rig, per_round: int = 150) -> dict[str, float]:
    """Via minus direct at one connection, in interleaved rounds; medians over the rounds."""
    via, direct = Caller(rig.port, request(rig.port)), Caller(rig.mock_port, request(rig.mock_port))
    added50, added99, echo50, echo99 = [], [], [], []
    for _ in range(ROUNDS):
        there = [direct.whole() for _ in range(per_round)]
        through = [via.whole() for _ in range(per_round)]
        added50.append(quantile(through, 0.5) - quantile(there, 0.5))
        added99.append(quantile(through, 0.99) - quantile(there, 0.99))
        echo50.append(quantile(there, 0.5))
        echo99.append(quantile(there, 0.99))
    via.close()
    direct.close()
    return {
        "added_p50_ms": round(medians_of(added50), 3),
        "added_p99_ms": round(medians_of(added99), 3),
        "direct_p50_ms": round(medians_of(echo50), 3),
        "direct_p99_ms": round(medians_of(echo99), 3),
    }


def added_ttft(rig: Rig, per_round: int = 60) -> dict[str, float]:
    """Time to the first event, via minus direct, one stream at a time, interleaved rounds."""
    via = Caller(rig.port, request(rig.port, stream=True))
    direct = Caller(rig.mock_port, request(rig.mock_port, stream=True))
    added50, added99 = [], []
    for _ in range(ROUNDS):
        there = [direct.first_event() for _ in range(per_round)]
        through = [via.first_event() for _ in range(per_round)]
        added50.append(quantile(through, 0.5) - quantile(there, 0.5))
        added99.append(quantile(through, 0.99) - quantile(there, 0.99))
    via.close()
    direct.close()
    return {
        "added_ttft_p50_ms": round(medians_of(added50), 3),
        "added_ttft_p99_ms": round(medians_of(added99), 3),
    }


def streams(rig: Rig, port: int, count: int) -> dict[str, Any]:
    assert rig.program is not None
    file = rig.folder / "stream.request"
    file.write_bytes(request(port, stream=True))
    argv = [str(rig.program), "streams", str(port), str(count), str(file)]
    ran = subprocess.run(pinned(argv, rig.other), capture_output=True, text=True, check=True)
    facts: dict[str, Any] = json.loads(ran.stdout)
    return facts


def chunk_costs(rig: Rig) -> list[float]:
    """CPU time of the worker per streamed chunk, µs, in 15 rounds: 64 streams of 50 chunks, one
    every 5 ms.

    The whole cost of a stream is divided by its events, so the request itself is in the figure.
    A shared machine is slow for some seconds now and then: ask at several times of a run.
    """
    assert rig.worker is not None
    rig.start_mock(interval_us=5000)
    streams(rig, rig.port, 64)
    costs = []
    for _ in range(15):
        before = rig.worker.cpu_s()
        facts = streams(rig, rig.port, 64)
        if facts["completed"] != 64:
            raise RuntimeError(f"streams failed: {facts}")
        costs.append((rig.worker.cpu_s() - before) * 1e6 / (64 * (CHUNKS + 3)))
    return costs


def streams_sustained(rig: Rig, say: Say, most: int = 1024) -> dict[str, Any]:
    """The most streams of 50 chunks a second that one worker holds without a stall (250 ms)."""
    rig.start_mock(interval_us=20_000)
    held: dict[str, Any] = {"streams_sustained": 0}
    for count in (64, 128, 256, 512, 768, 1024):
        if count > most:
            break
        facts = streams(rig, rig.port, count)
        say(f"  {count} streams: {facts}")
        if facts["stalled"] or facts["completed"] != count:
            facts = streams(rig, rig.port, count)  # the machine may have stalled, not the worker
            say(f"  {count} streams again: {facts}")
            if facts["stalled"] or facts["completed"] != count:
                break
        held = {
            "streams_sustained": count,
            "stream_widest_gap_ms": facts["widest_gap_ms"],
            "stream_worst_ttft_ms": facts["worst_ttft_ms"],
        }
    return held


def soak(rig: Rig, requests: int) -> dict[str, float]:
    """Memory of the worker after so many requests."""
    assert rig.worker is not None
    done = 0
    while done < requests:
        run = throughput(rig.port, request(rig.port), 64, 5, rig.folder, rig.other)
        done += run.requests
    return {"rss_soak_mb": round(rig.worker.rss_mb(), 1), "soak_requests": done}


def load_average() -> list[float]:
    return [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else []


def settle(seconds: float = 0.5) -> None:
    time.sleep(seconds)
