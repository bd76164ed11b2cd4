"""`stockpot bench gateway`: all figures in one run, as text while it measures and as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from stockpot.bench import drain, figures
from stockpot.bench.figures import Say
from stockpot.bench.load import medians_of
from stockpot.bench.rig import Rig
from stockpot.bench.tls import TlsFront

BARS: tuple[tuple[str, str, float, float, str], ...] = (
    ("cpu_us_per_request", "CPU per chat request, 64 connections, µs", 100, 60, "<="),
    ("added_p50_ms", "added latency at one connection, p50, ms", 0.3, 0.15, "<="),
    ("added_p99_ms", "added latency at one connection, p99, ms", 1.0, 0.5, "<="),
    ("added_ttft_p99_ms", "added time to first token, p99, ms", 2.0, 0.5, "<="),
    ("cpu_us_per_chunk", "CPU per streamed chunk, µs", 25, 15, "<="),
    ("streams_sustained", "streams of 50 chunks/s held by one core", 512, 1000, ">="),
    ("rss_idle_mb", "memory of a worker, idle, MB", 80, 50, "<="),
    ("rss_soak_mb", "memory of a worker after the soak, MB", 120, 80, "<="),
    ("records_lost", "records lost under kills and a slow log", 0, 0, "<="),
    ("drain_cpu_ms_per_span", "CPU of the drain per span, ms", 0.25, 0.15, "<="),
)
"""Figure, what it says, the bar, the aim, and which side is good."""


def measure(*, seconds: float, soak_requests: int, kills: int, say: Say) -> dict[str, Any]:
    """Run everything once and return all figures. Raises when a part cannot be started."""
    with tempfile.TemporaryDirectory(prefix="stockpot-bench-") as folder:
        rig = Rig(Path(folder))
        found: dict[str, Any] = {"load_average_before": figures.load_average()}
        try:
            _requests(rig, seconds, found, say)
            costs = _streams(rig, found, say)
            say("soak ...")
            rig.start_mock(interval_us=5000)
            found |= figures.soak(rig, soak_requests)
            if costs:
                costs += figures.chunk_costs(rig)
                found["cpu_us_per_chunk"] = round(medians_of(costs), 2)
            _records(rig, kills, found, say)
        finally:
            rig.stop()
        found["load_average_after"] = figures.load_average()
    return found


def _requests(rig: Rig, seconds: float, found: dict[str, Any], say: Say) -> None:
    rig.start_mock(interval_us=5000)
    worker = rig.start_worker()
    figures.settle()
    found["rss_idle_mb"] = round(worker.rss_mb(), 1)
    figures.warm(rig)
    say("CPU per request ...")
    found |= figures.cpu_per_request(rig, seconds)
    for size in (8, 32, 128):
        run = figures.cpu_per_request(rig, min(seconds, 6), prompt_bytes=size * 1024)
        found[f"cpu_us_per_request_{size}kb"] = run["cpu_us_per_request"]
    say("added latency ...")
    found |= figures.added_latency(rig)
    say("TLS to the upstream ...")
    found |= _over_tls(rig, seconds)


def _over_tls(rig: Rig, seconds: float) -> dict[str, Any]:
    with TlsFront(rig.folder, rig.mock_port) as front:
        apart = Rig(rig.folder / "tls", upstream=front.url, ca=str(front.ca))
        apart.mock_port = rig.mock_port
        try:
            apart.start_worker()
            figures.warm(apart)
            run = figures.cpu_per_request(apart, min(seconds, 6))
        finally:
            apart.stop()
    return {"cpu_us_per_request_tls": run["cpu_us_per_request"]}


def _streams(rig: Rig, found: dict[str, Any], say: Say) -> list[float]:
    """Adds what was found, and returns what a chunk cost in each round."""
    say("streams ...")
    rig.start_mock(interval_us=100)
    found |= figures.added_ttft(rig)
    if rig.program is None:
        say("  no C compiler here: CPU per chunk and streams sustained were not measured")
        found |= {"cpu_us_per_chunk": None, "streams_sustained": None}
        return []
    costs = figures.chunk_costs(rig)
    found |= figures.streams_sustained(rig, say)
    return costs + figures.chunk_costs(rig)


def _records(rig: Rig, kills: int, found: dict[str, Any], say: Say) -> None:
    say("records: drain, slow log, kills ...")
    found |= drain.drain_rate(rig, say)
    slow = drain.slow_log(rig, say)
    found |= slow
    if kills:
        found |= drain.kills(rig, say, kills)
        found["records_lost"] += slow["records_lost_slow_log"]
    else:
        found["records_lost"] = slow["records_lost_slow_log"]


def table(found: dict[str, Any]) -> list[str]:
    """The figures beside their bars, a line each."""
    lines = []
    for name, words, bar, aim, side in BARS:
        value = found.get(name)
        if value is None:
            lines.append(f"  {words:<48} not measured")
            continue
        good = value <= bar if side == "<=" else value >= bar
        reached = value <= aim if side == "<=" else value >= aim
        verdict = "aim reached" if reached else ("within the bar" if good else "MISSED")
        lines.append(f"  {words:<48} {value:>9}   bar {bar:g}, aim {aim:g}: {verdict}")
    return lines
