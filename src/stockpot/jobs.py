"""Composition root of durable jobs: `python -m stockpot.jobs`.

A process of its own, so that a large evaluation never freezes the console. The supervisor starts it
when the first job asks for it (`run/jobs.wanted`). It loads the control store and what jobs need,
and no web framework; models it reaches by the gateway like every application. After a while
without work it takes its leave.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from stockpot import __version__, evals
from stockpot.core import config, logs
from stockpot.core.config import Settings
from stockpot.core.db import open_control_store
from stockpot.core.instance import Instance
from stockpot.core.jobs import JobQueue, JobRunner
from stockpot.pipelines import rightsize

IDLE_S = 600.0
_FORGET_EVERY_S = 3600.0


async def serve(settings: Settings, instance: Instance, idle_s: float = IDLE_S) -> None:
    """Do jobs until SIGTERM or SIGINT, or until nobody asked for `idle_s`."""
    stop = asyncio.Event()
    for signo in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signo, stop.set)
    db = open_control_store(settings, instance)
    queue = JobQueue(db)
    runner = JobRunner(
        queue,
        {
            **evals.open_jobs(db, instance, settings),
            **rightsize.open_jobs(db, instance, settings),
        },
    )
    running = asyncio.create_task(runner.run())
    instance.announce("jobs", {"pid": os.getpid(), "version": __version__})
    try:
        await _until(stop, running, queue, runner, instance.run / evals.WANTED, idle_s)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        (instance.run / "jobs.json").unlink(missing_ok=True)
        await db.close()


async def _until(
    stop: asyncio.Event,
    running: asyncio.Task[None],
    queue: JobQueue,
    runner: JobRunner,
    wanted: Path,
    idle_s: float,
) -> None:
    asked, idle_since = asyncio.create_task(stop.wait()), time.monotonic()
    while not stop.is_set() and not running.done():
        await asyncio.wait({asked, running}, timeout=2.0, return_when=asyncio.FIRST_COMPLETED)
        if not runner.idle or await queue.waiting():
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > idle_s and await _may_rest(wanted, queue):
            break
    asked.cancel()
    if running.done() and not stop.is_set():
        running.result()  # it ended by itself: say why


async def _may_rest(wanted: Path, queue: JobQueue) -> bool:
    """Take the wish back, then look once more: a job may have come in between."""
    await asyncio.to_thread(wanted.unlink, missing_ok=True)
    if await queue.waiting():
        await asyncio.to_thread(wanted.touch)
        return False
    return True


def main() -> None:
    """Serve this instance."""
    settings = config.load()
    logs.configure(settings.log_level)
    asyncio.run(serve(settings, Instance(settings.home)))
    sys.exit(0)


if __name__ == "__main__":
    main()
