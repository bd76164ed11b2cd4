"""The shipper against a real HTTP ingest that is away, slow, elsewhere, or refuses."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

from stockpot.core.instance import Instance
from stockpot.gateway.models import Shipment
from stockpot.gateway.ship import Gauge, IngestAway, Shipper, ship
from stockpot.gateway.ship import Ingest as IngestLink
from stockpot.gateway.spool import Spool, segments
from tests.integration.gateway_spool.conftest import TOKEN, Ingest
from tests.unit.gateway_spool.made import make_record

pytestmark = pytest.mark.integration


def spool_in(folder: Path, **options: object) -> Spool:
    options = {
        "fsync": "never", "payload_quota": 1 << 30, "ledger_quota": 1 << 30,
        "disk_reserve": 0, "loop": asyncio.get_running_loop(), **options,
    }  # fmt: skip
    return Spool.open(folder, "host-0-1", **options)  # type: ignore[arg-type]


async def write(spool: Spool, count: int, request: bytes = b"ask") -> None:
    written = spool.counters["written"]
    for number in range(count):
        spool.finish(make_record(status=number), request, [b"answer"], lambda: None)
        if number % 10 == 9:
            await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while spool.counters["written"] < written + count:
            await asyncio.sleep(0.001)


def shipper_of(folder: Path, ingest: Ingest) -> Shipper:
    return Shipper(folder, IngestLink(lambda: ingest.url, TOKEN), look_s=0.0)


def ship_until_idle(shipper: Shipper) -> int:
    total = 0
    while shipped := shipper.step():
        total += shipped
    return total


async def test_a_living_stream_is_shipped_and_its_left_segments_are_deleted(tmp_path, ingest):
    spool = spool_in(tmp_path, segment_bytes=4000)
    shipper = shipper_of(tmp_path, ingest)
    for _ in range(10):
        await write(spool, 50, b"q" * 100)
        ship_until_idle(shipper)
    assert len(ingest.items) == 500
    assert all(item.response == b"answer" for _, item in ingest.items)
    assert segments(tmp_path / "host-0-1") == [spool._segment.number]
    assert shipper.figures()["backlog_bytes"] == 0
    spool.close()
    ship_until_idle(shipper)
    shipper.step()
    assert list(tmp_path.iterdir()) == []
    shipper.close()


async def test_a_shipment_is_bounded_and_a_record_larger_than_the_bound_still_goes(
    tmp_path, ingest
):
    sizes: list[tuple[int, int]] = []
    ingest.status_of = lambda shipment: sizes.append(measure(shipment)) or 200
    spool = spool_in(tmp_path)
    await write(spool, 1200, b"q")
    await write(spool, 3, b"q" * (5 << 20))
    shipper = shipper_of(tmp_path, ingest)
    assert ship_until_idle(shipper) == 1203
    assert max(count for count, _ in sizes) == 500
    assert all(count == 1 or size <= 10 << 20 for count, size in sizes)
    spool.close()
    shipper.close()


def measure(shipment: Shipment) -> tuple[int, int]:
    return len(shipment.items), sum(len(item.request or b"") for item in shipment.items)


async def test_while_ingest_is_away_records_wait_and_go_out_when_it_is_back_elsewhere(tmp_path):
    instance = Instance(tmp_path)
    spool = spool_in(instance.spool)

    def address() -> str | None:
        facts = instance.announced("ingest")
        return str(facts["url"]) if facts else None

    shipper = Shipper(instance.spool, IngestLink(address, TOKEN))
    gauge = Gauge(instance, shipper)
    stop = threading.Event()
    shipping = threading.Thread(target=ship, args=(shipper, stop.is_set, gauge.show))
    shipping.start()
    try:
        await write(spool, 100)
        await until(lambda: shipper.fault != "")
        gauge.show(now=True)
        facts = json.loads((instance.run / "shipper.json").read_bytes())
        assert facts["state"] == "waiting"
        assert "announced" in facts["fault"]
        assert facts["backlog_bytes"] > 100 * 9
        assert facts["backlog_records"] == 100
        first = Ingest()
        instance.announce("ingest", {"url": first.url})
        await until(lambda: len(first.items) == 100)
        first.stop()
        await write(spool, 50)
        second = Ingest()
        second.offsets = first.offsets
        instance.announce("ingest", {"url": second.url})
        await until(lambda: len(second.items) == 50)
        second.stop()
        assert shipper.fault == "" or "does not answer" in shipper.fault
    finally:
        stop.set()
        shipping.join()
        spool.close()
        shipper.close()


async def until(true) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_wrong_token_is_a_fault_and_deletes_nothing(tmp_path, ingest):
    ingest.token = "another"
    spool = spool_in(tmp_path)
    await write(spool, 5)
    shipper = shipper_of(tmp_path, ingest)
    with pytest.raises(IngestAway, match="401"):
        shipper.step()
    ingest.token = TOKEN
    assert ship_until_idle(shipper) == 5
    spool.close()
    shipper.close()


async def test_every_fault_of_the_way_leads_to_each_record_once(tmp_path, ingest):
    ingest.faults = ["refuse", "forget", "hang_up"]
    spool = spool_in(tmp_path, segment_bytes=2000)
    shipper = shipper_of(tmp_path, ingest)
    for _ in range(40):
        await write(spool, 10)
        try:
            shipper.step()
        except IngestAway:
            continue
    spool.close()
    deadline = time.monotonic() + 60
    while any(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        try:
            shipper.step()
        except IngestAway:
            continue
    spans = [item.record.span_id for _, item in ingest.items]
    assert len(spans) == len(set(spans)) == 400
    assert ingest.repeated > 0
    shipper.close()


async def test_a_record_that_ingest_cannot_take_stops_its_stream_alone_and_is_not_deleted(
    tmp_path, ingest, monkeypatch
):
    monkeypatch.setattr("stockpot.gateway.ship._LONGEST_WAIT_S", 0.01)

    def status(shipment: Shipment) -> int:
        return 422 if any(item.record.status == 7 for item in shipment.items) else 200

    ingest.status_of = status
    bad = spool_in(tmp_path)
    good = Spool.open(
        tmp_path, "host-1-1", fsync="never", payload_quota=1 << 30, ledger_quota=1 << 30,
        disk_reserve=0, loop=asyncio.get_running_loop(),
    )  # fmt: skip
    await write(bad, 20)
    await write(good, 6)
    shipper = shipper_of(tmp_path, ingest)
    for _ in range(20):
        shipper.step()
        time.sleep(0.011)
    arrived = [(stream, item.record.status) for stream, item in ingest.items]
    assert [s for stream, s in arrived if stream == "host-0-1"] == list(range(7))
    assert [s for stream, s in arrived if stream == "host-1-1"] == list(range(6))
    assert "422" in shipper.fault
    ingest.status_of = lambda _: 200  # ingest was mended
    deadline = time.monotonic() + 60
    while len(ingest.items) < 26:
        assert time.monotonic() < deadline
        shipper.step()
    assert shipper.step() == 0
    assert shipper.fault == ""
    for spool in (bad, good):
        spool.close()
    shipper.close()


async def test_an_ingest_that_lost_its_memory_is_told_again(tmp_path, ingest):
    spool = spool_in(tmp_path)
    await write(spool, 10)
    shipper = shipper_of(tmp_path, ingest)
    assert ship_until_idle(shipper) == 10
    ingest.offsets.clear()  # restored from a backup
    ingest.items.clear()
    await write(spool, 1)
    ship_until_idle(shipper)
    assert len(ingest.items) == 11
    spool.close()
    shipper.close()


async def test_a_spool_that_was_full_takes_records_again_once_the_shipper_made_room(
    tmp_path, ingest
):
    spool = spool_in(tmp_path, segment_bytes=8000, ledger_quota=40_000, payload_quota=20_000)
    states = set()
    sent = 0
    while spool.state != "full":
        await write(spool, 10, b"q" * 500)
        states.add(spool.state)
        sent += 10
    assert "shedding" in states
    shipper = shipper_of(tmp_path, ingest)
    ship_until_idle(shipper)
    await until(lambda: spool.state == "ok")
    await write(spool, 10)
    ship_until_idle(shipper)
    assert len(ingest.items) == sent + 10
    kept = [item.record.payload for _, item in ingest.items]
    assert kept.count(3) == spool.counters["shed_payloads"] > 0
    assert ingest.items[-1][1].request == b"ask"
    spool.close()
    shipper.close()


def test_a_draft_of_a_worker_that_died_at_once_is_removed_and_a_young_one_is_not(
    tmp_path, ingest, monkeypatch
):
    draft = tmp_path / ".new-host-0-9"
    draft.mkdir()
    (draft / "lock").touch()
    shipper = shipper_of(tmp_path, ingest)
    shipper.step()
    assert draft.exists()
    monkeypatch.setattr("stockpot.gateway.ship._ABANDONED_S", -1.0)
    shipper.step()
    assert not draft.exists()
    shipper.close()
