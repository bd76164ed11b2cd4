"""The services of guardrails, wired, and their work beside requests."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from stockpot.catalog import Publisher
from stockpot.core.db import Database
from stockpot.datasets import Datasets
from stockpot.guardrails.harvesting import Harvesting
from stockpot.guardrails.publishing import RailsSource
from stockpot.guardrails.service import GuardrailService, Projects
from stockpot.traces import SpanLog

HARVEST_EVERY_S = 10.0

_log = logging.getLogger("stockpot.guardrails")


class Guardrails(NamedTuple):
    """Everything that guardrails can do."""

    policies: GuardrailService
    harvesting: Harvesting

    async def watch(self) -> None:
        """Carry what was flagged to annotation, for ever."""
        while True:
            await asyncio.sleep(HARVEST_EVERY_S)
            try:
                await self.harvesting.look()
            except Exception:
                _log.exception("flagged calls could not be carried to annotation; trying again")


def open_guardrails(
    db: Database, publisher: Publisher, projects: Projects, spans: SpanLog, datasets: Datasets
) -> Guardrails:
    """Wire the services, and have policies published to workers."""
    publisher.publish_also(RailsSource())

    async def changed(reason: str) -> None:
        await publisher.refresh(reason)

    return Guardrails(
        GuardrailService(db, projects, changed),
        Harvesting(db, spans, datasets.annotation),
    )
