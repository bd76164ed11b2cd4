"""How a route chooses among its targets."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("routes", sa.Column("choice", sa.JSON, nullable=False, server_default="{}"))
