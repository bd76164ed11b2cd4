"""OTLP into the span log: spans a second, CPU a span, what is found how fast, bytes, kill -9.

    nice .venv/bin/python bench/otlp.py [--spans 200000] [--kills 20] [--json]
    nice .venv/bin/python bench/otlp.py --spans 5000000        (nightly)

The control plane and ingest are the product's own processes. One sender posts batches of 200 spans
of about 1.9 KB to `POST /v1/traces` over one connection; an answer of 200 means committed, and the
spans are counted in the log afterwards. CPU is that of both processes, over the whole time, with
HTTP, rollups and full text. The larger log for the queries is filled without HTTP, spread over a
day. Under `--kills` ingest and the control plane are killed in turn while spans are sent; then
every one that was acknowledged is looked for.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from otlp_corpus import BATCH, NEEDLE, Corpus
from span_log import timed

from stockpot.catalog.pricing import price_rows
from stockpot.core.instance import Instance
from stockpot.gateway import Shipment, Shipped, otlp
from stockpot.traces.models import TraceFilter
from stockpot.traces.service import SpanLog
from stockpot.traces.store.embedded import SqliteSpanStore

DAY_NS = 86_400_000_000_000
TICK = os.sysconf("SC_CLK_TCK")
STARTED_WITHIN_S = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One of the product's processes, started again after it was killed."""

    def __init__(self, home: Path, port: int, *words: str) -> None:
        self.words, self.home = words, home
        self.env = {**os.environ, "STOCKPOT_HOME": str(home), "STOCKPOT_PORT": str(port),
                    "STOCKPOT_DISCOVER": "false", "STOCKPOT_ENGINES": "none"}  # fmt: skip
        self.announced = home / "run" / f"{words[0].rpartition('.')[2]}.json"
        if words[-1] == "control":
            self.announced = home / "run" / "control.json"
        self.start()

    def start(self) -> None:
        self.announced.unlink(missing_ok=True)
        log = (self.home / "bench.log").open("ab")
        self.child = subprocess.Popen(
            [sys.executable, "-m", *self.words], env=self.env, stdout=log, stderr=log
        )

    def ready(self) -> None:
        deadline = time.monotonic() + STARTED_WITHIN_S
        while not self.announced.exists():
            told = (self.home / "bench.log").read_text()[-2000:]
            assert self.child.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.05)

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def stop(self) -> None:
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(60)

    def cpu_s(self) -> float:
        told = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / TICK


