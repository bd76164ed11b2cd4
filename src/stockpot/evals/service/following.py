"""Runs as they go on, for those who watch them. Knows the store; knows no page and no terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from stockpot.access import Principal
from stockpot.core.db import Database
from stockpot.evals import store
from stockpot.evals.models import OVER, RunStep

_LOOK_EVERY_S = 0.5
_SIGN_OF_LIFE_LOOKS = 30


class Following:
    """Streams of steps; `stop` ends them all, so that a server that stops need not cut them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.going = True

    def stop(self) -> None:
        """End every stream within half a second."""
        self.going = False

    async def steps(self, actor: Principal, project: str | None) -> AsyncIterator[RunStep | None]:
        """Every run that goes on, each time it is further, and once more when it is over; of one
        project, or of all that the caller sees. None now and then says that nothing happened."""
        seen = frozenset({project}) if project is not None else actor.projects("viewer")
        told: dict[str, RunStep] = {}
        quiet = 0
        while self.going:
            watched = list(told)
            found = await self._db.read(lambda c, of=watched: store.steps(c, seen, of))  # type: ignore[misc]
            fresh = [step for step in found if told.get(step.id) != step]
            for step in fresh:
                yield step
            told = {step.id: step for step in found if step.state not in OVER}
            quiet = 0 if fresh else quiet + 1
            if quiet % _SIGN_OF_LIFE_LOOKS == 1:
                yield None
            await asyncio.sleep(_LOOK_EVERY_S)
