"""The supervisor's arithmetic and files; its processes are in tests/integration/up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpot.core.supervise import Backoff, Logs

if TYPE_CHECKING:
    from pathlib import Path


def test_a_delay_doubles_within_its_jitter_and_never_exceeds_the_most() -> None:
    backoff = Backoff(first_s=0.2, most_s=30)
    for failures in range(40):
        longest = min(30, 0.2 * 2 ** min(failures, 16))
        assert all(longest / 2 <= backoff.delay(failures) <= longest for _ in range(20))


def test_delays_differ_so_that_crashing_processes_do_not_restart_in_step() -> None:
    assert len({Backoff().delay(4) for _ in range(10)}) > 1


def test_a_log_beyond_its_size_is_rotated_and_the_oldest_file_goes(tmp_path: Path) -> None:
    logs = Logs(tmp_path, max_bytes=10, keep=2)
    for generation in "abc":
        logs.path("x").write_text(generation * 11)
        logs.rotate("x")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "x.log": "", "x.log.1": "c" * 11, "x.log.2": "b" * 11,
    }  # fmt: skip


def test_a_log_within_its_size_is_left_alone(tmp_path: Path) -> None:
    logs = Logs(tmp_path, max_bytes=10)
    logs.path("x").write_text("0123456789")
    logs.rotate("x")
    assert [p.name for p in tmp_path.iterdir()] == ["x.log"]


def test_a_writer_that_appends_goes_on_in_the_emptied_log(tmp_path: Path) -> None:
    logs = Logs(tmp_path, max_bytes=3)
    with logs.path("x").open("ab", buffering=0) as writer:
        writer.write(b"before\n")
        logs.rotate("x")
        writer.write(b"after\n")
    assert logs.path("x").read_bytes() == b"after\n"


def test_the_tail_is_the_last_lines_and_empty_without_a_log(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    assert logs.tail("x") == []
    logs.path("x").write_text("".join(f"line {i}\n" for i in range(5000)))
    assert logs.tail("x", 2) == ["line 4998", "line 4999"]
