"""The two files of the segment that is being written. Knows bytes and the disk; knows no record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from stockpot.gateway.spool.format import LEDGER, PAYLOAD, segment_name

_IOV_MAX = min(1024, os.sysconf("SC_IOV_MAX"))
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
# macOS has no fdatasync; its fsync stops at the drive's cache, like fdatasync on some drives.
_sync = getattr(os, "fdatasync", os.fsync)


class Segment:
    """Files that only grow. `payload_end` is where the next body goes, `size` the larger file."""

    __slots__ = ("_ledger", "_payload", "folder", "ledger_end", "number", "payload_end")

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.number = number
        self.ledger_end = self.payload_end = 0
        name = str(folder / segment_name(number))
        self._payload = os.open(name + PAYLOAD, _FLAGS, 0o600)
        try:
            # The ledger comes last: that it exists tells the shipper that the previous one is left.
            self._ledger = os.open(name + LEDGER, _FLAGS, 0o600)
        except OSError:
            os.close(self._payload)
            os.unlink(name + PAYLOAD)
            raise

    @property
    def size(self) -> int:
        return max(self.ledger_end, self.payload_end)

    def append_payload(self, bodies: Sequence[bytes], total: int) -> None:
        """All of the bodies or, with an OSError, none."""
        try:
            for first in range(0, len(bodies), _IOV_MAX):
                _writev_all(self._payload, bodies[first : first + _IOV_MAX])
        except OSError:
            os.ftruncate(self._payload, self.payload_end)
            os.lseek(self._payload, self.payload_end, os.SEEK_SET)
            raise
        self.payload_end += total

    def append_ledger(self, data: bytes) -> int:
        """Bytes taken, fewer than all when the disk is short of room; OSError when none were."""
        taken = os.write(self._ledger, data)
        self.ledger_end += taken
        return taken

    def sync(self, *, payload: bool) -> None:
        """Wait until what was written is on the disk, bodies first."""
        if payload:
            _sync(self._payload)
        _sync(self._ledger)

    def close(self) -> None:
        os.close(self._payload)
        os.close(self._ledger)


def sync_folder(folder: Path) -> None:
    """Make names created in a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _writev_all(file: int, buffers: Sequence[bytes]) -> None:
    left = sum(map(len, buffers)) - os.writev(file, buffers)
    if not left:
        return
    # Rare enough (a disk nearly full, a signal, 2 GiB at once) that one copy does not matter.
    rest = memoryview(b"".join(buffers))[-left:]
    while rest:
        rest = rest[os.write(file, rest) :]
