"""From a verdict to a change: the plan for the alias, and the experiment that begins it.

What did not pass is not applied, unless somebody overrides that with a reason, which is kept.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, audit
from stockpot.catalog import Model, RouteSettings
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.experiments import Arm as ExperimentArm
from stockpot.experiments import Metric, NewExperiment
from stockpot.pipelines.rightsize import store
from stockpot.pipelines.rightsize.models import (
    ApplyAsked,
    Candidate,
    Proposal,
    RightsizeRun,
    Started,
)
from stockpot.pipelines.rightsize.ports import World
from stockpot.pipelines.rightsize.service.running import Running, against
from stockpot.pipelines.rightsize.traffic import logged_unit
from stockpot.revisions import PlanRequest

CONTROL, CANDIDATE = "baseline", "candidate"
_WHOLE = 10_000
_NOT_A_NAME = re.compile(r"[^a-z0-9._-]+")


class NotPassed(Conflict):
    """The candidate did not pass, so it is given no traffic."""

    code, status = "not_passed", 409


class Applying:
    """Plans and experiments out of runs."""

    def __init__(self, db: Database, world: World, running: Running) -> None:
        self._db = db
        self._world = world
        self._running = running

    async def plan(self, actor: Principal, run_id: str, named: str) -> Proposal:
        """What moving the alias to a candidate would change. Changes nothing."""
        run = await self._running.shown(actor, run_id, "editor")
        chosen = _candidate(run, named)
        alias = run.asked.alias or run.asked.baseline
        known = {model.name: model for model in await self._world.catalog.models.all()}
        settings = _moved(known.get(alias), known, chosen.figures.model)
        content = settings.model_dump(mode="json", exclude_defaults=True)
        definitions = {"aliases": {alias: content}}
        plan = await self._world.revisions.plan(
            PlanRequest(definitions=definitions, partial=True, calls=0)
        )
        return Proposal(
            run=run.id, alias=alias, candidate=chosen.figures.model, definitions=definitions,
            digest=plan.digest, changes=tuple(change.name for change in plan.changes),
            conflicts=tuple(conflict.message for conflict in plan.conflicts), text=plan.text,
        )  # fmt: skip

    async def apply(self, actor: Principal, run_id: str, asked: ApplyAsked) -> Started:
        """Give a candidate its share of the traffic, as an experiment with guardrails."""
        run = await self._running.shown(actor, run_id, "editor")
        chosen = _candidate(run, asked.candidate)
        if chosen.verdict != "passes" and not asked.override:
            raise NotPassed(
                f"{chosen.figures.model!r} did not pass: {chosen.verdict}, {chosen.reason}",
                hint=f"stockpot rightsize show {run.id}; or --override REASON",
            )
        assert run.report is not None  # a candidate was found in it
        said = against(run.report.judge, run.report.badge)
        if said and not asked.override:
            raise NotPassed(said, hint="stockpot rightsize apply RUN --override REASON")
        if run.experiment:
            raise Conflict(
                f"the run {run.id!r} was applied already",
                hint=f"stockpot experiments show {run.experiment} --project {run.project}",
            )
        experiments = self._world.experiments
        subject = await self._world.catalog.models.named(run.asked.alias or run.asked.baseline)
        route = logged_unit(self._world.spans, run.project, subject.name)
        new = _experiment(run, chosen, asked, subject, asked.unit or route)
        made = await experiments.create(run.project, new, actor)
        reason = asked.override or f"right-sizing {run.id}: {chosen.reason}"
        await experiments.start(run.project, made.name, actor, reason)

        def write(c: sa.Connection) -> None:
            store.change(c, run.id, experiment=made.name, applied=chosen.figures.model)
            told: dict[str, Any] = {
                "project": run.project, "experiment": made.name,
                "candidate": chosen.figures.model, "override": asked.override,
            }  # fmt: skip
            audit(c, actor, "rightsize.apply", run.id, **told)

        await self._db.write(write)
        return Started(
            run=run.id, experiment=made.name, alias=new.subject, baseline=run.asked.baseline,
            candidate=chosen.figures.model, share=asked.share,
        )  # fmt: skip


def _candidate(run: RightsizeRun, named: str) -> Candidate:
    if run.report is None:
        raise Conflict(f"the run {run.id!r} is {run.state}: it has no verdict yet")
    name = named or run.report.recommended
    if not name:
        raise NotPassed(
            "no candidate passes, so there is nothing to propose",
            hint=f"stockpot rightsize show {run.id}",
        )
    by_name = {one.figures.model: one for one in run.report.candidates}
    if name not in by_name:
        raise NotFound(f"{name!r} is no candidate of this run.{did_you_mean(name, by_name)}")
    return by_name[name]


def _moved(alias: Model | None, known: dict[str, Model], candidate: str) -> RouteSettings:
    """The alias with the candidate's targets; how it chooses and waits stays. A name that is no
    alias yet becomes one."""
    target = known.get(candidate)
    if target is None or not target.defined:
        raise NotFound(f"nothing serves {candidate!r} now", hint="stockpot aliases list")
    if alias is None or alias.origin != "alias":
        return RouteSettings(kind=target.kind, targets=target.defined)
    kept = {name: getattr(alias, name) for name in RouteSettings.model_fields if name != "targets"}
    return RouteSettings(**{**kept, "targets": target.defined, "rules": ()})


def _experiment(
    run: RightsizeRun, chosen: Candidate, asked: ApplyAsked, subject: Model, unit: str
) -> NewExperiment:
    part = round(asked.share * _WHOLE)
    if not 0 < part < _WHOLE:
        raise InvalidInput("the share of the candidate lies between 0.0001 and 0.9999")
    name = _NOT_A_NAME.sub("-", f"rightsize-{subject.name}-{run.id[-6:]}".lower())[:100]
    relative: dict[str, Any] = {"role": "guardrail", "relative": True}
    metrics = [
        Metric(name="cost", role="primary", direction="down"),
        Metric(name="error", role="guardrail", margin=asked.max_error_rise),
        Metric(name="latency_ms", margin=asked.max_latency_rise, **relative),
        *(Metric(name=f"score:{score}", role="guardrail", margin=run.asked.margin)
          for score in asked.scores),
    ]  # fmt: skip
    return NewExperiment(
        name=name, kind="alias" if subject.origin == "alias" else "route", subject=subject.name,
        unit=unit,
        hypothesis=f"{chosen.figures.model} costs less than {run.asked.baseline} and is not worse "
        f"by {run.asked.margin:g} in {run.report.metric if run.report else ''} ({run.id})",
        arms=(ExperimentArm(name=CONTROL, weight=_WHOLE - part),
              ExperimentArm(name=CANDIDATE, weight=part, target=chosen.figures.model)),
        control=CONTROL, share=_WHOLE, metrics=tuple(metrics),
    )  # fmt: skip
