"""Saved views and policies of retention."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "retention_policies",
        sa.Column("project", sa.String(63), primary_key=True),
        sa.Column("policy", sa.JSON, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_by", sa.String(400), nullable=False),
    )
    op.create_table(
        "saved_views",
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
