"""Reading the span log on SQLite: lists, traces, payloads, search. Knows no rollup."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Any

from stockpot.traces import excerpt
from stockpot.traces.models import Payload, Span, TraceFilter, TraceRow
from stockpot.traces.store import PAYLOAD_STATES, Listed, Listing
from stockpot.traces.store.payloads import PayloadReader, file_name, files
from stockpot.traces.store.rows import SELECTED, conditions, index_for, span_of, span_of_time
from stockpot.traces.store.search import Search, parse
from stockpot.traces.store.sqlite import Connection, Readers

_CHUNK = 200
_NEAR_MISSES = 2000
"""Texts that one page of a phrase search reads before it says where to go on."""

_END = 1 << 62

_ROOT = " AND s.is_root"

# The newest spans that match, each trace at its newest one.
_NEWEST = """
SELECT {columns} FROM spans s {indexed}
WHERE 1{root}{needed}{matches} AND s.id > ? AND s.id < ?
  AND NOT EXISTS (
    SELECT 1 FROM spans n INDEXED BY spans_identity
    WHERE n.trace_id = s.trace_id AND n.project = s.project AND n.id > s.id{newer})
ORDER BY s.id DESC LIMIT ?"""

# Spans that match, in the order of their arrival.
_ARRIVED = """
SELECT {columns} FROM spans s NOT INDEXED
WHERE 1{root}{matches} AND s.id > ? AND s.id < ? ORDER BY s.id LIMIT ?"""

# The span that a trace is shown by: where an application began it, the application's.
_TOP = """
SELECT {columns} FROM spans s INDEXED BY spans_identity
WHERE s.trace_id = ? AND s.project = ?
ORDER BY s.is_root AND s.parent_id = x'' DESC, s.is_root DESC, s.source <> 'gateway' DESC, s.id DESC
LIMIT 1"""

# Spans that match, in the order of their arrival.
_ALL = """
SELECT {columns} FROM spans s NOT INDEXED
WHERE s.id > ? AND s.id < ?{matches} ORDER BY s.id LIMIT ?"""

_PRICED_HERE = " AND s.cost_source <> 'provided'"

# Of some numbers, the spans that match.
_OF = """
SELECT {columns}, s.payload_day, s.retention FROM spans s
WHERE s.id IN ({numbers}){matches} ORDER BY s.id {order}"""

# Newer spans of the same trace that match too.
_NEWER = """
SELECT n.id, n.payload_day, n.retention FROM spans n INDEXED BY spans_identity
WHERE n.trace_id = ? AND n.project = ? AND n.id > ? AND n.payload_day IS NOT NULL{newer}"""

# What a trace holds: spans, errors, known cost, tokens.
_BELOW = """
SELECT trace_id, project, count(*), sum(status <> 'ok'), sum(cost_nano),
       sum(input_tokens + output_tokens)
