"""Starting runs, looking at them, ending and resuming them. Asks no model: a job does."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal, Role, audit, demand, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.dollars import dollars
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.evals import (
    PREFIX,
    NewRows,
    NewRun,
    Row,
    ScorerSpec,
    SuiteSpec,
    Target,
    judge_of,
    made,
)
from stockpot.pipelines.rightsize import store
from stockpot.pipelines.rightsize.models import NewRightsize, RightsizeRun, SizeArm, Traffic
from stockpot.pipelines.rightsize.ports import World
from stockpot.pipelines.rightsize.traffic import logged_rows, traffic_of
from stockpot.traces import Badge

KIND = "rightsize.run"
"""The kind of job that does a run."""
OPEN = ("queued", "running")
_HOUR_MS = 3_600_000
_OWN_KEY = "evaluations"


class _Rows(NamedTuple):
    rows: tuple[Row, ...]
    source: str
    notes: tuple[str, ...]


class Running:
    """Runs, from their plan to their end."""

    def __init__(self, db: Database, world: World) -> None:
        self._db = db
        self._world = world

    async def start(self, actor: Principal, project: str, new: NewRightsize) -> RightsizeRun:
        """Start a run: an evaluation for each model, which one job does in turn, baseline first."""
        demand_project(actor, "editor", project)
        spec = await self._spec(actor, project, new)
        scorer_of(spec, new.metric)
        unpriced = await self._unpriced(new, await self._judges(project, new, spec))
        found = await self._rows(project, new, spec)
        rowset = await self._world.evals.suites.add_rows(
            actor, project, NewRows(name=found.source[:200], rows=found.rows)
        )
        wanted = {
            model: _wanted(new, spec, model, rowset.hash)
            for model in (new.baseline, *new.candidates)
        }
        estimate = await self._estimate(actor, project, tuple(wanted.values()))
        arms = [await self._arm(actor, project, model, run) for model, run in wanted.items()]
        run = RightsizeRun(
            id=record_id("size"), project=project, asked=new, state="queued", source=found.source,
            rows=len(found.rows), arms=tuple(arms), spent_nano=0, unpriced=unpriced,
            traffic=await self._traffic(project, new), report=None, applied="",
            notes=(*found.notes, estimate),
            experiment="", error="", created_ms=now_ms(), started_ms=None, finished_ms=None,
            created_by=actor.label,
        )  # fmt: skip

        def write(c: sa.Connection) -> None:
            store.add(c, run)
            self._world.evals.queue.add(c, KIND, run.id, {"run": run.id})
            told: dict[str, Any] = {"project": project, "candidates": list(new.candidates),
                                    "baseline": new.baseline}  # fmt: skip
            audit(c, actor, "rightsize.start", run.id, **told)

        await self._db.write(write)
        self._world.evals.queue.wake()
        return run

    async def all(self, actor: Principal, project: str, limit: int) -> tuple[RightsizeRun, ...]:
        """Runs of a project, newest first."""
        demand_project(actor, "viewer", project)
        runs = await self._db.read(lambda c: store.listed(c, project, limit))
        return tuple([await self._certified(run) for run in runs])

    async def shown(self, actor: Principal, run_id: str, role: Role = "viewer") -> RightsizeRun:
        """One run, with what stands against its judge now."""
        run = await self._db.read(lambda c: store.by_id(c, run_id))
        absent = NotFound(f"no run {run_id!r}", hint="stockpot rightsize list PROJECT")
        if run is None:
            raise absent
        demand(actor, role, run.project, absent)
        return await self._certified(run)

    async def _certified(self, run: RightsizeRun) -> RightsizeRun:
        """A run with the certificate of its judge: no figure of a judge is shown without."""
        if run.report is None or not run.report.judge:
            return run
        badge = await self._world.certificate(run.project, run.report.judge)
        said = against(run.report.judge, badge)
        told = (said, *run.report.warnings) if said else run.report.warnings
        report = run.report.model_copy(update={"warnings": told, "badge": badge})
        return run.model_copy(update={"report": report})

    async def cancel(self, actor: Principal, run_id: str) -> RightsizeRun:
        """End a run; what is done stays, and it can be resumed."""
        run = await self.shown(actor, run_id, "editor")
        if run.state not in OPEN:
            raise Conflict(f"the run {run_id!r} is {run.state}")
        await self._world.evals.queue.cancel(run_id)

        def write(c: sa.Connection) -> None:
            store.change(c, run_id, state="cancelled", finished_ms=now_ms())
            audit(c, actor, "rightsize.cancel", run_id, project=run.project)

        await self._db.write(write)
        return await self.shown(actor, run_id)

    async def resume(self, actor: Principal, run_id: str, budget: int | None) -> RightsizeRun:
        """Go on where a run ended, with a budget for all of it; rows that failed are tried
        again."""
        run = await self.shown(actor, run_id, "editor")
        if run.state in OPEN:
            raise Conflict(f"the run {run_id!r} is {run.state}")
        if budget is not None and run.unpriced:
            raise _no_price(run.unpriced)
        asked = run.asked.model_copy(update={"budget_nano": budget})

        def write(c: sa.Connection) -> None:
            store.change(c, run_id, state="queued", asked=asked, error="", finished_ms=None)
            self._world.evals.queue.add(c, KIND, run_id, {"run": run_id})
            audit(c, actor, "rightsize.resume", run_id, project=run.project, budget_nano=budget)

        await self._db.write(write)
        self._world.evals.queue.wake()
        return await self.shown(actor, run_id)

    # --- what a run consists of -------------------------------------------------------------------

    async def _spec(self, actor: Principal, project: str, new: NewRightsize) -> SuiteSpec:
        """The suite, or one made of the scorers that are named; its target is each model's own."""
        target = Target(kind="model", model=new.baseline, input=new.input, system=new.system,
                        params=new.params)  # fmt: skip
        if not new.suite:
            return SuiteSpec(name="rightsize", target=target, scorers=new.scorers,
                             cluster=self._cluster(new, ""))  # fmt: skip
        spec = (await self._world.evals.suites.named(actor, project, new.suite)).spec
        if spec.target.kind == "prompt":
            target = spec.target
        elif spec.target.kind == "model":
            target = target.model_copy(update={
                "input": new.input or spec.target.input, "system": new.system or spec.target.system,
                "params": {**spec.target.params, **new.params},
            })  # fmt: skip
        return spec.model_copy(update={
            "target": target, "scorers": new.scorers or spec.scorers,
            "cluster": self._cluster(new, spec.cluster), "repeats": spec.repeats,
        })  # fmt: skip

    @staticmethod
    def _cluster(new: NewRightsize, suites: str) -> str:
        if new.cluster:
            return new.cluster
        return "metadata.belongs_to" if new.traffic_hours is not None else suites

    async def _rows(self, project: str, new: NewRightsize, spec: SuiteSpec) -> _Rows:
        if new.traffic_hours is not None:
            from_ms = time.time() * 1000 - new.traffic_hours * _HOUR_MS
            route = new.alias or new.baseline
            found = logged_rows(self._world.spans, project, route, from_ms, new.rows)
            if len(found.rows) < 2:
                raise InvalidInput(
                    f"{len(found.rows)} logged calls of {route!r} in the last "
                    f"{new.traffic_hours:g} hours can be asked again. {' '.join(found.notes)}",
                    hint="give a longer --traffic, or --dataset NAME",
                )
            source = f"{len(found.rows)} calls of {route} in {new.traffic_hours:g} h of traffic"
            return _Rows(found.rows, source, found.notes)
        name, _, version = (new.dataset or spec.dataset).partition("@")
        if not name:
            raise InvalidInput(
                "nothing says what to ask: the suite names no data set",
                hint="--dataset NAME, or --traffic 7d",
            )
        number = int(version) if version.isdigit() else None
        told = await self._world.datasets.rows(project, name, number, spec.split)
        if len(told.rows) < 2:
            raise InvalidInput(f"the data set {name!r} has {len(told.rows)} rows")
        rows = told.rows[: new.rows]
        notes: tuple[str, ...] = ()
        if len(told.rows) > new.rows:
            notes = (f"The first {new.rows} of {len(told.rows)} rows were asked.",)
        return _Rows(rows, f"{told.name}@{told.version}", notes)

    async def _judges(self, project: str, new: NewRightsize, spec: SuiteSpec) -> tuple[str, ...]:
        """The models that the scorers' judges ask. With a budget there may be no scorer whose calls
        nobody counts."""
        found: list[str] = []
        for scorer in spec.scorers:
            if scorer.use.startswith(PREFIX):
                found += (await self._world.evals.judges.named(project, scorer.use)).models
            elif new.budget_nano is not None and scorer.use != "recorded" and judge_of(scorer):
                raise InvalidInput(
                    f"the scorer {scorer.use!r} asks a model by itself, and what it pays is not "
                    "counted: a budget could not be kept",
                    hint="use a scorer judge:NAME; or leave out --budget",
                )
        return tuple(dict.fromkeys(found))

    async def _estimate(self, actor: Principal, project: str, runs: tuple[NewRun, ...]) -> str:
        """What the run is expected to cost, in a sentence."""
        told = [await self._world.evals.running.forecast(actor, project, run) for run in runs]
        calls, judged = ([one.cost_nano for one in told], [one.judges_nano for one in told])
        if None in calls or None in judged:
            return "What it will cost is not known: not every model that is asked has a price."
        text = f"Estimated before the start: {dollars(sum(c or 0 for c in calls))} for models"
        if asked := sum(one.judges_calls for one in told):
            most = dollars(sum(j or 0 for j in judged))
            text += f", at most {most} for {asked:,} calls of judges"
        return f"{text}."

    async def _unpriced(self, new: NewRightsize, judges: tuple[str, ...]) -> tuple[str, ...]:
        """Models of unknown price. With a budget there may be none: it could not be kept."""
        found = []
        for model in dict.fromkeys((new.baseline, *new.candidates, *judges)):
            shown = await self._world.catalog.models.named(model)
            if not shown.targets:
                raise NotFound(f"nothing serves {model!r} now", hint="stockpot aliases list")
            if any(target.price is None and not target.free for target in shown.targets):
                found.append(model)
        if found and new.budget_nano is not None:
            raise _no_price(tuple(found))
        return tuple(found)

    async def _arm(self, actor: Principal, project: str, model: str, wanted: NewRun) -> SizeArm:
        run = await self._world.evals.running.start(actor, project, wanted, queued=False)
        return SizeArm(model=model, run=run.id, rows=run.progress.rows)

    async def _traffic(self, project: str, new: NewRightsize) -> Traffic:
        keys = await self._world.catalog.keys.all(SYSTEM)
        own = tuple(k.id for k in keys if k.name == _OWN_KEY and k.project == project)
        return traffic_of(self._world.spans, project, new.alias or new.baseline, own)


