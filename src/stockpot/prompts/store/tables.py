"""The tables of prompts. The migrations build them."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _prompt_id(*, primary_key: bool = False) -> sa.Column[str]:
    """Whose prompt's record it is; it goes with the prompt."""
    target = sa.ForeignKey("prompts.id", ondelete="CASCADE")
    return sa.Column("prompt_id", sa.String(40), target, primary_key=primary_key, nullable=False)


prompts = sa.Table(
    "prompts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("folder", sa.String(200), nullable=False),
    sa.Column("owner", sa.String(320), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("search", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("archived_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("project", "name"),
)
versions = sa.Table(
    "prompt_versions",
    metadata,
    _prompt_id(primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("parent", sa.Integer),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("author_id", sa.String(40), nullable=False),
    sa.Column("author", sa.String(400), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
labels = sa.Table(
    "prompt_labels",
    metadata,
    _prompt_id(primary_key=True),
    sa.Column("label", sa.String(40), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("moved_ms", sa.BigInteger, nullable=False),
    sa.Column("moved_by", sa.String(400), nullable=False),
)
protections = sa.Table(
    "prompt_protections",
    metadata,
    sa.Column("project", sa.String(63), primary_key=True),
    sa.Column("prompt", sa.String(100), primary_key=True),
    sa.Column("label", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("evaluation", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
)
proposals = sa.Table(
    "prompt_proposals",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    _prompt_id(),
    sa.Column("label", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("before", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_by", sa.String(40), nullable=False),
    sa.Column("asked_label", sa.String(400), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("decided_by", sa.String(400), nullable=False),
    sa.Column("decided_ms", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("evaluation", sa.String(40), nullable=False),
    sa.Index("prompt_proposals_by_prompt", "prompt_id", "state"),
)
comments = sa.Table(
    "prompt_comments",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    _prompt_id(),
    sa.Column("number", sa.Integer),
    sa.Column("author_id", sa.String(40), nullable=False),
    sa.Column("author", sa.String(400), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Index("prompt_comments_by_prompt", "prompt_id"),
)
