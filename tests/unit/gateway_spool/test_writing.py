"""The writer: order, promises, rotation, and what it does when there is no room."""

from __future__ import annotations

import asyncio
import errno
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stockpot.core.errors import Conflict
from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool import ledger_path, read_bodies, read_entries, segments
from stockpot.gateway.spool.segment import Segment


def read_back(
    stream: Path,
) -> list[tuple[Start | Record, tuple[bytes | None, bytes | None] | None]]:
    found: list[Any] = []
    for number in segments(stream):
        ledger = ledger_path(stream, number)
        file = os.open(ledger.with_suffix(".payload"), os.O_RDONLY)
        for _, entry, place in read_entries(ledger):
            found.append((entry, read_bodies(file, place) if place else None))
        os.close(file)
    return found


async def turn() -> None:
    """Let the loop run what was scheduled, and what that schedules."""
    for _ in range(3):
        await asyncio.sleep(0)


async def settled(collected: list[Any], count: int) -> None:
    async with asyncio.timeout(60):
        while len(collected) < count:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("fsync", ["never", "group"])
async def test_what_is_finished_can_be_read_back_when_its_callback_runs(
    fsync, spools, starts, end_of, tmp_path, collected
):
    spool = spools(fsync=fsync)
    start = starts()
    spool.start(start)
    record = end_of(start, status=201)
    seen: list[Any] = []
    spool.finish(
        record, b"ask", [b"ans", b"wer"], lambda: seen.extend(read_back(tmp_path / "host-0-1"))
    )
    await settled(seen, 2)
    assert seen == [(start, None), (record, (b"ask", b"answer"))]


async def test_nothing_waits_longer_than_the_turn_of_the_loop(spools, starts, records, tmp_path):
    spool = spools()
    spool.start(starts())
    spool.finish(records(), b"a", None, lambda: None)
    assert read_back(tmp_path / "host-0-1") == []
    await turn()
    assert len(read_back(tmp_path / "host-0-1")) == 2
    assert spool.counters["flushes"] == 1


@pytest.mark.parametrize("fsync", ["never", "group"])
async def test_callbacks_run_in_order_and_a_failing_one_stops_no_other(
    fsync, spools, records, collected
):
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    spool = spools(fsync=fsync)
    for number in range(50):
        spool.finish(records(), None, None, partial(collected.append, number))
        if number == 20:
            spool.finish(records(), None, None, lambda: 1 / 0)
        if number % 7 == 0:
            await asyncio.sleep(0)
    await settled(collected, 50)
    assert collected == list(range(50))
    assert isinstance(faults[0]["exception"], ZeroDivisionError)
    assert spool.counters["written"] == 51


async def test_bodies_that_are_absent_or_empty_stay_so(spools, records, tmp_path):
    spool = spools()
    for request, response in ((None, None), (b"", None), (None, [b""]), (b"", []), (b"x", [b"y"])):
        spool.finish(records(), request, response, lambda: None)
    await turn()
    bodies = [found for _, found in read_back(tmp_path / "host-0-1")]
    assert bodies == [None, (b"", None), (None, b""), (b"", b""), (b"x", b"y")]


async def test_a_burst_of_more_buffers_than_one_writev_takes_arrives_whole(
    spools, records, tmp_path
):
    spool = spools()
    chunks = [bytes([number % 256]) * 10 for number in range(3000)]
    spool.finish(records(), b"ask", chunks, lambda: None)
    spool.finish(records(), b"next", [b"one"], lambda: None)
    await turn()
    bodies = [found for _, found in read_back(tmp_path / "host-0-1")]
    assert bodies == [(b"ask", b"".join(chunks)), (b"next", b"one")]


async def test_a_full_segment_is_followed_by_the_next(spools, records, tmp_path):
    spool = spools(segment_bytes=4096)
    for number in range(20):
        spool.finish(records(status=number), b"q" * 1000, [b"a" * 500], lambda: None)
        await turn()
    stream = tmp_path / "host-0-1"
    assert segments(stream) == [1, 2, 3, 4, 5, 6, 7]
    found = read_back(stream)
    assert [entry.status for entry, _ in found] == list(range(20))
    assert all(bodies == (b"q" * 1000, b"a" * 500) for _, bodies in found)


