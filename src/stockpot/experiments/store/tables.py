"""The tables of experiments. What columns mean is told by the records."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    # What its author wrote, as JSON of a NewExperiment; the share is the one in force.
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
decisions = sa.Table(
    "experiment_decisions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column(
        "experiment_id",
        sa.String(40),
        sa.ForeignKey("experiments.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(400), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("share_before", sa.Integer, nullable=False),
    sa.Column("share_after", sa.Integer, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Index("experiment_decisions_by_experiment", "experiment_id", "id"),
)
looks = sa.Table(
    "experiment_looks",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column(
        "experiment_id",
        sa.String(40),
        sa.ForeignKey("experiments.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("units", sa.BigInteger, nullable=False),
    # [metric, arm, units, difference, low, high, role] of each comparison
    sa.Column("seen", sa.JSON, nullable=False),
    sa.Index("experiment_looks_by_experiment", "experiment_id", "id"),
)
