"""What a span costs: CPU to take it in, milliseconds to find it, bytes to keep it.

    nice .venv/bin/python bench/span_log.py [--spans 200000] [--json]

Shipments are made of real English (the documentation inside Python's own standard library): 2 KB
asked, 1 KB answered, a shared system prompt, 200 records each, four to a transaction. They are
decoded, read, compressed, indexed and rolled up exactly as in the ingest process. CPU is process
time; since a busy machine inflates even that, the quietest quarter of the transactions is told
beside the mean. Times of arrival are spread over 24 hours by a simulated clock, so that rollups of
all widths and two payload files are exercised.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import statistics
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import msgspec

from stockpot.core import ids
from stockpot.gateway import Record, Shipment, Shipped
from stockpot.traces.models import TraceFilter
from stockpot.traces.service import SpanLog
from stockpot.traces.store.embedded import SqliteSpanStore
from stockpot.traces.store.sqlite import Synchronous

RECORDS, GROUP = 200, 4
DAY_NS = 86_400_000_000_000
BEGIN_NS = 1_763_769_600_000_000_000 + DAY_NS // 2
MODELS = (("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku"), ("local", "smollm2-135m"))
NEEDLE = "quetzalcoatlus"


def prose() -> list[str]:
    """Paragraphs of documentation."""
    texts = list(topics.values())
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        tree = ast.parse(path.read_text("utf-8", "replace"))
        nodes = (ast.Module, ast.ClassDef, ast.FunctionDef)
        texts += [ast.get_docstring(n) or "" for n in ast.walk(tree) if isinstance(n, nodes)]
    flat = (" ".join(part.split()) for text in texts for part in text.split("\n\n"))
    return [part for part in flat if len(part) > 60]


class Traffic:
    """An endless supply of records, one every `step_ns`."""

    def __init__(self, spans: int) -> None:
        self.rng = random.Random(20261122)
        self.prose = prose()
        self.system = self.text(400)
        self.step_ns = DAY_NS // spans
        self.now_ns = BEGIN_NS
        self.offset = 0
        self.last: Record | None = None

    def text(self, length: int) -> str:
        rng, out = self.rng, ""
        while len(out) < length:
            part = rng.choice(self.prose)
            begin = rng.randrange(0, max(1, len(part) - 60))
            out += part[begin : begin + 240] + " "
        return out[:length]

    def shipped(self, number: int) -> Shipped:
        rng = self.rng
        provider, model = rng.choice(MODELS)
        question = self.text(1450) + (f" {NEEDLE} feather" if number % 20_000 == 7 else "")
        messages = [
            {"role": "system", "content": self.system},
            {"role": "user", "content": question},
        ]
        request = {"model": model, "messages": messages, "temperature": 0.2, "max_tokens": 256}
        message = {"role": "assistant", "content": self.text(780)}
        response = {
            "id": f"chatcmpl-{rng.getrandbits(96):x}",
            "object": "chat.completion",
            "created": self.now_ns // 1_000_000_000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 460, "completion_tokens": 180, "total_tokens": 640},
        }
        record = self.record(provider, model, str(response["id"]))
        encode = msgspec.json.encode
        return Shipped(record, encode(request), encode(response))

    def record(self, provider: str, model: str, response_id: str) -> Record:
        rng = self.rng
        self.now_ns += self.step_ns
        took = int(rng.lognormvariate(20.5, 0.6))
        failed = rng.random() < 0.02
        self.last = Record(
            ids.trace_id(), ids.span_id(), b"", True, self.now_ns - took, took,
            "menu", "production", f"key_{rng.randrange(12):020d}", "chat",
            model, provider, f"{provider}-{model}", model, model,
            502 if failed else 200, "upstream_error" if failed else "",
            "bad gateway" if failed else "", "" if failed else "stop", False, 1, took // 4,
            took // 240, 460, 180, 0, 0, 0, "provider", 177_000, (69_000, 108_000, 0, 0, 0, 0),
            "price_0a1b2c3d4e5f6g7h8j9k", f"user-{rng.randrange(500)}",
            f"session-{rng.randrange(5000)}", (), "10.0.0.7", response_id,
            (90_000, 4_000, 6_000, 3_000, 210_000, took, 9_000), 2_100, 1_050, 1, 3,
        )  # fmt: skip
        return self.last

    def shipment(self, first: int, size: int) -> bytes:
        items = tuple(self.shipped(first + n) for n in range(size))
        begin, self.offset = self.offset, self.offset + size * 400
        return msgspec.msgpack.encode(Shipment("bench-0-1", 1, begin, self.offset, items))


def fill(
    folder: Path, spans: int, synchronous: Synchronous
) -> tuple[SpanLog, Traffic, dict[str, float]]:
    """A span log with so many spans, and the CPU milliseconds that one of them took."""
    traffic = Traffic(spans)
    store = SqliteSpanStore(folder, synchronous=synchronous, clock=lambda: traffic.now_ns)
    log, decoder, done = SpanLog(store), msgspec.msgpack.Decoder(Shipment), 0
    took: list[float] = []
    while done < spans:
        raw = []
        while done < spans and len(raw) < GROUP:
            size = min(RECORDS, spans - done)
            raw.append(traffic.shipment(done, size))
            done += size
        begun = time.process_time()
        log.ingest_all([decoder.decode(body) for body in raw])
        took.append(time.process_time() - begun)
        if sys.stderr.isatty() and done % 20_000 == 0:
            print(f"\r{done}/{spans} {synchronous}", end="", file=sys.stderr)
    begun = time.process_time()
    store.checkpoint()
    mean = (sum(took) + time.process_time() - begun) * 1e3 / spans
    quiet = sorted(took)[len(took) // 4] * 1e3 / min(spans, RECORDS * GROUP)
    return log, traffic, {"mean": round(mean, 4), "quietest_quarter": round(quiet, 4)}


def timed(question: Callable[[], Any], rounds: int = 30) -> dict[str, float]:
    """Median and 95th percentile of wall-clock milliseconds, and median CPU."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        question()
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    walls.sort()
    return {
        "p50_ms": round(statistics.median(walls), 2),
        "p95_ms": round(walls[int(len(walls) * 0.95)], 2),
        "cpu_ms": round(statistics.median(cpus), 2),
    }


