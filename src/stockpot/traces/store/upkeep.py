"""Retention, sampling, erasure and repricing of what is in the span log. Knows all of its tables.

Payloads go first and their spans after them, so that a crash in between leaves work that is done
again, and no text without its span. Rollups are sums of all spans that ever came: nothing here
takes from them, but for a price that changes.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from stockpot.traces.store import units
from stockpot.traces.store.orders import (
    Blank,
    CountAnew,
    Done,
    Erase,
    Expire,
    Order,
    Reprice,
    Sample,
)
from stockpot.traces.store.payloads import PayloadFiles, day_of
from stockpot.traces.store.rollups import Rollups, is_call
from stockpot.traces.store.sqlite import Connection, transaction
from stockpot.traces.store.subjects import trace_names

_CHUNK = 2000
_TRACES = 200
_UNITS = 20_000
_EXPIRED, _ERASED = 4, 5
"""Places in `PAYLOAD_STATES`."""

_UNTIL = "SELECT until_id FROM upkeep WHERE project = ? AND work = ?"
_DONE_UNTIL = "INSERT OR REPLACE INTO upkeep (project, work, until_id) VALUES (?, ?, ?)"
_NEXT = "SELECT id, received_ns FROM spans WHERE id >= ? ORDER BY id LIMIT 1"
_ENDS = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM spans"
_OLD = """
SELECT id, at_ns, payload_day, retention FROM spans NOT INDEXED
WHERE id > ? AND id <= ? AND project = ? ORDER BY id LIMIT ?"""
_FILES = """
SELECT day, retention, first_id, last_id FROM payload_files WHERE day < ? AND last_id > ?
ORDER BY last_id, day LIMIT 1"""
_IN_FILE = """
SELECT id FROM spans NOT INDEXED
WHERE id BETWEEN ? AND ? AND project = ? AND payload_day = ? AND retention = ?
ORDER BY id LIMIT ?"""
_OTHERS_NEED = """
SELECT 1 FROM spans NOT INDEXED
WHERE id BETWEEN ? AND ? AND payload_day = ? AND retention = ? AND project <> ? LIMIT 1"""
_IN_USE = """
SELECT 1 FROM spans NOT INDEXED
WHERE id BETWEEN ? AND ? AND payload_day = ? AND retention = ? LIMIT 1"""
_OLD_FILES = "SELECT first_id, last_id, day, retention FROM payload_files WHERE day < ?"
_NO_FILE = "DELETE FROM payload_files WHERE day = ? AND retention = ?"
_NOT_BEGUN = "DELETE FROM upkeep WHERE project = ? AND work = ?"
_NOT_JUDGED = """
SELECT id, trace_id FROM spans NOT INDEXED
WHERE id > ? AND id <= ? AND project = ? AND sample_weight IS NULL ORDER BY id LIMIT ?"""
_OF_TRACE = """
SELECT id, at_ns, payload_day, retention, status, duration_ns, cost_nano FROM spans
WHERE trace_id = ? AND project = ? AND sample_weight IS NULL"""
_TRACES_OF_USER = """
SELECT DISTINCT trace_id, project FROM spans INDEXED BY spans_by_user
WHERE user = ? AND user <> ''{in_project} LIMIT ?"""
_OF_USER = """
SELECT id, at_ns, payload_day, retention FROM spans
WHERE trace_id = ? AND project = ? AND user IN ('', ?)"""
_SAID_IN = "SELECT id, at_ns, payload_day, retention FROM spans WHERE trace_id = ? AND project = ?"
_FORGET = """
UPDATE spans SET user = '', session = '', client = '', response_id = '', params = '',
  input_preview = '', output_preview = '', error_message = '', exposures = '',
  payload_day = NULL,
  payload = CASE payload WHEN 0 THEN 0 ELSE ? END,
  tags = CASE WHEN instr(tags, '"replay-of:') THEN (
    SELECT json_group_array(value) FROM json_each(tags)
    WHERE value = 'replay' OR (value GLOB 'replay-of:*' AND length(value) = 42)) ELSE '' END
