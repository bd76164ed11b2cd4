"""Durable jobs: a store that is away for a moment, one job about a subject at a time, and what a
job was about when it is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from stockpot.core.db import Database, migrate, open_database
from stockpot.core.jobs import JobQueue, JobRunner, JobState, Work
from stockpot.core.jobs.store import jobs
from stockpot.core.transactions import StoreAway
from stockpot.monitors import CheckJobs
from stockpot.monitors.checks.models import KeptCheck, Schedule
from stockpot.monitors.checks.service import begin
from stockpot.monitors.checks.store import put_check, run_by_id, unfinished

pytestmark = pytest.mark.integration


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/control.db")
    await opened.write(migrate)
    yield opened
    await opened.close()


async def until(runner: JobRunner, over: Callable[[], bool]) -> None:
    """Jobs are done until something holds."""
    working = asyncio.create_task(runner.run())
    async with asyncio.timeout(30):
        while not over():
            await asyncio.sleep(0.01)
    while not runner.idle:
        await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def state_of(queue: JobQueue, subject: str) -> JobState | None:
    job = await queue.of(subject)
    return job.state if job else None


async def test_a_job_whose_store_was_away_is_taken_up_again_and_one_at_a_time_of_a_subject(
    db: Database,
) -> None:
    queue = JobQueue(db)
    seen: list[str] = []

    async def handle(work: Work) -> None:
        seen.append(work.job.id)
        if len(seen) == 1:
            raise StoreAway("the control plane's store refused: it restarts")
        if len(seen) == 2:
            second = await db.write(lambda c: queue.add(c, "sum", "run_1", {}))
            await asyncio.sleep(0.2)
            assert second.id not in seen

    first = await db.write(lambda c: queue.add(c, "sum", "run_1", {}))
    await until(JobRunner(queue, {"sum": handle}, look_every_s=0.01), lambda: len(seen) == 1)
    assert await state_of(queue, "run_1") == "running"
    await db.write(lambda c: c.execute(sa.update(jobs).values(lease_ms=0)))  # it has run out
    await until(JobRunner(queue, {"sum": handle}, look_every_s=0.01), lambda: len(seen) == 3)
    assert seen[:2] == [first.id, first.id]
    assert seen[2] != first.id
    assert await state_of(queue, "run_1") == "done"


async def test_a_check_whose_job_ended_too_many_processes_is_over_and_can_be_started_again(
    db: Database,
) -> None:
    queue = JobQueue(db)
    check = KeptCheck(
        id="chk_1", project="default", kind="online", name="tone", description="", spec={},
        schedule=Schedule(), enabled=True, next_ms=None, created_ms=0, created_by="", updated_ms=0,
    )  # fmt: skip

    def write(c: sa.Connection) -> str:
        put_check(c, check)
        run = begin(c, queue, check, "schedule", 0)
        c.execute(sa.update(jobs).values(state="running", attempts=20, lease_ms=0))
        return run.id

    run_id = await db.write(write)
    doing = CheckJobs(db, {})
    over: list[bool] = []

    async def handle(work: Work) -> None:
        try:
            await doing.handle(work)
        finally:
            over.append(True)

    await until(JobRunner(queue, {"checks.run": handle}, look_every_s=0.01), lambda: bool(over))
    run = await db.read(lambda c: run_by_id(c, run_id))
    assert run is not None
    assert (run.state, "20 processes ended" in run.error) == ("failed", True)
    assert await db.read(lambda c: unfinished(c, check.id)) is None
    assert await state_of(queue, run_id) == "failed"
