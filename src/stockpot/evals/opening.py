"""The services of evaluations, wired. The composition roots give stores and other capabilities."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx

from stockpot.access import Principal, demand_project
from stockpot.catalog import Catalog, own_key_ids, project_names, secret_for
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.instance import Instance
from stockpot.core.jobs import WANTED, Handler, JobQueue
from stockpot.evals.answer_file import answers_here
from stockpot.evals.clients import gateway_client
from stockpot.evals.judges.issuing import Issuing
from stockpot.evals.judges.service import JudgeService
from stockpot.evals.judges.working import KIND as CERTIFY
from stockpot.evals.judges.working import CertifyJobs
from stockpot.evals.neighbours import AliasCourses
from stockpot.evals.ports import DataSets, ModelFacts, People, Prompts, World
from stockpot.evals.service import (
    KIND,
    Echoing,
    EvalJobs,
    Following,
    Forgetting,
    Looking,
    Running,
    SuiteService,
)
from stockpot.evals.watching.opening import open_doers
from stockpot.evals.watching.tools import Bench
from stockpot.monitors import CheckKind, CheckService, Doer
from stockpot.traces import ScoreService, SpanLog

__all__ = ["WANTED", "Evals", "open_checks", "open_doing", "open_evals", "open_jobs"]


class Evals(NamedTuple):
    """Everything that evaluations can do."""

    suites: SuiteService
    running: Running
    looking: Looking
    judges: JudgeService
    issuing: Issuing
    queue: JobQueue
    following: Following
    forgetting: Forgetting
    echoing: Echoing


def open_evals(
    db: Database, instance: Instance, settings: Settings, catalog: Catalog, log: SpanLog,
    datasets: DataSets, prompts: Prompts, people: People, checks: CheckService,
) -> Evals:  # fmt: skip
    """Wire the services of one instance."""

    def wake() -> None:
        (instance.run / WANTED).touch()

    async def model(name: str) -> ModelFacts:
        return await _facts(catalog, name)

    async def check_project(project: str, actor: Principal | None) -> None:
        demand_project(actor, "viewer", project, await db.read(project_names))

    world = World(datasets, prompts, model, catalog.keys.evaluation_secret, check_project, people,
                  AliasCourses(db, log))  # fmt: skip
    queue = JobQueue(db, wake)
    suites = SuiteService(db, world)

    async def client_of(project: str) -> httpx.AsyncClient:
        return gateway_client(settings, await world.secret(project))

    judges = JudgeService(db, world, client_of)
    issuing = Issuing(db, world, queue, judges)
    running, looking = Running(db, queue, world, suites, judges), Looking(db, world, judges)
    echoing = Echoing(db, datasets, checks)
    beside = Following(db), Forgetting(db, checks, answers_here(instance.home)), echoing
    return Evals(suites, running, looking, judges, issuing, queue, *beside)


def open_jobs(
    db: Database, instance: Instance, settings: Settings, scores: ScoreService | None = None
) -> Mapping[str, Handler]:
    """The handlers of evaluations' jobs, for the process that does them. Verdicts become scores
    where there is somebody to write them."""

    async def client_of(project: str) -> httpx.AsyncClient:
        return gateway_client(settings, secret_for(instance, "evaluations", project))

    return {
        KIND: open_doing(db, instance, settings, scores).handle,
        CERTIFY: CertifyJobs(db, client_of).handle,
    }


def open_doing(
    db: Database, instance: Instance, settings: Settings, scores: ScoreService | None = None
) -> EvalJobs:
    """What does runs, for the process of jobs: as jobs of their own, or as part of others."""

    def secret_of(project: str) -> str:
        return secret_for(instance, "evaluations", project)

    return EvalJobs(db, settings, secret_of, scores=scores)


async def _facts(catalog: Catalog, name: str) -> ModelFacts:
    """The dearest price among those that may serve a name, so that a forecast is no surprise."""
    found = await catalog.models.named(name)
    served = tuple(sorted(f"{target.provider}/{target.model}" for target in found.targets))
    known = [_dollars(target) for target in found.targets]
    prices = [price for price in known if price is not None]
    if not prices or len(prices) < len(known):
        return ModelFacts(None, served)
    return ModelFacts((max(p[0] for p in prices), max(p[1] for p in prices)), served)


def _dollars(target: Any) -> tuple[float, float] | None:
    if target.free:
        return (0.0, 0.0)
    price = target.price or {}
    if "input" not in price or "output" not in price:
        return None
    return (float(price["input"]), float(price["output"]))


def open_checks(
    db: Database, instance: Instance, settings: Settings, log: SpanLog, scores: ScoreService,
    datasets: DataSets, clock: Callable[[], float] = time.time,
) -> Mapping[CheckKind, Doer]:  # fmt: skip
    """What does online rules, drift checks and canaries, for the process of jobs. `clock` gives
    Unix seconds: whose day a budget is for."""

    async def client_of(project: str) -> httpx.AsyncClient:
        return gateway_client(settings, secret_for(instance, "evaluations", project))

    async def own_keys(project: str) -> frozenset[str]:
        return await db.read(lambda c: own_key_ids(c, instance, project))

    return open_doers(Bench(db, log, scores, datasets, client_of, own_keys), clock)
