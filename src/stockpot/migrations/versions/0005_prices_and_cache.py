"""Prices that are stated here, and who may have answers repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "own_prices",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("provider", sa.String(200), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("tier", sa.String(40), nullable=False),
        sa.Column("above", sa.BigInteger, nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger, nullable=False),
        sa.Column("dollars", sa.JSON, nullable=False),
        sa.Column("source", sa.String(500), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
        sa.UniqueConstraint("provider", "model", "tier", "above", "valid_from_ms"),
    )
    op.add_column("projects", sa.Column("cache", sa.JSON(none_as_null=True)))
    op.add_column("virtual_keys", sa.Column("cache", sa.JSON(none_as_null=True)))
