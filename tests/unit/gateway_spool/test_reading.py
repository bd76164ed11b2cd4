"""The reader: whole entries only, whatever is torn or damaged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool import read_entries
from stockpot.gateway.spool.format import FRAME, MAGIC_BYTES
from stockpot.gateway.spool.frames import place_of, record_frame, start_frame


def frames_of(entries: list[Start | Record]) -> list[bytes]:
    place, _ = place_of(0, b"ask", [b"answer"])
    return [
        start_frame(entry) if isinstance(entry, Start) else record_frame(entry, place)
        for entry in entries
    ]


@pytest.fixture
def entries(starts, end_of) -> list[Start | Record]:
    start = starts()
    return [start, end_of(start), starts(), end_of(start, status=500)]


def test_a_ledger_cut_at_any_byte_gives_exactly_its_whole_entries(entries, tmp_path: Path):
    frames = frames_of(entries)
    ends = [sum(map(len, frames[: n + 1])) for n in range(len(frames))]
    data = b"".join(frames)
    ledger = tmp_path / "000001.ledger"
    for cut in range(len(data) + 1):
        ledger.write_bytes(data[:cut])
        found = list(read_entries(ledger))
        whole = sum(end <= cut for end in ends)
        assert [entry for _, entry, _ in found] == entries[:whole]
        assert [end for end, _, _ in found] == ends[:whole]


def test_reading_goes_on_from_any_offset_that_it_gave(entries, tmp_path: Path):
    ledger = tmp_path / "000001.ledger"
    ledger.write_bytes(b"".join(frames_of(entries)))
    offsets = [0, *(end for end, _, _ in read_entries(ledger))]
    for skipped, offset in enumerate(offsets):
        assert [entry for _, entry, _ in read_entries(ledger, offset)] == entries[skipped:]


def test_a_ledger_longer_than_a_chunk_is_read_through(records, tmp_path: Path):
    ledger = tmp_path / "000001.ledger"
    many = [records(status=number) for number in range(3000)]
    ledger.write_bytes(b"".join(record_frame(record, None) for record in many))
    assert [entry for _, entry, _ in read_entries(ledger)] == many


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_one_damaged_byte_costs_one_entry_and_is_reported(entries, tmp_path, position, flip):
    frames = frames_of(entries)
    data = bytearray(b"".join(frames))
    at = int(position * len(data))
    data[at] ^= flip
    hit = next(n for n in range(4) if at < sum(map(len, frames[: n + 1])))
    ledger = tmp_path / "000001.ledger"
    ledger.write_bytes(data)
    skipped: list[tuple[int, int]] = []
    found = [entry for _, entry, _ in read_entries(ledger, 0, lambda *span: skipped.append(span))]
    if len(found) == 3:
        assert found == entries[:hit] + entries[hit + 1 :]
        begin = sum(map(len, frames[:hit]))
        assert hit == 3 or skipped == [(begin, begin + len(frames[hit]))]
    else:  # its length was hit and reaches past the end: the rest is not there yet, or torn
        assert found == entries[:hit]
        assert FRAME.size > at - sum(map(len, frames[:hit])) >= 4


def test_a_torn_entry_is_not_searched_for_entries_inside_it(records, tmp_path: Path):
    forged = record_frame(records(error="forged"), None).decode("latin-1")
    whole = record_frame(records(user=forged[:4000]), None)
    assert MAGIC_BYTES in whole[1:]
    ledger = tmp_path / "000001.ledger"
    for cut in range(1, len(whole)):
        ledger.write_bytes(whole[:cut])
        assert list(read_entries(ledger)) == []


@given(st.binary(max_size=3000), st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_at_all_make_the_reader_fail(tmp_path, noise: bytes, chance: random.Random):
    pieces = [noise, MAGIC_BYTES + noise, FRAME.pack(0x5053, 1, 2, len(noise), 0) + noise]
    ledger = tmp_path / "000001.ledger"
    ledger.write_bytes(b"".join(chance.sample(pieces, 3)))
    for offset in (0, len(noise) // 2):
        for end, entry, _ in read_entries(ledger, offset):
            assert isinstance(entry, Start | Record)
            assert end <= ledger.stat().st_size
