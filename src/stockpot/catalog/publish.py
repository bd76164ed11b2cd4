"""Publishing snapshots: compile, compare, number, wake whoever waits.

Knows revisions and waiting; what a snapshot says is compiled elsewhere. A revision is a number that
only grows, and it grows when what workers see has changed, whoever changed it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
import sqlalchemy as sa

from stockpot import gateway
from stockpot.access import latest_change
from stockpot.catalog.compile import Compiled, Definitions, compile_part
from stockpot.catalog.offers import Offer
from stockpot.catalog.references import prepared
from stockpot.catalog.store import journal, keys, prices, projects, providers, routes
from stockpot.catalog.store.budgets import all_budgets
from stockpot.catalog.store.providers import ProviderRow
from stockpot.catalog.surroundings import Surroundings
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.processors import worker_count
from stockpot.providers import wire_names

_log = logging.getLogger("stockpot.catalog.publish")

Change = Callable[[sa.Connection], object]


class Published(NamedTuple):
    """One published state: what workers get, and what the API tells of it."""

    revision: int
    snapshot: bytes
    compiled: Compiled
    offers: tuple[Offer, ...]
    notices: tuple[str, ...]


class PartSource(Protocol):
    """A capability above that has a part of its own in the snapshot, read in the same view."""

    name: str
    version: int

    def part(self, c: sa.Connection) -> bytes:
        """The part's bytes, b"" for none; the same for the same state."""
        ...


class Loaded(NamedTuple):
    """What the store holds, in one view; `others` are the parts of other capabilities."""

    defined: Definitions
    connected: tuple[ProviderRow, ...]
    since_ms: int
    latest: journal.Revision | None
    change: str | None
    others: tuple[gateway.Part, ...] = ()


