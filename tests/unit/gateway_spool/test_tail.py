"""Following a stream: every record reaches ingest once, whoever is killed when."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stockpot.core.locks import hold
from stockpot.gateway.models import Record, Shipment, Shipped, Start
from stockpot.gateway.spool import INTERRUPTED, Batch, Tail, segments
from stockpot.gateway.spool.frames import place_of, record_frame, start_frame
from stockpot.gateway.spool.segment import Segment
from tests.unit.gateway_spool.made import make_start, record_of

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where thousands of fsyncs cost nothing."""


class Ingest:
    """What ingest promises: a shipment is taken whole at the committed offset, or not at all."""

    def __init__(self) -> None:
        self.offsets: dict[int, int] = {}
        self.items: list[Shipped] = []

    def take(self, shipment: Shipment) -> int:
        if self.offsets.get(shipment.segment, 0) == shipment.begin:
            self.offsets[shipment.segment] = shipment.end
            self.items += shipment.items
        return self.offsets.get(shipment.segment, 0)


def write(segment: Segment, *entries: Start | Record, body: bytes = b"") -> None:
    for entry in entries:
        if isinstance(entry, Start):
            segment.append_ledger(start_frame(entry))
        elif body:
            place, length = place_of(segment.payload_end, body, None)
            segment.append_payload([body], length)
            segment.append_ledger(record_frame(entry, place))
        else:
            segment.append_ledger(record_frame(entry, None))


def ship_all(tail: Tail, ingest: Ingest, records: int = 3) -> None:
    while batch := tail.batch(records, 1 << 20):
        tail.acknowledge(batch, ingest.take(batch.shipment))


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    folder = tmp_path / "host-0-1"
    folder.mkdir()
    return folder


def test_records_arrive_in_order_with_their_bodies(stream, records):
    segment = Segment(stream, 1)
    sent = [records(status=number) for number in range(7)]
    for number, record in enumerate(sent):
        write(segment, record, body=bytes([number]) * 9)
    tail, ingest = Tail(stream), Ingest()
    ship_all(tail, ingest)
    assert [item.record for item in ingest.items] == sent
    assert [item.request for item in ingest.items] == [bytes([n]) * 9 for n in range(7)]
    assert tail.records == 7
    assert tail.backlog() == (0, 0)


def test_a_batch_is_bounded_in_records_and_bytes(stream, records):
    segment = Segment(stream, 1)
    for _ in range(10):
        write(segment, records(), body=b"x" * 1000)
    tail = Tail(stream)
    assert len(tail.batch(4, 1 << 20).shipment.items) == 4
    assert len(tail.batch(100, 3000).shipment.items) == 3
    assert len(tail.batch(100, 1).shipment.items) == 1  # one always goes, however large


def test_a_segment_stays_until_it_is_acknowledged_and_left(stream, records):
    first = Segment(stream, 1)
    write(first, records(), body=b"x")
    tail, ingest = Tail(stream), Ingest()
    ship_all(tail, ingest)
    assert segments(stream) == [1]  # its writer may still append
    second = Segment(stream, 2)
    write(second, records())
    assert tail.batch(1, 1) is not None
    assert segments(stream) == [2]
    assert not (stream / "000001.payload").exists()
    tail.write_note()
    assert Tail(stream).segment == 2


def test_a_record_whose_bodies_are_damaged_is_shipped_without_them_and_marked(stream, records):
    segment = Segment(stream, 1)
    write(segment, records(), body=b"good")
    write(segment, records(), body=b"bad!")
    payload = stream / "000001.payload"
    payload.write_bytes(payload.read_bytes().replace(b"bad", b"sad"))
    tail, ingest = Tail(stream), Ingest()
    ship_all(tail, ingest)
    assert [item.request for item in ingest.items] == [b"good", None]
    assert [item.record.payload for item in ingest.items] == [1, 3]
    assert tail.missing_bodies == 1


def test_a_call_that_its_workers_death_cut_off_is_recorded_as_interrupted(
    stream, starts, records, end_of
):
    segment = Segment(stream, 1)
    ended, cut_off = starts(), starts(estimated_cost_nano=77, price_id="p")
    write(segment, ended, cut_off, end_of(ended))
    segment.append_ledger(start_frame(starts())[:-5])  # torn by the kill
    tail, ingest = Tail(stream), Ingest()
    ship_all(tail, ingest)
    assert tail.take_over()
    ship_all(tail, ingest)
    assert not tail.finish()
    ship_all(tail, ingest)
    assert tail.finish()
    assert not stream.exists()
    record = ingest.items[-1].record
    assert (record.trace_id, record.span_id) == (cut_off.trace_id, cut_off.span_id)
    assert (record.error, record.is_root, record.usage_source) == (INTERRUPTED, True, "estimated")
    assert (record.cost_nano, record.price_id, record.input_tokens) == (77, "p", 12)
    assert record.duration_ns >= 0
    assert (tail.interrupted, tail.torn) == (1, 1)


def test_a_stream_whose_worker_lives_is_left_alone(stream):
    Segment(stream, 1)
    tail = Tail(stream)
    with hold(stream / "lock"):
        assert not tail.take_over()
    assert tail.take_over()


def test_a_start_outlives_its_segment_and_a_restart(stream, starts, records):
    first = Segment(stream, 1)
    cut_off = starts()
    write(first, cut_off, records())
    Segment(stream, 2)
    ingest = Ingest()
    tail = Tail(stream)
    ship_all(tail, ingest)
    assert segments(stream) == [2]
    tail = Tail(stream)  # the shipper was killed
    assert tail.take_over()
    ship_all(tail, ingest)
    assert not tail.finish()
    ship_all(tail, ingest)
    assert [item.record.error for item in ingest.items] == ["", INTERRUPTED]


