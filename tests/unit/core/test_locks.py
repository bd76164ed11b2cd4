"""Locks tell who holds them and are freed by the kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stockpot.core.locks import Held, hold, holder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_taker_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    with hold(tmp_path / "l"), pytest.raises(Held) as refused, hold(tmp_path / "l"):
        pass
    assert refused.value.pid == os.getpid()


def test_a_lock_is_free_before_its_file_exists_and_after_its_holder_left(tmp_path: Path) -> None:
    assert holder(tmp_path / "l") is None
    with hold(tmp_path / "l"):
        assert holder(tmp_path / "l") == os.getpid()
    assert holder(tmp_path / "l") is None


def test_a_child_that_inherits_the_descriptor_holds_the_lock_on(tmp_path: Path) -> None:
    with hold(tmp_path / "l") as fd:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[fd]
        )
    try:
        assert holder(tmp_path / "l") is not None
    finally:
        child.communicate(b"\n")
    assert holder(tmp_path / "l") is None


def test_an_unreadable_pid_is_zero(tmp_path: Path) -> None:
    with hold(tmp_path / "l"):
        (tmp_path / "l").write_text("?")
        assert holder(tmp_path / "l") == 0
