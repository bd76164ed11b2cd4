"""Starting, reporting, ending and resuming runs, and saying beforehand what they will cost."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa

from stockpot.access import Principal, audit, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.core.jobs import JobQueue
from stockpot.evals import store
from stockpot.evals.content import hash_of
from stockpot.evals.forecasting import forecast_of
from stockpot.evals.judges.service import JudgeService
from stockpot.evals.models import (
    HERE,
    Finish,
    Forecast,
    NewResults,
    NewRun,
    Progress,
    Result,
    Row,
    Run,
    ScorerSpec,
    SuiteSpec,
    Target,
)
from stockpot.evals.ports import ModelFacts, World
from stockpot.evals.scorers import PREFIX, made
from stockpot.evals.service.guarding import seen_run
from stockpot.evals.service.jobs import KIND, ending
from stockpot.evals.service.suites import SuiteService
from stockpot.evals.service.telling import tell_if_possible
from stockpot.evals.targets import Gateway
from stockpot.traces import ScoreService

_NO_PRICE = ModelFacts(None, ())
_OPEN = ("queued", "running")


class _Prepared(NamedTuple):
    """A run that could start: its rows, their name and version, and what would be asked."""

    spec: SuiteSpec
    rows: list[Row]
    name: str
    version: int | None
    digest: str
    arm: dict[str, Any]
    prices: tuple[float, float] | None


class Running:
    """Runs, from their plan to their end."""

    def __init__(
        self, db: Database, queue: JobQueue, world: World, suites: SuiteService,
        judges: JudgeService,
    ) -> None:  # fmt: skip
        self._db = db
        self._queue = queue
        self._world = world
        self._suites = suites
        self.scores: ScoreService | None = None
        """Where verdicts are told; the composition root gives it."""
        self._judges = judges

    async def forecast(self, actor: Principal, project: str, new: NewRun) -> Forecast:
        """What a run would cost and what it could show. Starts nothing."""
        demand_project(actor, "viewer", project)
        plan = await self._prepared(actor, project, new)
        keys = _keys(plan)

        def read(c: sa.Connection) -> Forecast:
            asked = [key for key in keys if key is not None]
            known = 0 if new.repeat_calls else len(store.known_answers(c, project, asked))
            last = store.last_done(c, project, plan.spec.name)
            before = [one for _, one in store.results_of(c, last)] if last else []
            older = store.last_done(c, project, plan.spec.name, last) if last else None
            older_results = [one for _, one in store.results_of(c, older)] if older else []
            return forecast_of(
                plan.spec, plan.rows, len(asked), known, plan.prices, before, older_results
            )

        return await self._db.read(read)

    async def start(
        self, actor: Principal, project: str, new: NewRun, *, queued: bool = True
    ) -> Run:
        """Start a run; the instance does it, or whoever asked reports what comes out. With `queued`
        False it waits for a job of somebody else to do it."""
        demand_project(actor, "editor", project)
        plan = await self._prepared(actor, project, new)
        _check_runner(plan.spec.target, new.runner)
        if new.runner == "instance" and _asks_models(plan.spec):
            await self._world.secret(project)
        total = len(plan.rows) * plan.spec.repeats
        run = Run(
            id=record_id("run"), project=project, suite=plan.spec.name, spec=plan.spec,
            state="queued" if new.runner == "instance" else "running", runner=new.runner,
            dataset=plan.name, dataset_version=plan.version, dataset_hash=plan.digest,
            arm=plan.arm, message=new.message, error="", estimate_nano=None, metrics=(), gate=None,
            progress=Progress(rows=total, done=0, failed=0, cached=0, cost_nano=0, saved_nano=0,
                              seconds=0.0),
            created_ms=now_ms(), started_ms=now_ms() if new.runner == "here" else None,
            finished_ms=None, created_by=actor.label,
        )  # fmt: skip
        await self._db.write(lambda c: self._add(c, actor, run, plan, new, queued=queued))
        if plan.version is not None:
            await self._world.datasets.used(project, plan.name, plan.version, run.id, run.suite)
        self._queue.wake()
        return run

    def _add(
        self, c: sa.Connection, actor: Principal, run: Run, plan: _Prepared, new: NewRun,
        *, queued: bool,
    ) -> None:  # fmt: skip
        rows = [row.model_dump(mode="json", exclude_defaults=True) for row in plan.rows]
        store.put_rowset(c, run.project, plan.name, plan.digest, rows, now_ms())
        prices = {"dollars": list(plan.prices) if plan.prices else None}
        store.add_run(c, run, prices, repeat_calls=new.repeat_calls)
        if run.runner == "instance" and queued:
            self._queue.add(c, KIND, run.id, {"run": run.id})
        told: dict[str, Any] = {"project": run.project, "suite": run.suite, "arm": run.arm}
        audit(c, actor, "run.start", run.id, **told)

    async def report(self, actor: Principal, run_id: str, new: NewResults) -> Run:
        """Keep results of a run that its caller does."""
        seen = await self._own(actor, run_id)
        found = await self._db.read(lambda c: store.rowset(c, seen.project, seen.dataset_hash))
        rows = store.rows_in(found[1]) if found else []
        number = {row.id: place for place, row in enumerate(rows)}
        kept = [(_place(number, one, seen), one) for one in new.results]

        def write(c: sa.Connection) -> None:
            run = _still_own(store.run_by_id(c, run_id) or seen)
            there = store.done_places(c, run_id)
            fresh = [one for place, one in kept if place not in there]
            store.put_results(c, run_id, kept)
            progress = _advanced(run.progress, fresh, now_ms() - (run.started_ms or 0))
            store.set_run(c, run_id, progress=progress)
            told: dict[str, Any] = {"project": run.project, "results": len(kept)}
            audit(c, actor, "run.report", run_id, **told)

        await self._db.write(write)
        return await seen_run(self._db, actor, run_id)

    async def finish(self, actor: Principal, run_id: str, told: Finish) -> Run:
        """The caller's run is over: compute its metrics."""
        run = await self._own(actor, run_id)
        state = "failed" if told.error else "done"
        note = told.error
        if not note and self.scores is not None:
            results = await self._db.read(lambda c: store.results_of(c, run_id))
            note = await tell_if_possible(self.scores, run, [one for _, one in results])

        ended = await self._db.read(lambda c: ending(c, run, state, note))

        def write(c: sa.Connection) -> None:
            _still_own(store.run_by_id(c, run_id) or run)
            store.set_run(c, run_id, **ended)
            audit(c, actor, "run.finish", run_id, project=run.project, state=state)

        await self._db.write(write)
        return await seen_run(self._db, actor, run_id)

    async def cancel(self, actor: Principal, run_id: str) -> Run:
        """End a run; what is done stays and can be resumed."""
        run = await seen_run(self._db, actor, run_id, "editor")
        await self._queue.cancel(run_id)

        def write(c: sa.Connection) -> None:
            present = store.run_by_id(c, run_id) or run
            if present.state in _OPEN:
                store.set_run(c, run_id, state="cancelled", finished_ms=now_ms())
            audit(c, actor, "run.cancel", run_id, project=run.project)

        await self._db.write(write)
        return await seen_run(self._db, actor, run_id)

    async def resume(self, actor: Principal, run_id: str) -> Run:
        """Go on with a run that was cancelled or failed; rows that failed are tried again."""
        seen = await seen_run(self._db, actor, run_id, "editor")

        def write(c: sa.Connection) -> None:
            run = store.run_by_id(c, run_id) or seen
            if run.state in _OPEN and run.runner == "instance":
                raise Conflict(
                    f"the run {run_id!r} is {run.state}", hint=f"stockpot eval watch {run_id}"
                )
            store.drop_failed(c, run_id)
            done = len(store.done_places(c, run_id))
            progress = run.progress.model_copy(update={"done": done, "failed": 0})
            here = run.runner == "here"
            state = "running" if here else "queued"
            store.set_run(c, run_id, state=state, error="", progress=progress, finished_ms=None,
                          gate=None, gate_passed=None)  # fmt: skip
            if not here:
                self._queue.add(c, KIND, run_id, {"run": run_id})
            audit(c, actor, "run.resume", run_id, project=run.project, done=done)

        await self._db.write(write)
        self._queue.wake()
        return await seen_run(self._db, actor, run_id)

    async def _own(self, actor: Principal, run_id: str) -> Run:
        return _still_own(await seen_run(self._db, actor, run_id, "editor"))

    async def _prepared(self, actor: Principal, project: str, new: NewRun) -> _Prepared:
        await self._world.check_project(project, actor)
        if new.spec is None and not new.suite:
            raise InvalidInput("a run needs the name of a suite, or a spec")
        spec = new.spec or (await self._suites.named(actor, project, new.suite)).spec
        if new.target is not None:
            spec = spec.model_copy(update={"target": new.target})
        scorers = tuple([await self.pinned(project, one) for one in spec.scorers])
        spec = spec.model_copy(update={"scorers": scorers})
        rows, name, version = await self._rows(project, spec, new.rowset)
        if not rows:
            raise InvalidInput(f"{name!r} has no rows to evaluate")
        target, arm = await self._resolved(project, spec.target)
        facts = await self._world.model(arm["model"]) if arm.get("model") else _NO_PRICE
        arm["served"] = list(facts.served)
        spec = spec.model_copy(update={"target": target})
        return _Prepared(spec, rows, name, version, hash_of(rows), arm, facts.prices)

    async def pinned(self, project: str, scorer: ScorerSpec) -> ScorerSpec:
        """A scorer with its judge as it is now; one that is no judge stays as it is."""
        if not scorer.use.startswith(PREFIX):
            made(scorer)
            return scorer
        judge = await self._judges.named(project, scorer.use)
        facts = await self._judges.facts(judge)
        pinned = {
            "judge": judge.model_dump(mode="json"),
            "prices": {model: one.prices for model, one in facts.items()},
            "served": {model: list(one.served) for model, one in facts.items()},
        }
        found = ScorerSpec(use=judge.ref, name=scorer.metric, options=pinned)
        made(found)
        return found

    async def prices(self, *models: str) -> dict[str, tuple[float, float] | None]:
        """Dollars per million tokens of input and output; None where no price is known."""
        found: dict[str, tuple[float, float] | None] = {}
        for model in filter(None, models):
            try:
                found[model] = (await self._world.model(model)).prices
            except NotFound:  # it may come later
                found[model] = None
        return found

    async def _rows(
        self, project: str, spec: SuiteSpec, digest: str
    ) -> tuple[list[Row], str, int | None]:
        if digest:
            found = await self._db.read(lambda c: store.rowset(c, project, digest))
            if found is None:
                raise NotFound(f"no rows with the hash {digest!r}", hint="POST /evals/rowsets")
            return store.rows_in(found[1]), found[0], None
        name, _, version = spec.dataset.partition("@")
        if not name:
            raise InvalidInput(
                "the suite names no data set and the run brings no rows",
                hint='dataset = "NAME@VERSION", or stockpot eval run SUITE --rows FILE',
            )
        number = int(version) if version.isdigit() else None
        told = await self._world.datasets.rows(project, name, number, spec.split)
        return list(told.rows), told.name, told.version

    async def _resolved(self, project: str, target: Target) -> tuple[Target, dict[str, Any]]:
        """The target with its label as a version, and what it is, to tell it from others."""
        arm: dict[str, Any] = {"kind": target.kind, "params": target.params}
        for name in ("model", "system", "url", "callable"):
            if value := getattr(target, name):
                arm[name] = value
        if target.kind != "prompt":
            return target, arm
        name, _, ref = target.prompt.partition("@")
        found = await self._world.prompts.resolved(project, name, ref or "production")
        arm |= {
            "prompt": found.name, "prompt_version": found.version,
            "prompt_hash": found.content_hash, "model": target.model or found.model,
        }  # fmt: skip
        return target.model_copy(update={"prompt": f"{found.name}@{found.version}"}), arm


