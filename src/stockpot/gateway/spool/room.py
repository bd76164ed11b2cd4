"""How much room a spool may still take: quotas, free disk, and the state that follows.

Knows sizes; writes nothing. Payloads are given up first, then the ledger is full. A state is left
only when a tenth of the quota (or of the reserve) is free again, so that it does not flutter.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple

from stockpot.gateway.spool.format import LEDGER, PAYLOAD

SpoolState = Literal["ok", "shedding", "full"]


class Survey(NamedTuple):
    """Bytes of all streams in the spool folder, and of the disk that are free to this user."""

    payload: int
    ledger: int
    free: int


def survey(folder: Path) -> Survey:
    """Measure the spool folder. Streams may come and go meanwhile."""
    payload = ledger = 0
    for stream in os.listdir(folder):
        try:
            with os.scandir(folder / stream) as files:
                for file in files:
                    if file.name.endswith(PAYLOAD):
                        payload += file.stat().st_size
                    elif file.name.endswith(LEDGER):
                        ledger += file.stat().st_size
        except OSError:  # not a folder, or deleted by the shipper just now
            continue
    disk = os.statvfs(folder)
    return Survey(payload, ledger, disk.f_bavail * disk.f_frsize)


class Room:
    """What the last survey found plus what was written since, judged against the quotas."""

    __slots__ = (
        "_full", "_shedding", "calm", "ceiling", "failed_ledger", "failed_payload", "free",
        "ledger", "ledger_quota", "payload", "payload_quota", "reserve",
    )  # fmt: skip

    def __init__(self, payload_quota: int, ledger_quota: int, disk_reserve: int) -> None:
        self.payload_quota = payload_quota
        self.ledger_quota = ledger_quota
        self.reserve = disk_reserve
        # Calls that were admitted before the ledger was full still leave their records.
        self.ceiling = ledger_quota + ledger_quota // 8
        self.payload = self.ledger = 0
        self.free = 1 << 62
        self.failed_payload = self.failed_ledger = False
        self.calm = 0
        """Bytes that may be written before there can be anything to judge anew."""
        self._shedding = self._full = False

    def take(self, found: Survey) -> None:
        """A survey's figures replace what was summed up since the previous one."""
        self.payload, self.ledger, self.free = found

    def wrote(self, payload: int, ledger: int) -> None:
        """Bytes that were written between two surveys."""
        self.payload += payload
        self.ledger += ledger
        self.free -= payload + ledger
        self.calm -= payload + ledger

    def fail(self, *, ledger: bool) -> None:
        """The disk refused bytes, whatever was measured."""
        self.failed_ledger |= ledger
        self.failed_payload |= not ledger
        self.calm = 0

    def judge(self) -> SpoolState:
        """The state now. An eighth of the reserve stays free for those who drain the spool."""
        self._shedding = self.failed_payload or _tight(
            self._shedding, self.payload, self.payload_quota, self.free, self.reserve
        )
        self._full = self.failed_ledger or _tight(
            self._full, self.ledger, self.ledger_quota, self.free, self.reserve // 8
        )
        self.calm = 0
        if self._full:
            return "full"
        if self._shedding:
            return "shedding"
        self.calm = min(
            self.payload_quota - self.payload, self.ledger_quota - self.ledger,
            self.free - self.reserve,
        )  # fmt: skip
        return "ok"


def _tight(was: bool, used: int, quota: int, free: int, reserve: int) -> bool:
    if was:
        return used > quota - quota // 10 or not quota or free < reserve + reserve // 10
    return used >= quota or free < reserve
