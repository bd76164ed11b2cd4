"""Starting what is due, and what something else set off. Knows clocks and triggers; does nothing
itself.

A trigger is a name and an argument (`file`, `menus/*.csv`) whose present value a reader tells; a
check whose trigger's value changed is started. A check that still runs is not started again: it is
started when it is done, since its triggers differ then as well.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

import sqlalchemy as sa

from stockpot.core.db import Database
from stockpot.core.jobs import JobQueue
from stockpot.monitors.checks import store
from stockpot.monitors.checks.service import begin
from stockpot.monitors.checks.store import Kept
from stockpot.monitors.checks.timing import next_due

_log = logging.getLogger("stockpot.checks")

Trigger = Callable[[str, str], Awaitable[str]]
"""Tells a trigger's present value, from a project and the trigger's argument."""


class Scheduler:
    """Looks at every check. `clock` gives Unix seconds."""

    def __init__(
        self, db: Database, queue: JobQueue, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self.triggers: dict[str, Trigger] = {}
        """Readers by the trigger's name; whoever is above registers them."""

    async def look(self) -> int:
        """Start what is due; returns how many runs that were."""
        now = int(self._clock() * 1000)
        found = await self._db.read(store.list_checks)
        started = 0
        for kept in found:
            if not kept.check.enabled:
                continue
            seen = await self._seen(kept)
            moved = [name for name, value in seen.items() if kept.seen.get(name, value) != value]
            due = kept.check.next_ms is not None and kept.check.next_ms <= now
            if due or moved or seen.keys() - kept.seen.keys():
                cause = ", ".join(f"{name} changed" for name in moved) or ("schedule" * due)
                started += await self._start(kept, cause, seen, now)
        if started:
            self._queue.wake()
        return started

    async def _start(self, kept: Kept, cause: str, seen: Mapping[str, str], now: int) -> bool:
        def write(c: sa.Connection) -> bool:
            present = store.check_by_id(c, kept.check.id)
            if present is None or present.check.updated_ms != kept.check.updated_ms:
                return False
            if present.check.next_ms != kept.check.next_ms:
                return False  # another control plane was faster
            if cause and store.unfinished(c, kept.check.id) is not None:
                return False
            schedule = present.check.schedule
            due = present.check.next_ms
            if due is not None and due <= now:
                due = next_due(schedule.every_s, schedule.cron, now)
            store.set_check(c, kept.check.id, next_ms=due, seen=dict(seen))
            if cause:
                begin(c, self._queue, present.check, cause, now)
            return bool(cause)

        return await self._db.write(write)

    async def _seen(self, kept: Kept) -> dict[str, str]:
        """The value of each trigger; one that cannot be read keeps the value that it had."""
        told: dict[str, str] = {}
        for trigger in kept.check.spec.get("triggers") or ():
            for name, argument in trigger.items():
                reader, key = self.triggers.get(name), f"{name} {argument}"
                if reader is None or not argument:
                    continue
                try:
                    told[key] = await reader(kept.check.project, argument)
                except Exception as bad:
                    _log.warning("the trigger %r of %r: %s", key, kept.check.name, bad)
                    if key in kept.seen:
                        told[key] = kept.seen[key]
        return told