def _asks_models(spec: SuiteSpec) -> bool:
    judged = any(one.use.startswith(PREFIX) for one in spec.scorers)
    return judged or spec.target.kind in ("prompt", "model")


def _check_runner(target: Target, runner: str) -> None:
    if target.kind in HERE and runner == "instance":
        raise InvalidInput(
            f"a target of kind {target.kind!r} is called by the command that runs the suite",
            hint="stockpot eval run SUITE",
        )
    if target.kind not in (*HERE, "recorded") and runner == "here":
        raise InvalidInput(f"a target of kind {target.kind!r} is called by the instance")


def _keys(plan: _Prepared) -> list[bytes | None]:
    if plan.spec.target.kind not in ("prompt", "model"):
        return []
    caller = Gateway(plan.spec.target, httpx.AsyncClient(), "", plan.arm)
    return [caller.key(row, repeat) for row in plan.rows for repeat in range(plan.spec.repeats)]


def _still_own(run: Run) -> Run:
    """A run that goes on and that its caller does; raises Conflict for any other."""
    if run.runner != "here" or run.state not in _OPEN:
        who = "its caller" if run.runner == "here" else "the instance"
        raise Conflict(f"the run {run.id!r} takes no results: it is {run.state}, done by {who}")
    return run


def _place(number: dict[str, int], one: Result, run: Run) -> int:
    if one.item not in number or one.repeat >= run.spec.repeats:
        raise InvalidInput(f"the run has no row {one.item!r} with the repeat {one.repeat}")
    return number[one.item] * run.spec.repeats + one.repeat


def _advanced(was: Progress, fresh: list[Result], took_ms: float) -> Progress:
    known = all(one.cost_nano is not None or not one.usage.output for one in fresh)
    paid = sum(one.cost_nano or 0 for one in fresh if not one.cached)
    return was.model_copy(
        update={
            "done": was.done + len(fresh), "failed": was.failed + sum(bool(o.error) for o in fresh),
            "cached": was.cached + sum(o.cached for o in fresh), "seconds": took_ms / 1000,
            "cost_nano": was.cost_nano + paid if known and was.cost_nano is not None else None,
        }
    )  # fmt: skip
