"""Reading history again: spans whose senders' bytes are kept, and other rows in their place.

Knows rows, rollups and words; knows no dialect. A row keeps its number, its times and its payload;
every sum that held the old one holds the new one afterwards.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stockpot.traces.otlp import Piece
from stockpot.traces.store import NewSpan, subjects, units
from stockpot.traces.store.beneath import settle
from stockpot.traces.store.payloads import PayloadFiles, PayloadReader, file_name
from stockpot.traces.store.rollups import Rollups
from stockpot.traces.store.sqlite import Connection, transaction

_COLUMNS = NewSpan.__struct_fields__
_KEPT = f"""
SELECT {", ".join(_COLUMNS)} FROM spans NOT INDEXED
WHERE id > ? AND source <> 'gateway' AND payload_day IS NOT NULL
  AND at_ns >= ? AND at_ns < ?{{in_project}} ORDER BY id LIMIT ?"""
_CHANGE = f"UPDATE spans SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE id = ?"
_as_row = msgspec.structs.astuple


class Stretch(msgspec.Struct):
    """Which spans to read again: of a project ('' is all), between two times, beyond a number."""

    project: str = ""
    from_ns: int = 0
    to_ns: int = 1 << 62
    after: int = 0
    limit: int = 1000


class KeptSpan(NamedTuple):
    """A row, and what its sender sent of it."""

    row: NewSpan
    piece: Piece


class Change(NamedTuple):
    """One row in the place of another, and the words to find it by."""

    before: NewSpan
    now: NewSpan
    text: str


def kept_spans(
    connection: Connection, folder: Path, stretch: Stretch
) -> tuple[list[KeptSpan], int | None]:
    """Spans of a stretch with what was sent of them, and the number to go on from."""
    in_project = " AND project = ?" if stretch.project else ""
    given = (stretch.after, stretch.from_ns, stretch.to_ns)
    values = (*given, stretch.project) if stretch.project else given
    sql = _KEPT.format(in_project=in_project)
    rows = [NewSpan(*row) for row in connection.execute(sql, (*values, stretch.limit))]
    found: list[KeptSpan] = []
    with contextlib.ExitStack() as stack:
        files: dict[tuple[int, str], PayloadReader | None] = {}
        for row in rows:
            assert row.payload_day is not None
            place = (row.payload_day, row.retention)
            if place not in files:
                files[place] = None
                with contextlib.suppress(FileNotFoundError):
                    reader = PayloadReader(folder / "payloads" / file_name(*place))
                    files[place] = stack.enter_context(reader)
            file = files[place]
            piece = file.piece(row.id) if file is not None else None
            if piece is not None:
                found.append(KeptSpan(row, piece))
    return found, rows[-1].id if len(rows) == stretch.limit else None


def rewrite(
    connection: Connection, payloads: PayloadFiles, rollups: Rollups, changes: Sequence[Change]
) -> None:
    """Put rows in the place of others. Words go first: a crash in between is mended by doing the
    same again."""
    texts: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for change in changes:
        if change.now.payload_day is not None:
            place = (change.now.payload_day, change.now.retention)
            texts.setdefault(place, []).append((change.now.id, change.text))
    for (day, retention), some in texts.items():
        payloads.reword(day, retention, some)
    with transaction(connection):
        others = settle(connection, [change.now for change in changes])
        exchange(connection, rollups, [*((c.before, c.now) for c in changes), *others])


def exchange(
    connection: Connection, rollups: Rollups, changes: Sequence[tuple[NewSpan, NewSpan]]
) -> None:
    """Put rows in the place of others, in every sum too. Runs inside a transaction."""
    if not changes:
        return
    before, now = [old for old, _ in changes], [new for _, new in changes]
    traces = {(row.trace_id, row.project, row.environment) for row in now}
    held = subjects.held(connection, traces)
    rollups.replace(before, now)
    units.replace(connection, before, now)
    connection.executemany(_CHANGE, [(*_as_row(row), row.id) for row in now])
    subjects.correct(connection, held, subjects.held(connection, traces))
