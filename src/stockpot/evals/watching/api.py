"""The routes that put online rules, drift checks and canaries; what all checks have in common has
its routes beside monitors."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends

from stockpot.access import Principal, requires
from stockpot.core.errors import InvalidInput
from stockpot.evals.service import Running
from stockpot.evals.watching.models import Canary, DriftCheck, OnlineRule, Rebase, as_check
from stockpot.evals.watching.rebasing import rebased
from stockpot.monitors import CheckRun, CheckService, KeptCheck

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
            _check_budget(asked.max_usd_day, pinned.options.get("prices") or {})
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
        prices = {}
        if principal.may("editor", asked.project):
            prices = await running.prices(asked.model, asked.embedding)
            _check_budget(asked.max_usd_day, {asked.model: prices[asked.model]})
        asked = asked.model_copy(update={"prices": prices})
        kept = await checks.put(principal, as_check("canary", asked))
        await ensure(asked.project)
        return kept

    @routes.post("/canaries/{check_id}/rebase", status_code=201)
    async def rebase_canary(check_id: str, asked: Rebase, principal: ProjectEditor) -> CheckRun:
        """Accept the newest answers as what the model says from now on. The run that is answered
        says so; it ends the alarm."""
        return await checks.settle(principal, check_id, "canary", "rebase", asked.reason, rebased)

    return routes


def _check_budget(limit: float | None, prices: Mapping[str, object]) -> None:
    """A budget holds only what has a price."""
    unknown = [model for model, price in prices.items() if price is None]
    if limit is not None and unknown:
        raise InvalidInput(
            f"no price is known of {unknown[0]!r}, so that no budget can be held",
            hint="stockpot prices set PROVIDER/MODEL --input 0.15 --output 0.60",
        )
