"""Runs that look for the cheapest model that still passes."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "rightsize_runs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(400), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("arms", sa.JSON, nullable=False),
        sa.Column("spent_nano", sa.BigInteger, nullable=False),
        sa.Column("unpriced", sa.JSON, nullable=False),
        sa.Column("traffic", sa.JSON),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("report", sa.JSON),
        sa.Column("applied", sa.String(200), nullable=False),
        sa.Column("experiment", sa.String(100), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("started_ms", sa.BigInteger),
        sa.Column("finished_ms", sa.BigInteger),
        sa.Column("created_by", sa.String(400), nullable=False),
    )
    op.create_index("rightsize_runs_by_project", "rightsize_runs", ["project", "id"])
