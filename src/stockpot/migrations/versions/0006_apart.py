"""Limits of each end user and of single models."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("projects", "virtual_keys"):
        op.add_column(table, sa.Column("apart", sa.JSON(none_as_null=True)))
