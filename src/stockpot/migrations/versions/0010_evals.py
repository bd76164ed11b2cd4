"""Evaluation suites, runs and their rows; durable jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def _text(name: str, length: int, **more: object) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, **more)  # type: ignore[arg-type]


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    _jobs()
    _suites()
    _runs()
    _results()


def _jobs() -> None:
    op.create_table(
        "jobs",
        _text("id", 40, primary_key=True),
        _text("kind", 60),
        _text("subject", 200),
        sa.Column("payload", sa.JSON, nullable=False),
        _text("state", 16),
        _text("holder", 300),
        _int("lease_ms"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        _long("error"),
        _int("created_ms"),
        _int("updated_ms"),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created_ms"])
    op.create_index("jobs_by_subject", "jobs", ["subject"])


def _suites() -> None:
    op.create_table(
        "eval_suites",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("name", 100),
        sa.Column("spec", sa.JSON, nullable=False),
        _int("created_ms"),
        _int("updated_ms"),
        _text("updated_by", 400),
        sa.UniqueConstraint("project", "name"),
    )


def _runs() -> None:
    op.create_table(
        "eval_runs",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("suite", 100),
        sa.Column("spec", sa.JSON, nullable=False),
        _text("state", 16),
        _text("runner", 16),
        _text("dataset", 200),
        sa.Column("dataset_version", sa.Integer),
        _text("dataset_hash", 64),
        sa.Column("arm", sa.JSON, nullable=False),
        _text("prompt_name", 200),
        _text("prompt_version", 40),
        _long("message"),
        _long("error"),
        sa.Column("progress", sa.JSON, nullable=False),
        _int("estimate_nano", nullable=True),
        sa.Column("prices", sa.JSON, nullable=False),
        sa.Column("repeat_calls", sa.Boolean, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("gate", sa.JSON(none_as_null=True)),
        sa.Column("gate_passed", sa.Boolean),
        _int("created_ms"),
        _int("started_ms", nullable=True),
        _int("finished_ms", nullable=True),
        _text("created_by", 400),
    )
    op.create_index("eval_runs_by_project", "eval_runs", ["project", "id"])
    prompt = ["project", "prompt_name", "prompt_version"]
    op.create_index("eval_runs_by_prompt", "eval_runs", prompt)


def _results() -> None:
    op.create_table(
        "eval_results",
        _text("run_id", 40, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        _text("item", 200),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("result", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "eval_rowsets",
        _text("hash", 64, primary_key=True),
        _text("project", 63, primary_key=True),
        _text("name", 200),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        _int("created_ms"),
    )
    op.create_table(
        "eval_answers",
        _text("project", 63, primary_key=True),
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        _int("created_ms"),
    )
