"""What is known of an experiment now: figures out of the span log and the scores, measured."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa

from stockpot.access import Principal
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.experiments.models import (
    SPAN_METRICS,
    Decision,
    Experiment,
    ExperimentReport,
    Look,
    Metric,
)
from stockpot.experiments.service.experiments import existing
from stockpot.experiments.store import experiments as store
from stockpot.traces import Badge, ScoreFilter, ScoreService, SpanLog, UnitSums

if TYPE_CHECKING:
    from stockpot.experiments.measuring import Measured

_DOLLAR_NANO = 1e9
_UNIT = {"cost": 1 / _DOLLAR_NANO}
"""What a metric of the span log is multiplied with, where it is not told as it is kept."""


class Reporting:
    """Reports of experiments."""

    def __init__(self, db: Database, spans: SpanLog, scores: ScoreService) -> None:
        self._db = db
        self._spans = spans
        self._scores = scores

    async def report(self, project: str, name: str, actor: Principal) -> ExperimentReport:
        """Arms, metrics, differences with their intervals, what follows, and how it came about."""

        def read(
            c: sa.Connection,
        ) -> tuple[Experiment, tuple[Decision, ...], tuple[Look, ...]]:
            shown = existing(c, actor, project, name).shown
            decided = store.list_decisions(c, shown.id)
            return shown, decided, store.list_looks(c, shown.id)

        experiment, decisions, band = await self._db.read(read)
        now = now_ms()
        told, crossed = await self.measured(experiment, now)
        return ExperimentReport(
            experiment=experiment, at_ms=now, arms=told.arms, crossed=crossed, ratio=told.ratio,
            metrics=told.metrics, advice=told.advice, band=band, decisions=decisions,
        )  # fmt: skip

    async def measured(self, experiment: Experiment, now: float) -> tuple[Measured, int]:
        """What the figures say, and how many units were seen in two arms."""
        from stockpot.experiments.measuring import measure  # scipy: a start need not wait for it

        since = experiment.started_ms or 0.0
        figures = await asyncio.to_thread(
            self._spans.units, experiment.project, experiment.name, since
        )
        found = {key: _scaled(sums, _UNIT.get(key[0], 1.0)) for key, sums in figures.sums.items()}
        for metric in experiment.metrics:
            if metric.name not in SPAN_METRICS:
                found |= await self._scored(experiment, metric.name, since, figures.crossed)
        judges = await self._judges(experiment, since)
        told = measure(informed(experiment, judges), found, now)
        metrics = tuple(
            one.model_copy(update={"badges": judges.get(one.metric.name, ())})
            for one in told.metrics
        )
        return told._replace(metrics=metrics), len(figures.crossed)

    async def _judges(self, experiment: Experiment, since: float) -> dict[str, tuple[Badge, ...]]:
        """The certificates of the judges behind the scores among an experiment's metrics."""
        found = {}
        for metric in experiment.metrics:
            kind, _, name = metric.name.partition(":")
            if kind == "score":
                where = ScoreFilter(project=experiment.project, name=name, from_ms=since)
                found[metric.name] = await self._scores.judges_behind(where)
        return found

    async def _scored(
        self, experiment: Experiment, metric: str, since: float, crossed: Collection[str]
    ) -> dict[tuple[str, str], UnitSums]:
        kind, _, name = metric.partition(":")
        source = "end_user" if kind == "feedback" else None
        rows = await self._scores.unit_means(
            experiment.project, experiment.name, name, source, since
        )
        found: dict[tuple[str, str], UnitSums] = {}
        for unit, arm, n, mean in rows:
            if unit not in crossed:
                had = found.get((metric, arm), UnitSums(0, 0.0, 0.0, 0))
                found[metric, arm] = UnitSums(
                    had.n + 1, had.total + mean, had.squares + mean * mean, had.calls + n
                )
        return found


def informed(experiment: Experiment, judges: Mapping[str, tuple[Badge, ...]]) -> Experiment:
    """An experiment whose decisions rest on no judge without a valid certificate: metrics of such a
    judge's scores are secondary, whatever was asked for."""

    def may_decide(metric: Metric) -> bool:
        return all(badge.may_gate for badge in judges.get(metric.name, ()))

    metrics = tuple(
        metric if may_decide(metric) else metric.model_copy(update={"role": "secondary"})
        for metric in experiment.metrics
    )
    return experiment.model_copy(update={"metrics": metrics})


def _scaled(sums: UnitSums, factor: float) -> UnitSums:
    if factor == 1.0:
        return sums
    return sums._replace(
        total=sums.total * factor,
        squares=sums.squares * factor**2,
        before=sums.before * factor,
        before_squares=sums.before_squares * factor**2,
        products=sums.products * factor**2,
        known_total=sums.known_total * factor,
    )
