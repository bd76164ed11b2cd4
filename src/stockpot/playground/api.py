"""The routes of the playground."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.requests import ClientDisconnect

from stockpot.access import Principal, demand_project, requires
from stockpot.catalog import Catalog
from stockpot.playground.checking import check
from stockpot.playground.models import (
    CheckAsked,
    Checked,
    NewShare,
    RecordedCall,
    Replay,
    ReplayAsked,
    Share,
    ToolAnswered,
    ToolAsked,
)
from stockpot.playground.passing import GatewayCaller
from stockpot.playground.service import Playground

Anyone = Annotated[Principal, Depends(requires("own"))]
Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]

_CHAT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "A chat completion request as OpenAI's API defines it.",
    }
}


def router(playground: Playground, catalog: Catalog, gateway: GatewayCaller) -> APIRouter:
    """All routes of the playground."""
    routes = APIRouter(prefix="/api/v1/playground", tags=["playground"])
    _talking(routes, catalog, gateway)
    _again(routes, playground)
    _beside(routes, playground)
    return routes


def _again(routes: APIRouter, playground: Playground) -> None:
    @routes.get("/recorded/{trace_id}/{span_id}")
    async def get_recorded_call(
        trace_id: str, span_id: str, principal: Viewer, project: str | None = None
    ) -> RecordedCall:
        """A recorded call of any dialect as a chat request that can be run again, its answer, and
        what this form cannot say of it."""
        return await playground.recorded(principal, trace_id, span_id, project)

    @routes.post("/replays")
    async def replay_trace(asked: ReplayAsked, principal: Editor) -> Replay:
        """Every model call of a trace again, with recorded results of tools and retrievers; what
        came out otherwise, field by field."""
        return await playground.replay(principal, asked)


def _beside(routes: APIRouter, playground: Playground) -> None:
    @routes.post("/tools")
    async def call_tool(asked: ToolAsked, principal: Editor) -> ToolAnswered:
        """A real call of a tool, to a host that the setting `tool_hosts` allows."""
        return await playground.call_tool(principal, asked)

    @routes.post("/checks")
    async def check_answer(asked: CheckAsked, _: Anyone) -> Checked:
        """Whether an answer keeps a JSON Schema, and where it does not."""
        return await asyncio.to_thread(check, asked)

    @routes.post("/shares", status_code=201)
    async def share_setup(new: NewShare, principal: Editor) -> Share:
        """Keep a set-up of the playground, to be opened by its id."""
        return await playground.share(principal, new)

    @routes.get("/shares/{share_id}")
    async def get_share(share_id: str, principal: Viewer) -> Share:
        """A shared set-up."""
        return await playground.shared(principal, share_id)


def _talking(routes: APIRouter, catalog: Catalog, gateway: GatewayCaller) -> None:
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
        x_stockpot_prompt: Annotated[str, Header(max_length=200)] = "",
    ) -> Response:
        """One chat call through the gateway; its answer passes as it is, streamed or whole. With
        `x-stockpot-prompt: NAME@REF` the gateway fills a prompt in, also for another model."""
        project = x_stockpot_project
        demand_project(principal, "editor", project)
        secret = await catalog.keys.playground_secret(project)
        await catalog.keys.note(principal, "playground.chat", project, project=project)
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        more = {"x-stockpot-prompt": x_stockpot_prompt} if x_stockpot_prompt else {}
        return await gateway.pass_on(request, "/v1/chat/completions", body, secret, more)
