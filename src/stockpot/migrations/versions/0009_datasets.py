"""Data sets: rows that versions share, slices, uses; annotation queues over rows and traces."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=primary_key, nullable=False)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(none_as_null=True))


def _of(table: str, name: str) -> sa.Column[str]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.String(40), key, primary_key=True)


def upgrade() -> None:
    _datasets()
    _beside()
    _queues()


def _datasets() -> None:
    op.create_table(
        "datasets",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("name", 100),
        _long("description"),
        _json("input_schema"),
        _json("expected_schema"),
        sa.Column("head", sa.Integer, nullable=False),
        _int("created_ms"),
        _text("created_by", 400),
        sa.UniqueConstraint("project", "name"),
    )
    op.create_table(
        "dataset_versions",
        _of("datasets", "dataset_id"),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _text("content_hash", 64),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        _long("message"),
        _text("author", 400),
        _int("created_ms"),
    )
    _rows()


def _rows() -> None:
    op.create_table(
        "dataset_contents",
        _text("hash", 64, primary_key=True),
        _long("body"),
    )
    op.create_table(
        "dataset_rows",
        _of("datasets", "dataset_id"),
        _text("row_id", 80, primary_key=True),
        sa.Column("valid_from", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("valid_to", sa.Integer),
        _text("hash", 64),
        sa.Column("position", sa.Integer, nullable=False),
        _text("split", 40),
        _text("source_trace", 32),
        _text("source_span", 16),
    )
    op.create_index("dataset_rows_by_trace", "dataset_rows", ["source_trace"])


def _beside() -> None:
    op.create_table(
        "dataset_slices",
        _of("datasets", "dataset_id"),
        _text("name", 100, primary_key=True),
        sa.Column("conditions", sa.JSON, nullable=False),
        _int("created_ms"),
        _text("created_by", 400),
    )
    op.create_table(
        "dataset_uses",
        _of("datasets", "dataset_id"),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _text("kind", 40, primary_key=True),
        _text("ref", 100, primary_key=True),
        _text("label", 400),
        _int("created_ms"),
    )


def _queues() -> None:
    op.create_table(
        "annotation_queues",
        _text("id", 40, primary_key=True),
        _text("project", 63),
        _text("name", 100),
        _long("instructions"),
        sa.Column("rubric", sa.JSON, nullable=False),
        sa.Column("annotators", sa.Integer, nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("assignees", sa.JSON, nullable=False),
        _text("state", 16),
        _text("dataset", 100),
        sa.Column("dataset_version", sa.Integer),
        _int("created_ms"),
        _text("created_by", 400),
        sa.UniqueConstraint("project", "name"),
    )
    _items()


def _items() -> None:
    op.create_table(
        "annotation_items",
        _of("annotation_queues", "queue_id"),
        _text("id", 80, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        _text("trace_id", 32),
        _text("span_id", 16),
        _text("row_id", 80),
        _text("state", 16),
        _json("settled"),
        _text("settled_by", 400),
        _long("note"),
        sa.Column("settled_ms", sa.BigInteger),
    )
    op.create_table(
        "annotation_work",
        _text("queue_id", 40, primary_key=True),
        _text("item_id", 80, primary_key=True),
        _text("annotator_id", 40, primary_key=True),
        _text("annotator", 400),
        _text("state", 16),
        _int("locked_until_ms"),
        _json("answers"),
        _long("comment"),
        _int("started_ms"),
        sa.Column("done_ms", sa.BigInteger),
    )
