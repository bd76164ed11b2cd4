"""Reconciling a real spool with the span log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stockpot.core.instance import Instance
from stockpot.gateway import Record, Shipment, Shipped, spool
from stockpot.traces import SpanLog, Verification, open_span_log
from stockpot.traces.cli import traces
from tests.unit.traces.made import make_record

pytestmark = pytest.mark.integration
STREAM = "host-0-1"


async def written(folder: Path, count: int) -> Path:
    """The folder of a stream with so many records, each with its payload, and its ledger."""
    stream = folder / STREAM
    opened = spool.Spool.open(
        folder, STREAM, loop=asyncio.get_running_loop(), fsync="never",
        payload_quota=1 << 30, ledger_quota=1 << 30, disk_reserve=0,
    )  # fmt: skip
    done = asyncio.Semaphore(0)
    for number in range(count):
        opened.finish(make_record(number, payload=1), b'{"a":1}', [b"{}"], done.release)
    for _ in range(count):
        await done.acquire()
    opened.close()
    return spool.ledger_path(stream, spool.segments(stream)[0])


def ship(log: SpanLog, ledger: Path, first: int, last: int, *, without: int = -1) -> None:
    """Ship some records of a ledger; one may be left out, as no shipper would."""
    entries = list(spool.read_entries(ledger))
    begin = entries[first - 1][0] if first else 0
    items = tuple(
        Shipped(entry, b'{"a":1}', b"{}")
        for number, (_, entry, _) in enumerate(entries[first:last], first)
        if number != without and isinstance(entry, Record)
    )
    log.ingest(Shipment(STREAM, int(ledger.stem), begin, entries[last - 1][0], items))


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


async def verified(log: SpanLog) -> Verification:
    found = await asyncio.to_thread(log.verify)
    log.close()
    return found


async def test_what_waits_is_not_lost(instance: Instance) -> None:
    ledger = await written(instance.spool, 10)
    log = open_span_log(instance)
    ship(log, ledger, 0, 6)
    found = await verified(log)
    assert (found.spans, found.spooled, found.lost, found.problems) == (6, 4, 0, ())
    assert found.payloads == 6


async def test_a_committed_record_without_its_span_is_lost(instance: Instance) -> None:
    ledger = await written(instance.spool, 10)
    log = open_span_log(instance)
    ship(log, ledger, 0, 10, without=3)
    found = await verified(log)
    assert (found.spans, found.spooled, found.lost) == (9, 0, 1)
    assert make_record(3).trace_id.hex() in found.problems[0]


async def test_a_torn_last_entry_is_counted_and_not_lost(instance: Instance) -> None:
    ledger = await written(instance.spool, 3)
    with ledger.open("ab") as file:
        file.write(ledger.read_bytes()[:40])
    found = await verified(open_span_log(instance))
    assert (found.torn_entries, found.spooled, found.lost) == (1, 3, 0)


async def test_a_damaged_ledger_is_a_problem(instance: Instance) -> None:
    ledger = await written(instance.spool, 5)
    data = bytearray(ledger.read_bytes())
    data[len(data) // 2] ^= 0xFF
    ledger.write_bytes(data)
    found = await verified(open_span_log(instance))
    assert found.spooled == 4
    assert any("damaged" in problem for problem in found.problems)


async def test_the_command_fails_when_something_was_lost(instance: Instance) -> None:
    from click.testing import CliRunner

    ledger = await written(instance.spool, 2)
    log = open_span_log(instance)
    ship(log, ledger, 0, 2, without=1)
    log.close()
    ran = CliRunner().invoke(traces, ["verify"], env={"STOCKPOT_HOME": str(instance.home)})
    assert ran.exit_code == 1
    assert "lost               1" in ran.output
