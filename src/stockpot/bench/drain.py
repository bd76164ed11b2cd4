"""What becomes of records: drain rate, backlog, and losses under kills. Knows the span log's files.

A record is lost when a client had a complete answer and no span of it exists after a restart.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from stockpot.bench.load import throughput
from stockpot.bench.processes import Process, wait_for
from stockpot.bench.rig import Rig, request

Say = Callable[[str], None]


def stored(rig: Rig) -> int:
    """Spans in the span log."""
    from pysqlite3 import dbapi2

    path = rig.instance.spans / "spans.db"
    if not path.exists():
        return 0
    with contextlib.closing(dbapi2.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as log:
        return int(log.execute("SELECT count(*) FROM spans").fetchone()[0])


def spooled_mb(rig: Rig) -> float:
    """Bytes waiting in the spool, in megabytes."""
    files = rig.instance.spool.glob("*/*")
    total = 0
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total / 1e6


def drain_rate(rig: Rig, say: Say) -> dict[str, Any]:
    """A burst, then the time until every record of it can be queried; then the sustained rate."""
    assert rig.worker is not None
    ingest, shipper = rig.start_drain()
    wait_for(lambda: _settled(rig), "the drain of what was spooled before", 300)
    before, cpu = stored(rig), ingest.cpu_s() + shipper.cpu_s()
    begun = time.monotonic()
    burst = throughput(rig.port, request(rig.port), 64, 4, rig.folder, rig.other)
    seen = stored(rig) - before
    backlog = burst.requests - seen
    say(f"  burst {burst.requests / burst.seconds:.0f}/s, backlog {backlog} spans")
    behind = time.monotonic()
    wait_for(lambda: stored(rig) - before >= burst.requests, "the drain of the burst", 300)
    now = time.monotonic()
    cpu = ingest.cpu_s() + shipper.cpu_s() - cpu
    rate = burst.requests / (now - begun)
    return {
        "drain_rps_sustained": round(rate),
        "burst_rps": round(burst.requests / burst.seconds),
        "burst_backlog_spans": backlog,
        "catch_up_s": round(now - behind, 2),
        "drain_cpu_ms_per_span": round(cpu * 1e3 / burst.requests, 3),
    }


def _settled(rig: Rig) -> bool:
    first = stored(rig)
    time.sleep(0.7)
    return stored(rig) == first


class Callers:
    """Clients that note the trace of every answer that they had completely."""

    def __init__(self, rig: Rig, count: int = 4) -> None:
        self._rig = rig
        self._stop = threading.Event()
        self.complete: list[str] = []
        self.failed = 0
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        raw = request(self._rig.port)
        head, _, body = raw.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._rig.port, timeout=10)
            try:
                while not self._stop.is_set():
                    connection.request("POST", "/v1/chat/completions", body, headers)
                    answer = connection.getresponse()
                    json.loads(answer.read())
                    if answer.status == 200:
                        self.complete.append(answer.headers["x-stockpot-trace-id"])
                    time.sleep(0.002)
            except (OSError, http.client.HTTPException, ValueError):
                self.failed += 1
                time.sleep(0.05)
            finally:
                connection.close()

    def stop(self) -> list[str]:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)
        return self.complete


def kills(rig: Rig, say: Say, times: int = 20) -> dict[str, Any]:
    """SIGKILL of worker, ingest and shipper in turn, so many times each, under load."""
    callers = Callers(rig)
    ingest, shipper = rig.beside[-2:]
    for number in range(times):
        for name in ("worker", "ingest", "shipper"):
            time.sleep(0.15)
            if name == "worker":
                assert rig.worker is not None
                rig.worker.kill()
                rig.worker = None
                rig.start_worker()
            elif name == "ingest":
                ingest.kill()
                (rig.instance.run / "ingest.json").unlink(missing_ok=True)
                rig.beside.remove(ingest)
                rig.beside.remove(shipper)
                shipper.stop()
                ingest, shipper = rig.start_drain()
            else:
                shipper.kill()
                rig.beside.remove(shipper)
                shipper = rig.start_shipper()
        if number % 5 == 4:
            say(f"  {(number + 1) * 3} kills, {len(callers.complete)} complete answers so far")
    complete = callers.stop()
    missing = _missing(rig, complete)
    return {
        "records_lost": len(missing),
        "kills": times * 3,
        "complete_answers": len(complete),
        "calls_failed_by_kills": callers.failed,
    }


def _missing(rig: Rig, complete: list[str], limit_s: float = 120) -> set[str]:
    until = time.monotonic() + limit_s
    missing = set(complete)
    while missing and time.monotonic() < until:
        missing -= traces(rig)
        time.sleep(0.3)
    return missing


def traces(rig: Rig) -> set[str]:
    """Trace ids in the span log, as hex."""
    from pysqlite3 import dbapi2

    path = rig.instance.spans / "spans.db"
    with contextlib.closing(dbapi2.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as log:
        return {row[0].hex() for row in log.execute("SELECT trace_id FROM spans")}


def slow_log(rig: Rig, say: Say) -> dict[str, Any]:
    """The span log ten times slower: ingest gets a tenth of the time that it needs."""
    ingest: Process = rig.beside[-2]
    callers = Callers(rig)
    pauser = Pauser(ingest.pid, share=0.1)
    time.sleep(6)
    waiting = spooled_mb(rig)
    complete = callers.stop()
    pauser.stop()
    say(f"  {len(complete)} answers while the log was slow, {waiting:.1f} MB waiting")
    missing = _missing(rig, complete)
    return {"records_lost_slow_log": len(missing), "slow_log_backlog_mb": round(waiting, 2)}


class Pauser:
    """Lets a process run for only a share of the time (SIGSTOP and SIGCONT)."""

    def __init__(self, pid: int, share: float, period_s: float = 0.1) -> None:
        self._pid, self._share, self._period = pid, share, period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            os.kill(self._pid, signal.SIGSTOP)
            time.sleep(self._period * (1 - self._share))
            os.kill(self._pid, signal.SIGCONT)
            time.sleep(self._period * self._share)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)
