"""Checking a span log against itself. Knows all of its tables; repairs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockpot.traces.store import Audit
from stockpot.traces.store.payloads import file_name
from stockpot.traces.store.rollups import COARSE, MINUTE
from stockpot.traces.store.sqlite import Connection, connect

_COUNTS = """
SELECT count(*), coalesce(sum(payload_day IS NOT NULL), 0),
       coalesce(sum(payload IN (1, 2) AND payload_day IS NULL), 0),
       coalesce(sum(payload = 3), 0), coalesce(sum(error = 'interrupted'), 0)
FROM spans"""
_TRACES = "SELECT count(*) FROM (SELECT DISTINCT trace_id, project FROM spans)"
_COUNTER = "SELECT coalesce((SELECT value FROM counters WHERE name = ?), 0)"
_ROLLED = """
SELECT coalesce(sum(r.spans), 0) FROM rollups r JOIN series s ON s.id = r.series
WHERE r.width = ? AND r.start < ? AND (s.kind = '*') = ?"""
_MINUTES = "SELECT coalesce(sum(spans), 0) FROM minutes"
_FILES = "SELECT day, retention, first_id, last_id FROM payload_files ORDER BY day, retention"
_ABSENT = """
SELECT count(*) FROM spans s
WHERE s.id BETWEEN ? AND ? AND s.payload_day = ? AND s.retention = ?
  AND NOT EXISTS (SELECT 1 FROM file.payloads p WHERE p.id = s.id)"""
_PLACED = """
SELECT count(*) FROM spans
WHERE id BETWEEN ? AND ? AND payload_day = ? AND retention = ?"""


def audit(connection: Connection, folder: Path) -> Audit:
    """See `SpanStore.audit`. Runs inside one read transaction."""
    spans, payloads, never_kept, shed, interrupted = connection.execute(_COUNTS).fetchone()
    traces = connection.execute(_TRACES).fetchone()[0]
    absent = sum(_absent(folder, *file) for file in connection.execute(_FILES).fetchall())
    offsets = {
        (stream, segment): offset
        for stream, segment, offset in connection.execute(
            "SELECT stream, segment, offset FROM spool_offsets"
        )
    }
    return Audit(
        spans=spans,
        committed=_count(connection, _COUNTER, "spans_in")
        - _count(connection, _COUNTER, "removed"),
        traces=traces,
        payloads=payloads - absent,
        missing_payloads=absent + never_kept,
        shed_payloads=shed,
        interrupted=interrupted,
        offsets=offsets,
        problems=tuple(_problems(connection, spans)),
    )


def _absent(folder: Path, day: int, retention: str, first: int, last: int) -> int:
    """Payloads that spans speak of and their file lacks."""
    path = folder / "payloads" / file_name(day, retention)
    connection = connect(folder / "spans.db")
    try:
        connection.execute("PRAGMA query_only = 1")
        if not path.exists():
            return _count(connection, _PLACED, first, last, day, retention)
        connection.execute("ATTACH ? AS file", (str(path),))
        return _count(connection, _ABSENT, first, last, day, retention)
    finally:
        connection.close()


def _count(connection: Connection, sql: str, *values: Any) -> int:
    return int(connection.execute(sql, values).fetchone()[0])


def _problems(connection: Connection, spans: int) -> Iterator[str]:
    for found in connection.execute("PRAGMA quick_check(5)").fetchall():
        if found[0] != "ok":
            yield f"spans.db is damaged: {found[0]}"
    taken = _count(connection, _COUNTER, "spans_in")
    removed = _count(connection, _COUNTER, "removed")
    if taken - removed != spans:
        told = f" and {removed} removed since" if removed else ""
        yield f"{taken} spans were committed{told} but {spans} are there"
    counted = _count(connection, _MINUTES)
    if counted != spans:
        yield f"the index of minutes counts {counted} spans of {spans}"
    closed = dict(connection.execute("SELECT width, until FROM rolled"))
    for whole in (False, True):
        rolled = _count(connection, _ROLLED, MINUTE, 1 << 62, whole)
        if rolled != taken:
            yield f"the rollups by minute count {rolled} spans of {taken}"
        for width, _ in COARSE:
            until = closed.get(width, 0)
            wide = _count(connection, _ROLLED, width, until, whole)
            fine = _count(connection, _ROLLED, MINUTE, until, whole)
            if wide != fine:
                yield f"the rollups by {width} s count {wide} spans of {fine}"
