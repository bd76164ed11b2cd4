"""Rollups at write time: sums and sketches per minute, five minutes, hour and day. Knows spans'
figures; knows no payload and no query.

A batch is summed in memory first, then merged into one row per (minute, series) and into one per
(minute, whole), where a whole is all that a project did in an environment with one outcome: charts
read the wholes, however many keys and models there are. Wider rows are summed from finer ones once
their time is over; a span that comes late is added to every width that was closed already. So the
rows of any width add up to the spans, whatever the order of arrival.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from stockpot.traces.sketch import Sketch, decoded
from stockpot.traces.store import NewSpan
from stockpot.traces.store.sqlite import Connection

MINUTE, FIVE_MINUTES, HOUR, DAY = 60, 300, 3600, 86400
COARSE = ((FIVE_MINUTES, MINUTE), (HOUR, FIVE_MINUTES), (DAY, HOUR))
"""Each coarse width and the finer one that it is summed from."""

DIMENSIONS = (
    "is_root", "project", "environment", "kind", "provider", "model", "key_id", "route",
    "prompt_name", "prompt_version", "experiment", "variant", "status", "error",
)  # fmt: skip

WHOLE = "*"
"""Stands in the open dimensions of a series that sums over them."""

_SERIES_LIMIT = 20_000
_OTHER = "(other)"
_SETTLE_S = 90
"""A width is closed this long after its end, when nearly all of its spans have arrived."""

CALLS = frozenset({"llm", "embedding", "reranker"})
BENEATH = "below"
"""`cost_source` of a call of a model that another span below it tells: it counts nothing itself."""

_CACHED = 2000
_dimensions = attrgetter(*DIMENSIONS)
_KIND = DIMENSIONS.index("kind")
_ASKED = (DIMENSIONS.index("model"), DIMENSIONS.index("route"))
_TOLD = tuple(DIMENSIONS.index(name) for name in ("provider", "model", "route", "error"))
_OPEN = tuple(DIMENSIONS.index(name) for name in DIMENSIONS if name not in
              ("is_root", "project", "environment", "status"))  # fmt: skip

Dimensions = tuple[Any, ...]
Row = tuple[int, int, int]
"""Width, start, series: what a rollup row is found by."""

COLUMNS = (
    "spans", "unpriced", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "cost_nano", "latency", "ttft", "tpot", "saved_nano",
    "cache_hits",
)  # fmt: skip

_PLACE = (
    f"SELECT at_ns, source, target, cost_source, {', '.join(DIMENSIONS)} FROM spans WHERE id = ?"
)
_READ = f"SELECT {', '.join(COLUMNS)} FROM rollups WHERE width = ? AND start = ? AND series = ?"
_WRITE = (
    f"INSERT OR REPLACE INTO rollups (width, start, series, {', '.join(COLUMNS)}) "
    f"VALUES (?, ?, ?{', ?' * len(COLUMNS)})"
)
_FINER = (
    f"SELECT start, series, {', '.join(COLUMNS)} FROM rollups "
    "WHERE width = ? AND start >= ? AND start < ?"
)
_NEW_SERIES = (
    f"INSERT INTO series ({', '.join(DIMENSIONS)}) "
    f"VALUES (?{', ?' * (len(DIMENSIONS) - 1)}) RETURNING id"
)
_MINUTE_SEEN = """
INSERT INTO minutes (minute, first_id, last_id, spans) VALUES (?, ?, ?, ?)
ON CONFLICT (minute) DO UPDATE SET
  first_id = min(first_id, excluded.first_id),
  last_id = max(last_id, excluded.last_id),
  spans = spans + excluded.spans"""


class Figures:
    """Sums and sketches of one group of spans."""

    __slots__ = (
        "cache_hits", "cache_read_tokens", "cache_write_tokens", "cost_nano", "input_tokens",
        "latency", "output_tokens", "reasoning_tokens", "saved_nano", "spans", "tpot", "ttft",
        "unpriced",
    )  # fmt: skip

    def __init__(self) -> None:
        self.spans = self.unpriced = self.cost_nano = self.saved_nano = self.cache_hits = 0
        self.input_tokens = self.output_tokens = self.reasoning_tokens = 0
        self.cache_read_tokens = self.cache_write_tokens = 0
        self.latency, self.ttft, self.tpot = Sketch(), Sketch(), Sketch()

    def add(self, span: NewSpan) -> None:
        self.spans += 1
        self.input_tokens += span.input_tokens
        self.output_tokens += span.output_tokens
        self.cache_read_tokens += span.cache_read_tokens
        self.cache_write_tokens += span.cache_write_tokens
        self.reasoning_tokens += span.reasoning_tokens
        if span.cost_nano is None:
            self.unpriced += 1
        else:
            self.cost_nano += span.cost_nano
        self.saved_nano += span.saved_nano
        self.cache_hits += span.cache == "hit"
        self.latency.add(span.duration_ns)
        if span.ttft_ns is not None:
            self.ttft.add(span.ttft_ns)
        if span.tpot_ns is not None:
            self.tpot.add(span.tpot_ns)

    def merge(self, other: Figures) -> None:
        self.add_sums(other)
        self.latency.merge(other.latency)
        self.ttft.merge(other.ttft)
        self.tpot.merge(other.tpot)

    def add_sums(self, other: Figures) -> None:
        """Add what can be summed, without the sketches."""
        self.spans += other.spans
        self.unpriced += other.unpriced
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cache_read_tokens += other.cache_read_tokens
        self.cache_write_tokens += other.cache_write_tokens
        self.reasoning_tokens += other.reasoning_tokens
        self.cost_nano += other.cost_nano
        self.saved_nano += other.saved_nano
        self.cache_hits += other.cache_hits

    def negate(self) -> None:
        """Afterwards merging this takes away what it counted."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, Sketch):
                value.bins = {bucket: -count for bucket, count in value.bins.items()}
            else:
                setattr(self, name, -value)

    def merge_row(self, row: Sequence[Any]) -> None:
        """Add a row of the table: `COLUMNS`, in their order."""
        self.merge_sums(row)
        for sketch, blob in ((self.latency, row[8]), (self.ttft, row[9]), (self.tpot, row[10])):
            if blob:
                sketch.merge_decoded(decoded(blob))

    def merge_sums(self, row: Sequence[Any]) -> None:
        """Add a row without its sketches, which are most of the work."""
        self.spans += row[0]
        self.unpriced += row[1]
        self.input_tokens += row[2]
        self.output_tokens += row[3]
        self.cache_read_tokens += row[4]
        self.cache_write_tokens += row[5]
        self.reasoning_tokens += row[6]
        self.cost_nano += row[7]
        self.saved_nano += row[11]
        self.cache_hits += row[12]

    def row(self) -> tuple[Any, ...]:
        return (
            self.spans, self.unpriced, self.input_tokens, self.output_tokens,
            self.cache_read_tokens, self.cache_write_tokens, self.reasoning_tokens,
            self.cost_nano, self.latency.encode(), self.ttft.encode(), self.tpot.encode(),
            self.saved_nano, self.cache_hits,
        )  # fmt: skip


