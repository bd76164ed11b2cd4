"""Composition root of durable jobs: `python -m stockpot.jobs`.

A process of its own, so that a large evaluation never freezes the console. The supervisor starts it
when the first job asks for it (`run/jobs.wanted`). It loads the control store and what jobs need,
and no web framework; models it reaches by the gateway like every application. After a while
without work it takes its leave.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from stockpot import __version__, catalog, datasets, evals, monitors, pipelines, traces
from stockpot.core import config, logs
from stockpot.core.config import Settings
from stockpot.core.db import Database, open_control_store
from stockpot.core.errors import Unavailable
from stockpot.core.instance import Instance
from stockpot.core.jobs import Handler, JobQueue, JobRunner
from stockpot.core.urls import trusted
from stockpot.pipelines import rightsize

IDLE_S = 600.0
GC_YOUNG = 50_000
_FORGET_EVERY_S = 3600.0


async def serve(settings: Settings, instance: Instance, idle_s: float = IDLE_S) -> None:
    """Do jobs until SIGTERM or SIGINT, or until nobody asked for `idle_s`."""
    stop = asyncio.Event()
    for signo in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signo, stop.set)
    db = open_control_store(settings, instance)
    queue = JobQueue(db)
    log = traces.open_span_log(instance)
    runners = [JobRunner(queue, some) for some in _handlers(db, instance, settings, log)]
    running = asyncio.gather(*(runner.run() for runner in runners))
    forgetting = asyncio.create_task(_forget(queue))
    # Records of jobs leave no circles behind: looking for garbage among what was loaded, and often,
    # took half the time of a run whose answers are known.
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 20, 100)
    instance.announce("jobs", {"pid": os.getpid(), "version": __version__})
    try:
        await _until(stop, running, queue, runners, instance.run / evals.WANTED, idle_s)
    finally:
        running.cancel()
        forgetting.cancel()
        await asyncio.gather(running, forgetting, return_exceptions=True)
        (instance.run / "jobs.json").unlink(missing_ok=True)
        await db.close()
        log.close()


def _handlers(
    db: Database, instance: Instance, settings: Settings, log: traces.SpanLog
) -> Iterator[Mapping[str, Handler]]:
    """Handlers by runner. Each runner does a few jobs at once, and pipelines wait for other jobs:
    so they have a runner of their own, which keeps nobody from working."""
    names = catalog.project_names
    scores = traces.ScoreService(db, log, names)
    sets = datasets.open_datasets(db, log, scores, names).sets
    checks = monitors.CheckJobs(
        db,
        {
            **evals.open_checks(db, instance, settings, log, scores, evals.RowsOfSets(sets)),
            "pipeline": pipelines.PipelineDoer(
                lambda: control_client(settings, instance), pipelines.folder_of(settings)
            ),
        },
    )
    yield {
        **evals.open_jobs(db, instance, settings, scores),
        **rightsize.open_jobs(db, instance, settings),
    }
    yield {monitors.JOBS["online"]: checks.handle}
    yield {monitors.JOBS["pipeline"]: checks.handle}


def control_client(settings: Settings, instance: Instance) -> httpx.AsyncClient:
    """A client of the control plane with the instance's own rights."""
    url = str(settings.control_url or (instance.announced("control") or {}).get("url") or "")
    if not url:
        raise Unavailable("no control plane is running", hint="stockpot up")
    token = {"authorization": f"Bearer {instance.derive('cli')}"}
    return httpx.AsyncClient(
        base_url=url, headers=token, timeout=60.0, verify=trusted(url), trust_env=False
    )


async def _forget(queue: JobQueue) -> None:
    """Remove jobs that ended long ago, now and then: each run of a check leaves one."""
    while True:
        with suppress(Exception):  # a store that is away for a moment is asked again
            await queue.forget_old()
        await asyncio.sleep(_FORGET_EVERY_S)


async def _until(
    stop: asyncio.Event,
    running: asyncio.Future[list[None]],
    queue: JobQueue,
    runners: Sequence[JobRunner],
    wanted: Path,
    idle_s: float,
) -> None:
    asked, idle_since = asyncio.create_task(stop.wait()), time.monotonic()
    while not stop.is_set() and not running.done():
        both: set[asyncio.Future[Any]] = {asked, running}
        await asyncio.wait(both, timeout=2.0, return_when=asyncio.FIRST_COMPLETED)
        if not all(runner.idle for runner in runners) or await queue.waiting():
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
