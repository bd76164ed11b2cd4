"""Finding runs for those who may see them."""

from __future__ import annotations

from stockpot.access import Principal, Role, demand
from stockpot.core.db import Database
from stockpot.core.errors import NotFound
from stockpot.evals import store
from stockpot.evals.models import Run


async def seen_run(db: Database, actor: Principal, run_id: str, role: Role = "viewer") -> Run:
    """A run, for somebody with this role in its project."""
    run = await db.read(lambda c: store.run_by_id(c, run_id))
    absent = NotFound(f"no run {run_id!r}", hint="stockpot eval runs")
    if run is None:
        raise absent
    demand(actor, role, run.project, absent)
    return run
