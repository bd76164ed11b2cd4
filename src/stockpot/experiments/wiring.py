"""Everything that experiments can do, wired. Knows who needs whom; stores are given."""

from __future__ import annotations

from typing import NamedTuple

from stockpot.access import Principal
from stockpot.assign import Document
from stockpot.catalog import Catalog
from stockpot.core.db import Database
from stockpot.evals import Trial
from stockpot.experiments.models import ExperimentReport
from stockpot.experiments.publishing import ExperimentsSource, document_of
from stockpot.experiments.service.experiments import CountAnew, ExperimentService, Projects
from stockpot.experiments.service.releasing import Releasing
from stockpot.experiments.service.reporting import Reporting
from stockpot.experiments.service.watching import Watching
from stockpot.experiments.subjects import Subjects
from stockpot.experiments.trials import trials_of
from stockpot.prompts import Prompts
from stockpot.revisions import RevisionService
from stockpot.traces import ScoreService, SpanLog


class Experiments(NamedTuple):
    """The services of one instance."""

    experiments: ExperimentService
    reporting: Reporting
    watching: Watching
    releasing: Releasing
    db: Database

    async def report(self, project: str, name: str, actor: Principal) -> ExperimentReport:
        """What is known of an experiment now."""
        return await self.reporting.report(project, name, actor)

    async def trials(self, project: str) -> list[Trial]:
        """A project's experiments on what production serves, for its lead times."""
        return await self.db.read(lambda c: trials_of(c, project))

    async def document(self, project: str) -> Document:
        """What runs in a project, as applications assign by it."""
        return await self.db.read(lambda c: document_of(c, project))


def open_experiments(
    db: Database,
    catalog: Catalog,
    projects: Projects,
    prompts: Prompts,
    spans: SpanLog,
    scores: ScoreService,
    revisions: RevisionService,
    count_anew: CountAnew,
) -> Experiments:
    """Wire the services, and have experiments published to workers."""
    catalog.publisher.publish_also(ExperimentsSource())
    changed = catalog.publisher.refresh
    subjects = Subjects(prompts, catalog.models)
    reporting = Reporting(db, spans, scores)
    return Experiments(
        ExperimentService(db, projects, subjects, changed, count_anew),
        reporting,
        Watching(db, reporting, subjects, changed),
        Releasing(db, subjects, revisions),
        db,
    )