def _wanted(new: NewRightsize, spec: SuiteSpec, model: str, rowset: str) -> NewRun:
    """The evaluation of one model."""
    target = spec.target.model_copy(update={"model": model})
    why = f"rightsize: {new.message}" if new.message else "rightsize"
    return NewRun(
        spec=spec.model_copy(update={"target": target}), rowset=rowset,
        repeat_calls=new.repeat_calls, message=why[:2000],
    )  # fmt: skip


def scorer_of(spec: SuiteSpec, metric: str) -> tuple[ScorerSpec, Any]:
    """The scorer whose metric decides: the first, where none is named. Raises InvalidInput."""
    known = {scorer.metric: scorer for scorer in spec.scorers}
    name = metric or spec.scorers[0].metric
    if name not in known:
        raise InvalidInput(
            f"no scorer gives the metric {name!r}.{did_you_mean(name, known)}",
            hint=f"--metric {next(iter(known))}",
        )
    scorer = made(known[name])
    if scorer.returns == "label":
        raise InvalidInput(f"{name!r} gives labels, which have no difference")
    return known[name], scorer


def against(judge: str, badge: Badge | None) -> str:
    """What stands against a judge, '' where nothing does."""
    if badge is None or badge.may_gate:
        return ""
    return (
        f"The scores are verdicts of the judge {judge!r}, which has no human certificate in "
        f"force ({badge.words or badge.state}): they may inform, and prove nothing."
    )


def judge_behind(spec: ScorerSpec) -> str:
    """The judge whose verdicts a scorer gives, '' where there is none."""
    return judge_of(spec).removeprefix(PREFIX)


def _no_price(models: tuple[str, ...]) -> InvalidInput:
    named = ", ".join(map(repr, models))
    return InvalidInput(
        f"the price of {named} is not known: a budget could not be kept",
        hint="stockpot prices set PROVIDER/MODEL --input ... --output ...; or leave out --budget",
    )
