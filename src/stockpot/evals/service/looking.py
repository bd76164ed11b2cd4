"""Looking at runs: results, comparisons, gates, and how fast ideas reach production."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand_project
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput
from stockpot.evals import store
from stockpot.evals.comparing import (
    case_differences,
    compared,
    differing,
    paired,
    pareto,
    point_of,
    warnings_of,
)
from stockpot.evals.gating import decided
from stockpot.evals.measuring import Metric, metrics_of
from stockpot.evals.models import (
    GateResult,
    GateSpec,
    ParetoPoint,
    Release,
    Result,
    ResultPage,
    Run,
    RunComparison,
    Velocity,
)
from stockpot.evals.ports import Trials, World
from stockpot.evals.scorers import made
from stockpot.evals.service.badges import all_shown, badges_in, compared_shown, shown
from stockpot.evals.service.guarding import seen_run
from stockpot.evals.velocity import lead_of, releases_of
from stockpot.traces import Certifying

_LATEST = 50
_ON_THE_FRONT = 20


class Asked(NamedTuple):
    """Which results of a run to show."""

    failed: bool | None = None
    metric: str | None = None
    below: float | None = None
    slice: str | None = None
    q: str | None = None


class Looking:
    """Everything about runs that changes nothing but a gate's word."""

    def __init__(self, db: Database, world: World, certifying: Certifying) -> None:
        self._db = db
        self._world = world
        self._certifying = certifying
        self.trials: Trials | None = None
        """Experiments are above this: the composition root says who knows them."""

    async def runs(
        self, actor: Principal, project: str, suite: str | None, limit: int, before: str | None
    ) -> tuple[Run, ...]:
        """Runs of a project, newest first."""
        demand_project(actor, "viewer", project)
        found = await self._db.read(lambda c: store.list_runs(c, project, suite, limit, before))
        return await all_shown(self._certifying, found)

    async def run(self, actor: Principal, run_id: str) -> Run:
        """One run."""
        return await shown(self._certifying, await seen_run(self._db, actor, run_id))

    async def results(
        self, actor: Principal, run_id: str, asked: Asked, cursor: int, limit: int
    ) -> ResultPage:
        """Results of a run with their rows, in the order of the data set."""
        run = await seen_run(self._db, actor, run_id)

        def read(c: sa.Connection) -> ResultPage:
            found = _page(c, run_id, asked, cursor, limit)
            told = store.rowset(c, run.project, run.dataset_hash)
            rows = {row.id: row for row in store.rows_in(told[1])} if told else {}
            items = tuple(
                one.model_copy(update={"input": rows[one.item].input,
                                       "expected": rows[one.item].expected})
                if one.item in rows else one
                for _, one in found[:limit]
            )  # fmt: skip
            return ResultPage(
                items=items, next_cursor=found[limit - 1][0] if len(found) > limit else None,
                badges=badges,
            )  # fmt: skip

        badges = await badges_in(self._certifying, run.project, run.spec)
        return await self._db.read(read)

    async def compare(
        self, actor: Principal, base_id: str, candidate_id: str, confidence: float,
        part: str | None,
    ) -> RunComparison:  # fmt: skip
        """Two runs on the rows that both have."""
        base, candidate = await self.run(actor, base_id), await self.run(actor, candidate_id)
        badges = await badges_in(self._certifying, candidate.project, candidate.spec)
        if base.project != candidate.project:
            raise InvalidInput("runs of two projects are not compared")

        def read(c: sa.Connection) -> RunComparison:
            pairs = paired(_results(c, base_id), _results(c, candidate_id))
            metrics = _shared(base, candidate)
            margins = _margins(candidate.spec.gate)
            found = compared(pairs, metrics, confidence=confidence, margins=margins, only=part)
            return RunComparison(
                base=base, candidate=candidate, paired=len(pairs.base),
                only_base=pairs.only_base, only_candidate=pairs.only_candidate,
                differs=differing(base, candidate), warnings=warnings_of(base, candidate, pairs),
                metrics=compared_shown(found, badges),
                cases=case_differences(pairs, metrics), pareto=_front(c, base, candidate),
            )  # fmt: skip

        return await self._db.read(read)

    async def gate(self, actor: Principal, run_id: str, base_id: str | None) -> GateResult:
        """Decide whether a run passes, and keep the word: it is the proof of its prompt's
        version."""
        run = await seen_run(self._db, actor, run_id, "editor")
        if run.state != "done":
            raise Conflict(f"the run {run_id!r} is {run.state}: only a whole run can pass")
        if base_id not in (None, "last", "none"):
            base = await seen_run(self._db, actor, str(base_id))
            if base.project != run.project:
                raise InvalidInput("runs of two projects are not compared")

        badges = await badges_in(self._certifying, run.project, run.spec)

        def decide(c: sa.Connection) -> GateResult:
            chosen = _base_of(c, run, base_id or run.spec.gate.base)
            results = _results(c, run_id)
            metrics = _shared(chosen, run) if chosen else _metrics(run)
            before = _results(c, chosen.id) if chosen else []
            return decided(run, results, chosen, before, metrics, run.spec.gate, badges)

        # Beside the store's one writer: the tests of a long run take seconds.
        gate = await self._db.read(decide)

        def write(c: sa.Connection) -> None:
            store.set_run(c, run_id, gate=gate)
            told: dict[str, Any] = {
                "project": run.project, "passed": gate.passed, "base": gate.base,
            }  # fmt: skip
            audit(c, actor, "run.gate", run_id, **told)

        await self._db.write(write)
        return gate

    async def passed(self, project: str, prompt_name: str, version: int) -> str | None:
        """The newest run that was decided on for a prompt's version, when it passed: the proof that
        a protected label asks for."""
        return await self._db.read(lambda c: store.proof_of(c, project, prompt_name, str(version)))

    async def velocity(
        self, actor: Principal, project: str, from_ms: float, to_ms: float
    ) -> Velocity:
        """How long it takes from an idea to production, how often a release fails, and how long it
        takes to restore."""
        demand_project(actor, "viewer", project)
        made_runs = await self._db.read(
            lambda c: store.between(c, project, int(from_ms), int(to_ms))
        )
        found = [
            one if one.kind != "label"
            else one.model_copy(
                update={"proof": await self.passed(project, one.name, int(one.after))}
            )
            for one in await self._releases(project, from_ms, to_ms)
        ]  # fmt: skip
        failed = [one for one in found if one.failed]
        decided_on = [passed for _, passed in made_runs if passed is not None]
        return Velocity(
            project=project, from_ms=from_ms, to_ms=to_ms, releases=len(found), failed=len(failed),
            by_kind=dict(Counter(one.kind for one in found)),
            failed_share=len(failed) / len(found) if found else None,
            idea_to_production=lead_of(_known(one.lead_hours for one in found)),
            restore=lead_of(_known(one.restore_hours for one in failed)),
            runs=len(made_runs), gated=len(decided_on), gates_passed=sum(decided_on),
            releases_with_proof=sum(one.proof is not None for one in found),
            latest=tuple(found[:_LATEST]),
        )  # fmt: skip

    async def _releases(self, project: str, from_ms: float, to_ms: float) -> list[Release]:
        """Those of the project's labels and experiments, and of the aliases, which belong to the
        whole instance, those that its calls named or its experiments were on."""
        trials = await self.trials(project) if self.trials is not None else ()
        aliases = self._world.aliases
        named = await aliases.called(project, from_ms, to_ms) | {one.subject for one in trials}
        courses = [one for one in await aliases.courses() if one.alias in named]
        moves = await self._world.prompts.moves(project)
        return releases_of(moves, courses, trials, from_ms, to_ms)


