"""Which processes make an instance. Knows command lines and readiness; starts nothing.

Nothing waits for anything: a worker serves from its last good snapshot while the control plane is
away, and records wait in the spool while ingest is. The stop order lets every record of a drained
call reach the span log: workers, then shipper, ingest, control, engines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stockpot.core.supervise import Process, Ready
from stockpot.core.urls import console_url, gateway_url

if TYPE_CHECKING:
    from stockpot.core.config import Settings
    from stockpot.core.instance import Instance
    from stockpot.engines import EngineCommand

WORKERS, SHIPPER, INGEST, CONTROL, ENGINES = range(5)


def process_table(
    settings: Settings, instance: Instance, engines: Iterable[EngineCommand]
) -> tuple[Process, ...]:
    """The rows that `stockpot up` keeps alive; `settings.workers` is already a number."""
    env = {**settings.environment(), "PYTHONUNBUFFERED": "1"}
    run = instance.run
    python = sys.executable
    drain = settings.drain_s + 5
    rows = [
        Process(
            name=f"engine-{engine.name}",
            argv=engine.argv,
            env={**env, **engine.env},
            ready=Ready(file=run / "engines" / f"{engine.name}.json"),
            ready_timeout_s=180,
            stop_order=ENGINES,
        )
        for engine in engines
    ]
    rows.append(
        Process(
            name="ingest",
            argv=(python, "-m", "stockpot.app", "ingest"),
            env=env,
            ready=Ready(file=run / "ingest.json"),
            stop_order=INGEST,
            grace_s=drain,
        )
    )
    rows.append(
        Process(
            name="control",
            argv=(python, "-m", "stockpot.app", "control"),
            env=env,
            ready=Ready(url=f"{console_url(settings)}/readyz", file=run / "control.json"),
            stop_order=CONTROL,
        )
    )
    rows += [
        Process(
            name=f"worker-{slot}",
            argv=(python, "-m", "stockpot.worker", str(slot)),
            env=env,
            ready=Ready(url=f"{gateway_url(settings)}/readyz"),
            stop_order=WORKERS,
            grace_s=drain,
        )
        for slot in range(settings.workers)
    ]
    rows.append(
        Process(
            name="shipper",
            argv=(python, "-m", "stockpot.worker", "ship"),
            env=env,
            stop_order=SHIPPER,
            grace_s=drain,
        )
    )
    return tuple(rows)


def worker_count(settings: Settings) -> int:
    """`settings.workers`, or one per core but one: engines and the control plane need theirs."""
    if settings.workers > 0:
        return int(settings.workers)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) - 1)
