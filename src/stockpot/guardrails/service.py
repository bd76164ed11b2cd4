"""Policies, where they hold, and calibrations. Knows who may; asks a rail only to test a text."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, Role, audit, demand, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.guardrails import store
from stockpot.guardrails.checking import check_rules
from stockpot.guardrails.models import (
    Binding,
    Calibration,
    CalibrationSummary,
    KeptCalibration,
    NewCalibration,
    NewPolicy,
    Policy,
    RailRates,
    Tested,
    TextToTest,
)
from stockpot.guardrails.rates import all_rates
from stockpot.guardrails.testing import tested

Changed = Callable[[str], Awaitable[None]]
"""Publishes what was changed; takes the reason."""

Projects = Callable[[sa.Connection], tuple[str, ...]]


class GuardrailService:
    """What holds where, and how well it was measured."""

    def __init__(self, db: Database, projects: Projects, changed: Changed) -> None:
        self._db = db
        self._projects = projects
        self._changed = changed

    # --- policies ---------------------------------------------------------------------------------

    async def policies(self, actor: Principal, project: str | None = None) -> tuple[Policy, ...]:
        """What the caller sees, by project and name."""
        seen = _seen(actor, project)
        return await self._db.read(lambda c: store.list_policies(c, seen))

    async def policy(self, actor: Principal, project: str, name: str) -> Policy:
        """One policy by its name or id."""
        return await self._db.read(lambda c: _policy(c, actor, "viewer", project, name))

    async def put(self, actor: Principal, new: NewPolicy) -> Policy:
        """Write a policy: a new one, or another state of the one of this name. It is in force
        everywhere at once. Refused when a rule acts on a rail that nobody has measured."""

        def write(c: sa.Connection) -> Policy:
            demand_project(actor, "editor", new.project, self._projects(c))
            check_rules(new.rules, {made.rail for made in _measured(c, new.project)})
            before = store.policy_named(c, new.project, new.name)
            now = now_ms()
            values = {name: getattr(new, name) for name in NewPolicy.model_fields}
            values |= {"id": record_id("pol"), "created_ms": now, "created_by": actor.label}
            if before is not None:
                kept = ("id", "created_ms", "created_by", "bindings")
                values |= {name: getattr(before, name) for name in kept}
            made = Policy(**values, updated_ms=now)
            store.put_policy(c, made)
            verb = "guardrails.policy.create" if before is None else "guardrails.policy.change"
            audit(c, actor, verb, made.id, before=before, after=made, **_told(made))
            return made

        made = await self._db.write(write)
        await self._changed(f"guardrail policy {made.name}")
        return made

    async def remove(self, actor: Principal, project: str, name: str) -> None:
        """A policy is gone, everywhere where it held."""

        def write(c: sa.Connection) -> None:
            before = _policy(c, actor, "editor", project, name)
            store.remove_policy(c, before.id)
            audit(c, actor, "guardrails.policy.remove", before.id, before=before, **_told(before))

        await self._db.write(write)
        await self._changed(f"guardrail policy {name} removed")

    async def bind(self, actor: Principal, project: str, name: str, binding: Binding) -> Policy:
        """Let a policy hold for a project, a route or a key, instead of the one that did there."""

        def write(c: sa.Connection) -> Policy:
            policy = _policy(c, actor, "editor", project, name)
            store.bind(c, policy.project, binding, policy.id, now_ms(), actor.label)
            told: dict[str, Any] = {"kind": binding.kind, "of": binding.subject}
            audit(c, actor, "guardrails.bind", policy.id, **_told(policy), **told)
            return _policy(c, actor, "editor", project, name)

        made = await self._db.write(write)
        await self._changed(f"guardrail policy {name} bound")
        return made

    async def unbind(self, actor: Principal, project: str, binding: Binding) -> None:
        """Let no policy hold there any more."""

        def write(c: sa.Connection) -> None:
            demand_project(actor, "editor", project, self._projects(c))
            held = store.holder_of(c, project, binding)
            if held is None:
                raise NotFound(
                    f"no policy is bound to the {binding.kind} {binding.subject or project!r}",
                    hint=f"stockpot guardrails policies list --project {project}",
                )
            store.unbind(c, project, binding)
            told: dict[str, Any] = {
                "kind": binding.kind,
                "of": binding.subject,
                "project": project,
            }
            audit(c, actor, "guardrails.unbind", held, **told)

        await self._db.write(write)
        await self._changed("guardrail binding removed")

    # --- calibrations -----------------------------------------------------------------------------

    async def calibrations(
        self, actor: Principal, project: str | None = None
    ) -> tuple[CalibrationSummary, ...]:
        """What projects measured on their own texts."""
        seen = _seen(actor, project)
        found = await self._db.read(lambda c: store.list_calibrations(c, seen))
        return tuple(_summary(one) for one in found)

    async def calibration(self, actor: Principal, project: str, rail: str) -> KeptCalibration:
        """One of them, with the fitted model."""

        def read(c: sa.Connection) -> Calibration:
            demand_project(actor, "viewer", project, self._projects(c))
            found = store.calibration_of(c, project, rail)
            if found is None:
                raise NotFound(
                    f"the project {project!r} has no calibration of {rail!r}",
                    hint=f"stockpot guardrails calibrate {rail} FILE --project {project}",
                )
            return found

        found = await self._db.read(read)
        model = base64.b64encode(found.model).decode() if found.model is not None else None
        return KeptCalibration(**found.model_dump(exclude={"model"}), model=model)

    async def set_calibration(
        self,
        project: str,
        rail: str,
        threshold: float,
        model: bytes | None,
        evidence: dict[str, Any],
        *,
        actor: Principal,
    ) -> CalibrationSummary:
        """Keep a tenant's threshold of a rail, and the model that was fitted with it. Rules of
        this project that name no threshold use it at once."""
        digest = hashlib.sha256(model).hexdigest() if model is not None else ""

        def write(c: sa.Connection) -> Calibration:
            demand_project(actor, "editor", project, self._projects(c))
            made = Calibration(
                project=project, rail=rail, threshold=threshold, model=model, digest=digest,
                evidence=evidence, created_ms=now_ms(), created_by=actor.label,
            )  # fmt: skip
            before = store.calibration_of(c, project, rail)
            store.put_calibration(c, made)
            old = _summary(before) if before else None
            told: dict[str, Any] = {"name": rail, "project": project}
            after = _summary(made)
            audit(c, actor, "guardrails.calibrate", rail, before=old, after=after, **told)
            return made

        made = await self._db.write(write)
        await self._changed(f"guardrail rail {rail} calibrated")
        return _summary(made)

    async def take_calibration(self, actor: Principal, new: NewCalibration) -> CalibrationSummary:
        """A calibration as it comes over the API."""
        try:
            model = base64.b64decode(new.model, validate=True) if new.model else None
        except ValueError:  # of its bytes (binascii.Error), or of letters that are not ASCII
            raise InvalidInput("'model' must be base64") from None
        evidence = dict(new.evidence)
        return await self.set_calibration(
            new.project, new.rail, new.threshold, model, evidence, actor=actor
        )

    async def remove_calibration(self, actor: Principal, project: str, rail: str) -> None:
        """Back to the shipped threshold and model."""

        def write(c: sa.Connection) -> None:
            demand_project(actor, "editor", project, self._projects(c))
            if not store.remove_calibration(c, project, rail):
                raise NotFound(f"the project {project!r} has no calibration of {rail!r}")
            told: dict[str, Any] = {"name": rail, "project": project}
            audit(c, actor, "guardrails.uncalibrate", rail, **told)

        await self._db.write(write)
        await self._changed(f"guardrail calibration of {rail} removed")

    # --- looking ----------------------------------------------------------------------------------

    def rails(self) -> tuple[RailRates, ...]:
        """Every rail with the rates that were measured of it."""
        return all_rates()

    async def test(self, actor: Principal, asked: TextToTest) -> Tested:
        """What a policy, or rules that are not kept yet, would make of a text."""

        def read(c: sa.Connection) -> tuple[Any, ...]:
            demand_project(actor, "viewer", asked.project, self._projects(c))
            rules = asked.rules
            if asked.policy:
                rules = _policy(c, actor, "viewer", asked.project, asked.policy).rules
            return rules, store.list_calibrations(c, frozenset({asked.project}))

        rules, known = await self._db.read(read)
        if not rules:
            raise InvalidInput("name a 'policy', or give 'rules' to test")
        return await asyncio.to_thread(tested, asked.text, asked.on, rules, known)


def _measured(c: sa.Connection, project: str) -> tuple[Calibration, ...]:
    return store.list_calibrations(c, frozenset({project}))


def _seen(actor: Principal, project: str | None) -> frozenset[str] | None:
    seen = actor.projects("viewer")
    if project is None:
        return seen
    return frozenset({project}) if seen is None or project in seen else frozenset()


def _policy(c: sa.Connection, actor: Principal, role: Role, project: str, name: str) -> Policy:
    """A policy that the actor may use so; one that is not to be seen is absent."""
    known = [one.name for one in store.list_policies(c, frozenset({project}))]
    found = store.policy_named(c, project, name)
    sees = actor.may("viewer", project)
    near = did_you_mean(name, known) if sees else ""
    absent = NotFound(
        f"no guardrail policy {name!r} in the project {project!r}.{near}",
        hint="stockpot guardrails policies list",
    )
    demand(actor, role, project, absent)
    if found is None:
        raise absent
    return found


def _summary(one: Calibration) -> CalibrationSummary:
    return CalibrationSummary(**one.model_dump(exclude={"model"}))


def _told(policy: Policy) -> dict[str, Any]:
    return {"name": policy.name, "project": policy.project}