def test_a_record_that_is_written_and_left_behind_while_the_end_is_read_still_arrives(
    stream, records, monkeypatch
):
    segment = Segment(stream, 1)
    write(segment, records(status=1))
    tail, ingest = Tail(stream), Ingest()
    ship_all(tail, ingest)
    read = Tail._read

    def read_then_rotate(self: Tail, most: int, size: int) -> Batch | None:
        found = read(self, most, size)
        if not (stream / "000002.ledger").exists():
            write(segment, records(status=2))
            Segment(stream, 2)
        return found

    monkeypatch.setattr(Tail, "_read", read_then_rotate)
    ship_all(tail, ingest)
    ship_all(tail, ingest)
    assert [item.record.status for item in ingest.items] == [1, 2]
    assert segments(stream) == [2]


def test_an_unreadable_note_costs_nothing_because_ingest_knows(stream, records):
    segment = Segment(stream, 1)
    write(segment, records(), records())
    tail, ingest = Tail(stream), Ingest()
    ship_all(tail, ingest)
    tail.write_note()
    (stream / "note").write_bytes(b"\xc1")
    write(segment, records())
    ship_all(Tail(stream), ingest, records=2)
    assert len(ingest.items) == 3


class Killed(BaseException):
    """What the code under test cannot catch."""


class Killing(RuleBasedStateMachine):
    """A worker, a shipper and ingest, each of which may be killed between any two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="stockpot-tail-", dir=MEMORY))
        self.folder = self.home / "host-0-1"
        self.folder.mkdir()
        self.lock = hold(self.folder / "lock")
        self.lock.__enter__()
        self.segment = Segment(self.folder, 1)
        self.ingest = Ingest()
        self.tail = Tail(self.folder)
        self.started: dict[bytes, Start] = {}
        self.finished: list[bytes] = []
        self.count = 0
        self.worker_lives = True
        self.gone = False

    @initialize()
    def ready(self) -> None:
        """So that even the shortest history has something to lose."""
        self.start_a_call()
        self.start_a_call()

    def _id(self) -> bytes:
        self.count += 1
        return self.count.to_bytes(8, "big")

    @precondition(lambda self: self.worker_lives)
    @rule()
    def start_a_call(self) -> None:
        start = make_start(span_id=self._id(), trace_id=bytes(16))
        self.started[start.span_id] = start
        write(self.segment, start)

    @precondition(lambda self: self.worker_lives and self.started)
    @rule(data=st.data(), body=st.binary(max_size=50))
    def end_a_call(self, data, body: bytes) -> None:
        span = data.draw(st.sampled_from(sorted(self.started)))
        write(self.segment, record_of(self.started.pop(span)), body=body)
        self.finished.append(span)

    @precondition(lambda self: self.worker_lives)
    @rule()
    def rotate(self) -> None:
        self.segment.close()
        self.segment = Segment(self.folder, self.segment.number + 1)

    @precondition(lambda self: self.worker_lives)
    @rule(torn=st.integers(0, 20))
    def kill_the_worker(self, torn: int) -> None:
        self.segment.append_ledger(start_frame(make_start())[:torn])
        self.segment.close()
        self.lock.__exit__(None, None, None)
        self.worker_lives = False

    @precondition(lambda self: not self.gone)
    @rule(answered=st.booleans(), most=st.integers(1, 5), steps=st.integers(0, 12))
    def ship(self, answered: bool, most: int, steps: int = 1000) -> None:
        with self.killed_after(steps):
            batch: Batch | None = self.tail.batch(most, 1000)
            if batch is not None:
                offset = self.ingest.take(batch.shipment)
                if answered:
                    self.tail.acknowledge(batch, offset)

    @rule()
    def keep_the_place(self) -> None:
        if not self.gone:
            self.tail.write_note()

    @precondition(lambda self: not self.gone)
    @rule()
    def kill_the_shipper(self) -> None:
        self.tail.close()
        self.tail = Tail(self.folder)

    @precondition(lambda self: not self.gone)
    @rule(steps=st.integers(0, 12))
    def look_after_the_worker(self, steps: int = 1000) -> None:
        with self.killed_after(steps):
            if self.tail.take_over() and self.tail.batch(1, 1) is None:
                self.gone = self.tail.finish()

    @contextlib.contextmanager
    def killed_after(self, steps: int) -> Iterator[None]:
        """Kill the shipper when it has changed so many files."""
        left = steps

        def dying(change: Callable[..., object]) -> Callable[..., object]:
            def step(*arguments: object, **options: object) -> object:
                nonlocal left
                if not left:
                    raise Killed
                left -= 1
                return change(*arguments, **options)

            return step

        with pytest.MonkeyPatch.context() as patch:
            for name in ("unlink", "replace", "rmdir"):
                patch.setattr(Path, name, dying(getattr(Path, name)))
            patch.setattr(os, "fsync", dying(os.fsync))
            try:
                yield
            except Killed:
                self.tail.close()
                if self.folder.exists():
                    self.tail = Tail(self.folder)
                else:
                    self.gone = True

    def teardown(self) -> None:
        if self.worker_lives:
            self.kill_the_worker(7)
        for _ in range(1000):
            if self.gone:
                break
            self.ship(True, 5)
            self.look_after_the_worker()
        kinds = {INTERRUPTED: Counter[bytes](), "": Counter[bytes]()}
        for item in self.ingest.items:
            kinds[item.record.error][item.record.span_id] += 1
        shutil.rmtree(self.home, ignore_errors=True)
        assert self.gone
        assert kinds[""] == Counter(self.finished)
        assert kinds[INTERRUPTED] == Counter(self.started.keys())


TestKilling = Killing.TestCase
TestKilling.settings = settings(stateful_step_count=40)
