"""The tables of data sets and annotation. The migrations build them; a test compares the two."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=primary_key, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _of(table: str, name: str) -> sa.Column[str]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.String(40), key, primary_key=True)


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)


datasets = sa.Table(
    "datasets",
    metadata,
    _text("id", 40, primary_key=True),
    _text("project", 63),
    _text("name", 100),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("input_schema", sa.JSON(none_as_null=True)),
    sa.Column("expected_schema", sa.JSON(none_as_null=True)),
    sa.Column("head", sa.Integer, nullable=False),
    _int("created_ms"),
    _text("created_by", 400),
    sa.UniqueConstraint("project", "name"),
)
versions = sa.Table(
    "dataset_versions",
    metadata,
    _of("datasets", "dataset_id"),
    _number(),
    _text("content_hash", 64),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("removed", sa.Integer, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    _text("author", 400),
    _int("created_ms"),
)
contents = sa.Table(
    "dataset_contents",
    metadata,
    _text("hash", 64, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
rows = sa.Table(
    "dataset_rows",
    metadata,
    _of("datasets", "dataset_id"),
    _text("row_id", 80, primary_key=True),
    sa.Column("valid_from", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("valid_to", sa.Integer),
    _text("hash", 64),
    sa.Column("position", sa.Integer, nullable=False),
    _text("split", 40),
    _text("source_trace", 32),
    _text("source_span", 16),
    sa.Index("dataset_rows_by_trace", "source_trace"),
)
slices = sa.Table(
    "dataset_slices",
    metadata,
    _of("datasets", "dataset_id"),
    _text("name", 100, primary_key=True),
    sa.Column("conditions", sa.JSON, nullable=False),
    _int("created_ms"),
    _text("created_by", 400),
)
uses = sa.Table(
    "dataset_uses",
    metadata,
    _of("datasets", "dataset_id"),
    _number(),
    _text("kind", 40, primary_key=True),
    _text("ref", 100, primary_key=True),
    _text("label", 400),
    _int("created_ms"),
)
queues = sa.Table(
    "annotation_queues",
    metadata,
    _text("id", 40, primary_key=True),
    _text("project", 63),
    _text("name", 100),
    sa.Column("instructions", sa.Text, nullable=False),
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
items = sa.Table(
    "annotation_items",
    metadata,
    _of("annotation_queues", "queue_id"),
    _text("id", 80, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    _text("trace_id", 32),
    _text("span_id", 16),
    _text("row_id", 80),
    _text("state", 16),
    sa.Column("settled", sa.JSON(none_as_null=True)),
    _text("settled_by", 400),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("settled_ms", sa.BigInteger),
)
work = sa.Table(
    "annotation_work",
    metadata,
    _text("queue_id", 40, primary_key=True),
    _text("item_id", 80, primary_key=True),
    _text("annotator_id", 40, primary_key=True),
    _text("annotator", 400),
    _text("state", 16),
    _int("locked_until_ms"),
    sa.Column("answers", sa.JSON(none_as_null=True)),
    sa.Column("comment", sa.Text, nullable=False),
    _int("started_ms"),
    sa.Column("done_ms", sa.BigInteger),
)
