"""Reading the audit log: pages, an export, and whether its chain holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from stockpot.access import chain
from stockpot.access.models import AuditEntry, AuditFilter, AuditVerification, Principal
from stockpot.access.store import audit as store
from stockpot.core.db import Database

_AT_ONCE = 1000
_SHOWN = 20


class AuditService:
    """Looks at the log; `audit_log.audit` writes it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def entries(
        self, actor: Principal, where: AuditFilter, limit: int, before: str | None
    ) -> tuple[AuditEntry, ...]:
        """Newest first; of the projects that the caller governs, or of everything."""
        seen = actor.projects("admin")
        return await self._db.read(lambda c: store.entries(c, where, seen, limit, before))

    async def export(self, actor: Principal, where: AuditFilter) -> AsyncIterator[str]:
        """Every matching entry as lines of JSON, oldest first."""
        seen, number = actor.projects("admin"), 0
        while True:
            rows = await self._db.read(partial(_after, where, seen, number))
            yield "".join(f"{row.model_dump_json()}\n" for row in rows)
            if len(rows) < _AT_ONCE:
                return
            number = rows[-1].number

    async def verify(self, number: int = 0, noted: str = "") -> AuditVerification:
        """Compute the chain anew. `number` and `noted` are a head that was noted before."""
        head = await self._db.read(store.head)
        at, last, entries = 0, "", 0
        faults: list[str] = []
        while rows := await self._db.read(partial(_chained, at)):
            for found in chain.problems(rows, last, at):
                at, last, fault = found
                entries += 1
                faults += [fault] if fault else []
                if at == number and noted and last != noted:
                    faults.append(f"entry {number} is not the one whose hash was noted")
        if number > at:
            faults.append(f"entry {number}, which was noted, is not there any more")
        if head.number > at or (head.number == at and head.hash != last):
            faults.append(f"the log ends at entry {at}, but {head.number} were written")
        return AuditVerification(
            entries=entries, number=at, hash=last, intact=not faults,
            problems=tuple(faults[:_SHOWN]),
        )  # fmt: skip


def _after(
    where: AuditFilter, seen: frozenset[str] | None, number: int, c: sa.Connection
) -> tuple[AuditEntry, ...]:
    return store.after(c, where, seen, number, _AT_ONCE)


def _chained(number: int, c: sa.Connection) -> list[dict[str, Any]]:
    return store.chained(c, number, _AT_ONCE)
