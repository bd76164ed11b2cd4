"""The composition root of the control plane: wires stores, services and routes, once.

Run as `python -m stockpot.app control | openapi`.
"""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import gc
import sys

from stockpot.core.loading import spare_httpx_its_command

if __name__ == "__main__":
    gc.disable()  # until all is loaded and built: looking for garbage took a fifth of the start
    spare_httpx_its_command()

import asyncio
import contextlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Header, Response
from fastapi.routing import APIRoute

from stockpot import (
    __version__,
    access,
    catalog,
    datasets,
    evals,
    experiments,
    feedback,
    guardrails,
    monitors,
    pipelines,
    playground,
    prompts,
    revisions,
    traces,
    usecases,
)
from stockpot.access import describe_access, open_access, public, requires
from stockpot.catalog.api.instance import describe as describe_instance
from stockpot.catalog.pricing import price_rows
from stockpot.core import config, logs, prometheus
from stockpot.core.background import kept_going
from stockpot.core.config import Settings, pairs
from stockpot.core.console_files import ConsoleFiles
from stockpot.core.db import Database, migrate, open_control_store
from stockpot.core.errors import NotFound, Unavailable
from stockpot.core.instance import Instance
from stockpot.core.kv import open_kv
from stockpot.core.serve import serve
from stockpot.core.urls import public_url, trusted
from stockpot.core.web import ERRORS, BoundedBodies, SafeHeaders, answer_errors, keepable
from stockpot.pipelines import rightsize
from stockpot.prices import PriceRow
from stockpot.traces.receiving.pricing import tell_prices
from stockpot.usecases.kept import KeptEvidence, judges_of, rails_of

PRICES_LOOK_S = 2.0
DRAIN_S = 8.0
"""Less than what the supervisor gives: an event stream that nobody ends is cut then."""


