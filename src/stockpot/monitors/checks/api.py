"""The routes of checks of every kind: look, start, remove. Each kind is put by its own route."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from stockpot.access import Principal, requires
from stockpot.monitors.checks.models import CheckKind, CheckRun, KeptCheck
from stockpot.monitors.checks.service import CheckService

ProjectViewer = Annotated[Principal, Depends(requires("viewer", "project"))]
ProjectEditor = Annotated[Principal, Depends(requires("editor", "project"))]


def check_router(service: CheckService) -> APIRouter:
    """All routes of checks."""
    routes = APIRouter(prefix="/api/v1", tags=["checks"])

    @routes.get("/checks")
    async def list_checks(
        principal: ProjectViewer,
        project: Annotated[str | None, Query(max_length=63)] = None,
        kind: CheckKind | None = None,
    ) -> tuple[KeptCheck, ...]:
        """Online rules, drift checks, canaries and pipelines, each with its newest run."""
        return await service.all(principal, project, kind)

    @routes.get("/checks/{check_id}")
    async def get_check(check_id: str, principal: ProjectViewer) -> KeptCheck:
        """One of them."""
        return await service.one(principal, check_id)

    @routes.delete("/checks/{check_id}", status_code=204)
    async def remove_check(check_id: str, principal: ProjectEditor) -> None:
        """Remove it with its runs; scores that it wrote stay."""
        await service.remove(principal, check_id)

    @routes.post("/checks/{check_id}/runs", status_code=202)
    async def start_check(check_id: str, principal: ProjectEditor) -> CheckRun:
        """Do it now. One that waits or runs already is answered instead."""
        return await service.start(principal, check_id)

    @routes.get("/checks/{check_id}/runs")
    async def list_check_runs(
        check_id: str,
        principal: ProjectViewer,
        before: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> tuple[CheckRun, ...]:
        """Its runs, newest first; `before` is the last one's id."""
        return await service.runs(principal, check_id, before, limit)

    @routes.get("/check-runs/{check_run_id}")
    async def get_check_run(check_run_id: str, principal: ProjectViewer) -> CheckRun:
        """One run with all that came of it."""
        return await service.run(principal, check_run_id)

    return routes
