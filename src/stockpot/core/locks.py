"""One holder at a time, per file, for as long as a process lives. Knows nothing of what is guarded.

A lock is a BSD `flock`: the kernel frees it when its last holder is gone, whatever killed it, and a
child process that inherits the descriptor holds it too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PROBE_S = 0.2  # `holder` takes the lock for an instant; a taker waits that out


class Held(Exception):
    """Another process holds the lock; `pid` is what it wrote into the file (0: unreadable)."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is held by process {pid}")
        self.pid = pid


@contextlib.contextmanager
def hold(path: Path) -> Iterator[int]:
    """Hold the lock and say so in its file; gives the descriptor. Raises Held."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _PROBE_S
        while not _take(fd):
            if time.monotonic() > deadline:
                raise Held(path, _written(path))
            time.sleep(0.01)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield fd
    finally:
        os.close(fd)


def holder(path: Path) -> int | None:
    """The process id that holds the lock, 0 when it cannot be told, None when the lock is free."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return None if _take(fd) else _written(path)
    finally:
        os.close(fd)


def _take(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written(path: Path) -> int:
    try:
        return int(path.read_text("ascii"))
    except (ValueError, OSError):
        return 0
