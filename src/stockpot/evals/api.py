"""The routes of evaluations: scorers, suites, rows, runs, results, comparisons, gates, velocity."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from stockpot.access import Principal, demand_project, requires
from stockpot.evals.judges.api import add_judges
from stockpot.evals.models import (
    OVER,
    Finish,
    Forecast,
    GateResult,
    NewResults,
    NewRows,
    NewRun,
    ResultPage,
    RowSet,
    Run,
    RunComparison,
    ScorerInfo,
    Suite,
    SuiteSpec,
    Velocity,
)
from stockpot.evals.opening import Evals
from stockpot.evals.scorers import known
from stockpot.evals.service.looking import Asked

Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Project = Annotated[str, Query(max_length=63)]
Limit = Annotated[int, Query(ge=1, le=500)]
When = Annotated[float | None, Query(ge=0, le=9e12)]
Word = Annotated[str | None, Query(max_length=300)]

_LOOK_EVERY_S = 0.3
_DAY_MS = 86_400_000
_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


def router(evals: Evals) -> APIRouter:
    """All routes of evaluations."""
    routes = APIRouter(prefix="/api/v1/evals", tags=["evals"])
    _suites(routes, evals)
    _starting(routes, evals)
    _reporting(routes, evals)
    _looking(routes, evals)
    _judging(routes, evals)
    add_judges(routes, evals)
    return routes


def _suites(routes: APIRouter, evals: Evals) -> None:
    @routes.get("/scorers")
    async def list_scorers(_: Viewer) -> tuple[ScorerInfo, ...]:
        """Every scorer that is installed, with its options."""
        return await asyncio.to_thread(known)

    @routes.get("/suites")
    async def list_suites(principal: Viewer, project: Project = "default") -> tuple[Suite, ...]:
        """The suites of a project, by name."""
        return await evals.suites.all(principal, project)

    @routes.get("/suites/{name}")
    async def get_suite(name: str, principal: Viewer, project: Project = "default") -> Suite:
        """One suite."""
        return await evals.suites.named(principal, project, name)

    @routes.put("/suites")
    async def put_suite(spec: SuiteSpec, principal: Editor, project: Project = "default") -> Suite:
        """Define a suite, or change the one of its name."""
        return await evals.suites.put(principal, project, spec)

    @routes.delete("/suites/{name}", status_code=204)
    async def remove_suite(name: str, principal: Editor, project: Project = "default") -> None:
        """Forget a suite; its runs stay."""
        await evals.suites.remove(principal, project, name)

    @routes.post("/rowsets", status_code=201)
    async def add_rowset(new: NewRows, principal: Editor, project: Project = "default") -> RowSet:
        """Take rows of a file in, to run suites on them."""
        return await evals.suites.add_rows(principal, project, new)

    @routes.get("/rowsets/{digest}")
    async def get_rowset(digest: str, principal: Viewer, project: Project = "default") -> NewRows:
        """The rows that a run has under its `dataset_hash`."""
        return await evals.suites.rows(principal, project, digest)


def _starting(routes: APIRouter, evals: Evals) -> None:
    @routes.post("/forecast")
    async def forecast_run(
        new: NewRun, principal: Viewer, project: Project = "default"
    ) -> Forecast:
        """What a run would cost, and the smallest difference that it could show. Starts nothing."""
        return await evals.running.forecast(principal, project, new)

    @routes.post("/runs", status_code=201)
    async def start_run(new: NewRun, principal: Editor, project: Project = "default") -> Run:
        """Start a run of a suite. The answer comes at once; the run tells how far it is."""
        return await evals.running.start(principal, project, new)

    @routes.post("/runs/{run_id}/cancel")
    async def cancel_run(run_id: str, principal: Editor) -> Run:
        """End a run; what is done stays, and it can be resumed."""
        return await evals.running.cancel(principal, run_id)

    @routes.post("/runs/{run_id}/resume")
    async def resume_run(run_id: str, principal: Editor) -> Run:
        """Go on where a run ended; rows that failed are tried again."""
        return await evals.running.resume(principal, run_id)


def _reporting(routes: APIRouter, evals: Evals) -> None:
    @routes.post("/runs/{run_id}/rows")
    async def report_results(run_id: str, new: NewResults, principal: Editor) -> Run:
        """Results of a run that its caller does (`runner: here`)."""
        return await evals.running.report(principal, run_id, new)

    @routes.post("/runs/{run_id}/finish")
    async def finish_run(run_id: str, told: Finish, principal: Editor) -> Run:
        """The caller's run is over."""
        return await evals.running.finish(principal, run_id, told)


