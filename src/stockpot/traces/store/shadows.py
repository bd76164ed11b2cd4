"""Copies of calls beside the calls they are copies of. Knows the narrow table and payload files.

A copy is a span with the reason `shadow`; its parent is the call that the client was answered by.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stockpot.traces.copied import Copied, Counted, Said, said
from stockpot.traces.models import TraceFilter
from stockpot.traces.store.payloads import PayloadReader, file_name
from stockpot.traces.store.rows import COLUMNS, SELECTED, conditions, span_of, span_of_time
from stockpot.traces.store.sqlite import Connection

_COPY = "s.route_reason = 'shadow' AND s.kind <> 'guardrail'"
"""As the index on copies words it."""

_CALL = """
JOIN spans c INDEXED BY spans_identity
  ON c.trace_id = s.trace_id AND c.span_id = s.parent_id AND c.project = s.project"""

# The newest copies whose call is here, with that call.
_PAIRS = f"""
SELECT {SELECTED}, s.payload_day, s.retention,
  {SELECTED.replace("s.", "c.")}, c.payload_day, c.retention
FROM spans s INDEXED BY spans_shadowed {_CALL}
WHERE {_COPY}{{matches}} AND s.id > ? AND s.id < ? ORDER BY s.id DESC LIMIT ?"""

# How many copies went to each target, and how many of them have their call here.
_COUNTED = f"""
SELECT s.provider, s.model, count(*), count(c.id), max(s.id)
FROM spans s INDEXED BY spans_shadowed LEFT {_CALL}
WHERE {_COPY}{{matches}} AND s.id > ? AND s.id < ? GROUP BY 1, 2 ORDER BY max(s.id) DESC"""

_WIDE = len(COLUMNS)


def counted(connection: Connection, where: TraceFilter) -> list[Counted]:
    """Where copies went, the target that had the newest first."""
    window = span_of_time(connection, where)
    if window is None:
        return []
    matches, values = conditions(where)
    sql = _COUNTED.format(matches=matches)
    rows = connection.execute(sql, (*values, window[0] - 1, window[1] + 1))
    return [Counted(*row[:4]) for row in rows]


def pairs(
    connection: Connection, folder: Path, where: TraceFilter, before: int | None, limit: int
) -> list[Copied]:
    """The newest copies from below a number, each with its call and what was said in both."""
    window = span_of_time(connection, where)
    if window is None:
        return []
    matches, values = conditions(where)
    high = window[1] + 1 if before is None else min(before, window[1] + 1)
    sql = _PAIRS.format(matches=matches)
    rows = connection.execute(sql, (*values, window[0] - 1, high, limit)).fetchall()
    with contextlib.closing(_Bodies(folder / "payloads")) as bodies:
        return [_pair(row, bodies) for row in rows]


def _pair(row: Sequence[Any], bodies: _Bodies) -> Copied:
    copy, call = row[: _WIDE + 2], row[_WIDE + 2 :]
    return Copied(
        number=copy[0], base=span_of(call[:_WIDE]), candidate=span_of(copy[:_WIDE]),
        base_said=bodies.said(call[0], *call[_WIDE:]),
        candidate_said=bodies.said(copy[0], *copy[_WIDE:]),
    )  # fmt: skip


class _Bodies:
    """Payload files, each opened once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, PayloadReader | None] = {}
        self._open = contextlib.ExitStack()

    def said(self, number: int, day: int | None, retention: str) -> Said | None:
        """What a call said; None where nothing was kept of it."""
        if day is None:
            return None
        name = file_name(day, retention)
        if name not in self._files:
            self._files[name] = None
            with contextlib.suppress(FileNotFoundError):
                reader = PayloadReader(self._folder / name)
                self._files[name] = self._open.enter_context(reader)
        file = self._files[name]
        bodies = file.read(number) if file is not None else None
        return None if bodies is None else said(*bodies)

    def close(self) -> None:
        self._open.close()
