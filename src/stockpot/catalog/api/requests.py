"""Routes of requests: ask for a model or a budget, approve, deny, take back."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from stockpot.access import AccessRequest
from stockpot.catalog.api.who import Member, ProjectAdmin
from stockpot.catalog.models import Decided, NewRequest
from stockpot.catalog.service.requests import RequestService

State = Literal["open", "approved", "denied", "withdrawn"]


def request_routes(routes: APIRouter, requests: RequestService) -> None:
    """Ask, list, decide."""

    @routes.get("/requests", tags=["requests"])
    async def list_access_requests(
        principal: Member,
        state: State | None = None,
        project: Annotated[str | None, Query(max_length=63)] = None,
    ) -> tuple[AccessRequest, ...]:
        """What members of the caller's projects asked for, newest first."""
        return await requests.all(principal, state, project)

    @routes.post("/requests", status_code=201, tags=["requests"])
    async def ask_for_access(new: NewRequest, principal: Member) -> AccessRequest:
        """Ask for a model for a key, or for more budget for a key or a project, with a reason."""
        return await requests.ask(principal, new)

    @routes.post("/requests/{request_id}/approve", tags=["requests"])
    async def approve_request(
        request_id: str, decided: Decided, principal: ProjectAdmin
    ) -> AccessRequest:
        """Approve: the change is made at once. Nobody approves their own request."""
        return await requests.decide(principal, request_id, "approved", decided.note)

    @routes.post("/requests/{request_id}/deny", tags=["requests"])
    async def deny_request(
        request_id: str, decided: Decided, principal: ProjectAdmin
    ) -> AccessRequest:
        """Deny; nothing changes."""
        return await requests.decide(principal, request_id, "denied", decided.note)

    @routes.delete("/requests/{request_id}", status_code=204, tags=["requests"])
    async def withdraw_request(request_id: str, principal: Member) -> None:
        """Take back what one asked for oneself."""
        await requests.withdraw(principal, request_id)
