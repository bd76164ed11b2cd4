"""Everything that prompts can do, wired. Knows who needs whom; stores are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal
from stockpot.catalog import Publisher
from stockpot.core.db import Database
from stockpot.prompts.ports import Embedder, GateProof
from stockpot.prompts.publishing import PromptsSource
from stockpot.prompts.service.labels import LabelService
from stockpot.prompts.service.meaning import MeaningSearch
from stockpot.prompts.service.metrics import MetricsService
from stockpot.prompts.service.prompts import PromptService
from stockpot.prompts.service.reading import News, ReadingService
from stockpot.templates import Version
from stockpot.traces import ScoreService, SpanLog


class Prompts(NamedTuple):
    """The services of one instance."""

    prompts: PromptService
    labels: LabelService
    reading: ReadingService
    metrics: MetricsService
    news: News
    meaning: MeaningSearch

    async def get(
        self,
        project: str | None,
        name: str,
        ref: str | int | None = None,
        actor: Principal = SYSTEM,
    ) -> Version:
        """What to render: by a label, a number, or None for production. Raises NotFound."""
        return await self.reading.get(actor, project, name, ref)

    def prove_with(self, proof: GateProof) -> None:
        """Let labels that ask for a passed evaluation be answered."""
        self.labels.proof = proof

    def embed_with(self, embedder: Embedder) -> None:
        """Let prompts be found by what they mean."""
        self.meaning.embedder = embedder


def open_prompts(
    db: Database,
    publisher: Publisher,
    projects: Callable[[sa.Connection], tuple[str, ...]],
    spans: SpanLog,
    scores: ScoreService,
) -> Prompts:
    """Wire the services, and have prompts published to workers."""
    news = News()
    publisher.publish_also(PromptsSource())

    async def changed(reason: str) -> None:
        await news.tell()
        await publisher.refresh(reason)

    service = PromptService(db, projects, changed)
    return Prompts(
        service,
        LabelService(db, changed),
        ReadingService(service, news),
        MetricsService(service, spans, scores),
        news,
        MeaningSearch(service),
    )
