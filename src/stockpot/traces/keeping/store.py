"""The tables of policies and saved views, and all SQL on them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

policies = sa.Table(
    "retention_policies",
    metadata,
    sa.Column("project", sa.String(63), primary_key=True),
    sa.Column("policy", sa.JSON, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_by", sa.String(400), nullable=False),
)

views = sa.Table(
    "saved_views",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.String(80), nullable=False),
    sa.Column("owner_name", sa.String(400), nullable=False),
    sa.Column("page", sa.String(20), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("search", sa.JSON, nullable=False),
    sa.Column("project", sa.String(63)),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("default", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("owner", "page", "name"),
)


def policy_of(c: sa.Connection, project: str) -> dict[str, Any] | None:
    """What a project has set; None for nothing."""
    row = c.execute(sa.select(policies.c.policy).where(policies.c.project == project)).first()
    return None if row is None else dict(row[0])


def all_policies(c: sa.Connection) -> list[tuple[str, dict[str, Any]]]:
    """Every project's policy."""
    rows = c.execute(sa.select(policies.c.project, policies.c.policy))
    return [(row[0], dict(row[1])) for row in rows]


def put_policy(c: sa.Connection, project: str, policy: dict[str, Any], ms: int, who: str) -> None:
    """Set a project's policy."""
    c.execute(sa.delete(policies).where(policies.c.project == project))
    c.execute(sa.insert(policies).values(
        project=project, policy=policy, updated_ms=ms, updated_by=who
    ))  # fmt: skip


def list_views(c: sa.Connection) -> list[sa.RowMapping]:
    """All views, by name."""
    return list(c.execute(sa.select(views).order_by(views.c.name, views.c.id)).mappings())


def put_view(c: sa.Connection, row: dict[str, Any]) -> None:
    """Save a view; an owner's view of that name on that page is replaced, and there is one default
    a page."""
    mine = (views.c.owner == row["owner"]) & (views.c.page == row["page"])
    c.execute(sa.delete(views).where(mine & (views.c.name == row["name"])))
    if row["default"]:
        c.execute(sa.update(views).where(mine).values(default=False))
    c.execute(sa.insert(views).values(row))


def remove_view(c: sa.Connection, ident: str) -> None:
    """Forget a view."""
    c.execute(sa.delete(views).where(views.c.id == ident))
