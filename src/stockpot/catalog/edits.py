"""Changing definitions: one transaction that writes the change and the revision it makes.

Knows the present state and the journal of pointers. Who moves a pointer (a key's state, an alias's
targets) at run time makes no revision: the definitions keep what they say, and an apply that would
undo the move shows it as a conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal
from stockpot.catalog.present import present
from stockpot.core.db import Database
from stockpot.revisions import Path, at, begin, moved, record, returned

T = TypeVar("T")

POINTERS = {"keys": "state", "aliases": "targets"}
"""Fields that move at run time, by section."""


class Edits:
    """The catalog's way to write."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self) -> None:
        """Write down what an instance has that kept no revisions before."""
        await self._db.write(lambda c: begin(c, SYSTEM, present(c)))

    async def write(
        self,
        actor: Principal,
        message: str,
        change: Callable[[sa.Connection], T],
        *,
        settles: tuple[Path, ...] = (),
    ) -> T:
        """Commit a change with the revision that comes of it. `settles` are pointers that it
        defines itself."""

        def work(c: sa.Connection) -> T:
            before = present(c) if settles else {}
            done = change(c)
            now = present(c)
            for path in settles:
                returned(c, actor, path, at(before, path), at(now, path), message)
            record(c, actor, message, now, settles=settles)
            return done

        return await self._db.write(work)

    async def move(
        self, actor: Principal, path: Path, reason: str, change: Callable[[sa.Connection], T]
    ) -> T:
        """Commit a change that moves one pointer, with its line in the journal. What else the
        change does is a revision."""

        def work(c: sa.Connection) -> T:
            before = at(present(c), path)
            done = change(c)
            now = present(c)
            if at(now, path) != before:
                moved(c, actor, path, before, at(now, path), reason)
            record(c, actor, reason or "changed", now)
            return done

        return await self._db.write(work)
