"""Scores and feedback on traces, spans and sessions; keys that browsers may show."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=primary_key, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    _scores()
    _learned()
    op.create_table(
        "public_keys",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        _text("name", 100),
        _text("project", 63),
        sa.Column("origins", sa.JSON, nullable=False),
        _int("rpm"),
        _int("caller_rpm"),
        _text("state", 16),
        _int("created_ms"),
        _text("created_by", 400),
    )


def _scores() -> None:
    op.create_table(
        "scores",
        _text("project", 63, primary_key=True),
        _text("id", 120, primary_key=True),
        _int("number"),
        _text("slot", 32),
        _text("trace_id", 32),
        _text("span_id", 16),
        _text("session", 200),
        _text("item", 80),
        _text("name", 100),
        sa.Column("value", sa.Float),
        _text("label", 200),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("correction", sa.Text),
        _text("source", 16),
        _text("author", 400),
        _text("evaluator", 200),
        _text("evaluator_trace", 32),
        _text("queue", 40),
        sa.Column("retracted", sa.Boolean, nullable=False),
        _int("created_ms"),
    )
    op.create_index("scores_by_number", "scores", ["project", "number"])
    op.create_index("scores_by_slot", "scores", ["slot", "number"])
    op.create_index("scores_by_trace", "scores", ["trace_id"])


def _learned() -> None:
    op.create_table(
        "score_targets",
        _text("project", 63, primary_key=True),
        _text("trace_id", 32, primary_key=True),
        _text("span_id", 16, primary_key=True),
        _text("session", 200, primary_key=True),
        _text("environment", 200),
        _text("key_id", 40),
        _text("user", 400),
        _text("model", 400),
        _text("prompt_name", 200),
        _text("prompt_version", 40),
        _text("variant", 200),
        sa.Column("start_ms", sa.Float, nullable=False),
    )
    op.create_index("score_targets_by_prompt", "score_targets", ["prompt_name", "prompt_version"])
    op.create_table(
        "score_edits",
        _text("project", 63, primary_key=True),
        _text("id", 120, primary_key=True),
        sa.Column("distance", sa.Integer, nullable=False),
        sa.Column("share", sa.Float, nullable=False),
    )
