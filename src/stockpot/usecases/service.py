"""The verbs of readiness: report, waive. Knows rungs and waivers; others know where evidence is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand, demand_project
from stockpot.catalog import Project, project_names
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.usecases import store
from stockpot.usecases.finding import FINDERS
from stockpot.usecases.models import (
    NeedFound,
    NeedName,
    NewWaiver,
    Readiness,
    Rung,
    Waiver,
)
from stockpot.usecases.ports import Address, Evidence
from stockpot.usecases.table import NEEDS, REQUIRED, RUNGS, WAIVED_AT_MOST_MS


class ReadinessService:
    """How far projects are. `clock` gives Unix seconds."""

    def __init__(
        self, db: Database, evidence: Evidence, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = db
        self._evidence = evidence
        self._clock = clock

    async def report(self, actor: Principal, name: str) -> Readiness:
        """Everything that stands for or against a project, computed now."""
        now_ms = self._clock() * 1000
        await self._db.read(lambda c: demand_project(actor, "viewer", name, project_names(c)))
        project = await self._evidence.project(name)
        assert project is not None
        held = await self._db.read(lambda c: store.waivers_of(c, name, now_ms))
        waived = {waiver.need: waiver for waiver in held}
        where = await self._evidence.address()
        needs = {
            need: await self._need(need, project, where, now_ms, waived.get(need))
            for need in FINDERS
        }
        return told(project, needs, now_ms)

    async def waive(self, actor: Principal, new: NewWaiver) -> Waiver:
        """Answer for a need that is not met, until a time and with a reason."""
        now_ms = self._clock() * 1000
        if not now_ms < new.until_ms <= now_ms + WAIVED_AT_MOST_MS:
            raise InvalidInput("a waiver ends in the future, within a year")
        made = Waiver(
            **new.model_dump(), id=record_id("wav"), created_ms=int(now_ms), created_by=actor.label
        )

        def write(c: sa.Connection) -> Waiver:
            demand_project(actor, "admin", new.project, project_names(c))
            store.add_waiver(c, made)
            said: dict[str, Any] = {
                "project": new.project, "need": new.need, "reason": new.reason,
            }  # fmt: skip
            audit(c, actor, "readiness.waive", made.id, after=made, **said)
            return made

        return await self._db.write(write)

    async def end_waiver(self, actor: Principal, waiver_id: str) -> None:
        """Take a waiver back before its time."""

        def write(c: sa.Connection) -> None:
            before = store.waiver_by_id(c, waiver_id)
            absent = NotFound(f"no waiver {waiver_id!r}", hint="stockpot readiness PROJECT --json")
            if before is None:
                raise absent
            demand(actor, "admin", before.project, absent)
            store.remove_waiver(c, waiver_id)
            said: dict[str, Any] = {"project": before.project, "need": before.need}
            audit(c, actor, "readiness.unwaive", waiver_id, before=before, **said)

        await self._db.write(write)

    async def _need(
        self, need: NeedName, project: Project, where: Address, now_ms: float,
        waiver: Waiver | None,
    ) -> NeedFound:  # fmt: skip
        found = await FINDERS[need](self._evidence, project, now_ms)
        row = NEEDS[need]
        values = {"project": project.name, **where._asdict()}
        return NeedFound(
            need=need, title=row.title, met=found.met, waived=None if found.met else waiver,
            found=found.words, link=found.link,
            mend="\n".join(found.mend or [one.format(**values) for one in row.mend]),
        )  # fmt: skip


def told(project: Project, needs: dict[NeedName, NeedFound], now_ms: float) -> Readiness:
    """The report on a project out of what was found of each need."""
    required = REQUIRED[project.risk_tier]
    order = [row.rung for row in RUNGS]
    rungs: list[Rung] = []
    reached = True
    for row in RUNGS:
        mine = tuple(needs[need] for need in row.needs)
        reached = reached and all(need.settled for need in mine)
        needed = order.index(row.rung) <= order.index(required)
        rungs.append(
            Rung(
                rung=row.rung, title=row.title, about=row.about, reached=reached, needed=needed,
                needs=mine,
            )
        )  # fmt: skip
    above = [rung for rung in rungs if not rung.reached]
    below = [rung for rung in rungs if rung.reached]
    return Readiness(
        project=project.name, risk_tier=project.risk_tier, stage=project.stage,
        current=below[-1].rung if below else None, next=above[0].rung if above else None,
        required=required, ready=all(rung.reached for rung in rungs if rung.needed),
        blocks=tuple(need for need in above[0].needs if not need.settled) if above else (),
        rungs=tuple(rungs), computed_ms=int(now_ms),
    )  # fmt: skip
