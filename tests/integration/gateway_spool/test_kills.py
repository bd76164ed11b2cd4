"""kill -9 under load: what a client was told is there, and every call ends exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from stockpot.core.instance import Instance
from stockpot.gateway.models import Record, Start
from stockpot.gateway.ship import Ingest as IngestLink
from stockpot.gateway.ship import IngestAway, Shipper
from stockpot.gateway.spool import INTERRUPTED, ledger_path, read_bodies, read_entries, segments
from tests.integration.gateway_spool.conftest import REPO, TOKEN, Ingest
from tests.integration.gateway_spool.writing_worker import ANSWER, REQUEST

pytestmark = pytest.mark.integration

KILLS = 20


class Worker:
    """A spooling process and the calls whose clients it has told."""

    def __init__(self, folder: Path, stream: str, fsync: str = "never") -> None:
        self.stream = stream
        argv = [sys.executable, "-m", "tests.integration.gateway_spool.writing_worker"]
        self.process = subprocess.Popen(
            [*argv, str(folder), stream, fsync, "32"], stdout=subprocess.PIPE, cwd=REPO
        )
        self.told: list[int] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                self.told.append(int(line))

    def kill_after(self, calls: int) -> list[int]:
        deadline = time.monotonic() + 60
        while len(self.told) < calls:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.told


def spooled(stream: Path) -> tuple[dict[int, Record], dict[int, Start]]:
    """Records and Starts by number; a record's bodies have been compared."""
    records: dict[int, Record] = {}
    starts: dict[int, Start] = {}
    for segment in segments(stream):
        ledger = ledger_path(stream, segment)
        file = os.open(ledger.with_suffix(".payload"), os.O_RDONLY)
        for _, entry, place in read_entries(ledger):
            number = int.from_bytes(entry.span_id, "big")
            if isinstance(entry, Start):
                starts[number] = entry
            else:
                assert place is not None
                assert read_bodies(file, place) == (REQUEST, b"".join(ANSWER))
                records[number] = entry
        os.close(file)
    return records, starts


def test_twenty_kills_lose_no_record_that_a_client_was_told_of(tmp_path: Path):
    told = 0
    for kill in range(KILLS):
        stream = f"host-0-{kill}"
        answered = Worker(tmp_path, stream).kill_after(150 + 37 * kill)
        records, starts = spooled(tmp_path / stream)
        assert set(answered) <= set(records)
        assert set(records) <= set(starts)
        assert all(record.status == number % 600 for number, record in records.items())
        told += len(answered)
    assert told > 20 * 150


def test_a_kill_loses_nothing_with_group_fsync_either(tmp_path: Path):
    for kill in range(2):
        stream = f"host-0-{kill}"
        answered = Worker(tmp_path, stream, "group").kill_after(40)
        assert set(answered) <= set(spooled(tmp_path / stream)[0])


def test_workers_and_shippers_are_killed_and_every_call_arrives_exactly_once(
    tmp_path: Path, ingest: Ingest
):
    """The shipper is stopped without a chance to write its note, the worker by SIGKILL."""
    ingest.faults = ["refuse", "forget", "hang_up", "slow"]
    told: dict[str, list[int]] = {}
    entered: dict[str, set[int]] = {}
    shippers = [Shipper(tmp_path, IngestLink(lambda: ingest.url, TOKEN), look_s=0.05)]

    def ship_for(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            step(shippers[-1])

    for kill in range(3):
        stream = f"host-0-{kill}"
        worker = Worker(tmp_path, stream)
        while len(worker.told) < 50:
            time.sleep(0.01)
        ship_for(0.3)
        abandon(shippers[-1])
        shippers.append(Shipper(tmp_path, IngestLink(lambda: ingest.url, TOKEN), look_s=0.05))
        ship_for(0.2)
        told[stream] = worker.kill_after(len(worker.told) + 50)
        records, starts = spooled(tmp_path / stream)
        entered[stream] = set(records) | set(starts)
    deadline = time.monotonic() + 60
    while any(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        step(shippers[-1])
    shippers[-1].close()
    for stream, answered in told.items():
        arrived, cut_off = arrivals(ingest, stream)
        assert set(answered) <= set(arrived)
        assert set((arrived + cut_off).values()) == {1}
        assert entered[stream] <= set(arrived) | set(cut_off)
        assert len(cut_off) <= 32
    assert ingest.repeated > 0  # shipments were sent again, and taken once


def abandon(shipper: Shipper) -> None:
    """What the kernel does for a shipper that is killed; no place is noted, nothing tidied up."""
    shipper._ingest.close()
    for one in shipper._tails.values():
        one.tail.close()


def arrivals(ingest: Ingest, stream: str) -> tuple[Counter[int], Counter[int]]:
    """How often each call of a stream arrived: ended, and interrupted."""
    ended, cut_off = Counter[int](), Counter[int]()
    for origin, item in ingest.items:
        if origin == stream:
            kind = cut_off if item.record.error == INTERRUPTED else ended
            kind[int.from_bytes(item.record.span_id, "big")] += 1
    return ended, cut_off


def step(shipper: Shipper) -> None:
    try:
        shipper.step()
    except IngestAway as fault:
        shipper.away(fault)


def test_the_shipper_process_ships_announces_itself_and_empties_the_spool_when_told_to_stop(
    tmp_path: Path, ingest: Ingest
):
    instance = Instance(tmp_path)
    ingest.token = instance.internal_token
    instance.announce("ingest", {"url": ingest.url})
    environ = {**os.environ, "STOCKPOT_HOME": str(tmp_path), "PYTHONPATH": str(REPO / "src")}
    argv = [sys.executable, "-m", "stockpot.worker", "ship"]
    shipper = subprocess.Popen(argv, env=environ)
    try:
        answered = Worker(instance.spool, "host-0-1").kill_after(300)
        deadline = time.monotonic() + 60
        while len(ingest.items) < len(answered):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shipper.send_signal(signal.SIGKILL)
        shipper.wait()
        shipper = subprocess.Popen(argv, env=environ)
        while any(instance.spool.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        more = Worker(instance.spool, "host-0-2").kill_after(300)
        shipper.terminate()
        assert shipper.wait(60) == 0
        facts = instance.announced("shipper")
    finally:
        shipper.kill()
        shipper.wait()
    assert facts is not None
    assert facts["state"] == "ok"
    assert facts["pid"] == shipper.pid
    for stream, answers in (("host-0-1", answered), ("host-0-2", more)):
        ended, _ = arrivals(ingest, stream)
        assert set(answers) <= set(ended)
        assert set(ended.values()) == {1}