FROM spans INDEXED BY spans_identity
WHERE trace_id = ? AND project = ? GROUP BY trace_id, project"""

_TRACE = """
SELECT {columns} FROM spans s WHERE s.trace_id = ?{in_project} ORDER BY s.start_ns, s.id"""

_PLACE = """
SELECT id, payload, payload_day, retention FROM spans
WHERE trace_id = ? AND span_id = ?{in_project} ORDER BY id DESC LIMIT 1"""


class Reader:
    """Answers from `spans.db` and the payload files; any number of threads may ask."""

    def __init__(self, folder: Path, readers: Readers) -> None:
        self._payloads = folder / "payloads"
        self._readers = readers

    def traces(
        self, where: TraceFilter, *, before: int | None, after: int | None, limit: int
    ) -> Listing:
        search = parse(where.q) if where.q else None
        with self._readers.lend() as connection:
            window = span_of_time(connection, where)
            if window is None:
                return Listing([], None)
            low = max(window[0] - 1, -1 if after is None else after)
            high = min(window[1] + 1, _END if before is None else before)
            if search is not None:
                found = _Found(self._payloads, connection, where, search)
                return found.roots(low, high, limit, newest_first=after is None)
            rows = _list(connection, where, low, high, limit, newest_first=after is None)
            return Listing(
                _listed(connection, where, rows), rows[-1][0] if len(rows) == limit else None
            )

    def spans(self, where: TraceFilter, *, after: int, limit: int) -> tuple[list[Span], int | None]:
        search = parse(where.q) if where.q else None
        with self._readers.lend() as connection:
            window = span_of_time(connection, where)
            if window is None:
                return [], None
            low, high = max(window[0] - 1, after), window[1] + 1
            if search is not None:
                return _Found(self._payloads, connection, where, search).spans(low, high, limit)
            matches, values = conditions(where)
            sql = _ALL.format(columns=SELECTED, matches=matches)
            rows = connection.execute(sql, (low, high, *values, limit)).fetchall()
        return [span_of(row) for row in rows], rows[-1][0] if len(rows) == limit else None

    def numbered_spans(
        self, where: TraceFilter, *, after: int, limit: int, every: bool = False
    ) -> tuple[list[tuple[int, Span]], int | None]:
        """The same without full text, with the numbers of the spans; unless every span is asked
        for, without those whose cost their sender told."""
        with self._readers.lend() as connection:
            window = span_of_time(connection, where)
            if window is None:
                return [], None
            matches, values = conditions(where)
            sql = _ALL.format(columns=SELECTED, matches=matches + ("" if every else _PRICED_HERE))
            place = (max(window[0] - 1, after), window[1] + 1)
            rows = connection.execute(sql, (*place, *values, limit)).fetchall()
        found = [(row[0], span_of(row)) for row in rows]
        return found, rows[-1][0] if len(rows) == limit else None

    def trace(self, trace_id: bytes, project: str | None) -> list[Span]:
        in_project, values = _in_project(project)
        sql = _TRACE.format(columns=SELECTED, in_project=in_project)
        with self._readers.lend() as connection:
            return [span_of(row) for row in connection.execute(sql, (trace_id, *values))]

    def payload(self, trace_id: bytes, span_id: bytes, project: str | None) -> Payload | None:
        in_project, values = _in_project(project)
        sql = _PLACE.format(in_project=in_project)
        with self._readers.lend() as connection:
            row = connection.execute(sql, (trace_id, span_id, *values)).fetchone()
        if row is None:
            return None
        number, state, day, retention = row
        bodies = None
        if day is not None:
            with (
                contextlib.suppress(FileNotFoundError),
                PayloadReader(self._payloads / file_name(day, retention)) as file,
            ):
                bodies = file.read(number)
        request, response = bodies or (None, None)
        return Payload(
            state=PAYLOAD_STATES[state], request=_text(request), response=_text(response)
        )


def _in_project(project: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if project is None else (" AND project = ?", (project,))


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", "replace")


def _list(
    connection: Connection, where: TraceFilter, low: int, high: int, limit: int, *,
    newest_first: bool,
) -> list[Any]:  # fmt: skip
    matches, values = conditions(where)
    root = "" if where.inside else _ROOT
    if not newest_first:
        sql = _ARRIVED.format(columns=SELECTED, root=root, matches=matches)
        return connection.execute(sql, (*values, low, high, limit)).fetchall()
    newer, again = conditions(where, "n")
    indexed, needed = index_for(where)
    sql = _NEWEST.format(
        columns=SELECTED, indexed=indexed, root=root, needed=needed, matches=matches,
        newer=newer + root.replace("s.", "n."),
    )  # fmt: skip
    return connection.execute(sql, (*values, low, high, *again, limit)).fetchall()


def _listed(connection: Connection, where: TraceFilter, rows: Sequence[Any]) -> list[Listed]:
    listed = []
    for row in rows:
        root = span_of(row)
        trace = (row[1], root.project)
        _, _, spans, errors, cost, tokens = connection.execute(_BELOW, trace).fetchone()
        if spans > 1 and not (root.is_root and root.parent_id is None):
            top = span_of(connection.execute(_TOP.format(columns=SELECTED), trace).fetchone())
            if where.sight is None or where.sight.sees(top.project, top.key_id):
                root = top
        listed.append(
            Listed(
                row[0],
                TraceRow(
                    trace_id=root.trace_id, root=root, spans=spans, errors=errors,
                    total_cost_nano=cost, total_tokens=tokens,
                ),
            )
        )  # fmt: skip
    return listed


class _Found:
    """One search over all payload files, merged in the order of their numbers."""

    def __init__(
        self, folder: Path, connection: Connection, where: TraceFilter, search: Search
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._where = where
        self._search = search
        self._matches, self._values = conditions(where)
        self._newer, self._again = conditions(where, "n")
        self._files: dict[Path, PayloadReader | None] = {}
        self._stack = contextlib.ExitStack()
        self._read = 0

    def roots(self, low: int, high: int, limit: int, *, newest_first: bool) -> Listing:
        rows: list[Any] = []
        traces: set[tuple[bytes, str]] = set()
        with self._stack:
            for number, row in self._candidates(low, high, newest_first):
                if row is None:
                    return Listing(_listed(self._connection, self._where, rows), number)
                trace = (row[1], row[5])
                if newest_first and (trace in traces or self._shown_newer(row)):
                    continue
                traces.add(trace)
                rows.append(row)
                if len(rows) == limit:
                    return Listing(_listed(self._connection, self._where, rows), number)
        return Listing(_listed(self._connection, self._where, rows), None)

    def spans(self, low: int, high: int, limit: int) -> tuple[list[Span], int | None]:
        rows: list[Any] = []
        with self._stack:
            for number, row in self._candidates(low, high, False):
                if row is not None:
                    rows.append(row)
                if row is None or len(rows) == limit:
                    return [span_of(row) for row in rows], number
        return [span_of(row) for row in rows], None

    def _candidates(self, low: int, high: int, newest_first: bool) -> Iterator[tuple[int, Any]]:
        """Matching rows with their numbers; a None row says that enough texts were read."""
        numbers = self._numbers(low, high, newest_first)
        while chunk := list(itertools.islice(numbers, _CHUNK)):
            sql = _OF.format(
                columns=SELECTED,
                numbers=",".join(map(str, chunk)),
                matches=self._matches,
                order="DESC" if newest_first else "ASC",
            )
            for *row, day, retention in self._connection.execute(sql, self._values).fetchall():
                if self._confirmed(row[0], day, retention):
                    yield row[0], row
            if self._read >= _NEAR_MISSES:
                yield chunk[-1], None

    def _numbers(self, low: int, high: int, newest_first: bool) -> Iterator[int]:
        days = itertools.groupby(
            files(self._folder) if newest_first else reversed(files(self._folder)),
            key=lambda file: file[0],
        )
        for _, same_day in days:
            found = [
                file.matches(self._search.expression, low, high, newest_first=newest_first)
                for _, _, path in same_day
                if (file := self._open(path)) is not None
            ]
            yield from merge(*found, reverse=newest_first)

    def _confirmed(self, number: int, day: int, retention: str) -> bool:
        if self._search.certain:
            return True
        self._read += 1
        file = self._open(self._folder / file_name(day, retention))
        bodies = file.read(number) if file is not None else None
        if bodies is None:
            return False
        said = excerpt.read(*bodies)
        return self._search.holds(f"{said.input_text}\n{said.output_text}")

    def _shown_newer(self, row: Sequence[Any]) -> bool:
        """Whether a trace was on an earlier page, by a newer span that is found too."""
        sql = _NEWER.format(newer=self._newer)
        newer = self._connection.execute(sql, (row[1], row[5], row[0], *self._again)).fetchall()
        return any(
            self._matches_in(number, day, retention) and self._confirmed(number, day, retention)
            for number, day, retention in newer
        )

    def _matches_in(self, number: int, day: int, retention: str) -> bool:
        file = self._open(self._folder / file_name(day, retention))
        if file is None:
            return False
        found = file.matches(self._search.expression, number - 1, number + 1, newest_first=True)
        return next(found, None) is not None

    def _open(self, path: Path) -> PayloadReader | None:
        """A payload file, kept open until the search ends; None when it is gone."""
        if path not in self._files:
            try:
                self._files[path] = self._stack.enter_context(PayloadReader(path))
            except FileNotFoundError:
                self._files[path] = None
        return self._files[path]
