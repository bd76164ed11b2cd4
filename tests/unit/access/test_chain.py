"""The hash chain of the audit log."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import stockpot
from stockpot.access import chain
from stockpot.access.models import User


def log(length: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    previous = ""
    for number in range(1, length + 1):
        row: dict[str, Any] = dict.fromkeys(chain.CHAINED, "x")
        row |= {"number": number, "at_ms": 7, "detail": {"b": [1, 2.5], "a": "\u00e9"}}
        previous = row["hash"] = chain.link(previous, row)
        rows.append(row)
    return rows


def faults(rows: list[dict[str, Any]]) -> list[str]:
    return [fault for _, _, fault in chain.problems(rows) if fault]


def test_a_log_that_nobody_touched_holds() -> None:
    assert faults(log(20)) == []


@given(at=st.integers(0, 9), name=st.sampled_from(chain.CHAINED[1:]))
def test_whatever_is_altered_in_an_entry_is_seen(at: int, name: str) -> None:
    rows = log(10)
    rows[at][name] = {"other": 1} if name == "detail" else "y"
    assert faults(rows) == [f"entry {at + 1} ({rows[at]['id']}) or its hash was altered"]


@given(at=st.integers(0, 8))
def test_an_entry_that_was_taken_out_is_missed(at: int) -> None:
    rows = log(10)
    del rows[at]
    assert faults(rows)[0] == f"entry {at + 1} is missing: {at + 2} follows {at}"


@given(at=st.integers(0, 9))
def test_an_entry_with_a_hash_computed_anew_breaks_the_next(at: int) -> None:
    rows = log(11)
    rows[at]["actor"] = "eve"
    rows[at]["hash"] = chain.link(rows[at - 1]["hash"] if at else "", rows[at])
    assert faults(rows) == [f"entry {at + 2} (x) or its hash was altered"]


def test_a_record_and_its_digest() -> None:
    user = User(id="u", email="a@x.org", name="A", role="own", created_ms=1)
    assert chain.digest_of(None) == ""
    assert chain.digest_of(user) == chain.digest_of(user.model_dump())
    assert chain.digest_of(user) != chain.digest_of(user.model_copy(update={"role": "admin"}))


def test_the_migration_hashes_old_entries_as_the_log_does() -> None:
    path = Path(stockpot.__file__).parent / "migrations/versions/0002_access.py"
    spec = importlib.util.spec_from_file_location("migration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module._CHAINED == chain.CHAINED