class Rollups:
    """The writer's side of the rollup tables; remembers the rows that the next batch will touch."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Trust the tables alone again, after a transaction that did not commit."""
        self._rows: dict[Row, Figures] = {}
        listed = self._connection.execute(f"SELECT {', '.join(DIMENSIONS)}, id FROM series")
        self._series: dict[Dimensions, int] = {tuple(row[:-1]): row[-1] for row in listed}
        self._closed = dict(self._connection.execute("SELECT width, until FROM rolled"))

    def add(self, spans: Iterable[NewSpan], now_s: int) -> None:
        """Count spans that have their ids. Runs inside the transaction that inserts them."""
        if len(self._rows) > _CACHED:
            self._rows.clear()
        self._close(now_s)
        groups: dict[tuple[int, Dimensions], Figures] = {}
        minutes: dict[int, list[int]] = {}
        for span in spans:
            minute = span.at_ns // 60_000_000_000
            key = (minute, _group(span))
            figures = groups.get(key)
            if figures is None:
                figures = groups[key] = Figures()
            figures.add(span)
            seen = minutes.get(minute)
            if seen is None:
                minutes[minute] = [span.id, span.id, 1]
            else:
                seen[1] = span.id
                seen[2] += 1
        for (minute, dimensions), figures in list(groups.items()):
            groups.setdefault((minute, _with(dimensions, _OPEN, WHOLE)), Figures()).merge(figures)
        self._merge(groups)
        self._connection.executemany(_MINUTE_SEEN, [(m, *seen) for m, seen in minutes.items()])

    def replace(self, before: Iterable[NewSpan], now: Iterable[NewSpan]) -> None:
        """Take spans out of every sum and put others in; both happened in the same minutes. Runs
        inside the transaction that changes the spans."""
        groups: dict[tuple[int, Dimensions], Figures] = {}
        for spans, gone in ((before, True), (now, False)):
            for span in spans:
                figures = Figures()
                figures.add(span)
                if gone:
                    figures.negate()
                minute, dimensions = span.at_ns // 60_000_000_000, _group(span)
                for one in (dimensions, _with(dimensions, _OPEN, WHOLE)):
                    groups.setdefault((minute, one), Figures()).merge(figures)
        self._merge(groups)

    def _merge(self, groups: dict[tuple[int, Dimensions], Figures]) -> None:
        touched: dict[Row, Figures] = {}
        for (minute, dimensions), figures in groups.items():
            series = self._series_of(dimensions)
            start = minute * MINUTE
            rows = [(MINUTE, start, series)]
            for width, _ in COARSE:
                if start < self._closed.get(width, 0):
                    rows.append((width, start - start % width, series))
            for row in rows:
                whole = self._row(row)
                whole.merge(figures)
                touched[row] = whole
        self._connection.executemany(_WRITE, [(*k, *f.row()) for k, f in touched.items()])

    def reprice(self, changes: Iterable[tuple[int, int | None, int | None, int]]) -> None:
        """Correct the sums that hold some spans: number, cost before and now, what caches save
        more. Runs inside the transaction that corrects the spans."""
        groups: dict[tuple[int, Dimensions], Figures] = {}
        for number, before, now, saved in changes:
            row = self._connection.execute(_PLACE, (number,)).fetchone()
            at_ns, source, target, told, *place = row
            dimensions = _counted_under(source, target, told, tuple(place))
            for one in (dimensions, _with(dimensions, _OPEN, WHOLE)):
                figures = groups.setdefault((at_ns // 60_000_000_000, one), Figures())
                figures.cost_nano += (now or 0) - (before or 0)
                figures.unpriced += int(now is None) - int(before is None)
                figures.saved_nano += saved
        self._merge(groups)

    def _row(self, row: Row) -> Figures:
        figures = self._rows.get(row)
        if figures is None:
            figures = self._rows[row] = Figures()
            found = self._connection.execute(_READ, row).fetchone()
            if found is not None:
                figures.merge_row(found)
        return figures

    def _series_of(self, dimensions: Dimensions) -> int:
        series = self._series.get(dimensions)
        full = len(self._series) >= _SERIES_LIMIT and dimensions[_KIND] != WHOLE
        if series is None and full:
            dimensions = _with(dimensions, _OPEN, _OTHER)
            series = self._series.get(dimensions)
        if series is None:
            series = int(self._connection.execute(_NEW_SERIES, dimensions).fetchone()[0])
            self._series[dimensions] = series
        return series

    def _close(self, now_s: int) -> None:
        """Sum up the wider rows whose time is over since the last call."""
        for width, finer in COARSE:
            until = (now_s - _SETTLE_S) // width * width
            since = self._closed.get(width, 0)
            if until <= since:
                continue
            sums: dict[Row, Figures] = {}
            for start, series, *row in self._connection.execute(_FINER, (finer, since, until)):
                key = (width, start - start % width, series)
                figures = sums.get(key)
                if figures is None:
                    figures = sums[key] = Figures()
                figures.merge_row(row)
            self._connection.executemany(_WRITE, [(*k, *f.row()) for k, f in sums.items()])
            self._connection.execute("INSERT OR REPLACE INTO rolled VALUES (?, ?)", (width, until))
            self._closed[width] = until


def _with(dimensions: Dimensions, places: Sequence[int], instead: str) -> Dimensions:
    """Dimensions with `instead` in some places."""
    changed = list(dimensions)
    for index in places:
        changed[index] = instead
    return tuple(changed)


def _group(span: NewSpan) -> Dimensions:
    return _counted_under(span.source, span.target, span.cost_source, _dimensions(span))


def is_call(source: str, kind: str, cost_source: str, is_root: bool) -> bool:
    """Whether a span counts as a call: the gateway's, each with all its attempts; of what others
    tell, calls of models that no span below tells."""
    if source == "gateway":
        return is_root
    return kind in CALLS and cost_source != BENEATH


CALL_IN_SQL = f"""CASE source WHEN 'gateway' THEN is_root
  ELSE kind IN ({", ".join(repr(kind) for kind in sorted(CALLS))})
    AND cost_source <> '{BENEATH}' END"""
"""The same over columns of the table of spans."""


def _counted_under(
    source: str, target: str, cost_source: str, dimensions: Dimensions
) -> Dimensions:
    """The series that a span with these dimensions counts in."""
    if cost_source == BENEATH:  # not even one more attempt at its vendor
        told = _with(_with(dimensions, _TOLD, ""), (_KIND,), BENEATH)
        return (False, *told[1:])
    if source != "gateway":  # told by somebody else: what counts as a call is not its root
        return (dimensions[_KIND] in CALLS, *dimensions[1:])
    if not target:  # nobody was called: the name may be anything that a caller made up
        return _with(dimensions, _ASKED, "")
    return dimensions
