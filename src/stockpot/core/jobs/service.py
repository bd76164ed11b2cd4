"""The queue of durable jobs: put in, take, keep, end. Knows the store; knows no handler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.ids import record_id
from stockpot.core.jobs import store
from stockpot.core.jobs.holders import is_gone
from stockpot.core.jobs.models import Job, JobState

LEASE_MS = 15_000
"""A dead process's jobs are taken up this long after its last sign of life."""
_KEPT_MS = 30 * 86_400_000


class JobQueue:
    """Jobs in the control store. `wake` is called when there is one more to do."""

    def __init__(
        self, db: Database, wake: Callable[[], None] = lambda: None, lease_ms: int = LEASE_MS
    ) -> None:
        self._db = db
        self._wake = wake
        self.lease_ms = lease_ms

    def add(self, c: sa.Connection, kind: str, subject: str, payload: dict[str, Any]) -> Job:
        """Put a job in, inside the caller's transaction; call `wake` after it."""
        now = now_ms()
        job = Job(
            id=record_id("job"), kind=kind, subject=subject, payload=payload, state="queued",
            holder="", lease_ms=0, attempts=0, cancel=False, error="", created_ms=now,
            updated_ms=now,
        )  # fmt: skip
        store.add(c, job)
        return job

    def wake(self) -> None:
        """Somebody has to look."""
        self._wake()

    async def wake_if_needed(self) -> None:
        """After a restart: jobs that were not done wait for somebody."""
        if await self._db.read(store.unfinished):
            self._wake()

    async def take(self, kinds: Sequence[str], holder: str) -> Job | None:
        """The oldest job that is free, held by the caller from now on. One whose holder was a
        process of this host that is gone is free at once."""
        if not await self._db.read(lambda c: _free(c, kinds)):
            return None

        def write(c: sa.Connection) -> Job | None:
            job, now = _free(c, kinds), now_ms()
            return store.hand(c, job, holder, now, now + self.lease_ms) if job else None

        return await self._db.write(write)

    async def renew(self, job_id: str, holder: str) -> Job | None:
        """A sign of life; None when the job is not the holder's any more."""
        lease = now_ms() + self.lease_ms
        return await self._db.write(lambda c: store.renew(c, job_id, holder, lease))

    async def settle(self, job_id: str, holder: str, state: JobState, error: str = "") -> bool:
        """How it ended; False when it is not the holder's any more."""
        now = now_ms()
        return await self._db.write(
            lambda c: store.settle(c, job_id, holder, state, error[:2000], now)
        )

    async def cancel(self, subject: str) -> Job | None:
        """Ask for the end of the newest job about something."""

        def write(c: sa.Connection) -> Job | None:
            job = store.of_subject(c, subject)
            if job is not None:
                store.ask_to_stop(c, job.id, now_ms())
            return store.by_id(c, job.id) if job is not None else None

        return await self._db.write(write)

    async def of(self, subject: str) -> Job | None:
        """The newest job about something."""
        return await self._db.read(lambda c: store.of_subject(c, subject))

    async def waiting(self) -> bool:
        """Whether any job waits or runs."""
        return bool(await self._db.read(store.unfinished))

    async def forget_old(self) -> None:
        """Remove jobs that ended a month ago."""
        await self._db.write(lambda c: store.forget(c, now_ms() - _KEPT_MS))


def _free(c: sa.Connection, kinds: Sequence[str]) -> Job | None:
    found = store.free(c, kinds, now_ms())
    return found or next((job for job in store.held(c, kinds) if is_gone(job.holder)), None)