def _known(hours: Iterable[float | None]) -> list[float]:
    return [one for one in hours if one is not None]


def _page(
    c: sa.Connection, run_id: str, asked: Asked, cursor: int, limit: int
) -> list[tuple[int, Result]]:
    """What was asked for after a place, and one more where there is more: a long run is not read
    to its end for each page of it."""
    found: list[tuple[int, Result]] = []
    while True:
        part = store.results_of(c, run_id, cursor, limit + 1, failed=asked.failed)
        found += [pair for pair in part if _is_asked(pair[1], asked)]
        if len(part) <= limit or len(found) > limit:
            return found
        cursor = part[-1][0]


def _results(c: sa.Connection, run_id: str) -> list[Result]:
    return [one for _, one in store.results_of(c, run_id)]


def _metrics(run: Run) -> dict[str, Metric]:
    return metrics_of(run.spec, [made(spec) for spec in run.spec.scorers])


def _shared(base: Run, candidate: Run) -> dict[str, Metric]:
    there = {scorer.metric for scorer in base.spec.scorers}
    return {name: metric for name, metric in _metrics(candidate).items() if name in there}


def _margins(spec: GateSpec) -> dict[str, float]:
    return {name: rule.margin for name, rule in spec.metrics.items() if rule.margin is not None}


def _base_of(c: sa.Connection, run: Run, base: str) -> Run | None:
    if base == "none":
        return None
    found = store.last_passed(c, run.project, run.suite, run.id) if base == "last" else base
    return store.run_by_id(c, found) if found else None


def _front(c: sa.Connection, base: Run, candidate: Run) -> tuple[ParetoPoint, ...]:
    """The two runs among the last of their suite on the same rows."""
    near = [
        run
        for run in store.list_runs(c, candidate.project, candidate.suite, _ON_THE_FRONT, None)
        if run.state == "done" and run.dataset_hash == candidate.dataset_hash
    ]
    there = {run.id: run for run in (*near, base, candidate)}
    return pareto([point_of(run, _results(c, run.id)) for run in there.values()])


def _is_asked(one: Result, asked: Asked) -> bool:
    if asked.slice and asked.slice not in one.slices:
        return False
    if asked.q and asked.q.casefold() not in f"{one.item} {one.output} {one.error}".casefold():
        return False
    if asked.metric is None:
        return True
    verdict = one.scores.get(asked.metric)
    if verdict is None or verdict.value is None:
        return asked.below is None and verdict is not None
    return asked.below is None or verdict.value < asked.below
