"""The routes of readiness: the report on a project, and waivers."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from stockpot.access import Principal, requires
from stockpot.usecases.models import NewWaiver, Readiness, Waiver
from stockpot.usecases.service import ReadinessService

ProjectViewer = Annotated[Principal, Depends(requires("viewer", "project"))]
ProjectAdmin = Annotated[Principal, Depends(requires("admin", "project"))]


def router(service: ReadinessService) -> APIRouter:
    """All routes of readiness."""
    routes = APIRouter(prefix="/api/v1/readiness", tags=["readiness"])

    @routes.get("")
    async def show_readiness(
        principal: ProjectViewer, project: Annotated[str, Query(max_length=63)]
    ) -> Readiness:
        """How far a project is on its way to production, computed from evidence now."""
        return await service.report(principal, project)

    @routes.post("/waivers", status_code=201)
    async def waive_need(new: NewWaiver, principal: ProjectAdmin) -> Waiver:
        """Answer for a need that is not met, until a time. It takes the place of an earlier one."""
        return await service.waive(principal, new)

    @routes.delete("/waivers/{waiver_id}", status_code=204)
    async def end_waiver(waiver_id: str, principal: ProjectAdmin) -> None:
        """Take a waiver back before its time."""
        await service.end_waiver(principal, waiver_id)

    return routes
