"""The routes of right-sizing: start, look, end, resume, plan, apply, savings."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from stockpot.access import Principal, requires
from stockpot.pipelines.rightsize.models import (
    ApplyAsked,
    NewRightsize,
    Proposal,
    Resume,
    RightsizeRun,
    Savings,
    Started,
    Wanted,
)
from stockpot.pipelines.rightsize.opening import Rightsizing

Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Project = Annotated[str, Query(max_length=63)]
Limit = Annotated[int, Query(ge=1, le=500)]


def router(rightsizing: Rightsizing) -> APIRouter:
    """All routes of right-sizing."""
    routes = APIRouter(prefix="/api/v1/rightsize", tags=["rightsize"])
    _runs(routes, rightsizing)
    _changes(routes, rightsizing)
    return routes


def _runs(routes: APIRouter, rightsizing: Rightsizing) -> None:
    @routes.post("/runs", status_code=201)
    async def start_rightsize(
        new: NewRightsize, principal: Editor, project: Project = "default"
    ) -> RightsizeRun:
        """Hold candidates against a baseline, on a data set or on logged calls. The answer comes at
        once; the run tells how far it is."""
        return await rightsizing.running.start(principal, project, new)

    @routes.get("/runs")
    async def list_rightsize(
        principal: Viewer, project: Project = "default", limit: Limit = 50
    ) -> tuple[RightsizeRun, ...]:
        """Runs of a project, newest first."""
        return await rightsizing.running.all(principal, project, limit)

    @routes.get("/runs/{rightsize_id}")
    async def get_rightsize(rightsize_id: str, principal: Viewer) -> RightsizeRun:
        """One run: how far it is, what it cost, and the verdict on each candidate."""
        return await rightsizing.running.shown(principal, rightsize_id)

    @routes.post("/runs/{rightsize_id}/cancel")
    async def cancel_rightsize(rightsize_id: str, principal: Editor) -> RightsizeRun:
        """End a run; what is done stays, and it can be resumed."""
        return await rightsizing.running.cancel(principal, rightsize_id)

    @routes.post("/runs/{rightsize_id}/resume")
    async def resume_rightsize(rightsize_id: str, told: Resume, principal: Editor) -> RightsizeRun:
        """Go on where a run ended, with this budget for all of it."""
        return await rightsizing.running.resume(principal, rightsize_id, told.budget_nano)


def _changes(routes: APIRouter, rightsizing: Rightsizing) -> None:
    @routes.post("/runs/{rightsize_id}/plan")
    async def plan_rightsize(rightsize_id: str, wanted: Wanted, principal: Editor) -> Proposal:
        """What moving the alias to a candidate would change. Changes nothing."""
        return await rightsizing.applying.plan(principal, rightsize_id, wanted.candidate)

    @routes.post("/runs/{rightsize_id}/apply", status_code=201)
    async def apply_rightsize(rightsize_id: str, asked: ApplyAsked, principal: Editor) -> Started:
        """Give a candidate that passed a share of the traffic, as an experiment with guardrails."""
        return await rightsizing.applying.apply(principal, rightsize_id, asked)

    @routes.get("/savings")
    async def get_savings(principal: Viewer, project: Project = "default") -> Savings:
        """What right-sizing saved in a project, against what the baseline would have cost."""
        return await rightsizing.saving.of_project(principal, project)