WHERE id IN ({numbers})"""
"""What a call repeated stays: an erasure that was cut off finds it by that when it goes on."""
_PRICED = """
UPDATE spans SET cost_nano = ?, cost_detail = ?, unit_prices = ?, price_id = ?, price_source = ?,
  saved_nano = ?, cost_source = 'computed' WHERE id = ?"""
_LESS_IN_MINUTE = "UPDATE minutes SET spans = spans - ? WHERE minute = ?"
_EMPTY_MINUTES = "DELETE FROM minutes WHERE minute BETWEEN ? AND ? AND spans <= 0"
_COUNT = """
INSERT INTO counters (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""


class Upkeep:
    """The writer's hand for orders; runs between its commits."""

    def __init__(self, connection: Connection, payloads: PayloadFiles, rollups: Rollups) -> None:
        self._connection = connection
        self._payloads = payloads
        self._rollups = rollups

    def perform(self, order: Order) -> Done:
        """One bounded piece of an order."""
        match order:
            case Expire(payloads_only=True):
                return self._expire_payloads(order)
            case Expire():
                return self._expire(order)
            case Sample():
                return self._sample(order)
            case Erase():
                return self._erase(order)
            case CountAnew():
                return self._count_anew(order)
            case Blank():
                return self._blank(order)
            case Reprice():
                return self._reprice(order)

    # --- retention ------------------------------------------------------------------------------

    def _expire(self, order: Expire) -> Done:
        until = self._until(order.project, "spans")
        end = self._before(order.before_ns)
        rows = self._read(_OLD, (until, end, order.project, _CHUNK))
        more = len(rows) == _CHUNK
        self._drop_payloads(rows)
        with transaction(self._connection):
            self._remove(rows)
            self._came_to(order.project, "spans", rows[-1][0] if more else max(until, end))
            if not more:
                self._connection.execute(
                    "DELETE FROM subjects WHERE project = ? AND last_ns < ?",
                    (order.project, order.before_ns),
                )
                units.expire(self._connection, order.project, order.before_ns)
        if not more:
            self._discard_unneeded(self._read(_OLD_FILES, (day_of(order.before_ns),)))
        return Done(len(rows), len(rows), more)

    def _expire_payloads(self, order: Expire) -> Done:
        """Some payloads of one file; a file that nobody else needs goes as a whole, at once."""
        until = self._until(order.project, "payloads")
        file = self._connection.execute(_FILES, (day_of(order.before_ns), until)).fetchone()
        if file is None:
            return Done()
        day, retention, first, last = file
        where = (first, last, day, retention)
        within = f"payloads {day} {retention}"
        begun = self._until(order.project, within)
        if not begun and not self._read(_OTHERS_NEED, (*where, order.project)):
            self._payloads.discard(day, retention)
        place = (max(first, begun + 1), last, order.project, day, retention, _CHUNK)
        numbers = [row[0] for row in self._read(_IN_FILE, place)]
        more = len(numbers) == _CHUNK
        self._payloads.remove(day, retention, numbers)
        with transaction(self._connection):
            self._mark(numbers, _EXPIRED)
            if more:
                self._came_to(order.project, within, numbers[-1])
            else:
                self._came_to(order.project, "payloads", last)
                self._connection.execute(_NOT_BEGUN, (order.project, within))
        if not more:
            self._discard_unneeded([where])
        return Done(len(numbers), 0, True)

    def _discard_unneeded(self, files: Iterable[Sequence[Any]]) -> None:
        """Delete payload files (first and last number, day, class) of which no span is left that
        has its payload there: rows alone give their disk space back to nobody."""
        for where in files:
            if not self._read(_IN_USE, where):
                self._payloads.discard(*where[2:])
                self._connection.execute(_NO_FILE, where[2:])

    def _before(self, time_ns: int) -> int:
        """The number of the last span that came before a time; 0 for none."""
        low, high = self._connection.execute(_ENDS).fetchone()
        low, high, found = low, high + 1, 0
        while low < high:
            middle = (low + high) // 2
            row = self._connection.execute(_NEXT, (middle,)).fetchone()
            if row is None or row[1] >= time_ns:
                high = middle
            else:
                found, low = row[0], row[0] + 1
        return int(found)

    # --- sampling -------------------------------------------------------------------------------

    def _sample(self, order: Sample) -> Done:
        until = self._until(order.project, "sample")
        end = self._before(order.before_ns)
        place = (until, end, order.project, _CHUNK)
        found = self._read(_NOT_JUDGED, place)
        more = len(found) == _CHUNK
        low = frozenset(order.low)
        dropped: list[Any] = []
        kept: list[Any] = []
        weights: list[tuple[float, int]] = []
        for trace in {row[1] for row in found}:
            spans = self._read(_OF_TRACE, (trace, order.project))
            weight = _weight(order, trace, spans, low)
            if weight is None:
                dropped += spans
            else:
                kept += spans
                weights += [(weight, span[0]) for span in spans]
        self._drop_payloads(dropped)
        with transaction(self._connection):
            if order.payloads_only:  # all spans are there, so that each stands for itself
                self._mark([row[0] for row in dropped], _EXPIRED)
                weights = [(1.0, row[0]) for row in (*kept, *dropped)]
            else:
                self._remove(dropped)
            self._connection.executemany("UPDATE spans SET sample_weight = ? WHERE id = ?", weights)
            self._came_to(order.project, "sample", found[-1][0] if more else max(until, end))
        removed = 0 if order.payloads_only else len(dropped)
        return Done(len(dropped) + len(kept), removed, more)

    # --- erasure --------------------------------------------------------------------------------

    def _erase(self, order: Erase) -> Done:
        in_project = "" if order.project is None else " AND project = ?"
        given = (order.user,) if order.project is None else (order.user, order.project)
        traces = self._read(_TRACES_OF_USER.format(in_project=in_project), (*given, _TRACES))
        rows: list[Any] = []
        for trace, project in traces:
            rows += self._read(_OF_USER, (trace, project, order.user))
        names = trace_names(self._connection, traces)
        self._scrub_payloads(rows)
        with transaction(self._connection):
            self._forget(rows, names)
            if len(traces) < _TRACES:
                self._connection.execute(
                    f"DELETE FROM subjects WHERE kind = 'user' AND name = ?{in_project}", given
                )
        self._rewrite(vacuum=bool(traces) and len(traces) < _TRACES)
        met = tuple((project, trace) for trace, project in traces)
        return Done(len(rows), 0, len(traces) == _TRACES, met)

    def _blank(self, order: Blank) -> Done:
        traces = [(trace, order.project) for trace in order.traces]
        rows = [row for one in traces for row in self._read(_SAID_IN, one)]
        names = trace_names(self._connection, traces)
        self._scrub_payloads(rows)
        with transaction(self._connection):
            self._forget(rows, names)
        self._rewrite(vacuum=bool(rows))
        return Done(len(rows))

    def _scrub_payloads(self, rows: Sequence[Any]) -> None:
        for day, retention in self._drop_payloads(rows):
            self._payloads.scrub(day, retention)

    def _forget(self, rows: Sequence[Any], names: Iterable[tuple[str, str, str]]) -> None:
        """Take words and names out of spans, and the names of their sessions."""
        self._connection.execute("PRAGMA secure_delete = ON")
        for numbers in _chunks([row[0] for row in rows]):
            units.forget(self._connection, numbers)
            self._connection.execute(_FORGET.format(numbers=numbers), (_ERASED,))
        self._connection.executemany(
            "DELETE FROM subjects WHERE kind = ? AND project = ? AND name = ?",
            [(kind, project, name) for kind, project, name in names if kind == "session"],
        )

    def _rewrite(self, *, vacuum: bool) -> None:
        """Leave no old copy in the file."""
        if vacuum:
            # Pages keep bytes of rows that were moved before anybody asked to forget them.
            self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _count_anew(self, order: CountAnew) -> Done:
        with transaction(self._connection):
            gone = units.forget_some(self._connection, order.project, order.experiment, _UNITS)
        return Done(more=gone == _UNITS)

    # --- repricing ------------------------------------------------------------------------------

    def _reprice(self, order: Reprice) -> Done:
        numbers = ",".join(str(one.number) for one in order.spans)
        rows = self._read(
            "SELECT id, trace_id, project, environment, cost_nano, saved_nano, source, "
            "kind, cost_source, is_root FROM spans "
            f"WHERE id IN ({numbers})", (),
        )  # fmt: skip
        now = {one.number: one for one in order.spans}
        with transaction(self._connection):
            self._rollups.reprice(
                [(row[0], row[4], now[row[0]].cost_nano, now[row[0]].saved_nano - row[5])
                 for row in rows]
            )  # fmt: skip
            for row in rows:
                one = now[row[0]]
                units.reprice(self._connection, one.number, one.cost_nano)
                self._connection.execute(_PRICED, (
                    one.cost_nano, one.cost_detail, one.unit_prices, one.price_id,
                    one.price_source, one.saved_nano, one.number,
                ))  # fmt: skip
                self._reprice_subjects(row, one.cost_nano)
        return Done(len(rows))

    def _reprice_subjects(self, row: Sequence[Any], cost: int | None) -> None:
        _, trace, project, environment, before, _, *about = row
        known = int(is_call(*about)) * (int(cost is None) - int(before is None))
        change = (cost or 0) - (before or 0)
        for kind, _, name in trace_names(self._connection, [(trace, project)]):
            self._connection.execute(
                "UPDATE subjects SET cost_nano = cost_nano + ?, unpriced = unpriced + ? "
                "WHERE kind = ? AND project = ? AND environment = ? AND name = ?",
                (change, known, kind, project, environment, name),
            )

    # --- shared ---------------------------------------------------------------------------------

    def _read(self, sql: str, values: Sequence[Any]) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _until(self, project: str, work: str) -> int:
        row = self._connection.execute(_UNTIL, (project, work)).fetchone()
        return row[0] if row else 0

    def _came_to(self, project: str, work: str, number: int) -> None:
        self._connection.execute(_DONE_UNTIL, (project, work, number))

    def _drop_payloads(self, rows: Iterable[Sequence[Any]]) -> set[tuple[int, str]]:
        """Delete the payloads of spans (id, _, day, class, ...); gives the files they were in."""
        found: dict[tuple[int, str], list[int]] = {}
        for number, _, day, retention, *_ in rows:
            if day is not None:
                found.setdefault((day, retention), []).append(number)
        for (day, retention), numbers in found.items():
            self._payloads.remove(day, retention, numbers)
        return set(found)

    def _mark(self, numbers: Sequence[int], state: int) -> None:
        """Say of spans that their payloads are gone."""
        for some in _chunks(numbers):
            self._connection.execute(
                "UPDATE spans SET payload_day = NULL, "
                f"payload = CASE payload WHEN 0 THEN 0 ELSE {state} END WHERE id IN ({some})"
            )

    def _remove(self, rows: Sequence[Sequence[Any]]) -> None:
        """Delete spans (id, at_ns, ...) and count them as removed."""
        minutes: dict[int, int] = {}
        for row in rows:
            minute = row[1] // 60_000_000_000
            minutes[minute] = minutes.get(minute, 0) + 1
        for some in _chunks([row[0] for row in rows]):
            self._connection.execute(f"DELETE FROM spans WHERE id IN ({some})")
        self._connection.executemany(_LESS_IN_MINUTE, [(n, m) for m, n in minutes.items()])
        if minutes:
            self._connection.execute(_EMPTY_MINUTES, (min(minutes), max(minutes)))
        self._connection.execute(_COUNT, ("removed", len(rows)))


def _chunks(numbers: Sequence[int]) -> Iterable[str]:
    for begin in range(0, len(numbers), 900):
        yield ",".join(map(str, numbers[begin : begin + 900]))


def _weight(
    order: Sample, trace: bytes, spans: Sequence[Sequence[Any]], low: frozenset[bytes]
) -> float | None:
    """What each span of a trace stands for; None for a trace that is not kept."""
    slow = order.slow_ns is not None and any(s[5] >= order.slow_ns for s in spans)
    cost = sum(s[6] or 0 for s in spans)
    dear = order.cost_nano is not None and cost >= order.cost_nano
    failed = order.errors and any(s[4] != "ok" for s in spans)
    if failed or slow or dear or trace in low:
        return 1.0
    # Not the id itself: clients make ids, and some make them alike.
    drawn = int.from_bytes(blake2b(trace, digest_size=8, person=b"tailsample").digest(), "big")
    return 1 / order.rate if order.rate > 0 and drawn < order.rate * (1 << 64) else None
