"""Doing a run, as a durable job: one arm after the other, within the budget, then the verdicts.

A job that is taken up again goes on where the kept results end; what was paid counts against the
budget. Knows evaluations by their front door; knows no HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.jobs import Work
from stockpot.core.transactions import StoreAway
from stockpot.evals import EvalJobs, Run
from stockpot.pipelines.rightsize import store
from stockpot.pipelines.rightsize.models import RightsizeRun, SizeArm, SizeReport
from stockpot.pipelines.rightsize.service.running import judge_behind, scorer_of

_TOLD_EVERY_S = 0.5


class Budget:
    """The purse of a run. Without a bound it only counts."""

    def __init__(self, nano: int | None, paid: int = 0) -> None:
        self._most = nano
        self._aside = 0
        self.paid = paid

    def reserve(self, nano: int) -> bool:
        """Put this much aside, where so much is left."""
        if self._most is not None and self.paid + self._aside + nano > self._most:
            return False
        self._aside += nano
        return True

    def settle(self, reserved: int, paid: int) -> None:
        """A call ended."""
        self._aside -= reserved
        self.paid += paid


class RightsizeJobs:
    """Does runs, in the process of jobs."""

    def __init__(self, db: Database, evaluations: EvalJobs) -> None:
        self._db = db
        self._evaluations = evaluations

    async def handle(self, work: Work) -> None:
        """A run, from where it is to its end."""
        run = await self._db.read(lambda c: store.by_id(c, work.job.subject))
        if run is None or run.state in ("done", "cancelled"):
            return
        try:
            work.begin()
            await self._do(work.stop, run)
        except StoreAway:
            raise
        except Exception as bad:
            told = f"{type(bad).__name__}: {bad}"[:2000]
            await self._change(run.id, state="failed", error=told, finished_ms=now_ms())
            raise

    async def _do(self, stop: asyncio.Event, run: RightsizeRun) -> None:
        await self._change(run.id, state="running", started_ms=int(run.started_ms or now_ms()))
        # what was paid stands with each evaluation, also where this job was killed before it told
        arms = [_arm(arm, await self._evaluations.run(arm.run)) for arm in run.arms]
        purse = Budget(run.asked.budget_nano, sum(arm.cost_nano or 0 for arm in arms))
        for place, arm in enumerate(arms):
            telling = asyncio.create_task(self._tell(run.id, arms, place, purse))
            try:
                told = await self._evaluations.do(arm.run, stop, purse)
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
            arms[place] = _arm(arm, told)
            await self._keep(run.id, arms, purse)
            if stop.is_set():
                return
        short = any(arm.state != "done" for arm in arms)
        report = await self._report(run, arms)
        await self._change(
            run.id, state="stopped" if short else "done", report=report, finished_ms=now_ms(),
            error="the budget does not suffice for all rows" if short else "",
        )  # fmt: skip

    async def _tell(self, run_id: str, arms: list[SizeArm], place: int, purse: Budget) -> None:
        """How far the arm under way is, again and again."""
        while True:
            await asyncio.sleep(_TOLD_EVERY_S)
            told = await self._evaluations.run(arms[place].run)
            await self._keep(
                run_id, [*arms[:place], _arm(arms[place], told), *arms[place + 1 :]], purse
            )

    async def _keep(self, run_id: str, arms: list[SizeArm], purse: Budget) -> None:
        await self._change(run_id, arms=tuple(arms), spent_nano=purse.paid)

    async def _report(self, run: RightsizeRun, arms: list[SizeArm]) -> SizeReport:
        from stockpot.pipelines.rightsize.deciding import (  # scipy: a start need not wait for it
            Question,
            Told,
            decided,
        )

        told = [Told(arm.model, arm.run, await self._evaluations.results(arm.run)) for arm in arms]
        spec = (await self._evaluations.run(arms[0].run)).spec
        chosen, scorer = scorer_of(spec, run.asked.metric)
        question = Question(
            metric=chosen.metric, unit="share" if scorer.returns == "bool" else scorer.unit,
            direction=scorer.better, margin=run.asked.margin, confidence=run.asked.confidence,
            calls_per_month=run.traffic.calls_per_month if run.traffic else 0.0,
            judge=judge_behind(chosen),
        )  # fmt: skip
        return await asyncio.to_thread(decided, question, told[0], told[1:])

    async def _change(self, run_id: str, **values: Any) -> None:
        await self._db.write(lambda c: store.change(c, run_id, **values))


def _arm(arm: SizeArm, run: Run) -> SizeArm:
    told = run.progress
    return SizeArm(
        model=arm.model, run=arm.run, rows=told.rows, done=told.done, failed=told.failed,
        cached=told.cached, cost_nano=told.cost_nano, judges_nano=told.judges_nano, state=run.state,
    )  # fmt: skip
