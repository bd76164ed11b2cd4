"""Guardrail policies, where they hold, calibrated thresholds and fitted models."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    _policies()
    _measured()


def _policies() -> None:
    op.create_table(
        "guardrail_policies",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("parallel", sa.Boolean, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("queue", sa.String(100), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project", "name"),
    )
    op.create_table(
        "guardrail_bindings",
        sa.Column("project", sa.String(63), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column(
            "policy_id",
            sa.String(40),
            sa.ForeignKey("guardrail_policies.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
    )


def _measured() -> None:
    op.create_table(
        "guardrail_calibrations",
        sa.Column("project", sa.String(63), primary_key=True),
        sa.Column("rail", sa.String(60), primary_key=True),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("model", sa.LargeBinary),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
    )
    op.create_table(
        "guardrail_harvest",
        sa.Column("policy_id", sa.String(40), primary_key=True),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
