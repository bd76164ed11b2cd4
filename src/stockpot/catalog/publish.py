"""Publishing snapshots: compile, compare, number, wake whoever waits.

Knows revisions and waiting; what a snapshot says is compiled elsewhere. A revision is a number that
only grows, and it grows when what workers see has changed, whoever changed it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import time
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from stockpot import gateway
from stockpot.access import latest_change
from stockpot.catalog.compile import Compiled, Definitions, compile_part
from stockpot.catalog.offers import Offer
from stockpot.catalog.store import journal, keys, projects, providers, routes
from stockpot.catalog.store.budgets import all_budgets
from stockpot.catalog.store.providers import ProviderRow
from stockpot.catalog.surroundings import Surroundings
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.providers import wire_names

_log = logging.getLogger("stockpot.catalog.publish")


class Published(NamedTuple):
    """One published state: what workers get, and what the API tells of it."""

    revision: int
    snapshot: bytes
    compiled: Compiled
    offers: tuple[Offer, ...]
    notices: tuple[str, ...]


class _Loaded(NamedTuple):
    defined: Definitions
    connected: tuple[ProviderRow, ...]
    since_ms: int
    latest: journal.Revision | None
    change: str | None


class Publisher:
    """Holds the present snapshot of one instance."""

    def __init__(self, db: Database, surroundings: Surroundings, settings: Settings) -> None:
        self._db = db
        self._surroundings = surroundings
        self._workers = worker_count(settings)
        self._published: Published | None = None
        self._compiling = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._stopping = False
        self._change: str | None = None

    async def current(self) -> Published:
        """The present state; the first call compiles it."""
        return self._published or await self.refresh("first use")

    async def refresh(self, reason: str) -> Published:
        """Compile again, and publish a new revision when workers would see a difference."""
        async with self._compiling:
            before = self._published
            loaded = await self._db.read(_load)
            self._change = loaded.change
            around = self._surroundings.offers(loaded.connected, loaded.since_ms)
            compiled = await asyncio.to_thread(
                compile_part, loaded.defined, around.offers, wire_names(), self._workers
            )
            part = msgspec.msgpack.encode(compiled.part)
            revision = await self._numbered(loaded.latest, part, reason)
            notices = (*around.notices, *compiled.notices)
            snapshot = _encoded(revision, part)
            now = Published(revision.revision, snapshot, compiled, around.offers, notices)
            self._published = now
        if before is None or before.revision != now.revision:
            _log.info("published revision %d: %s", now.revision, reason)
            async with self._changed:
                self._changed.notify_all()
        return now

    async def refresh_if_changed(self) -> None:
        """Publish what another process wrote: a command that found no control plane running."""
        if await self._db.read(latest_change) != self._change:
            await self.refresh("changed by another process")

    async def newer_than(self, revision: int, timeout_s: float) -> Published | None:
        """The present state as soon as it is another than `revision`, or None when time is up."""
        await self.current()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(
                    lambda: self._stopping or self._newer_than(revision) is not None
                )
        return self._newer_than(revision)

    def _newer_than(self, revision: int) -> Published | None:
        now = self._published
        return now if now is not None and now.revision != revision else None

    async def stop_waiting(self) -> None:
        """Answer everybody who waits: this process ends."""
        self._stopping = True
        async with self._changed:
            self._changed.notify_all()

    async def _numbered(
        self, latest: journal.Revision | None, part: bytes, reason: str
    ) -> journal.Revision:
        digest = hashlib.sha256(part).hexdigest()
        if latest is not None and latest.digest == digest:
            return latest
        number = latest.revision + 1 if latest else 1
        new = journal.Revision(number, digest, time.time_ns() // 1_000_000)
        await self._db.write(lambda c: journal.add_revision(c, new, reason))
        return new


def worker_count(settings: Settings) -> int:
    """How many workers share each limit: all of the fleet, else those of this host."""
    if settings.fleet > 0:
        return int(settings.fleet)
    if settings.workers > 0:
        return int(settings.workers)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) - 1)


def _load(c: sa.Connection) -> _Loaded:
    now_ms = time.time_ns() // 1_000_000
    listed = projects.list_projects(c, now_ms)
    budgets = all_budgets(c, now_ms)
    defined = Definitions(
        projects=listed,
        project_budgets={name: b for (scope, name), b in budgets.items() if scope == "project"},
        keys=keys.list_keys(c, now_ms),
        routes=routes.list_routes(c),
    )
    since_ms = min((int(project.created_ms) for project in listed), default=0)
    return _Loaded(
        defined,
        providers.list_providers(c),
        since_ms,
        journal.latest_revision(c),
        latest_change(c),
    )


def _encoded(revision: journal.Revision, part: bytes) -> bytes:
    one = gateway.Part(gateway.SNAPSHOT_PART, gateway.SNAPSHOT_PART_VERSION, part)
    return msgspec.msgpack.encode(gateway.Snapshot(revision.revision, revision.created_ms, (one,)))
