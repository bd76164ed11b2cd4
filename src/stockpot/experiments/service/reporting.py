"""What is known of an experiment now: figures out of the span log and the scores, measured."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

import sqlalchemy as sa

from stockpot.access import Principal
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.experiments.models import SPAN_METRICS, Decision, Experiment, ExperimentReport, Look
from stockpot.experiments.service.experiments import existing
from stockpot.experiments.store import experiments as store
from stockpot.traces import ScoreService, SpanLog, UnitSums

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
        return measure(experiment, found, now), len(figures.crossed)

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