@pytest.mark.parametrize("fsync", ["never", "group"])
async def test_closing_writes_what_is_left_and_runs_its_callbacks(
    fsync, spools, records, tmp_path, collected
):
    spool = spools(fsync=fsync)
    for number in range(10):
        spool.finish(records(), b"x", None, partial(collected.append, number))
        if number == 4:
            await asyncio.sleep(0)  # a batch is under way
    spool.close()
    assert sorted(collected) == list(range(10))
    assert len(read_back(tmp_path / "host-0-1")) == 10
    await turn()
    assert len(collected) == 10
    with pytest.raises(RuntimeError, match="closed"):
        spool.finish(records(), None, None, lambda: None)


@pytest.mark.parametrize("fsync", ["never", "group"])
async def test_a_callback_may_finish_another_record_even_while_the_spool_closes(
    fsync, spools, records, tmp_path, collected
):
    spool = spools(fsync=fsync)

    def again() -> None:
        collected.append("first")
        spool.finish(records(), None, None, partial(collected.append, "second"))

    spool.finish(records(), None, None, again)
    spool.close()
    assert collected == ["first", "second"]
    assert len(read_back(tmp_path / "host-0-1")) == 2


@pytest.mark.parametrize("fsync", ["never", "group"])
async def test_a_fault_of_the_program_is_counted_and_leaves_no_client_waiting(
    fsync, spools, records, collected, caplog
):
    spool = spools(fsync=fsync)
    spool.finish(records(), "no bytes", None, partial(collected.append, 1))
    await settled(collected, 1)
    assert spool.counters["lost"] == 1
    assert "cannot be written" in caplog.text
    spool.finish(records(), b"bytes", None, partial(collected.append, 2))
    await settled(collected, 2)
    assert spool.counters["written"] == 1


async def test_two_workers_may_not_share_a_stream(spools):
    spools("host-0-1")
    with pytest.raises(Conflict, match="host-0-1"):
        spools("host-0-1")


async def test_what_messagepack_cannot_hold_is_cut_down_and_not_lost(spools, records, tmp_path):
    spool = spools()
    spool.finish(
        records(user="half a \ud800 pair", input_tokens=1 << 70, tags=("t" * 2_000_000,)),
        None,
        None,
        lambda: None,
    )
    await turn()
    ((entry, _),) = read_back(tmp_path / "host-0-1")
    assert entry.user == "half a ? pair"
    assert entry.input_tokens == (1 << 63) - 1
    assert len(entry.tags[0]) == 4096
    assert spool.counters["lost"] == 0


# --- no room ------------------------------------------------------------------------------------


async def test_payloads_are_given_up_first_and_marked(spools, records, tmp_path):
    spool = spools(payload_quota=3000)
    for _ in range(6):
        spool.finish(records(), b"q" * 1000, [b"a"], lambda: None)
        await turn()
    assert spool.state == "shedding"
    found = read_back(tmp_path / "host-0-1")
    assert [entry.payload for entry, _ in found] == [1, 1, 1, 3, 3, 3]
    assert [bodies is None for _, bodies in found] == [False] * 3 + [True] * 3
    assert spool.counters["shed_payloads"] == 3


async def test_a_ledger_over_its_quota_is_full_but_records_of_admitted_calls_still_go_in(
    spools, records, tmp_path
):
    spool = spools(ledger_quota=20_000)
    while spool.state != "full":
        spool.finish(records(), None, None, lambda: None)
        await turn()
    written = spool.counters["written"]
    spool.finish(records(), None, None, lambda: None)
    await turn()
    assert spool.counters["written"] == written + 1
    assert spool.counters["refused"] == 0


