"""What people declare of a project's way to production."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "readiness_waivers",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("need", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
    )
    op.create_index("readiness_waivers_by_project", "readiness_waivers", ["project", "need"])
