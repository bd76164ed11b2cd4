"""The routes of declared pipelines: put one, list the verbs. What all checks have in common has its
routes beside monitors."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from stockpot.access import Principal, requires
from stockpot.monitors import CheckService, KeptCheck
from stockpot.pipelines.declared.models import Pipeline, as_check
from stockpot.pipelines.declared.verbs import VERBS, checked

ProjectViewer = Annotated[Principal, Depends(requires("viewer", "project"))]
ProjectEditor = Annotated[Principal, Depends(requires("editor", "project"))]


class VerbInfo(BaseModel):
    """What a step can do, and its options in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str
    options: dict[str, str]


def pipeline_router(checks: CheckService) -> APIRouter:
    """All routes of declared pipelines."""
    routes = APIRouter(prefix="/api/v1", tags=["pipelines"])

    @routes.put("/pipelines")
    async def put_pipeline(asked: Pipeline, principal: ProjectEditor) -> KeptCheck:
        """Declare a pipeline; the same name again changes it."""
        for step in asked.steps:
            checked(step)
        return await checks.put(principal, as_check(asked))

    @routes.get("/pipelines/verbs")
    async def list_verbs(principal: ProjectViewer) -> tuple[VerbInfo, ...]:
        """What steps can do."""
        return tuple(
            VerbInfo(name=name, about=verb.about, options=verb.options)
            for name, verb in VERBS.items()
        )

    return routes