async def test_beyond_its_quota_and_an_eighth_the_ledger_takes_no_more_until_there_is_room(
    spools, records, tmp_path, collected
):
    spool = spools(ledger_quota=8000)
    for number in range(60):
        spool.finish(records(status=number), None, None, partial(collected.append, number))
        await turn()
    assert collected == list(range(60))  # every client got its answer
    assert spool.state == "full"
    assert spool.counters["refused"] > 0
    assert spool.counters["ledger_bytes"] <= 9000
    spool._room.ledger_quota = 1 << 30  # as if the shipper had made room
    spool._room.ceiling = 1 << 30
    spool.finish(records(status=60), None, None, lambda: None)
    await turn()
    assert [entry.status for entry, _ in read_back(tmp_path / "host-0-1")] == list(range(61))
    assert spool.counters["held_bytes"] == spool.counters["lost"] == 0
    assert spool.state == "ok"


async def test_a_disk_that_refuses_the_ledger_loses_no_record(
    spools, records, tmp_path, collected, monkeypatch
):
    spool = spools()
    healthy = Segment.append_ledger
    taken = iter([10, 0, 300])

    def short(self: Segment, data: bytes) -> int:
        room = next(taken)
        if not room:
            raise OSError(errno.ENOSPC, "no space left on device")
        return healthy(self, data[:room])

    monkeypatch.setattr(Segment, "append_ledger", short)
    for number in range(3):
        spool.finish(records(status=number), b"body", None, partial(collected.append, number))
        await turn()
        assert spool.state == "full"
    monkeypatch.setattr(Segment, "append_ledger", healthy)
    spool.finish(records(status=3), b"body", None, partial(collected.append, 3))
    await turn()
    found = read_back(tmp_path / "host-0-1")
    assert [entry.status for entry, _ in found] == [0, 1, 2, 3]
    assert collected == [0, 1, 2, 3]
    assert spool.state == "ok"
    assert spool.counters["refused"] == 3
    assert spool.counters["torn"] == 2
    assert spool.counters["written"] == 4


async def test_without_any_further_call_a_record_that_waits_is_written_within_seconds(
    spools, records, tmp_path, monkeypatch
):
    spool = spools()
    healthy = Segment.append_ledger

    def refuse(self: Segment, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Segment, "append_ledger", refuse)
    spool.finish(records(), None, None, lambda: None)
    await turn()
    assert spool.state == "full"
    monkeypatch.setattr(Segment, "append_ledger", healthy)
    async with asyncio.timeout(60):
        while spool.state != "ok":
            await asyncio.sleep(0.05)
    assert len(read_back(tmp_path / "host-0-1")) == 1


async def test_what_waits_in_memory_is_bounded_and_what_is_beyond_is_counted_as_lost(
    spools, records, monkeypatch
):
    def refuse(self: Segment, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Segment, "append_ledger", refuse)
    monkeypatch.setattr("stockpot.gateway.spool.writer._HELD_MAX", 3000)
    spool = spools()
    for _ in range(30):
        spool.finish(records(), None, None, lambda: None)
        await turn()
    assert spool.counters["held_bytes"] <= 3000
    assert spool.counters["lost"] > 0
    kept = spool._held_records
    assert spool.counters["lost"] + kept == spool.counters["refused"] == 30


async def test_a_disk_that_refuses_bodies_keeps_the_records(
    spools, records, tmp_path, monkeypatch, collected
):
    spool = spools()
    spool.finish(records(), b"kept", None, lambda: None)
    await turn()
    writes = os.writev

    def half(file: int, buffers: list[bytes]) -> int:
        writes(file, [b"".join(buffers)[:5]])
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "writev", half)
    spool.finish(records(), b"given up", None, partial(collected.append, 1))
    await turn()
    monkeypatch.undo()
    assert spool.state == "shedding"
    spool._room.failed_payload = False
    spool._judge()
    spool.finish(records(), b"kept again", None, lambda: None)
    await turn()
    found = read_back(tmp_path / "host-0-1")
    assert [bodies for _, bodies in found] == [(b"kept", None), None, (b"kept again", None)]
    assert [entry.payload for entry, _ in found] == [1, 3, 1]
    assert collected == [1]
