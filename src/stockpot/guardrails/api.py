"""The routes of guardrails: policies, where they hold, calibrations, rates, and a tester."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from stockpot.access import Principal, requires
from stockpot.core.errors import InvalidInput
from stockpot.guardrails.models import (
    Binding,
    BindingKind,
    CalibrationSummary,
    KeptCalibration,
    NewCalibration,
    NewPolicy,
    Policy,
    RailRates,
    Tested,
    TextToTest,
)
from stockpot.guardrails.opening import Guardrails
from stockpot.guardrails.service import GuardrailService

Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Name = Annotated[str, Path(max_length=100)]
Project = Annotated[str, Query(max_length=63)]
AnyProject = Annotated[str | None, Query(max_length=63)]


def router(opened: Guardrails) -> APIRouter:
    """All routes of guardrails."""
    routes = APIRouter(prefix="/api/v1/guardrails", tags=["guardrails"])
    _policies(routes, opened.policies)
    _bindings(routes, opened.policies)
    _calibrations(routes, opened.policies)
    _looking(routes, opened.policies)
    return routes


def _policies(routes: APIRouter, service: GuardrailService) -> None:
    @routes.get("/policies")
    async def list_guardrail_policies(
        principal: Viewer, project: AnyProject = None
    ) -> tuple[Policy, ...]:
        """Policies by project and name, with where they hold."""
        return await service.policies(principal, project)

    @routes.put("/policies")
    async def put_guardrail_policy(new: NewPolicy, principal: Editor) -> Policy:
        """Write a policy: a new one, or another state of the one of this name. It is in force in
        every worker at once. A rule that acts by a rail without measured rates is refused."""
        return await service.put(principal, new)

    @routes.get("/policies/{policy}")
    async def get_guardrail_policy(
        policy: Name, principal: Viewer, project: Project = "default"
    ) -> Policy:
        """One policy, by its name or id."""
        return await service.policy(principal, project, policy)

    @routes.delete("/policies/{policy}", status_code=204)
    async def remove_guardrail_policy(
        policy: Name, principal: Editor, project: Project = "default"
    ) -> None:
        """Remove a policy, everywhere where it holds."""
        await service.remove(principal, project, policy)


def _bindings(routes: APIRouter, service: GuardrailService) -> None:
    @routes.put("/policies/{policy}/bindings")
    async def bind_guardrail_policy(
        policy: Name, binding: Binding, principal: Editor, project: Project = "default"
    ) -> Policy:
        """Let a policy hold for its project, a route or a key. The narrowest decides."""
        return await service.bind(principal, project, policy, binding)

    @routes.delete("/bindings", status_code=204)
    async def unbind_guardrail_policy(
        principal: Editor,
        kind: BindingKind,
        subject: Annotated[str, Query(max_length=200)] = "",
        project: Project = "default",
    ) -> None:
        """Let no policy hold there any more."""
        if (kind == "project") == bool(subject):
            raise InvalidInput(
                "a key or a route is named in 'subject'; a project is not",
                hint="kind=route&subject=NAME, kind=key&subject=ID, or kind=project alone",
            )
        await service.unbind(principal, project, Binding(kind=kind, subject=subject))


def _calibrations(routes: APIRouter, service: GuardrailService) -> None:
    @routes.get("/calibrations")
    async def list_guardrail_calibrations(
        principal: Viewer, project: AnyProject = None
    ) -> tuple[CalibrationSummary, ...]:
        """Thresholds that projects measured on their own texts, with the figures."""
        return await service.calibrations(principal, project)

    @routes.get("/calibrations/{rail}")
    async def get_guardrail_calibration(
        rail: Name, principal: Viewer, project: Project = "default"
    ) -> KeptCalibration:
        """What a project calibrated of one rail, with the model that was fitted."""
        return await service.calibration(principal, project, rail)

    @routes.put("/calibrations")
    async def put_guardrail_calibration(
        new: NewCalibration, principal: Editor
    ) -> CalibrationSummary:
        """Set a project's threshold of a rail, and the model that was fitted with it."""
        return await service.take_calibration(principal, new)

    @routes.delete("/calibrations/{rail}", status_code=204)
    async def remove_guardrail_calibration(
        rail: Name, principal: Editor, project: Project = "default"
    ) -> None:
        """Back to the shipped threshold and model."""
        await service.remove_calibration(principal, project, rail)


def _looking(routes: APIRouter, service: GuardrailService) -> None:
    @routes.get("/rails")
    async def list_rails(principal: Viewer) -> tuple[RailRates, ...]:
        """Every rail with the rates that were measured of it."""
        return service.rails()

    @routes.post("/test")
    async def run_guardrail_test(asked: TextToTest, principal: Viewer) -> Tested:
        """What a policy would make of a text. Nothing is kept."""
        return await service.test(principal, asked)
