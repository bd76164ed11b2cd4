"""The routes of experiments: define, start, ramp, stop, report; what applications assign by."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Response

from stockpot.access import Principal, demand_project, requires
from stockpot.experiments.models import (
    Experiment,
    ExperimentDetail,
    ExperimentPlan,
    ExperimentPlanRequest,
    ExperimentReport,
    NewExperiment,
    RampTo,
    Released,
    ReleasePlan,
    ReleaseTo,
    Why,
)
from stockpot.experiments.service.experiments import ExperimentService
from stockpot.experiments.wiring import Experiments

Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Application = Annotated[Principal, Depends(requires("viewer", "project", key=True))]
"""Also a virtual key, in its own project."""

Name = Annotated[str, Path(max_length=100)]
Project = Annotated[str, Query(max_length=63)]


def router(opened: Experiments) -> APIRouter:
    """All routes of experiments."""
    routes = APIRouter(prefix="/api/v1", tags=["experiments"])
    _programs(routes, opened)
    _defining(routes, opened.experiments)
    _moving(routes, opened.experiments)
    _releasing(routes, opened)

    @routes.get("/experiments/{experiment}/report")
    async def report_experiment(
        experiment: Name, principal: Viewer, project: Project = "default"
    ) -> ExperimentReport:
        """Units, means and differences with intervals that hold at every look; whether units are
        split by the weights; what follows, and what was decided on which figures."""
        return await opened.report(project, experiment, principal)

    return routes


def _programs(routes: APIRouter, opened: Experiments) -> None:
    @routes.get(
        "/experiments/document",
        response_model=dict[str, Any],
        responses={304: {"description": "It is still the one of `If-None-Match`"}},
    )
    async def get_experiments_document(
        principal: Application,
        response: Response,
        project: Annotated[str | None, Query(max_length=63)] = None,
        if_none_match: Annotated[str, Header(max_length=200)] = "",
    ) -> dict[str, Any] | Response:
        """Every experiment that runs in a project, for programs that assign by themselves. Takes a
        virtual key too, which means its own project."""
        name = project or (principal.project if principal.via == "key" else "") or "default"
        demand_project(principal, "viewer", name)
        found = await opened.document(name)
        headers = {"etag": f'"{found.version}"', "cache-control": "no-cache"}
        if headers["etag"] == if_none_match:
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        told: dict[str, Any] = msgspec.to_builtins(found)
        return told

    @routes.post("/experiments/plan")
    async def plan_experiment(
        asked: ExperimentPlanRequest, principal: Viewer, project: Project = "default"
    ) -> ExperimentPlan:
        """What an experiment would be able to see, and how long it takes. Changes nothing."""
        from stockpot.experiments.planning import plan  # scipy: a start need not wait for it

        demand_project(principal, "viewer", project)
        return plan(asked)


def _defining(routes: APIRouter, service: ExperimentService) -> None:
    @routes.get("/experiments")
    async def list_experiments(
        principal: Viewer, project: Annotated[str | None, Query(max_length=63)] = None
    ) -> tuple[Experiment, ...]:
        """Experiments and how they stand, by project and name."""
        return await service.all(principal, project)

    @routes.post("/experiments", status_code=201)
    async def create_experiment(
        new: NewExperiment, principal: Editor, project: Project = "default"
    ) -> Experiment:
        """A draft; nothing is split until it is started."""
        return await service.create(project, new, principal)

    @routes.get("/experiments/{experiment}")
    async def get_experiment(
        experiment: Name, principal: Viewer, project: Project = "default"
    ) -> ExperimentDetail:
        """One experiment with its decisions, newest first."""
        return await service.shown(principal, project, experiment)

    @routes.delete("/experiments/{experiment}", status_code=204)
    async def remove_experiment(
        experiment: Name, principal: Editor, project: Project = "default"
    ) -> None:
        """Remove an experiment that does not run, with its decisions."""
        await service.remove(project, experiment, principal)


def _moving(routes: APIRouter, service: ExperimentService) -> None:
    @routes.post("/experiments/{experiment}/start")
    async def start_experiment(
        experiment: Name, why: Why, principal: Editor, project: Project = "default"
    ) -> Experiment:
        """Split from now on; in force everywhere within a second. One that was rolled back for
        safety is refused with 409 until somebody lifts that."""
        return await service.start(project, experiment, principal, why.reason)

    @routes.post("/experiments/{experiment}/ramp")
    async def ramp_experiment(
        experiment: Name, to: RampTo, principal: Editor, project: Project = "default"
    ) -> Experiment:
        """Let another share of the units take part; nobody changes the arm."""
        return await service.ramp(project, experiment, to.share, to.reason, principal)

    @routes.post("/experiments/{experiment}/stop")
    async def stop_experiment(
        experiment: Name, why: Why, principal: Editor, project: Project = "default"
    ) -> Experiment:
        """Serve everybody as if there were no experiment."""
        return await service.stop(project, experiment, why.reason, principal)

    @routes.post("/experiments/{experiment}/lift")
    async def lift_experiment(
        experiment: Name, why: Why, principal: Editor, project: Project = "default"
    ) -> Experiment:
        """Let an experiment that was rolled back for safety be started again."""
        return await service.lift(project, experiment, why.reason, principal)


def _releasing(routes: APIRouter, opened: Experiments) -> None:
    @routes.get("/experiments/{experiment}/release")
    async def plan_release(
        experiment: Name, principal: Editor, project: Project = "default"
    ) -> ReleasePlan:
        """What making the winner permanent would change, as a difference, and the figures that
        would stand as its reason. Changes nothing."""
        return await opened.releasing.plan(project, experiment, principal)

    @routes.post("/experiments/{experiment}/release")
    async def release_winner(
        experiment: Name, to: ReleaseTo, principal: Editor, project: Project = "default"
    ) -> Released:
        """Make the winner permanent: an alias by a revision, watched on one worker first; a label
        by moving it, or by proposing that where others decide."""
        return await opened.releasing.release(
            project, experiment, principal, expect=to.expect, reason=to.reason
        )