class Publisher:
    """Holds the present snapshot of one instance."""

    def __init__(self, db: Database, surroundings: Surroundings, settings: Settings) -> None:
        self._db = db
        self._surroundings = surroundings
        self._workers = _sharing(settings)
        self._published: Published | None = None
        self._compiling = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._stopping = False
        self._change: str | None = None
        self._last: journal.Revision | None = None
        self._trial: _Trial | None = None
        self._sources: list[PartSource] = []

    def publish_also(self, source: PartSource) -> None:
        """Have another part published from now on."""
        self._sources.append(source)

    async def current(self) -> Published:
        """The present state; the first call compiles it."""
        return self._published or await self.refresh("first use")

    async def refresh(self, reason: str) -> Published:
        """Compile again, and publish a new revision when workers would see a difference."""
        async with self._compiling:
            before = self._published
            loaded = await self._db.read(self._load)
            self._change = loaded.change
            now = await self._compiled(loaded)
            parts = _parts(now, loaded)
            self._last = await self._numbered((loaded.latest, self._last), parts, reason)
            now = now._replace(
                revision=self._last.revision, snapshot=_encoded(self._last, parts, trial=False)
            )
            self._published = now
            if self._trial is not None:
                await self._tried(self._trial, loaded)
        if before is None or before.revision != now.revision:
            _log.info("published revision %d: %s", now.revision, reason)
            await self._wake()
        return now

    async def _compiled(self, loaded: Loaded) -> Published:
        await prepared(row.secret_ref for row in loaded.connected)
        around = self._surroundings.offers(loaded.connected, loaded.since_ms)
        compiled = await asyncio.to_thread(
            compile_part, loaded.defined, around.offers, wire_names(), self._workers
        )
        return Published(0, b"", compiled, around.offers, (*around.notices, *compiled.notices))

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # --- what would be published ------------------------------------------------------------------

    async def preview(self, change: Change) -> Published:
        """What a change of the store would publish. It is made, looked at and undone."""
        return await self._compiled(await self._loaded_after(change))

    async def _loaded_after(self, change: Change) -> Loaded:
        def work(c: sa.Connection) -> None:
            change(c)
            raise _Undone(self._load(c))

        try:
            await self._db.write(work)
        except _Undone as undone:
            return undone.loaded
        raise AssertionError("a preview was not undone")

    async def try_on(self, worker: str, change: Change) -> int:
        """Serve the store as a change would leave it to one worker alone, until `end_trial`.
        Returns the number of the snapshot that it gets."""
        await self.current()
        async with self._compiling:
            trial = _Trial(worker, change)
            await self._tried(trial, await self._db.read(self._load))
            self._trial = trial
        await self._wake()
        assert trial.published is not None
        _log.info("revision %d goes to worker %s", trial.published.revision, worker)
        return trial.published.revision

    async def end_trial(self) -> None:
        """Serve the same to all workers again."""
        self._trial = None
        await self._wake()

    async def _tried(self, trial: _Trial, present: Loaded) -> None:
        loaded = await self._loaded_after(trial.change)
        made = await self._compiled(loaded._replace(defined=_lendable(loaded, present)))
        parts = _parts(made, loaded)
        known = (present.latest, trial.last)
        row = await self._numbered(known, parts, f"on trial at {trial.worker}")
        trial.last = row
        trial.published = made._replace(
            revision=row.revision, snapshot=_encoded(row, parts, trial=True)
        )

    # --- waiting ----------------------------------------------------------------------------------

    async def refresh_if_changed(self) -> None:
        """Publish what another process wrote: a command that found no control plane running."""
        if await self._db.read(latest_change) != self._change:
            await self.refresh("changed by another process")

    async def newer_than(
        self, revision: int, timeout_s: float, worker: str = ""
    ) -> Published | None:
        """What a worker is to serve as soon as it is another revision, or None when time is up."""
        await self.current()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(
                    lambda: self._stopping or self._newer_than(revision, worker) is not None
                )
        return self._newer_than(revision, worker)

    def _newer_than(self, revision: int, worker: str) -> Published | None:
        trial = self._trial
        now = trial.published if trial and trial.worker == worker else self._published
        return now if now is not None and now.revision != revision else None

    async def stop_waiting(self) -> None:
        """Answer everybody who waits: this process ends."""
        self._stopping = True
        async with self._changed:
            self._changed.notify_all()

    def _load(self, c: sa.Connection) -> Loaded:
        told = ((source, source.part(c)) for source in self._sources)
        others = (gateway.Part(source.name, source.version, data) for source, data in told if data)
        return _load(c)._replace(others=tuple(others))

    async def _numbered(
        self,
        known: tuple[journal.Revision | None, ...],
        parts: tuple[gateway.Part, ...],
        reason: str,
    ) -> journal.Revision:
        digest = hashlib.sha256(b"".join(part.data for part in parts)).hexdigest()
        for row in known:
            if row is not None and row.digest == digest:
                return row

        def write(c: sa.Connection) -> journal.Revision:
            last = journal.latest_revision(c)
            number = last.revision + 1 if last else 1
            new = journal.Revision(number, digest, time.time_ns() // 1_000_000)
            journal.add_revision(c, new, reason)
            return new

        return await self._db.write(write)


def _sharing(settings: Settings) -> int:
    """How many workers share each limit: all of the fleet, else those of this host."""
    return int(settings.fleet) if settings.fleet > 0 else worker_count(settings)


class _Undone(Exception):
    """Carries what was seen out of a transaction that is rolled back."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__("undone")
        self.loaded = loaded


class _Trial:
    """A state that one worker serves alone."""

    def __init__(self, worker: str, change: Change) -> None:
        self.worker = worker
        self.change = change
        self.published: Published | None = None
        self.last: journal.Revision | None = None


def _lendable(tried: Loaded, present: Loaded) -> Definitions:
    """What can be tried before it is in the store: budgets are lent from there, so one that is new
    is left out, and so is a key that nobody can have yet."""
    known = {row.id for row in present.defined.project_budgets.values()}
    known |= {row.budget.id for row in present.defined.keys if row.budget is not None}
    keys = {row.shown.id for row in present.defined.keys}
    defined = tried.defined
    return defined._replace(
        project_budgets={n: b for n, b in defined.project_budgets.items() if b.id in known},
        keys=tuple(
            row._replace(budget=row.budget if row.budget and row.budget.id in known else None)
            for row in defined.keys
            if row.shown.id in keys
        ),
    )


def _load(c: sa.Connection) -> Loaded:
    now_ms = time.time_ns() // 1_000_000
    listed = projects.list_projects(c, now_ms)
    budgets = all_budgets(c, now_ms)
    defined = Definitions(
        projects=listed,
        project_budgets={name: b for (scope, name), b in budgets.items() if scope == "project"},
        keys=keys.list_keys(c, now_ms),
        routes=routes.list_routes(c),
        prices=prices.list_prices(c),
    )
    since_ms = min((int(project.created_ms) for project in listed), default=0)
    return Loaded(
        defined,
        providers.list_providers(c),
        since_ms,
        journal.latest_revision(c),
        latest_change(c),
    )


def _parts(made: Published, loaded: Loaded) -> tuple[gateway.Part, ...]:
    own = msgspec.msgpack.encode(made.compiled.part)
    return (gateway.Part(gateway.SNAPSHOT_PART, gateway.SNAPSHOT_PART_VERSION, own), *loaded.others)


def _encoded(revision: journal.Revision, parts: tuple[gateway.Part, ...], *, trial: bool) -> bytes:
    made = gateway.Snapshot(revision.revision, revision.created_ms, parts, trial)
    return msgspec.msgpack.encode(made)
