"""The routes of judges: versions, certificates, asking."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query

from stockpot.access import Principal, demand_project, requires
from stockpot.evals.judges.issuing import Issuing
from stockpot.evals.judges.models import (
    AskJudge,
    Certificate,
    Judge,
    Judged,
    JudgeSpec,
    JudgeSummary,
    NewCertificate,
    Subject,
)
from stockpot.evals.judges.service import JudgeService

Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Project = Annotated[str, Query(max_length=63)]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


class Both(Protocol):
    """What these routes need of evaluations."""

    @property
    def judges(self) -> JudgeService: ...

    @property
    def issuing(self) -> Issuing: ...


def add_judges(routes: APIRouter, evals: Both) -> None:
    """All routes of judges."""
    _versions(routes, evals)
    _certificates(routes, evals)


def _versions(routes: APIRouter, evals: Both) -> None:
    @routes.get("/judges")
    async def list_judges(
        principal: Viewer, project: Project = "default"
    ) -> tuple[JudgeSummary, ...]:
        """The judges of a project by name: the newest version, and its certificate in short."""
        demand_project(principal, "viewer", project)
        return await evals.judges.all(project)

    @routes.post("/judges", status_code=201)
    async def create_judge(
        spec: JudgeSpec, principal: Editor, project: Project = "default"
    ) -> Judge:
        """A new version of a judge; the same content again gives the version that has it."""
        demand_project(principal, "editor", project)
        return await evals.judges.create(principal, project, spec)

    @routes.get("/judges/{judge}/versions")
    async def list_judge_versions(
        judge: str, principal: Viewer, project: Project = "default"
    ) -> tuple[Judge, ...]:
        """The versions of a judge, newest first."""
        demand_project(principal, "viewer", project)
        return await evals.judges.versions(project, judge)

    @routes.post("/judges/{judge}/ask")
    async def ask_judge(
        judge: str,
        new: AskJudge,
        principal: Editor,
        project: Project = "default",
        version: Version = None,
    ) -> Judged:
        """What a judge says of rows, now, with its certificate in short. The calls cost what its
        model costs; rows that it was asked before cost nothing."""
        demand_project(principal, "editor", project)
        found = await evals.judges.get(project, judge, version)
        rows = [Subject(row.id, row.input, row.output, row.expected, row.context, row.other)
                for row in new.rows]  # fmt: skip
        return await evals.judges.ask(principal, project, found, rows)


def _certificates(routes: APIRouter, evals: Both) -> None:
    @routes.get("/judges/{judge}/certificates")
    async def list_certificates(
        judge: str, principal: Viewer, project: Project = "default", version: Version = None
    ) -> tuple[Certificate, ...]:
        """The certificates of a judge, newest first, each with its state as of now; also those
        that are still made."""
        demand_project(principal, "viewer", project)
        return await evals.judges.certificates(project, judge, version)

    @routes.post("/judges/{judge}/certificates", status_code=202)
    async def certify_judge(
        judge: str, new: NewCertificate, principal: Editor, project: Project = "default"
    ) -> Certificate:
        """Hold a judge against labels of people. The answer comes at once; the certificate tells
        how far it is."""
        demand_project(principal, "editor", project)
        return await evals.issuing.certify(principal, project, judge, new)
