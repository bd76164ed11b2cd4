"""Whatever is killed whenever: what was acknowledged is there, once, with its payload."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from stockpot.traces import TraceFilter, open_span_log
from stockpot.traces.arrivals import batch_of
from stockpot.traces.models import Verification
from stockpot.traces.store.embedded import SqliteSpanStore
from stockpot.traces.store.sqlite import connect
from tests.integration.traces.processes import Ingest, python
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration

WRITER = """
import sys
from pathlib import Path
from stockpot.traces.arrivals import batch_of
from stockpot.traces.store.embedded import SqliteSpanStore
from tests.unit.traces.made import make_shipment, make_shipped

store = SqliteSpanStore(Path(sys.argv[1]))
number = int(sys.argv[2])
outcome = store.append([batch_of(make_shipment(begin=10**9))])[0]
begin = outcome.offset
while True:
    items = [make_shipped(number + n, said=(f"soup {number + n}", "yes")) for n in range(5)]
    outcome = store.append([batch_of(make_shipment(*items, begin=begin))])[0]
    begin = outcome.offset
    number += 5
    print(number, begin, flush=True)
"""


def killed_writer(folder: Path, number: int, rng: random.Random) -> tuple[int, int]:
    """Let a writer write from a number on and kill it: what it said last."""
    child = python(WRITER, folder, number)
    assert child.stdout is not None
    last = child.stdout.readline()
    kill = threading.Timer(rng.uniform(0, 0.06), child.kill)
    kill.start()
    for line in child.stdout:
        if line.endswith("\n"):
            last = line
    child.wait()
    child.stdout.close()
    said, offset = last.split()
    return int(said), int(offset)


@pytest.mark.parametrize("seed", range(2))
def test_a_writer_that_is_killed_again_and_again_loses_nothing(tmp_path: Path, seed: int) -> None:
    rng, number = random.Random(seed), 0
    for _ in range(5):
        said, offset = killed_writer(tmp_path, number, rng)
        store = SqliteSpanStore(tmp_path)
        store.append([])  # what a start repairs
        audit = store.audit()
        assert audit.problems == ()
        assert audit.missing_payloads == 0
        assert audit.spans == audit.payloads >= said
        assert audit.offsets["host-0-1", 1] >= offset
        searched, position = 0, 0
        while position is not None:
            page, position = store.spans(TraceFilter(q="soup"), after=position, limit=400)
            searched += len(page)
        assert searched == audit.spans
        number = audit.spans
        store.close()
    assert number > 0


DIES_BETWEEN_COMMITS = """
import os, signal, sys
from pathlib import Path
from stockpot.traces.arrivals import batch_of
from stockpot.traces.store import writer
from stockpot.traces.store.embedded import SqliteSpanStore
from tests.unit.traces.made import make_shipment, make_shipped

store = SqliteSpanStore(Path(sys.argv[1]))
store.append([batch_of(make_shipment(make_shipped(1, said=("leek", "yes"))))])
writer.Writer._insert = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store.append([batch_of(make_shipment(make_shipped(2, said=("pea", "yes")), begin=100))])
"""


def test_a_death_between_the_two_commits_is_repaired(tmp_path: Path) -> None:
    child = python(DIES_BETWEEN_COMMITS, tmp_path)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    (file,) = (tmp_path / "payloads").glob("*.db")
    with contextlib.closing(connect(file)) as ahead:
        assert ahead.execute("SELECT count(*) FROM payloads").fetchone() == (2,)
    store = SqliteSpanStore(tmp_path)
    again = make_shipment(make_shipped(2, said=("pea", "yes")), begin=100)
    assert store.append([batch_of(again)])[0].new == 1
    assert len(store.traces(TraceFilter(q="pea"), limit=5).items) == 1
    audit = store.audit()
    assert (audit.spans, audit.payloads, audit.problems) == (2, 2, ())
    store.close()


def test_an_ingest_that_is_killed_has_everything_it_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    reached, number = 0, 0
    for round_ in range(2):
        ingest = Ingest(tmp_path)
        kill = threading.Timer(0.15 + 0.1 * round_, ingest.child.kill)
        kill.start()
        while ingest.child.poll() is None:
            items = [make_shipped(number + n, said=(f"soup {number + n}", "yes")) for n in range(4)]
            try:
                answer = ingest.post(make_shipment(*items, begin=reached))
            except httpx.TransportError:
                time.sleep(0.01)
                continue
            assert answer.status_code in (200, 409)
            reached += 400
            acknowledged += range(number, number + 4)
            number += 4
        ingest.end(signal.SIGKILL)
    found = verified(Ingest(tmp_path))
    assert found.problems == ()
    assert found.lost == 0
    assert len(acknowledged) <= found.spans <= len(acknowledged) + 4
    assert found.payloads == found.spans


def verified(ingest: Ingest) -> Verification:
    """What the span log holds after an orderly end."""
    ingest.end()
    log = open_span_log(ingest.instance)
    try:
        return log.verify()
    finally:
        log.close()
