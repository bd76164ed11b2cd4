"""The instance's own work on runs: a handler of durable jobs. Knows the store and the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import sqlalchemy as sa

from stockpot.core.clock import now_ms
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.errors import Conflict
from stockpot.core.jobs import Work
from stockpot.core.transactions import StoreAway
from stockpot.evals import store
from stockpot.evals.clients import gateway_client
from stockpot.evals.engine import Engine, Plan, Purse, case_of
from stockpot.evals.judges.keeping import KeptAnswers
from stockpot.evals.judges.reporting import reports_of
from stockpot.evals.judges.tools import GatewayTools
from stockpot.evals.measuring import all_measured, looks_at_cases
from stockpot.evals.models import Progress, Result, Run
from stockpot.evals.scorers import Case, made
from stockpot.evals.service.telling import tell_if_possible
from stockpot.evals.targets import Answer, Caller, Gateway, Recorded
from stockpot.traces import ScoreService

KIND = "evals.run"
"""The kind of job that does a run."""


class EvalJobs:
    """Does runs. `secret_of` gives the secret of a project's key for evaluations."""

    def __init__(
        self, db: Database, settings: Settings, secret_of: Callable[[str], str],
        transport: httpx.AsyncBaseTransport | None = None, scores: ScoreService | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._scores = scores
        self._settings = settings
        self._secret_of = secret_of
        self._transport = transport

    async def handle(self, work: Work) -> None:
        """A run, from where it is to its end."""
        run_id = work.job.subject
        run = await self._db.write(lambda c: _begun(c, run_id))
        if run is None:
            return
        try:
            work.begin()
            await self._run(work.stop, run)
        except StoreAway:
            raise
        except Exception as bad:
            error = f"{type(bad).__name__}: {bad}"
            await close(self._db, run, "failed", error)
            raise

    async def do(self, run_id: str, stop: asyncio.Event, purse: Purse | None = None) -> Run:
        """A run as part of another job, as far as its purse goes. What is left undone when it ends
        can be taken up by the next call."""
        run = await self.run(run_id)
        if run.state != "done":
            await self._db.write(lambda c: _set_running(c, run))
            again = await self._db.write(lambda c: _without_failed(c, run))
            await self._run(stop, again, purse)
        return await self.run(run_id)

    async def run(self, run_id: str) -> Run:
        """A run as it stands. Raises Conflict where it is gone."""
        run = await self._db.read(lambda c: store.run_by_id(c, run_id))
        if run is None:
            raise Conflict(f"the run {run_id!r} is not there any more")
        return run

    async def results(self, run_id: str) -> tuple[Result, ...]:
        """What there is of a run, in the order of its rows."""
        found = await self._db.read(lambda c: store.results_of(c, run_id))
        return tuple(one for _, one in found)

    async def _run(self, stop: asyncio.Event, run: Run, purse: Purse | None = None) -> None:
        plan = await self._db.read(lambda c: plan_of(c, run))
        client = self._client(run)
        caller = self._caller(run, client)
        scorers = [made(spec) for spec in run.spec.scorers]
        ledger = StoreLedger(self._db, run)
        tools = GatewayTools(client, KeptAnswers(self._db, run.project), again=plan.repeat_calls)
        try:
            engine = Engine(plan, ledger, caller, scorers, tools, stop=stop, purse=purse)
            await engine.run()
        finally:
            await client.aclose()
        if engine.out_of_money:
            await close(self._db, run, "cancelled", "the budget is spent")
        elif not stop.is_set():
            results = await self.results(run.id)
            note = await tell_if_possible(self._scores, run, results)
            await close(self._db, run, "done", note, results)

    def _client(self, run: Run) -> httpx.AsyncClient:
        secret = self._secret_of(run.project)
        return gateway_client(self._settings, secret, self._transport, run=run.id)

    def _caller(self, run: Run, client: httpx.AsyncClient) -> Caller:
        if run.spec.target.kind == "recorded":
            return Recorded(run.spec.target)
        return Gateway(run.spec.target, client, run.id, run.arm)


class StoreLedger:
    """Keeps a run in the control store, each step in one transaction."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db = db
        self._run = run

    async def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        found = await self._db.read(lambda c: store.known_answers(c, self._run.project, keys))
        return {key: store.inflated(data) for key, data in found.items()}

    async def keep(
        self, results: Sequence[tuple[int, Result]], answers: Mapping[bytes, bytes],
        progress: Progress,
    ) -> None:  # fmt: skip
        deflated = {key: store.deflated(data) for key, data in answers.items()}

        def write(c: sa.Connection) -> None:
            store.put_answers(c, self._run.project, deflated, now_ms())
            store.put_results(c, self._run.id, results)
            store.set_run(c, self._run.id, progress=progress)

        await self._db.write(write)


def plan_of(c: sa.Connection, run: Run) -> Plan:
    """What is left to do of a run."""
    found = store.rowset(c, run.project, run.dataset_hash)
    if found is None:
        raise Conflict(f"the rows of {run.id!r} are not there any more")
    prices, repeat_calls = store.plan_of(c, run.id)
    dollars = prices.get("dollars")
    return Plan(
        spec=run.spec, rows=store.rows_in(found[1]), repeat_calls=repeat_calls,
        done=frozenset(store.done_places(c, run.id)), progress=run.progress,
        prices=(dollars[0], dollars[1]) if dollars else None,
    )  # fmt: skip


def _begun(c: sa.Connection, run_id: str) -> Run | None:
    """A run that is done from now on; None where there is nothing to do any more, also when it was
    cancelled since its job was taken."""
    run = store.run_by_id(c, run_id)
    if run is None or run.state in ("done", "cancelled"):
        return None
    _set_running(c, run)
    return run


def _set_running(c: sa.Connection, run: Run) -> None:
    store.set_run(c, run.id, state="running", started_ms=int(run.started_ms or now_ms()))


def _without_failed(c: sa.Connection, run: Run) -> Run:
    """A run whose failed rows are tried again."""
    if not run.progress.failed:
        return run
    store.drop_failed(c, run.id)
    done = len(store.done_places(c, run.id))
    progress = run.progress.model_copy(update={"done": done, "failed": 0})
    store.set_run(c, run.id, progress=progress)
    return run.model_copy(update={"progress": progress})


async def close(
    db: Database, run: Run, state: str, error: str = "", results: Sequence[Result] | None = None
) -> None:
    """The end of a run. Its figures are computed beside the store's one writer, not by it."""
    ended = await db.read(lambda c: ending(c, run, state, error, results))
    await db.write(lambda c: store.set_run(c, run.id, **ended))


def ending(
    c: sa.Connection, run: Run, state: str, error: str = "",
    results: Sequence[Result] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The columns of a run that is over: its metrics, out of its results; those not given are read.
    Takes seconds where there are many."""
    if results is None:
        results = [one for _, one in store.results_of(c, run.id)]
    scorers = [made(spec) for spec in run.spec.scorers]
    looked_at = any(looks_at_cases(run.spec, scorer) for scorer in scorers)
    cases = cases_of(c, run, results) if looked_at else []
    return {
        "metrics": all_measured(run.spec, scorers, cases, results),
        "judges": reports_of(c, run, scorers, results),
        "state": state, "error": error[:2000], "finished_ms": now_ms(),
    }  # fmt: skip


def cases_of(c: sa.Connection, run: Run, results: Sequence[Result]) -> list[Case]:
    """The rows of results, as scorers see them."""
    found = store.rowset(c, run.project, run.dataset_hash)
    rows = {row.id: row for row in store.rows_in(found[1])} if found else {}
    return [
        case_of(rows[one.item], Answer(output=one.output), run.spec, one.cost_nano)
        for one in results
    ]