class Sender:
    """One connection to the control plane, as one exporter has."""

    def __init__(self, home: Path, port: int) -> None:
        self.place = ("127.0.0.1", port)
        self.headers = {
            "authorization": f"Bearer {Instance(home).derive('cli')}",
            "content-type": "application/x-protobuf", "x-stockpot-project": "default",
        }  # fmt: skip
        self.connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes) -> int:
        """The status; 0 where nobody answered."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(*self.place, timeout=60)
            self.connection.request("POST", "/v1/traces", body, self.headers)
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            return 0
        return answer.status


@contextmanager
def running(home: Path) -> Iterator[tuple[Process, Process, Sender]]:
    port = free_port()
    ingest = Process(home, port, "stockpot.ingest")
    control = Process(home, port, "stockpot.app", "control")
    ingest.ready()
    control.ready()
    yield ingest, control, Sender(home, port)
    control.stop()
    ingest.stop()


def over_http(spans: int) -> dict[str, Any]:
    """Spans a second and CPU a span through both processes."""
    corpus = Corpus()
    bodies = [corpus.batch() for _ in range(spans // BATCH)]
    with tempfile.TemporaryDirectory(prefix="otlp-") as name, running(Path(name)) as parts:
        ingest, control, sender = parts
        for body in bodies[:2]:
            assert sender.post(body) == 200
        used = [process.cpu_s() for process in (ingest, control)]
        begun = time.monotonic()
        for body in bodies[2:]:
            assert sender.post(body) == 200
        took = time.monotonic() - begun
        cpu = [p.cpu_s() - before for p, before in zip((ingest, control), used, strict=True)]
        store = SqliteSpanStore(Path(name) / "spans")
        there = store.audit().spans
        store.close()
        assert there == len(bodies) * BATCH, there
    sent = (len(bodies) - 2) * BATCH
    return {
        "spans": sent,
        "bytes_a_span": round(sum(map(len, bodies)) / len(bodies) / BATCH),
        "spans_per_s": round(sent / took),
        "cpu_ms_per_span": round(sum(cpu) * 1e3 / sent, 4),
        "of_which_ingest": round(cpu[0] * 1e3 / sent, 4),
    }


def killed(rounds: int) -> dict[str, int]:
    """Acknowledged spans that are not there after so many kills under load."""
    corpus, rng = Corpus(7), random.Random(7)
    acknowledged: set[tuple[bytes, bytes]] = set()
    with tempfile.TemporaryDirectory(prefix="otlp-") as name, running(Path(name)) as parts:
        ingest, control, sender = parts
        shipper = Process(Path(name), free_port(), "stockpot.worker", "ship")
        for number in range(rounds):
            victim = control if number % 4 == 3 else ingest
            until = time.monotonic() + rng.uniform(0.3, 1.2)
            while time.monotonic() < until:
                body = corpus.batch(50)
                if sender.post(body) == 200:
                    acknowledged.update(corpus.ids)
            victim.kill()
            body = corpus.batch(50)
            if sender.post(body) == 200:  # ingest is dead: into the spool
                acknowledged.update(corpus.ids)
            victim.start()
            if victim is control:
                victim.ready()
        ingest.ready()
        control.stop()  # its spool is finished by the shipper
        control.start()
        deadline = time.monotonic() + 60
        while any((Path(name) / "spool").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
        control.ready()
        shipper.stop()
        lost, doubles = _missing(Path(name), acknowledged)
    return {"kills": rounds, "acknowledged": len(acknowledged), "lost": lost, "doubled": doubles}


def _missing(home: Path, acknowledged: set[tuple[bytes, bytes]]) -> tuple[int, int]:
    store = SqliteSpanStore(home / "spans")
    there: list[tuple[bytes, bytes]] = []
    position: int | None = 0
    while position is not None:
        page, position = store.spans(TraceFilter(), after=position, limit=1000)
        there += [(bytes.fromhex(s.trace_id), bytes.fromhex(s.span_id)) for s in page]
    store.close()
    return len(acknowledged - set(there)), len(there) - len(set(there))


def fill(folder: Path, spans: int) -> tuple[SpanLog, int]:
    """A log of so many spans, received over a day by a simulated clock."""
    corpus = Corpus()
    begun = time.time_ns() - DAY_NS
    now = begun
    store = SqliteSpanStore(folder, clock=lambda: now)
    log = SpanLog(store, prices=price_rows)
    for done in range(0, spans, BATCH):
        now = begun + DAY_NS * done // spans
        body = corpus.batch(at_ns=now)
        record = otlp.entry("menu", "production", "key", "full", ("protobuf", ""), len(body))
        log.ingest(Shipment("", 0, 0, 0, (Shipped(record, body),)))
        if sys.stderr.isatty() and done % 20_000 == 0:
            print(f"\r{done}/{spans}", end="", file=sys.stderr)
    store.checkpoint()
    return log, now


def queried(spans: int) -> dict[str, Any]:
    """What is found how fast in a log of so many spans, and how large it is."""
    with tempfile.TemporaryDirectory(prefix="otlp-") as name:
        log, now = fill(Path(name), spans)
        size = sum(path.stat().st_size for path in Path(name).rglob("*.db"))
        end = now / 1e6
        asked: dict[str, Callable[[], Any]] = {
            "list latest 50": lambda: log.traces(TraceFilter()),
            "cost, tokens, p50, p99 by model": lambda: log.overview(
                TraceFilter(), end - 86_400_000, end
            ),
            "full text": lambda: log.traces(TraceFilter(q=NEEDLE)),
            "full text, two common words": lambda: log.traces(TraceFilter(q="return value")),
        }
        found = {name: timed(question) for name, question in asked.items()}
        log.close()
    return {"spans": spans, "disk_bytes_per_span": round(size / spans), "queries": found}


def shown(figures: dict[str, Any]) -> Iterator[str]:
    for about, told in figures.items():
        for name, value in told.items():
            if isinstance(value, dict):
                for question, took in value.items():
                    yield f"{question:34} p50 {took['p50_ms']:8} ms  p95 {took['p95_ms']:8}"
            else:
                yield f"{about}: {name:26} {value}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spans", type=int, default=200_000, help="in the log that is queried")
    parser.add_argument("--sent", type=int, default=20_000, help="over HTTP")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    if asked.sent:
        figures["over HTTP"] = over_http(asked.sent)
    if asked.kills:
        figures["kill -9"] = killed(asked.kills)
    if asked.spans:
        figures["in the log"] = queried(asked.spans)
    print(json.dumps(figures) if asked.json else "\n".join(shown(figures)))


if __name__ == "__main__":
    main()
