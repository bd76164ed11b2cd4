"""Where judges' answers are kept: beside those of targets, by the content of their call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.evals import store


class KeptAnswers:
    """The kept answers of a project, in the control store."""

    def __init__(self, db: Database, project: str) -> None:
        self._db = db
        self._project = project

    async def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The answers that were kept for these calls."""
        found = await self._db.read(lambda c: store.known_answers(c, self._project, keys))
        return {key: store.inflated(data) for key, data in found.items()}

    async def keep(self, answers: Mapping[bytes, bytes]) -> None:
        """Keep answers, each in the place of an earlier one."""
        packed = {key: store.deflated(data) for key, data in answers.items()}
        await self._db.write(lambda c: store.put_answers(c, self._project, packed, now_ms()))
