"""The services of data sets, wired. The composition root gives the stores."""

from __future__ import annotations

from typing import NamedTuple

from stockpot.core.db import Database
from stockpot.datasets.service.annotation import AnnotationService
from stockpot.datasets.service.datasets import DatasetService
from stockpot.datasets.service.making import MakingService
from stockpot.traces import Projects, ScoreService, SpanLog


class Datasets(NamedTuple):
    """Everything that data sets can do."""

    sets: DatasetService
    making: MakingService
    annotation: AnnotationService


def open_datasets(
    db: Database, spans: SpanLog, scores: ScoreService, projects: Projects
) -> Datasets:
    """Wire the services of one instance."""
    sets = DatasetService(db, projects)
    return Datasets(
        sets=sets,
        making=MakingService(sets, spans, scores),
        annotation=AnnotationService(db, sets, spans, scores),
    )
