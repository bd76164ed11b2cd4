"""Keeping suites and uploaded rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.evals import store
from stockpot.evals.content import hash_of
from stockpot.evals.models import NewRows, RowSet, Suite, SuiteSpec
from stockpot.evals.ports import World
from stockpot.evals.scorers import made


class SuiteService:
    """Suites of projects; the files of a repository come here by `stockpot eval push`."""

    def __init__(self, db: Database, world: World) -> None:
        self._db = db
        self._world = world

    async def all(self, actor: Principal, project: str) -> tuple[Suite, ...]:
        """The suites of a project by name."""
        demand_project(actor, "viewer", project)
        return await self._db.read(lambda c: store.list_suites(c, project))

    async def named(self, actor: Principal, project: str, name: str) -> Suite:
        """One suite."""
        demand_project(actor, "viewer", project)
        found = await self._db.read(lambda c: store.list_suites(c, project))
        for suite in found:
            if suite.spec.name == name:
                return suite
        near = did_you_mean(name, [suite.spec.name for suite in found])
        raise NotFound(f"no suite {name!r} in {project!r}.{near}", hint="stockpot eval list")

    async def put(self, actor: Principal, project: str, spec: SuiteSpec) -> Suite:
        """Define a suite, or change it; runs keep the one they ran."""
        demand_project(actor, "editor", project)
        await self._world.check_project(project, actor)
        for scorer in spec.scorers:
            made(scorer)

        def write(c: sa.Connection) -> Suite:
            was = store.suite_named(c, project, spec.name)
            suite = Suite(
                id=was.id if was else record_id("suite"), project=project, spec=spec,
                created_ms=was.created_ms if was else now_ms(), updated_ms=now_ms(),
                updated_by=actor.label, last_run=was.last_run if was else None,
            )  # fmt: skip
            store.put_suite(c, suite)
            audit(c, actor, "suite.put", spec.name, before=was, after=suite, project=project)
            return suite

        return await self._db.write(write)

    async def remove(self, actor: Principal, project: str, name: str) -> None:
        """Forget a suite; its runs stay."""
        demand_project(actor, "editor", project)
        was = await self.named(actor, project, name)

        def write(c: sa.Connection) -> None:
            store.remove_suite(c, project, name)
            audit(c, actor, "suite.remove", name, before=was, project=project)

        await self._db.write(write)

    async def add_rows(self, actor: Principal, project: str, new: NewRows) -> RowSet:
        """Take rows of a file in, to run a suite on them."""
        demand_project(actor, "editor", project)
        await self._world.check_project(project, actor)
        digest = hash_of(new.rows)

        def write(c: sa.Connection) -> None:
            rows = [row.model_dump(mode="json", exclude_defaults=True) for row in new.rows]
            store.put_rowset(c, project, new.name, digest, rows, now_ms())
            told: dict[str, Any] = {"project": project, "rows": len(rows), "hash": digest}
            audit(c, actor, "rowset.add", new.name, **told)

        await self._db.write(write)
        return RowSet(hash=digest, name=new.name, rows=len(new.rows))

    async def rows(self, actor: Principal, project: str, digest: str) -> NewRows:
        """Rows by their hash."""
        demand_project(actor, "viewer", project)
        found = await self._db.read(lambda c: store.rowset(c, project, digest))
        if found is None:
            raise NotFound(f"no rows with the hash {digest!r}")
        return NewRows(name=found[0], rows=tuple(store.rows_in(found[1])))
