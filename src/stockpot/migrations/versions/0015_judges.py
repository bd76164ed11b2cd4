"""Judges, their versions and certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def _text(name: str, length: int, **more: object) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, **more)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "judges",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("name", 100),
        sa.Column("version", sa.Integer, nullable=False),
        _text("content_hash", 64),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project", "name", "version"),
    )
    op.create_table(
        "judge_certificates",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("judge", 100),
        sa.Column("version", sa.Integer, nullable=False),
        _text("progress", 16),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("rows", sa.LargeBinary, nullable=False),
        sa.Column("issued_ms", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "judge_certificates_by_judge", "judge_certificates", ["project", "judge", "version", "id"]
    )
    op.add_column("eval_runs", sa.Column("judges", sa.JSON(none_as_null=True)))
