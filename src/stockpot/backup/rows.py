"""The control store as rows, table by table, from any database into any other.

Knows SQLAlchemy's types and the order that foreign keys ask for; knows no table's meaning. A row is
a JSON array in the order of the table's columns; bytes are base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from stockpot.core.db import Database, migrate, schema_revision
from stockpot.core.errors import Conflict, InvalidInput

_BATCH = 500
_VERSIONS = "alembic_version"

Dump = dict[str, list[bytes]]
"""Lines by table: first the names of the columns, then a row each."""


def dump(connection: sa.Connection) -> tuple[str, Dump]:
    """The schema's revision and all rows, as one moment."""
    revision = schema_revision(connection)
    if revision is None:
        raise InvalidInput("the control store is empty: there is nothing to keep")
    found: Dump = {}
    for table in _tables(connection):
        columns = [column.name for column in table.columns]
        found[table.name] = [_line(columns)]
        for row in connection.execute(sa.select(table)):
            found[table.name].append(_line([_plain(value) for value in row]))
    return revision, found


def load(connection: sa.Connection, revision: str, found: Dump) -> None:
    """Into an empty store: its schema as it was, the rows, then the newest schema."""
    if schema_revision(connection) is not None:
        raise Conflict(
            "the target database already holds an instance",
            hint="give an empty database, or an empty STOCKPOT_HOME",
        )
    migrate(connection, revision)
    tables = _tables(connection)
    for table in reversed(tables):
        connection.execute(sa.delete(table))  # what a migration begins with
    for table in tables:
        for batch in _batches(table, found.get(table.name, [])):
            connection.execute(sa.insert(table), batch)
    migrate(connection)


async def copy_store(source: Database, target: Database) -> dict[str, int]:
    """Everything of one store into another, empty one; ids stay. Rows by table, checked."""
    revision, found = await source.read(dump)
    await target.write(lambda c: load(c, revision, found))
    _, there = await target.read(dump)
    wanted = {table: len(lines) - 1 for table, lines in found.items()}
    got = {table: len(there.get(table, [b""])) - 1 for table in wanted}
    if got != wanted:
        differing = {t: (wanted[t], got[t]) for t in wanted if got[t] != wanted[t]}
        raise Conflict(f"rows are missing in the new store (wanted, there): {differing}")
    return wanted


def _tables(connection: sa.Connection) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSIONS]


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {"b64": base64.b64encode(bytes(value)).decode()}
    return value


def _batches(table: sa.Table, lines: list[bytes]) -> Iterator[list[dict[str, Any]]]:
    if not lines:
        return
    names = json.loads(lines[0])
    kinds = [table.columns[name].type for name in names]
    rows = [
        {n: _typed(v, k) for n, v, k in zip(names, json.loads(line), kinds, strict=True)}
        for line in lines[1:]
    ]
    for first in range(0, len(rows), _BATCH):
        yield rows[first : first + _BATCH]


def _typed(value: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(value, dict) and set(value) == {"b64"} and not isinstance(kind, sa.JSON):
        return base64.b64decode(value["b64"])
    if isinstance(kind, sa.Boolean) and value is not None:
        return bool(value)
    return value
