"""Appending to the span log on SQLite: one process, one transaction for a group of batches.

Payloads are committed first, under the numbers that their spans will have; spans, rollups and
offsets follow in one transaction of `spans.db`. What a crash leaves between the two commits are
payloads beyond the last span: they were never acknowledged, are cut off at the next start, and come
again with the shipment.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from stockpot.core.errors import Conflict
from stockpot.core.locks import Held, hold
from stockpot.traces.store import Batch, NewPayload, NewSpan, Outcome, subjects, units
from stockpot.traces.store.beneath import settle
from stockpot.traces.store.orders import Done, Order
from stockpot.traces.store.payloads import PayloadFiles, day_of
from stockpot.traces.store.rewriting import Change, exchange, rewrite
from stockpot.traces.store.rollups import Rollups
from stockpot.traces.store.sqlite import Double, Synchronous, connect, transaction
from stockpot.traces.store.upkeep import Upkeep

Identity = tuple[bytes, bytes, str]
Segment = tuple[str, int]
Kept = tuple[NewSpan, NewPayload | None]

_COLUMNS = NewSpan.__struct_fields__
_INSERT = f"INSERT INTO spans ({', '.join(_COLUMNS)}) VALUES (?{', ?' * (len(_COLUMNS) - 1)})"
_KNOWN = "SELECT 1 FROM spans WHERE trace_id = ? AND span_id = ? AND project = ?"
_OFFSET = """
INSERT INTO spool_offsets (stream, segment, offset, records, updated_ns) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (stream, segment) DO UPDATE SET
  offset = excluded.offset,
  records = records + excluded.records,
  updated_ns = excluded.updated_ns"""
_LEFT = """
SELECT stream, segment FROM spool_offsets AS s WHERE updated_ns < ? AND EXISTS (
  SELECT 1 FROM spool_offsets t WHERE t.stream = s.stream AND t.segment > s.segment)"""
_FORGET_SEGMENT = "DELETE FROM spool_offsets WHERE stream = ? AND segment = ?"
_DAY_NS = 86_400_000_000_000
_KNOWN_FOR_NS = 7 * _DAY_NS
_PAYLOAD_FILE = """
INSERT INTO payload_files (day, retention, first_id, last_id, payloads, raw_bytes)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (day, retention) DO UPDATE SET
  last_id = excluded.last_id,
  payloads = payloads + excluded.payloads,
  raw_bytes = raw_bytes + excluded.raw_bytes"""
_COUNT = """
INSERT INTO counters (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""

_as_row = msgspec.structs.astuple


class Writer:
    """The one writer of a span log; holds its lock until closed."""

    def __init__(
        self, folder: Path, synchronous: Synchronous, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._held = ExitStack()
        try:
            self._held.enter_context(hold(folder / "writer.lock"))
        except Held as other:
            raise Conflict(
                f"process {other.pid} already writes the span log in {folder}",
                hint="stockpot doctor",
            ) from None
        self._clock = clock
        self._connection = connect(folder / "spans.db", synchronous=synchronous, cache_mb=32)
        self._payloads = PayloadFiles(folder / "payloads", synchronous)
        self._rollups = Rollups(self._connection)
        self._last = self._received = 0
        self._offsets: dict[Segment, int] = {}
        self._forgot = 0
        self._recover()

    def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        """See `SpanStore.append`. Doubles are rare: they are looked for when one was met."""
        try:
            return self._append(batches, looking=False)
        except Double:
            return self._append(batches, looking=True)

    def perform(self, order: Order) -> Done:
        """One piece of an order about what is there already."""
        try:
            return Upkeep(self._connection, self._payloads, self._rollups).perform(order)
        except BaseException:
            self._recover()
            raise

    def _append(self, batches: Sequence[Batch], *, looking: bool) -> list[Outcome]:
        received = max(self._clock(), self._received)
        outcomes, kept, ends = self._admit(batches, looking)
        self._number(kept, received)
        try:
            files = self._keep_payloads(kept, received)
            with transaction(self._connection):
                self._insert(kept, files, ends, received, sum(o.doubles for o in outcomes))
        except BaseException:
            self._recover()
            raise
        for segment, (offset, _) in ends.items():
            self._offsets[segment] = offset
        self._received = received
        self._last += len(kept)
        return outcomes

    def _admit(
        self, batches: Sequence[Batch], looking: bool
    ) -> tuple[list[Outcome], list[Kept], dict[Segment, tuple[int, int]]]:
        """What is new in the batches that continue their segment, and how far each gets."""
        outcomes: list[Outcome] = []
        kept: list[Kept] = []
        ends: dict[Segment, tuple[int, int]] = {}
        seen: set[Identity] = set()
        for batch in batches:
            segment = (batch.stream, batch.segment)
            offset, records = ends.get(segment, (self._offsets.get(segment, 0), 0))
            if batch.stream and batch.begin != offset:
                outcomes.append(Outcome(False, offset))
                continue
            new = [item for item in batch.spans if self._is_new(item[0], seen, looking)]
            kept += new
            if batch.stream:
                ends[segment] = (batch.end, records + len(batch.spans))
            outcomes.append(Outcome(True, batch.end, len(new), len(batch.spans) - len(new)))
        return outcomes, kept, ends

    def _is_new(self, span: NewSpan, seen: set[Identity], looking: bool) -> bool:
        identity = (span.trace_id, span.span_id, span.project)
        if identity in seen:
            return False
        if looking and self._connection.execute(_KNOWN, identity).fetchone():
            return False
        seen.add(identity)
        return True

    def _number(self, kept: list[Kept], received: int) -> None:
        day = day_of(received)
        for number, (span, payload) in enumerate(kept, self._last + 1):
            span.id = number
            span.received_ns = received
            span.at_ns = min(span.at_ns, received)
            span.payload_day = None if payload is None else day

    def _keep_payloads(self, kept: list[Kept], received: int) -> list[tuple[Any, ...]]:
        """Commit payloads; gives the rows that note them in `payload_files`."""
        day = day_of(received)
        classes: dict[str, list[tuple[int, NewPayload]]] = {}
        for span, payload in kept:
            if payload is not None:
                classes.setdefault(span.retention, []).append((span.id, payload))
        return [
            (day, name, rows[0][0], rows[-1][0], len(rows), self._payloads.append(day, name, rows))
            for name, rows in classes.items()
        ]

    def _insert(
        self,
        kept: list[Kept],
        files: list[tuple[Any, ...]],
        ends: dict[Segment, tuple[int, int]],
        received: int,
        doubles: int,
    ) -> None:
        connection = self._connection
        spans = [span for span, _ in kept]
        exchange(connection, self._rollups, settle(connection, spans))
        subjects.count(connection, spans)
        units.count(connection, spans)
        connection.executemany(_INSERT, map(_as_row, spans))
        self._rollups.add(spans, received // 1_000_000_000)
        connection.executemany(_PAYLOAD_FILE, files)
        connection.executemany(
            _OFFSET, [(*segment, *end, received) for segment, end in ends.items()]
        )
        connection.executemany(_COUNT, [("spans_in", len(spans)), ("doubles", doubles)])
        if ends.keys() - self._offsets.keys():
            self._forget_segments(received)

    def _forget_segments(self, now_ns: int) -> None:
        """Let go what is known of segments that are long gone, once a day at most.

        A shipper notes durably that it went on to the next segment before it sends from there, so
        it never comes back to an earlier one. The last segment of a stream stays known: an idle
        worker may go on with it at any time.
        """
        if now_ns - self._forgot < _DAY_NS:
            return
        self._forgot = now_ns
        gone = self._connection.execute(_LEFT, (now_ns - _KNOWN_FOR_NS,)).fetchall()
        self._connection.executemany(_FORGET_SEGMENT, gone)
        for segment in gone:
            self._offsets.pop(segment, None)

    def rewrite(self, changes: Sequence[Change]) -> None:
        """See `SpanStore.rewrite`."""
        try:
            rewrite(self._connection, self._payloads, self._rollups, changes)
        except BaseException:
            self._recover()
            raise

    def _recover(self) -> None:
        """Take up what is committed, and cut off payloads that ran ahead of it."""
        read = self._connection.execute
        newest = read("SELECT id, received_ns FROM spans ORDER BY id DESC LIMIT 1").fetchone()
        counted = read("SELECT value FROM counters WHERE name = 'spans_in'").fetchone()
        last, self._received = newest or (0, 0)
        # Numbers are given once: those of erased spans may still stand in cursors.
        self._last = max(last, counted[0] if counted else 0)
        self._offsets = {
            (stream, segment): offset
            for stream, segment, offset in read("SELECT stream, segment, offset FROM spool_offsets")
        }
        self._rollups.forget()
        self._payloads.cut(self._last)

    def checkpoint(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._payloads.checkpoint()

    def close(self) -> None:
        self._payloads.close()
        self._connection.close()
        self._held.close()
