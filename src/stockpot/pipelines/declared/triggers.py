"""What a trigger's present value is. Knows files, data sets and prompts; starts nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from stockpot.access import SYSTEM
from stockpot.datasets import Datasets
from stockpot.monitors import Trigger
from stockpot.pipelines.declared.files import digest_of
from stockpot.prompts import PRODUCTION, Prompts


def triggers_of(folder: Path, datasets: Datasets, prompts: Prompts) -> dict[str, Trigger]:
    """A reader for each field of a trigger."""

    async def file(_: str, pattern: str) -> str:
        return await asyncio.to_thread(digest_of, folder, pattern)

    async def dataset(project: str, name: str) -> str:
        found = await datasets.sets.get(project, name, SYSTEM)
        return found.version.content_hash if found.version else ""

    async def prompt(project: str, asked: str) -> str:
        name, _, ref = asked.partition("@")
        found = await prompts.prompts.found(SYSTEM, project, name, ref or PRODUCTION)
        return found.version.content_hash

    return {"file": file, "dataset": dataset, "prompt": prompt}
