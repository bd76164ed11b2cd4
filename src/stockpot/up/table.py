"""Which processes make an instance. Knows command lines and readiness; starts nothing.

Nothing waits for anything: a worker serves from its last good snapshot while the control plane is
away, and records wait in the spool while ingest is. The stop order lets every record of a drained
call reach the span log: jobs, workers, then shipper, ingest, control, engines. The process of jobs
is started when the first job asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stockpot.core.supervise import Process, Ready
from stockpot.core.urls import console_url, gateway_url

if TYPE_CHECKING:
    from stockpot.core.config import Settings
    from stockpot.core.instance import Instance
    from stockpot.engines import EngineCommand

JOBS, WORKERS, SHIPPER, INGEST, CONTROL, ENGINES = range(6)


def process_table(
    settings: Settings,
    instance: Instance,
    engines: Iterable[EngineCommand],
    *,
    demo: bool = False,
) -> tuple[Process, ...]:
    """The rows that `stockpot up` keeps alive; `settings.workers` is already a number. With a
    control plane on another host they are the workers and their shipper.
    With `demo` guests come too."""
    env = {**settings.environment(), "PYTHONUNBUFFERED": "1"}
    ingest = Ready(file=instance.run / "ingest.json")
    control = Ready(url=f"{console_url(settings)}/readyz", file=instance.run / "control.json")
    worker = Ready(url=f"{gateway_url(settings)}/readyz")

    def own(
        name: str,
        *words: str,
        stop_order: int,
        ready: Ready | None = None,
        flags: tuple[str, ...] = (),
        wanted: Path | None = None,
    ) -> Process:
        return Process(
            name=name,
            argv=(sys.executable, *flags, "-m", *words),
            env=env,
            ready=ready,
            stop_order=stop_order,
            grace_s=settings.drain_s + 5,
            wanted=wanted,
        )

    here = (
        *(_engine(engine, instance, env) for engine in engines),
        own("ingest", "stockpot.ingest", stop_order=INGEST, ready=ingest),
        own("control", "stockpot.app", "control", stop_order=CONTROL, ready=control),
        own("jobs", "stockpot.jobs", stop_order=JOBS, wanted=instance.run / "jobs.wanted"),
    )
    return (
        *(() if settings.control_url else here),
        *(
            own(
                f"worker-{slot}",
                "stockpot.worker",
                str(slot),
                stop_order=WORKERS,
                ready=worker,
                flags=("-O",),  # its assertions speak to the type checker only
            )
            for slot in range(settings.workers)
        ),
        own("shipper", "stockpot.worker", "ship", stop_order=SHIPPER),
        *((own("demo", "stockpot.up.demo", stop_order=JOBS),) if demo else ()),
    )


def _engine(engine: EngineCommand, instance: Instance, env: dict[str, str]) -> Process:
    run = instance.run
    return Process(
        name=f"engine-{engine.name}",
        argv=engine.argv,
        env={**env, **engine.env},
        ready=None if engine.wanted else Ready(file=run / "engines" / f"{engine.name}.json"),
        wanted=Path(engine.wanted) if engine.wanted else None,
        ready_timeout_s=180,
        stop_order=ENGINES,
    )
