"""The rows of data sets. A row belongs to the versions from `valid_from` up to before `valid_to`;
what it says stands once under its hash. Functions work inside their caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.datasets.models import DatasetRow, RowOfTrace
from stockpot.datasets.store.tables import contents, datasets, rows

ERASED = "erased"
"""Says of a body that it stands where another was."""

_AT_ONCE = 500
_SAID: dict[str, Any] = {"input": {}, "expected": None, "metadata": {}}


class Member(NamedTuple):
    """A row of a version without what it says."""

    id: str
    hash: str
    position: int


def members(c: sa.Connection, dataset_id: str, number: int) -> dict[str, Member]:
    """The rows of a version by id, in their order."""
    query = sa.select(rows.c.row_id, rows.c.hash, rows.c.position).where(_in(dataset_id, number))
    found = (Member(*row) for row in c.execute(query.order_by(*_ORDER)))
    return {member.id: member for member in found}


def page(
    c: sa.Connection,
    dataset_id: str,
    number: int,
    *,
    split: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[DatasetRow]:
    """Rows of a version, in their order."""
    query = sa.select(rows.c.row_id, rows.c.hash, contents.c.body)
    query = query.join(contents, contents.c.hash == rows.c.hash).where(_in(dataset_id, number))
    if split is not None:
        query = query.where(rows.c.split == split)
    query = query.order_by(*_ORDER).offset(offset)
    if limit is not None:
        query = query.limit(limit)
    return [_row(*found) for found in c.execute(query)]


def with_ids(
    c: sa.Connection, dataset_id: str, number: int, ids: Sequence[str]
) -> dict[str, DatasetRow]:
    """Those of these rows that a version has."""
    found: dict[str, DatasetRow] = {}
    for some in _pieces(ids):
        query = sa.select(rows.c.row_id, rows.c.hash, contents.c.body)
        query = query.join(contents, contents.c.hash == rows.c.hash)
        query = query.where(_in(dataset_id, number), rows.c.row_id.in_(some))
        found |= {row[0]: _row(*row) for row in c.execute(query)}
    return found


def count_splits(c: sa.Connection, dataset_id: str, number: int) -> dict[str, int]:
    """How many rows of a version each split has."""
    query = sa.select(rows.c.split, sa.func.count()).where(_in(dataset_id, number))
    return {row[0]: row[1] for row in c.execute(query.group_by(rows.c.split))}


def end(c: sa.Connection, dataset_id: str, number: int, ids: Iterable[str]) -> None:
    """Versions from this one on are without these rows."""
    for some in _pieces(list(ids)):
        now = (rows.c.dataset_id == dataset_id) & rows.c.valid_to.is_(None)
        gone = sa.update(rows).where(now, rows.c.row_id.in_(some)).values(valid_to=number)
        c.execute(gone)


def begin(c: sa.Connection, new: Sequence[dict[str, Any]], bodies: dict[str, str]) -> None:
    """Versions from `valid_from` on have these rows; `bodies` is what they say, by hash."""
    for some in _pieces(list(bodies)):
        there = set(c.scalars(sa.select(contents.c.hash).where(contents.c.hash.in_(some))))
        fresh = [{"hash": digest, "body": bodies[digest]} for digest in some if digest not in there]
        if fresh:
            c.execute(sa.insert(contents), fresh)
    for part in _pieces(new):
        c.execute(sa.insert(rows), list(part))


def remove_all(c: sa.Connection, dataset_id: str) -> None:
    """Forget all rows of a data set, and what only they said."""
    mine = set(c.scalars(sa.select(rows.c.hash).where(rows.c.dataset_id == dataset_id)))
    c.execute(sa.delete(rows).where(rows.c.dataset_id == dataset_id))
    for some in _pieces(sorted(mine)):
        shared = set(c.scalars(sa.select(rows.c.hash).where(rows.c.hash.in_(some)).distinct()))
        gone = [digest for digest in some if digest not in shared]
        c.execute(sa.delete(contents).where(contents.c.hash.in_(gone)))


def of_trace(c: sa.Connection, project: str, trace_id: str) -> tuple[RowOfTrace, ...]:
    """Rows that were made from a trace, in whatever versions."""
    query = sa.select(datasets.c.name, rows, contents.c.body)
    query = query.join(datasets, datasets.c.id == rows.c.dataset_id)
    query = query.join(contents, contents.c.hash == rows.c.hash).where(
        datasets.c.project == project, rows.c.source_trace == trace_id
    )
    return tuple(
        RowOfTrace(
            dataset=row["name"],
            row_id=row["row_id"],
            since=row["valid_from"],
            until=row["valid_to"],
            source_span=row["source_span"],
            erased=json.loads(row["body"]).get(ERASED, False),
        )
        for row in c.execute(query.order_by(datasets.c.name, rows.c.valid_from)).mappings()
    )


class Made(NamedTuple):
    """A row that was made from one of some traces. `last` says that its data set has it now."""

    dataset_id: str
    id: str
    hash: str
    last: bool
    dataset: str


def made_from(c: sa.Connection, project: str, traces: Sequence[str]) -> list[Made]:
    """The rows of all versions that were made from some traces of a project."""
    found: list[Made] = []
    for some in _pieces(traces):
        query = sa.select(
            rows.c.dataset_id, rows.c.row_id, rows.c.hash, rows.c.valid_to.is_(None),
            datasets.c.name,
        )  # fmt: skip
        query = query.join(datasets, datasets.c.id == rows.c.dataset_id)
        query = query.where(datasets.c.project == project, rows.c.source_trace.in_(some))
        found += [Made(*row) for row in c.execute(query)]
    return found


def blank(c: sa.Connection, hashes: Sequence[str]) -> None:
    """Leave nothing of what rows with these hashes say, in whatever version; the hash stays, and
    so does where they came from."""
    if c.dialect.name == "sqlite":  # pages keep no copy of what stood there
        c.exec_driver_sql("PRAGMA secure_delete = ON")
    for some in _pieces(hashes):
        query = sa.select(contents).where(contents.c.hash.in_(some))
        for row in c.execute(query).mappings().all():
            body = json.dumps({**json.loads(row["body"]), **_SAID, ERASED: True})
            c.execute(sa.update(contents).where(contents.c.hash == row["hash"]).values(body=body))


_ORDER = (rows.c.position, rows.c.row_id)


def _in(dataset_id: str, number: int) -> sa.ColumnElement[bool]:
    until = rows.c.valid_to.is_(None) | (rows.c.valid_to > number)
    return sa.and_(rows.c.dataset_id == dataset_id, rows.c.valid_from <= number, until)


def _row(ident: str, digest: str, body: str) -> DatasetRow:
    return DatasetRow(id=ident, hash=digest, **json.loads(body))


def _pieces(some: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(some), _AT_ONCE):
        yield some[start : start + _AT_ONCE]
