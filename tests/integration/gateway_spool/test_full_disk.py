"""A disk that is full: the kernel refuses, clients get their answers, and no record is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stockpot.gateway.models import Record
from stockpot.gateway.spool import read_bodies, read_entries
from tests.integration.gateway_spool.conftest import REPO

pytestmark = pytest.mark.integration


def run(folder: Path, bound: int, calls: int) -> dict[str, object]:
    argv = [sys.executable, "-m", "tests.integration.gateway_spool.full_disk_worker"]
    done = subprocess.run(
        [*argv, str(folder), str(bound), str(calls)],
        cwd=REPO, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_payloads_go_first_then_records_wait_in_memory_and_all_are_written_in_the_end(
    tmp_path: Path,
):
    told = run(tmp_path, 12_000, 100)
    assert told["told"] == list(range(101))
    assert told["states"] == ["ok", "shedding", "full", "ok"]
    full, end = told["full"], told["end"]
    assert full["refused"] > 0
    assert full["held_bytes"] > 0
    assert (end["held_bytes"], end["lost"]) == (0, 0)
    assert end["written"] == 101
    stream = tmp_path / "host-0-1"
    records: list[Record] = []
    file = os.open(stream / "000001.payload", os.O_RDONLY)
    for _, entry, place in read_entries(stream / "000001.ledger"):
        assert isinstance(entry, Record)
        assert (entry.payload == 3) == (place is None)
        assert place is None or read_bodies(file, place) is not None
        records.append(entry)
    os.close(file)
    assert [record.status for record in records] == list(range(101))
    assert [record.payload for record in records[:40]] == [1] * 40  # 12,000 bytes of 300
    assert {record.payload for record in records[41:100]} == {3}
    assert records[-1].payload == 1