def questions(log: SpanLog, traffic: Traffic) -> Iterator[tuple[str, Callable[[], Any]]]:
    assert traffic.last is not None
    trace, span = traffic.last.trace_id.hex(), traffic.last.span_id.hex()
    end = traffic.now_ns / 1e6
    hour, day = 3_600_000.0, 86_400_000.0

    def listing(**where: Any) -> Callable[[], Any]:
        return lambda: log.traces(TraceFilter(**where))

    yield "list latest 50", listing()
    yield "list latest 50 of a key", listing(key_id=f"key_{3:020d}")
    yield "list latest 50 errors", listing(status="error")
    yield "list latest 50 of a session", listing(session="session-77")
    yield "list latest 50 of a provider", listing(provider="anthropic")
    yield "list 50 of an hour", listing(from_ms=end - 12 * hour, to_ms=end - 11 * hour)
    yield "one trace", lambda: log.trace(trace)
    yield "one payload", lambda: log.payload(trace, span)
    yield "search, rare word", listing(q=NEEDLE)
    yield "search, common words", listing(q="return value")
    yield "search, phrase", listing(q=f'"{NEEDLE} feather"')
    yield "search, common phrase", listing(q='"return value"')
    yield "overview, an hour by minute", lambda: log.overview(TraceFilter(), end - hour, end)
    yield "overview, a day by 15 minutes", lambda: log.overview(TraceFilter(), end - day, end)
    yield "overview, 30 days by 6 hours", lambda: log.overview(TraceFilter(), end - 30 * day, end)


def measure(spans: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="span-log-") as name:
        folder = Path(name)
        log, traffic, cpu = fill(folder / "normal", spans, "NORMAL")
        found = {name: timed(question) for name, question in questions(log, traffic)}
        kept = sum(f.stat().st_size for f in (folder / "normal").rglob("*.db"))
        narrow = (folder / "normal/spans.db").stat().st_size
        log.close()
        begun = time.monotonic()
        few = max(RECORDS * GROUP, spans // 10)
        durable, _, cpu_full = fill(folder / "full", few, "FULL")
        wall = time.monotonic() - begun
        durable.close()
    return {
        "spans": spans,
        "cpu_ms_per_span": {"NORMAL": cpu, "FULL": cpu_full},
        "full_wall_ms_per_span": round(wall * 1e3 / few, 3),
        "disk_bytes_per_span": round(kept / spans),
        "of_which_without_payload": round(narrow / spans),
        "queries": found,
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(asked.spans)
    if asked.json:
        print(json.dumps(figures))
        return
    print(f"{figures['spans']} spans, load {figures['load']}")
    for synchronous, cpu in figures["cpu_ms_per_span"].items():
        print(f"CPU per span, ms, {synchronous:9} mean {cpu['mean']}, quietest quarter "
              f"{cpu['quietest_quarter']}")  # fmt: skip
    print(f"disk per span, bytes        {figures['disk_bytes_per_span']}, of which without payload "
          f"{figures['of_which_without_payload']}")  # fmt: skip
    for name, took in figures["queries"].items():
        print(f"{name:32} p50 {took['p50_ms']:8} ms  p95 {took['p95_ms']:8}  CPU {took['cpu_ms']}")


if __name__ == "__main__":
    main()
