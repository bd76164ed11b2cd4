"""The route of the playground."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.requests import ClientDisconnect

from stockpot.access import Principal, demand, requires
from stockpot.catalog import Catalog
from stockpot.core.errors import NotFound
from stockpot.playground.passing import GatewayCaller

Editor = Annotated[Principal, Depends(requires("editor", "project"))]

_CHAT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "A chat completion request as OpenAI's API defines it.",
    }
}


def router(catalog: Catalog, gateway: GatewayCaller) -> APIRouter:
    """All routes of the playground."""
    routes = APIRouter(prefix="/api/v1/playground", tags=["playground"])

    @routes.post(
        "/chat",
        response_class=Response,
        openapi_extra=_CHAT,
        responses={200: {"content": {"text/event-stream": {}, "application/json": {}}}},
    )
    async def chat(
        request: Request,
        principal: Editor,
        x_stockpot_project: Annotated[str, Header(max_length=63)] = "default",
    ) -> Response:
        """One chat call through the gateway; its answer passes as it is, streamed or whole."""
        project = x_stockpot_project
        demand(principal, "editor", project, NotFound(f"no project {project!r}"))
        secret = await catalog.keys.playground_secret(project)
        await catalog.keys.note(principal, "playground.chat", project, project=project)
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        return await gateway.pass_on(request, "/v1/chat/completions", body, secret)

    return routes
