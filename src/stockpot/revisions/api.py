"""The routes of revisions: look, plan, apply, roll back, lift, export, move a pointer."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from stockpot.access import Principal, requires
from stockpot.revisions.models import (
    LARGEST,
    Applied,
    ApplyRequest,
    Difference,
    Exported,
    LiftRequest,
    Move,
    NewMove,
    Plan,
    PlanRequest,
    Revision,
    RevisionDetail,
    RollbackRequest,
)
from stockpot.revisions.service import RevisionService

Number = Annotated[int, Path(ge=0, le=LARGEST)]
Viewer = Annotated[Principal, Depends(requires("viewer"))]
Editor = Annotated[Principal, Depends(requires("editor"))]
Admin = Annotated[Principal, Depends(requires("admin"))]


def router(service: RevisionService) -> APIRouter:
    """All routes of revisions."""
    routes = APIRouter(prefix="/api/v1", tags=["revisions"])
    _looking(routes, service)
    _releasing(routes, service)
    _pointers(routes, service)
    return routes


def _looking(routes: APIRouter, service: RevisionService) -> None:
    @routes.get("/revisions")
    async def list_revisions(
        _: Viewer,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
    ) -> tuple[Revision, ...]:
        """Revisions of the definitions, newest first; `before` is the last number seen."""
        return await service.listed(limit, before)

    @routes.get("/revisions/{number}")
    async def get_revision(number: Number, _: Viewer) -> RevisionDetail:
        """One revision: its state, what it changed, and how its release goes or went."""
        return await service.shown(number)

    @routes.get("/revisions/{number}/diff/{other}")
    async def compare_revisions(number: Number, other: Number, _: Viewer) -> Difference:
        """What turns a revision into another."""
        return await service.difference(number, other)

    @routes.get("/export")
    async def export_definitions(_: Viewer) -> Exported:
        """The present state as the text of a `stockpot.toml`."""
        return await service.exported()


def _releasing(routes: APIRouter, service: RevisionService) -> None:
    @routes.post("/plan")
    async def plan_definitions(wanted: PlanRequest, _: Editor) -> Plan:
        """What applying would change, what stands against it, and how the last recorded calls
        would have fared. Changes nothing."""
        return await service.plan(wanted)

    @routes.post("/apply")
    async def apply_definitions(wanted: ApplyRequest, principal: Admin) -> Applied:
        """Release a state: to one worker first, watched, then to all. The answer comes at once;
        the revision tells how it goes."""
        return await service.apply(principal, wanted)

    @routes.post("/rollback")
    async def roll_back(wanted: RollbackRequest, principal: Admin) -> Applied:
        """Release the state of an earlier revision, to all workers at once unless told."""
        return await service.roll_back(principal, wanted)

    @routes.post("/revisions/lift", status_code=204)
    async def lift_rollback(wanted: LiftRequest, principal: Admin) -> None:
        """Lift a safety rollback, by its name."""
        await service.lift(principal, wanted)


def _pointers(routes: APIRouter, service: RevisionService) -> None:
    @routes.get("/pointers")
    async def list_moves(
        _: Viewer,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[str | None, Query(max_length=40)] = None,
    ) -> tuple[Move, ...]:
        """The journal of pointers that were moved at run time, newest first."""
        return await service.moves(limit, before)

    @routes.post("/pointers", status_code=201)
    async def move_pointer(wanted: NewMove, principal: Editor) -> Move:
        """Move a pointer now: a key's state, an alias's targets. The definitions stay as they are,
        and an apply that would undo the move shows it as a conflict."""
        return await service.move(principal, wanted)
