"""Prompts: versions, labels, protections, approvals, comments."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=primary_key, nullable=False)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _prompt(*, primary_key: bool = False) -> sa.Column[str]:
    target = sa.ForeignKey("prompts.id", ondelete="CASCADE")
    return sa.Column("prompt_id", sa.String(40), target, primary_key=primary_key, nullable=False)


def upgrade() -> None:
    _prompts()
    _labels()
    _proposals()
    op.create_table(
        "prompt_comments",
        _text("id", 40, primary_key=True),
        _prompt(),
        sa.Column("number", sa.Integer),
        _text("author_id", 40),
        _text("author", 400),
        _long("text"),
        _int("created_ms"),
        sa.Index("prompt_comments_by_prompt", "prompt_id"),
    )


def _prompts() -> None:
    op.create_table(
        "prompts",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("name", 100),
        _text("kind", 16),
        _long("description"),
        _text("folder", 200),
        _text("owner", 320),
        sa.Column("tags", sa.JSON, nullable=False),
        _long("search"),
        _int("created_ms"),
        _text("created_by", 400),
        _int("changed_ms"),
        _int("archived_ms"),
        sa.UniqueConstraint("project", "name"),
    )
    op.create_table(
        "prompt_versions",
        _prompt(primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("parent", sa.Integer),
        _text("content_hash", 64),
        sa.Column("content", sa.JSON, nullable=False),
        _long("message"),
        _text("author_id", 40),
        _text("author", 400),
        _int("created_ms"),
    )


def _labels() -> None:
    op.create_table(
        "prompt_labels",
        _prompt(primary_key=True),
        _text("label", 40, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        _int("moved_ms"),
        _text("moved_by", 400),
    )
    op.create_table(
        "prompt_protections",
        _text("project", 63, primary_key=True),
        _text("prompt", 100, primary_key=True),
        _text("label", 40, primary_key=True),
        _text("role", 16),
        sa.Column("evaluation", sa.Boolean, nullable=False),
        _int("created_ms"),
        _text("created_by", 400),
    )


def _proposals() -> None:
    op.create_table(
        "prompt_proposals",
        _text("id", 40, primary_key=True),
        _prompt(),
        _text("label", 40),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("before", sa.Integer),
        _long("reason"),
        _text("asked_by", 40),
        _text("asked_label", 400),
        _int("created_ms"),
        _text("state", 16),
        _text("decided_by", 400),
        sa.Column("decided_ms", sa.BigInteger),
        _long("note"),
        _text("evaluation", 40),
        sa.Index("prompt_proposals_by_prompt", "prompt_id", "state"),
    )
