"""Experiments, their decisions, and what scores have to do with them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    _experiments()
    _decisions()
    _looks()
    _scores()


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("defined", sa.JSON, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("share", sa.Integer, nullable=False),
        sa.Column("salt", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("stage_ms", sa.BigInteger),
        sa.Column("started_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("winner", sa.String(60), nullable=False),
        sa.Column("held", sa.Text, nullable=False),
        sa.Column("alarmed", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project", "name"),
    )


def _of_experiment() -> sa.Column[str]:
    return sa.Column(
        "experiment_id",
        sa.String(40),
        sa.ForeignKey("experiments.id", ondelete="CASCADE"),
        nullable=False,
    )


def _decisions() -> None:
    op.create_table(
        "experiment_decisions",
        sa.Column("id", sa.String(40), primary_key=True),
        _of_experiment(),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(400), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("share_before", sa.Integer, nullable=False),
        sa.Column("share_after", sa.Integer, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
    )
    op.create_index(
        "experiment_decisions_by_experiment", "experiment_decisions", ["experiment_id", "id"]
    )


def _looks() -> None:
    op.create_table(
        "experiment_looks",
        sa.Column("id", sa.String(40), primary_key=True),
        _of_experiment(),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("units", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.JSON, nullable=False),
    )
    op.create_index("experiment_looks_by_experiment", "experiment_looks", ["experiment_id", "id"])


def _scores() -> None:
    """Of what scores are about: in which unit of which experiment it is counted."""
    keys = (("project", 63), ("trace_id", 32), ("span_id", 16), ("session", 200))
    op.create_table(
        "score_exposures",
        *(sa.Column(n, sa.String(size), primary_key=True, nullable=False) for n, size in keys),
        sa.Column("experiment", sa.String(300), primary_key=True, nullable=False),
        sa.Column("variant", sa.String(300), nullable=False),
        sa.Column("unit", sa.String(300), nullable=False),
    )
    op.create_index("score_exposures_by_unit", "score_exposures", ["project", "experiment", "unit"])