def _looking(routes: APIRouter, evals: Evals) -> None:
    @routes.get("/runs")
    async def list_runs(
        principal: Viewer,
        project: Project = "default",
        suite: Word = None,
        limit: Limit = 50,
        before: Word = None,
    ) -> tuple[Run, ...]:
        """Runs of a project, newest first; `before` is the last id seen."""
        return await evals.looking.runs(principal, project, suite, limit, before)

    @routes.get("/runs/{run_id}")
    async def get_run(run_id: str, principal: Viewer) -> Run:
        """One run: how far it is, its metrics with intervals, its gate."""
        return await evals.looking.run(principal, run_id)

    @routes.get("/runs/{run_id}/rows")
    async def list_results(
        run_id: str, principal: Viewer, asked: Annotated[Asked, Depends(_asked)],
        cursor: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1, limit: Limit = 50,
    ) -> ResultPage:  # fmt: skip
        """Results of a run, in the order of the data set."""
        return await evals.looking.results(principal, run_id, asked, cursor, limit)

    @routes.get(
        "/runs/{run_id}/events",
        response_class=StreamingResponse,
        responses={200: {"content": _STREAM}},
    )
    async def follow_run(run_id: str, principal: Viewer) -> StreamingResponse:
        """The run each time it is further, as server-sent events, until it is over."""
        first = await evals.looking.run(principal, run_id)
        return _streamed(_following(evals, principal, first))

    @routes.get("/events", response_class=StreamingResponse, responses={200: {"content": _STREAM}})
    async def follow_runs(principal: Viewer, project: Word = None) -> StreamingResponse:
        """Each RunStep of the runs that go on, as server-sent events `step`, without end; of one
        project or of all that the caller sees."""
        if project is not None:
            demand_project(principal, "viewer", project)
        return _streamed(_steps(evals, principal, project))


def _judging(routes: APIRouter, evals: Evals) -> None:
    @routes.get("/compare")
    async def compare_runs(
        principal: Viewer,
        base: Annotated[str, Query(min_length=1, max_length=40)],
        candidate: Annotated[str, Query(min_length=1, max_length=40)],
        confidence: Annotated[float, Query(ge=0.5, lt=1)] = 0.95,
        slice: Word = None,
    ) -> RunComparison:
        """Two runs on the rows that both have: paired differences with intervals, adjusted for
        their number, cases that changed, and the front of quality, cost and latency."""
        return await evals.looking.compare(principal, base, candidate, confidence, slice)

    @routes.post("/runs/{run_id}/gate")
    async def gate_run(
        run_id: str, principal: Editor, base: Annotated[str | None, Query(max_length=40)] = None
    ) -> GateResult:
        """Decide whether a run passes its suite's gate, and keep the word. `base` is a run's id,
        `last` (the last that passed) or `none`; without it the suite says."""
        return await evals.looking.gate(principal, run_id, base)

    @routes.get("/velocity")
    async def get_velocity(
        principal: Viewer,
        project: Project = "default",
        from_ms: When = None,
        to_ms: When = None,
    ) -> Velocity:
        """Idea to production, failed releases, time to restore: of the last 30 days when no window
        is given."""
        end = time.time() * 1000 if to_ms is None else to_ms
        start = end - 30 * _DAY_MS if from_ms is None else from_ms
        return await evals.looking.velocity(principal, project, start, end)


def _asked(
    failed: bool | None = None,
    metric: Word = None,
    below: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    slice: Word = None,
    q: Word = None,
) -> Asked:
    return Asked(failed, metric, below, slice, q)


def _streamed(events: AsyncIterator[str]) -> StreamingResponse:
    headers = {"x-accel-buffering": "no"}  # a proxy in between must not wait for more
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _steps(evals: Evals, principal: Principal, project: str | None) -> AsyncIterator[str]:
    yield ": following\n\n"
    async for step in evals.following.steps(principal, project):
        told = f"event: step\ndata: {step.model_dump_json()}" if step else ": still here"
        yield f"{told}\n\n"


async def _following(evals: Evals, principal: Principal, run: Run) -> AsyncIterator[str]:
    seen = ""
    while evals.following.going:
        told = run.model_dump(mode="json", exclude={"spec", "metrics"})
        text = json.dumps(told)
        if text != seen:
            seen = text
            yield f"event: run\ndata: {text}\n\n"
        if run.state in OVER:
            return
        await asyncio.sleep(_LOOK_EVERY_S)
        run = await evals.looking.run(principal, run.id)
