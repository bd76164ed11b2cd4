"""Projects, with their budgets."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.catalog.models import ApartSpec, CacheSpec, LimitSpec, Project
from stockpot.catalog.store.budgets import all_budgets, leased, remove_budget, state_of
from stockpot.catalog.store.tables import projects

_LIMITS = tuple(LimitSpec.model_fields)


def list_projects(c: sa.Connection, now_ms: int) -> tuple[Project, ...]:
    """All projects by name."""
    budgets, held = all_budgets(c, now_ms), leased(c)
    rows = c.execute(sa.select(projects).order_by(projects.c.name)).mappings()
    return tuple(
        Project(
            **{name: row[name] for name in Project.model_fields if name in row},
            limits=LimitSpec(**{name: row[name] for name in _LIMITS}),
            budget=state_of(budgets.get(("project", row["name"])), held, now_ms),
        )
        for row in rows
    )


def project_names(c: sa.Connection) -> tuple[str, ...]:
    """The names of all projects."""
    return tuple(c.scalars(sa.select(projects.c.name).order_by(projects.c.name)))


def project_named(c: sa.Connection, name: str, now_ms: int) -> Project | None:
    """One project."""
    return next((p for p in list_projects(c, now_ms) if p.name == name), None)


def add_project(c: sa.Connection, **values: Any) -> None:
    """A new project; `limits` is a LimitSpec."""
    c.execute(sa.insert(projects).values(**_flat(values)))


def change_project(c: sa.Connection, name: str, **values: Any) -> None:
    """Set columns of a project; `limits` is a LimitSpec."""
    c.execute(sa.update(projects).where(projects.c.name == name).values(**_flat(values)))


def remove_project(c: sa.Connection, name: str) -> None:
    """Forget a project on which no key hangs, with its cap."""
    remove_budget(c, "project", name)
    c.execute(sa.delete(projects).where(projects.c.name == name))


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    limits = values.pop("limits", None)
    for name in ("cache", "apart"):
        if isinstance(given := values.get(name), (CacheSpec, ApartSpec)):
            values[name] = given.model_dump()
    return {**values, **(limits.model_dump() if limits else {})}
