"""The routes of retention, erasure, repricing and saved views."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends

from stockpot.access import Principal, requires
from stockpot.traces.api import Member
from stockpot.traces.keeping.models import (
    Erased,
    Erasure,
    KeptSince,
    NewView,
    Repriced,
    Repricing,
    RetentionPolicy,
    View,
)
from stockpot.traces.keeping.service import Keeping

Admin = Annotated[Principal, Depends(requires("admin"))]
ProjectViewer = Annotated[Principal, Depends(requires("viewer", "project"))]
ProjectAdmin = Annotated[Principal, Depends(requires("admin", "project"))]


def keeping_router(service: Keeping) -> APIRouter:
    """All routes about what is kept."""
    routes = APIRouter(prefix="/api/v1", tags=["traces"])

    @routes.get("/projects/{name}/retention")
    async def get_retention(principal: ProjectViewer, name: str) -> RetentionPolicy:
        """How long a project keeps its spans and payloads, and what it samples."""
        return await service.policy(principal, name)

    @routes.put("/projects/{name}/retention")
    async def set_retention(
        principal: ProjectAdmin, name: str, policy: RetentionPolicy
    ) -> RetentionPolicy:
        """Set it. It is carried out every ten minutes; what went does not come back."""
        return await service.set_policy(principal, name, policy)

    @routes.get("/projects/{name}/retention/since")
    async def get_kept_since(principal: ProjectViewer, name: str) -> KeptSince:
        """From when on copies of answers may be kept beside the instance, as `stockpot eval run`
        does: what is older is let go."""
        return await service.since(principal, name)

    @routes.post("/traces/erase")
    async def erase_user(principal: Admin, wanted: Erasure) -> Erased:
        """Forget what an end user said, and who it was. Sums stay: they hold no name."""
        return await service.erase(principal, wanted)

    @routes.post("/traces/reprice")
    async def reprice_traces(principal: Admin, wanted: Repricing) -> Repriced:
        """Price calls of a window again, with the prices in force for their time; without `apply`
        tell only what would change."""
        return await service.reprice(principal, wanted)

    _views(routes, service)
    return routes


def _views(routes: APIRouter, service: Keeping) -> None:
    @routes.get("/views")
    async def list_views(principal: Member) -> tuple[View, ...]:
        """The caller's saved views, and those that others share."""
        return await service.views(principal)

    @routes.post("/views", status_code=201)
    async def save_view(principal: Member, new: NewView) -> View:
        """Save a view, in place of the caller's own of that name."""
        return await service.save_view(principal, new)

    @routes.delete("/views/{view_id}", status_code=204)
    async def remove_view(principal: Member, view_id: str) -> None:
        """Forget one of the caller's own views."""
        await service.remove_view(principal, view_id)
