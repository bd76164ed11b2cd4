"""Making and changing projects."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal, audit, no_project
from stockpot.catalog.edits import Edits
from stockpot.catalog.models import NewProject, PayloadPolicy, Project, ProjectSettings
from stockpot.catalog.publish import Publisher
from stockpot.catalog.store import budgets, projects
from stockpot.core.clock import now_ms
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.errors import Conflict
from stockpot.core.ids import record_id

ENVIRONMENTS = ("dev", "staging", "production")
DEFAULT = "default"


class ProjectService:
    """Projects are use cases; keys, limits, budgets and spans hang on them."""

    def __init__(
        self, db: Database, edits: Edits, publisher: Publisher, settings: Settings
    ) -> None:
        self._db = db
        self._edits = edits
        self._publisher = publisher
        self._settings = settings

    async def ensure_default(self) -> None:
        """A fresh instance has one project."""

        def write(c: sa.Connection) -> None:
            if projects.project_named(c, DEFAULT, now_ms()) is None:
                first = NewProject(name=DEFAULT, description="Where keys go at first")
                new_project(c, SYSTEM, first, self._settings.payloads)

        await self._db.write(write)

    async def all(self, actor: Principal = SYSTEM) -> tuple[Project, ...]:
        """Those that are open to the caller, by name."""
        found = await self._db.read(lambda c: projects.list_projects(c, now_ms()))
        return tuple(project for project in found if actor.may("own", project.name))

    async def create(self, actor: Principal, new: NewProject) -> Project:
        """A new project with the environments dev, staging and production."""

        def write(c: sa.Connection) -> Project:
            if projects.project_named(c, new.name, now_ms()) is not None:
                raise Conflict(f"there is a project {new.name!r} already")
            return new_project(c, actor, new, self._settings.payloads)

        project = await self._edits.write(actor, f"project {new.name} created", write)
        await self._publisher.refresh(f"project {new.name} created")
        return project

    async def change(self, actor: Principal, name: str, wanted: ProjectSettings) -> Project:
        """Change what is given."""
        given = {k: getattr(wanted, k) for k in wanted.model_fields_set}
        changes = {k: v for k, v in given.items() if v is not None}

        def write(c: sa.Connection) -> Project:
            before = existing_project(c, name)
            values: dict[str, Any] = dict(changes)
            if (budget := values.pop("budget", None)) is not None:
                budgets.set_budget(c, "project", name, budget, now_ms())
            if values:
                projects.change_project(c, name, **values)
            told = wanted.model_dump(mode="json", include=set(changes))
            after = existing_project(c, name)
            told["project"] = name
            audit(c, actor, "project.change", name, before=before, after=after, **told)
            return after

        project = await self._edits.write(actor, f"project {name} changed", write)
        await self._publisher.refresh(f"project {name} changed")
        return project

    async def remove_budget(self, actor: Principal, name: str) -> None:
        """Take a project's cap away."""

        def write(c: sa.Connection) -> None:
            before = existing_project(c, name)
            budgets.remove_budget(c, "project", name)
            after = existing_project(c, name)
            told = {"project": name}
            audit(c, actor, "project.remove-budget", name, before=before, after=after, **told)

        await self._edits.write(actor, f"budget of project {name} removed", write)
        await self._publisher.refresh(f"budget of project {name} removed")


def new_project(
    c: sa.Connection, actor: Principal, new: NewProject, payloads: PayloadPolicy
) -> Project:
    """Write a new project, in its caller's transaction; `payloads` where it chooses none."""
    values = new.model_dump(exclude={"budget", "limits", "payloads"})
    projects.add_project(
        c,
        **values,
        id=record_id("prj"),
        environments=list(ENVIRONMENTS),
        limits=new.limits,
        payloads=new.payloads or payloads,
        created_ms=now_ms(),
    )
    if new.budget is not None:
        budgets.set_budget(c, "project", new.name, new.budget, now_ms())
    made = existing_project(c, new.name)
    audit(c, actor, "project.create", new.name, after=made, project=new.name)
    return made


def existing_project(c: sa.Connection, name: str, actor: Principal = SYSTEM) -> Project:
    """The project of this name that is open to somebody, or NotFound with the nearest spelling."""
    project = projects.project_named(c, name, now_ms())
    if project is None or not actor.may("own", name):
        raise no_project(name, projects.project_names(c), actor)
    return project
