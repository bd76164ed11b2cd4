"""The routes that put online rules, drift checks and canaries; what all checks have in common has
its routes beside monitors."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from stockpot.access import Principal, requires
from stockpot.evals.service import Running
from stockpot.evals.watching.models import Canary, DriftCheck, OnlineRule, as_check
from stockpot.monitors import CheckService, KeptCheck

ProjectEditor = Annotated[Principal, Depends(requires("editor", "project"))]
Ensure = Callable[[str], Awaitable[object]]
"""Makes sure that a project has the key with which evaluations call the gateway."""


def watching_router(checks: CheckService, running: Running, ensure: Ensure) -> APIRouter:
    """The routes that put checks of answers."""
    routes = APIRouter(prefix="/api/v1", tags=["checks"])

    @routes.put("/online")
    async def put_online_rule(asked: OnlineRule, principal: ProjectEditor) -> KeptCheck:
        """Score production spans by a rule from now on; the same name again changes it."""
        if principal.may("editor", asked.project):
            pinned = await running.pinned(asked.project, asked.scorer)
            asked = asked.model_copy(update={"scorer": pinned, "score": asked.metric})
        kept = await checks.put(principal, as_check("online", asked))
        await ensure(asked.project)
        return kept

    @routes.put("/drift")
    async def put_drift_check(asked: DriftCheck, principal: ProjectEditor) -> KeptCheck:
        """Compare scores or texts with what they were; the same name again changes it."""
        kept = await checks.put(principal, as_check("drift", asked))
        await ensure(asked.project)
        return kept

    @routes.put("/canaries")
    async def put_canary(asked: Canary, principal: ProjectEditor) -> KeptCheck:
        """Ask a model the same things again and again; the same name again changes it."""
        kept = await checks.put(principal, as_check("canary", asked))
        await ensure(asked.project)
        return kept

    return routes
