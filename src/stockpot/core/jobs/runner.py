"""Doing jobs, in whatever process has handlers for them. Knows leases; knows no capability."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from stockpot.core.errors import Conflict
from stockpot.core.jobs.holders import own_name
from stockpot.core.jobs.models import Job, JobState
from stockpot.core.jobs.service import JobQueue
from stockpot.core.transactions import StoreAway

_log = logging.getLogger("stockpot.jobs")
_ATTEMPTS = 20
"""A job that ends this many processes is taken up once more, to say so, and not again."""


class Work:
    """A job under way, as its handler sees it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._lost = job.attempts > _ATTEMPTS
        self.stop = asyncio.Event()
        """Set when the job was cancelled, or is somebody else's now: keep nothing more."""

    def begin(self) -> None:
        """What a handler calls where its failures are noted. Raises Conflict for a job that ended
        as many processes as may be, so that what it is about does not wait for it for ever."""
        if self._lost:
            raise Conflict(f"{_ATTEMPTS} processes ended while they did this job")


Handler = Callable[[Work], Awaitable[None]]


class JobRunner:
    """Takes jobs and does them, a few at a time, until it is cancelled."""

    def __init__(
        self,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        *,
        at_once: int = 2,
        look_every_s: float = 0.5,
    ) -> None:
        self._queue = queue
        self._handlers = dict(handlers)
        self._look_every_s = look_every_s
        self._places = asyncio.Semaphore(at_once)
        self._doing: set[asyncio.Task[None]] = set()
        self.holder = own_name()

    async def run(self) -> None:
        """For ever; what is under way when it is cancelled is left to whoever comes next."""
        try:
            while True:
                await self._places.acquire()
                job = await self._next()
                task = asyncio.create_task(self._do(job))
                self._doing.add(task)
                task.add_done_callback(self._ended)
        finally:
            for task in self._doing:
                task.cancel()
            await asyncio.gather(*self._doing, return_exceptions=True)

    @property
    def idle(self) -> bool:
        return not self._doing

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._doing.discard(task)
        self._places.release()

    async def _next(self) -> Job:
        while True:
            with suppress(Exception):  # a store that is away for a moment is asked again
                job = await self._queue.take(tuple(self._handlers), self.holder)
                if job is not None:
                    return job
            await asyncio.sleep(self._look_every_s)

    async def _do(self, job: Job) -> None:
        work = Work(job)
        beating = asyncio.create_task(self._beat(work))
        try:
            await self._queue.settle(job.id, self.holder, *await self._outcome(work))
        except StoreAway as away:  # its lease runs out, and it is taken up again
            _log.warning("the job %s (%s) waits: %s", job.id, job.kind, away)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _outcome(self, work: Work) -> tuple[JobState, str]:
        """Do a job; how it ended, and why."""
        try:
            await self._handlers[work.job.kind](work)
        except StoreAway:
            raise
        except Exception as error:
            _log.exception("the job %s (%s) failed", work.job.id, work.job.kind)
            return "failed", f"{error}"
        return ("cancelled" if work.stop.is_set() else "done"), ""

    async def _beat(self, work: Work) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._queue.lease_ms / 5000))
            with suppress(Exception):
                job = await self._queue.renew(work.job.id, self.holder)
                if job is None or job.cancel:
                    work.stop.set()
