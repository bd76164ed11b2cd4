"""Scoring of production spans, drift, canaries and schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    op.add_column("scores", sa.Column("weight", sa.Float, nullable=False, server_default="1"))
    op.create_table(
        "checks",
        sa.Column("id", sa.String(40), primary_key=True),
        _text("project", 63),
        _text("kind", 16),
        _text("name", 100),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("every_s", sa.Integer),
        _text("cron", 200),
        sa.Column("enabled", sa.Boolean, nullable=False),
        _int("next_ms", nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("seen", sa.JSON, nullable=False),
        _int("created_ms"),
        _text("created_by", 400),
        _int("updated_ms"),
        sa.UniqueConstraint("project", "kind", "name"),
    )
    _runs()


def _runs() -> None:
    op.create_table(
        "check_runs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column(
            "check_id",
            sa.String(40),
            sa.ForeignKey("checks.id", ondelete="CASCADE"),
            nullable=False,
        ),
        _text("project", 63),
        _text("kind", 16),
        _text("check", 100),
        _text("state", 16),
        _text("cause", 300),
        _int("created_ms"),
        _int("started_ms", nullable=True),
        _int("finished_ms", nullable=True),
        sa.Column("alarm", sa.Boolean),
        sa.Column("value", sa.Float),
        _int("samples"),
        sa.Column("words", sa.Text, nullable=False),
        _int("cost_nano"),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
    )
    op.create_index("check_runs_by_check", "check_runs", ["check_id", "id"])