def control_app(settings: Settings, instance: Instance, *, watch: bool = False) -> FastAPI:
    """The control plane's application: API and console.

    With `watch` it is the running control plane, which looks around, publishes and lends. Without,
    it answers the same routes for one command.
    """
    instance.home.mkdir(parents=True, exist_ok=True)
    control = _Control(settings, instance)
    app = FastAPI(
        title="stockpot",
        version=__version__,
        summary="The control plane: keys, providers, models, traces.",
        lifespan=lambda _: control.life(watch=watch),
        responses=ERRORS,
        dependencies=[Depends(keepable)],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.state.gate = control.access.gate
    app.state.owned_keys = control.catalog.keys.owned_by
    app.state.key_holder = control.catalog.holders
    app.state.control = control
    app.add_middleware(BoundedBodies, most=settings.max_body_mb * 1024 * 1024)
    app.add_middleware(SafeHeaders, counted=control.count)
    answer_errors(app)
    describe_access(app)
    for router in control.routers():
        app.include_router(router)
    _state_routes(app, control)
    _console_routes(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


class _Control:
    """What one control plane consists of."""

    def __init__(self, settings: Settings, instance: Instance) -> None:
        self.settings = settings
        self.instance = instance
        self.db: Database = open_control_store(settings, instance)
        self.access = open_access(self.db, instance, settings, catalog.project_names)
        self.spans = traces.open_span_log(instance)
        self.scores = traces.ScoreService(self.db, self.spans, catalog.project_names)
        self.door = traces.Door(instance, settings)
        self.catalog = catalog.open_catalog(self.db, instance, settings, self._spend_of)
        self.revisions = revisions.RevisionService(
            self.db, self.catalog.keeper, self.spans, catalog.spent_by_budget
        )
        self.caller = playground.GatewayCaller(settings)
        self.answers: Counter[int] = Counter()
        self.draining = False
        self._observe()
        self._build()
        self._automate()

    def _observe(self) -> None:
        """What looks at traffic: policies of the span log, monitors, feedback."""
        names = catalog.project_names
        self.writer = traces.WriterOf(self.instance, self.spans.store)
        self.keeping = traces.Keeping(
            self.db, self.spans, self.scores, self.writer, names, self._prices_now
        )
        self.monitors = monitors.open_monitors(
            self.db, self.instance, self.settings, self.spans, self.scores
        )
        self.catalog.providers.sealed_elsewhere.append(self.monitors.telling.reseal)
        shared = self.catalog.kv if self.settings.kv_url else open_kv("memory://")
        self.public_keys = feedback.PublicKeyService(self.db, shared, names)
        self.feedback = feedback.FeedbackService(self.scores, self.spans)

    def _build(self) -> None:
        """What makes applications better: prompts, data sets, evaluations, the playground."""
        names, publisher = catalog.project_names, self.catalog.publisher
        self.prompts = prompts.open_prompts(self.db, publisher, names, self.spans, self.scores)
        self.datasets = datasets.open_datasets(self.db, self.spans, self.scores, names)
        self.evals = evals.open_evals(
            self.db,
            self.instance,
            self.settings,
            self.catalog,
            self.spans,
            evals.RowsOfSets(self.datasets.sets),
            evals.PromptVersions(self.prompts),
            evals.LabelsOfQueues(self.datasets.annotation),
            self.monitors.checks,
        )
        self.prompts.prove_with(self.evals.looking)
        self.experiments = experiments.open_experiments(
            self.db, self.catalog, names, self.prompts, self.spans, self.scores, self.revisions,
            self.writer.count_anew,
        )  # fmt: skip
        self.scores.certify_with(self.evals.judges)
        self.guardrails = guardrails.open_guardrails(
            self.db, publisher, names, self.spans, self.datasets
        )
        self.playground = playground.Playground(
            self.db, self.catalog, self.spans, self.prompts, self.caller,
            playground.ToolCaller(self.settings),
        )  # fmt: skip
        evidence = KeptEvidence(
            self.catalog, self.spans, self.scores, self.prompts, self.datasets, self.evals,
            self.monitors, self._address, judge=judges_of(self.evals),
            rails=rails_of(self.guardrails), checks=self.monitors.checks.at_work,
        )  # fmt: skip
        self.readiness = usecases.ReadinessService(self.db, evidence)

    async def _address(self) -> usecases.Address:
        info = await describe_instance(self.catalog)
        return usecases.Address(info.gateway_url, public_url(self.settings), info.default_model)

    async def _embedding_model(self) -> str | None:
        return (await describe_instance(self.catalog)).embedding_model

    def _automate(self) -> None:
        """What takes several capabilities together."""
        self.evals.running.scores = self.scores
        self.evals.looking.trials = self.experiments.trials
        self.keeping.erased_elsewhere["rows"] = self.datasets.sets.forget
        self.keeping.erased_elsewhere["results"] = self.evals.forgetting.forget
        self.keeping.erased_elsewhere["references"] = self.evals.echoing.forget_references
        self.keeping.echoes = self.evals.echoing.calls
        self.keeping.aged_elsewhere.append(self.evals.forgetting.age)
        self.keeping.erased_elsewhere["quotes"] = self.monitors.checks.forget
        self.keeping.erased_elsewhere["shares"] = self.playground.forget
        embedder = playground.GatewayEmbedder(self.catalog, self.caller, self._embedding_model)
        self.prompts.embed_with(embedder)
        folder = pipelines.folder_of(self.settings)
        triggers = pipelines.triggers_of(folder, self.datasets, self.prompts)
        self.monitors.scheduler.triggers.update(triggers)
        self.rightsizing = rightsize.open_rightsizing(
            self.db,
            rightsize.World(
                self.catalog,
                self.spans,
                self.evals,
                evals.RowsOfSets(self.datasets.sets),
                self.revisions,
                self.experiments.experiments,
                rightsize.certificates_of(self.evals),
            ),
        )

    def routers(self) -> tuple[APIRouter, ...]:
        """Every capability's routes."""
        return (
            access.router(self.access),
            catalog.router(self.catalog),
            catalog.internal_router(self.catalog),
            revisions.router(self.revisions),
            prompts.router(self.prompts),
            traces.router(self.spans, traces.ScoresBeside(self.scores)),
            traces.otlp_router(self.door, self._sender, self._renormalising),
            monitors.router(self.monitors),
            traces.score_router(self.scores, self.spans),
            traces.keeping_router(self.keeping),
            feedback.router(self.feedback, self.public_keys),
            datasets.router(self.datasets),
            evals.router(self.evals),
            experiments.router(self.experiments),
            guardrails.router(self.guardrails),
            playground.router(self.playground, self.catalog, self.caller),
            usecases.router(self.readiness),
            rightsize.router(self.rightsizing),
            monitors.check_router(self.monitors.checks),
            evals.watching_router(
                self.monitors.checks, self.evals.running, self.catalog.keys.evaluation_secret
            ),
            pipelines.pipeline_router(self.monitors.checks),
        )

    def count(self, status: int) -> None:
        self.answers[status] += 1

    @contextlib.asynccontextmanager
    async def life(self, *, watch: bool) -> AsyncIterator[None]:
        """From migration to the closing of everything that was opened."""
        await self.db.write(migrate)
        if not self.settings.database_url:
            self.instance.control_db.chmod(0o600)
        await self.access.sign_in.ensure_admin()
        await self.catalog.prepare(probe=watch)
        if watch:
            await self.revisions.recover()
            await self.evals.queue.wake_if_needed()
        works = self._work() if watch else ()
        beside = [asyncio.create_task(kept_going(name, work)) for name, work in works]
        yield
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await self.revisions.close()
        await self.caller.close()
        await self.monitors.sender.close()
        await self.access.sso.close()
        await self.catalog.trial.close()
        await self.door.close()
        await self.db.close()
        self.spans.close()

    def _work(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What runs beside the answering of requests, by name."""
        yield "publishing", self.catalog.watch
        yield "retention", self.keeping.run
        yield "monitors", self.monitors.watch
        yield "experiments", self.experiments.watching.watch
        yield "telling ingest the prices", self._tell_prices
        yield "learning what scores are about", self.scores.watch
        yield "guardrails", self.guardrails.watch
        if self.settings.otlp_url:
            yield "forwarding spans", self._forward
        if self.settings.otlp_grpc_port:
            yield "OTLP over gRPC", self._serve_grpc

    async def _forward(self) -> None:
        headers = pairs(self.settings.otlp_headers, "STOCKPOT_OTLP_HEADERS")
        await traces.forwarder(self.instance, self.settings.otlp_url, headers).run()

    async def _serve_grpc(self) -> None:
        most = self.settings.max_body_mb * 1024 * 1024
        host = str(self.settings.host)
        address = f"{f'[{host}]' if ':' in host else host}:{self.settings.otlp_grpc_port}"
        await traces.serve_grpc(self.door, self._key_sender, address, most)

    async def drain(self) -> None:
        """End what only waits; answers that are being sent go on."""
        self.draining = True
        self.spans.stop_following()
        self.evals.following.stop()
        await self.prompts.news.stop()
        await self.catalog.publisher.stop_waiting()

    async def _sender(self, principal: access.Principal, project: str) -> traces.Sender:
        """Whose spans somebody sends: a key's, or a project's that a person or a program names."""
        if principal.via == "key":
            key = await self.catalog.holders.named(principal.user_id)
            if key is None:
                raise NotFound("this key is not published any more")
            return traces.Sender(key.project, key.environment, key.id, key.payloads)
        found = [p for p in await self.catalog.projects.all() if p.name == project]
        if not found:
            raise access.no_project(project)
        return traces.Sender(project, "", "", found[0].payloads)

    async def _tell_prices(self) -> None:
        """Leave the prices in force where ingest finds them, which asks nobody."""
        told = -1
        while True:
            published = await self.catalog.publisher.current()
            if published.revision != told:
                told = published.revision
                targets = published.compiled.part.targets
                tell_prices(self.instance, [(t.provider, t.model, t.prices) for t in targets])
            await asyncio.sleep(PRICES_LOOK_S)

    async def _key_sender(self, secret: str, address: str) -> traces.Sender | None:
        holder = await self.catalog.holders(secret, address, "editor")
        return None if holder is None else await self._sender(holder, "")

    async def _renormalising(self, principal: access.Principal, asked: dict[str, Any]) -> None:
        told: dict[str, Any] = {n: value for n, value in asked.items() if value is not None}
        await self.db.write(
            lambda c: access.audit(c, principal, "traces.renormalise", "traces", **told)
        )

    async def _spend_of(self, worker: str, scope: str, scope_id: str, from_ms: int) -> int | None:
        return await asyncio.to_thread(self.spans.spent, worker, scope, scope_id, from_ms)

    async def _prices_now(self) -> Callable[[traces.Span], tuple[PriceRow, ...]]:
        """Price rows of a span: those of its target as published, else its vendor's."""
        part = (await self.catalog.publisher.current()).compiled.part
        published = {target.id: target.prices for target in part.targets}

        def rows_of(span: traces.Span) -> tuple[PriceRow, ...]:
            if span.target in published:
                return published[span.target]
            return price_rows(span.provider, span.served_model or span.model)

        return rows_of

    async def samples(self) -> dict[str, float]:
        """Everything that is counted, as Prometheus samples."""
        found = self.catalog.fleet.counters()
        published = await self.catalog.publisher.current()
        found["stockpot_workers"] = len(self.catalog.fleet.living())
        found["stockpot_revision"] = published.revision
        found["stockpot_monitors_firing"] = self.monitors.watching.firing()
        for beat in self.catalog.fleet.living():
            worker = prometheus.label(beat.worker)
            found[f"stockpot_worker_revision{{worker={worker}}}"] = beat.revision
        for status, count in sorted(self.answers.items()):
            found[f'stockpot_control_answers_total{{status="{status}"}}'] = count
        return found

    async def ingest_metrics(self) -> str:
        """What ingest says of itself; nothing while it is away."""
        url = (self.instance.announced("ingest") or {}).get("url")
        if not isinstance(url, str):
            return ""
        headers = {"authorization": f"Bearer {self.instance.internal_token}"}
        try:
            async with httpx.AsyncClient(
                timeout=1.0, verify=trusted(url), trust_env=False
            ) as client:
                answer = await client.get(f"{url}/metrics", headers=headers)
        except httpx.TransportError:
            return ""
        return answer.text if answer.is_success else ""


def _state_routes(app: FastAPI, control: _Control) -> None:
    @app.get("/healthz", dependencies=[Depends(public)], tags=["instance"])
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", dependencies=[Depends(public)], tags=["instance"])
    async def readyz() -> dict[str, str]:
        """The store answers, and the process is not about to end."""
        if control.draining:
            raise Unavailable("the control plane is stopping")
        await control.db.read(lambda c: c.execute(sa.text("SELECT 1")))
        return {"status": "ready"}

    @app.get(
        "/metrics",
        dependencies=[Depends(requires("viewer"))],
        tags=["instance"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    async def metrics() -> Response:
        """Counters and gauges of workers, ingest and control plane, for Prometheus."""
        text = prometheus.exposition(await control.samples()) + await control.ingest_metrics()
        return Response(text, media_type=prometheus.CONTENT_TYPE)


def _console_routes(app: FastAPI) -> None:
    console = ConsoleFiles(Path(str(files("stockpot"))) / "console")

    @app.get("/api/v1/openapi.json", dependencies=[Depends(public)], include_in_schema=False)
    async def openapi() -> dict[str, object]:
        return app.openapi()

    @app.get("/{path:path}", dependencies=[Depends(public)], include_in_schema=False)
    async def console_file(path: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
        if path.startswith(("api/", "internal/")):
            raise NotFound(f"no route /{path}", hint="GET /api/v1/openapi.json lists them")
        return await asyncio.to_thread(console.answer, path, accept_encoding)


def run_control(settings: Settings) -> None:
    """The control plane's process."""
    instance = Instance(settings.home)
    app = control_app(settings, instance, watch=True)
    gc.freeze()  # what is built here stays
    gc.enable()

    def started(url: str) -> None:
        instance.announce("control", {"url": url, "pid": os.getpid(), "version": __version__})

    serve(
        app,
        settings.host,
        settings.port,
        started=started,
        stopping=app.state.control.drain,
        drain_s=min(DRAIN_S, settings.drain_s),
        trusted_proxies=settings.trusted_proxies,
    )
    (instance.run / "control.json").unlink(missing_ok=True)


def openapi_document(settings: Settings) -> str:
    """The API's description as text that only changes when the API does."""
    with tempfile.TemporaryDirectory() as home:
        app = control_app(settings, Instance(Path(home)))
        return json.dumps(app.openapi(), indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> None:
    """`control` serves; `openapi` prints the API's description."""
    settings = config.load()
    logs.configure(settings.log_level)
    match arguments:
        case ["control"]:
            run_control(settings)
        case ["openapi"]:
            sys.stdout.write(openapi_document(settings))
        case _:
            sys.exit("usage: python -m stockpot.app control | openapi")


if __name__ == "__main__":
    main(sys.argv[1:])
