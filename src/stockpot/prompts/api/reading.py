"""Routes that read prompts in use."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from stockpot.prompts.api.who import Application, Name, Project, Ref, Viewer
from stockpot.prompts.models import (
    LATEST,
    PRODUCTION,
    PromptDifference,
    PromptMetrics,
    RenderedPrompt,
    RenderRequest,
    ResolvedPrompt,
)
from stockpot.prompts.service.metrics import MetricsService
from stockpot.prompts.service.reading import ReadingService

MOST_WAIT_S = 30.0


def reading_routes(routes: APIRouter, reading: ReadingService, metrics: MetricsService) -> None:
    """Resolve, render, compare; what each version did."""
    _programs(routes, reading)

    @routes.get("/prompts/{prompt}/diff")
    async def compare_prompt_versions(
        prompt: Name,
        principal: Viewer,
        before: Ref = PRODUCTION,
        after: Ref = LATEST,
        project: Project = None,
    ) -> PromptDifference:
        """Two versions, by number or label, as files and as a unified diff."""
        return await reading.difference(principal, project, prompt, before, after)

    @routes.get("/prompts/{prompt}/metrics")
    async def get_prompt_metrics(
        prompt: Name,
        principal: Viewer,
        project: Project = None,
        from_ms: Annotated[float | None, Query(ge=0, le=9e12)] = None,
        to_ms: Annotated[float | None, Query(ge=0, le=9e12)] = None,
    ) -> PromptMetrics:
        """Traffic, cost, latency, tokens, errors, feedback and scores of each version in a window
        (the last day), each with the filter of the traces behind it."""
        return await metrics.of(principal, project, prompt, from_ms, to_ms)


def _programs(routes: APIRouter, reading: ReadingService) -> None:

    @routes.get(
        "/prompts/{prompt}/resolved",
        response_model=ResolvedPrompt,
        responses={304: {"description": "It is still the one of `If-None-Match`"}},
    )
    async def resolve_prompt(
        prompt: Name,
        principal: Application,
        response: Response,
        project: Project = None,
        label: Annotated[str, Query(max_length=60)] = "",
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        wait_s: Annotated[float, Query(ge=0, le=MOST_WAIT_S)] = 0.0,
        if_none_match: Annotated[str, Header(max_length=200)] = "",
    ) -> ResolvedPrompt | Response:
        """What a label means now (production where none is named), or a version, with everything
        that rendering needs. Takes a virtual key too. With `If-None-Match` the answer is 304 while
        it is the same; with `wait_s` it comes as soon as there is another one."""
        ref = str(version) if version is not None else label
        found = await reading.resolved(principal, project, prompt, ref, if_none_match, wait_s)
        headers = {"etag": found.tag, "cache-control": "no-cache"}
        if found.tag == if_none_match:
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return found

    @routes.post("/prompts/{prompt}/render")
    async def render_prompt(
        prompt: Name, asked: RenderRequest, principal: Application, project: Project = None
    ) -> RenderedPrompt:
        """A version or a draft with variables filled in. Changes nothing; takes a virtual key
        too."""
        return await reading.render(principal, project, prompt, asked)
