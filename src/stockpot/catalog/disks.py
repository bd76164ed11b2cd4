"""Telling that workers run out of disk. Knows what a spool says of itself; measures nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import sqlalchemy as sa

from stockpot.catalog.store import journal
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import StockpotError
from stockpot.gateway import Heartbeat

_log = logging.getLogger(__name__)

_SAID = {
    "ok": ("info", "keeps whole records again"),
    "shedding": (
        "warning",
        "keeps no requests and answers, only figures: its disk or its quota is nearly full",
    ),
    "full": (
        "error",
        "has no disk left to record calls and refuses them, unless a key lets them pass",
    ),
}


class DiskNews:
    """An event when a worker's spool comes to shed, fills up, or has room again."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._told: dict[str, str] = {}

    async def heard(self, beat: Heartbeat) -> None:
        """Take a heartbeat. On a full disk the event may be lost; the log and the notices stay."""
        state = beat.spool_state
        if state == self._told.get(beat.worker, "ok") or state not in _SAID:
            return
        if state == "ok":
            del self._told[beat.worker]
        else:
            self._told[beat.worker] = state
        severity, what = _SAID[state]
        event = {
            "kind": "disk",
            "severity": severity,
            "subject": f"worker:{beat.worker}",
            "message": f"the worker {beat.worker!r} {what}",
            "data": {"state": state},
        }

        def write(c: sa.Connection) -> None:
            journal.add_event(c, now_ms(), **event)

        try:
            await self._db.write(write)
        except (StockpotError, sa.exc.SQLAlchemyError) as failed:
            _log.warning("%s; the event could not be written: %s", event["message"], failed)


def disk_notices(beats: Iterable[Heartbeat]) -> tuple[str, ...]:
    """What to tell of workers whose disk is short now."""
    short = ((beat.worker, beat.spool_state) for beat in beats)
    return tuple(
        f"the worker {worker!r} {_SAID[state][1]} (stockpot doctor)"
        for worker, state in short
        if state in _SAID and state != "ok"
    )
