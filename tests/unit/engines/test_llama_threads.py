"""How many threads llama.cpp gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from stockpot.engines import llama


@pytest.mark.parametrize(
    ("cores", "quota", "expected"),
    [(1, "max 100000", 1), (2, "max 100000", 1), (8, "max 100000", 7), (64, "200000 100000", 1),
     (64, "450000 100000", 3), (4, "50000 100000", 1), (4, "nonsense", 3)],
)  # fmt: skip
def test_one_core_is_left_and_a_containers_share_counts(
    cores: int, quota: str, expected: int, tmp_path: Path
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert llama.threads(cores=cores, quota=file) == expected


def test_threads_are_never_as_many_as_the_cores_of_this_machine() -> None:
    import os

    assert 1 <= llama.threads() <= max(1, (os.cpu_count() or 1) - 1)
