"""Room on the disk: what is given up when, and taken up again when."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway.spool.room import Room, Survey, survey

PLENTY = 1 << 50


def state_after(room: Room, payload: int = 0, ledger: int = 0, free: int = PLENTY) -> str:
    room.take(Survey(payload, ledger, free))
    return room.judge()


def test_payloads_are_shed_at_their_quota_and_kept_again_when_a_tenth_is_free():
    room = Room(1000, 1000, 0)
    assert state_after(room, payload=999) == "ok"
    assert state_after(room, payload=1000) == "shedding"
    assert state_after(room, payload=901) == "shedding"
    assert state_after(room, payload=900) == "ok"


def test_without_any_room_for_payloads_none_is_kept_however_often_one_looks():
    room = Room(0, 1000, 0)
    assert [state_after(room) for _ in range(3)] == ["shedding"] * 3


def test_the_ledger_is_full_at_its_quota_and_open_again_when_a_tenth_is_free():
    room = Room(1000, 1000, 0)
    assert state_after(room, ledger=1000) == "full"
    assert state_after(room, ledger=901) == "full"
    assert state_after(room, ledger=900) == "ok"


def test_a_disk_that_fills_up_costs_payloads_first_then_the_ledger():
    room = Room(PLENTY, PLENTY, 800)
    assert state_after(room, free=800) == "ok"
    assert state_after(room, free=799) == "shedding"
    assert state_after(room, free=99) == "full"
    assert state_after(room, free=109) == "full"
    assert state_after(room, free=110) == "shedding"
    assert state_after(room, free=879) == "shedding"
    assert state_after(room, free=880) == "ok"


def test_what_is_written_between_two_surveys_counts_at_once():
    room = Room(1000, 1000, 0)
    room.take(Survey(0, 0, PLENTY))
    room.wrote(1000, 10)
    assert room.judge() == "shedding"
    room.wrote(0, 990)
    assert room.judge() == "full"


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))))
def test_whatever_happens_the_state_is_ok_again_when_the_spool_is_empty(history):
    room = Room(1000, 1000, 800)
    for payload, ledger, free in history:
        state = state_after(room, payload, ledger, free)
        assert ledger < 1000 or state == "full"
        assert payload < 1000 or state != "ok"
    assert state_after(room) == "ok"


def test_a_survey_adds_up_all_streams_and_nothing_else(tmp_path: Path):
    for stream in ("a", "b"):
        (tmp_path / stream).mkdir()
        (tmp_path / stream / "000001.ledger").write_bytes(b"x" * 10)
        (tmp_path / stream / "000001.payload").write_bytes(b"x" * 100)
        (tmp_path / stream / "note").write_bytes(b"x" * 1000)
    (tmp_path / "stray").write_bytes(b"x")
    found = survey(tmp_path)
    assert (found.payload, found.ledger) == (200, 20)
    assert found.free > 0
