"""The span store on SQLite files in one folder. Knows which part answers what.

spans/
  spans.db                            spans, trace index, rollups, offsets of spool streams
  payloads/2026-11-22.standard.db     bodies and full text of one received day and class
  writer.lock                         held by the one process that appends
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from stockpot.traces.copied import Copied, Counted
from stockpot.traces.measure import Measure
from stockpot.traces.models import (
    Overview,
    Payload,
    Sight,
    Span,
    SpendBy,
    Spending,
    SubjectFilter,
    SubjectKind,
    SubjectPage,
    TraceFilter,
)
from stockpot.traces.provenance import Slice
from stockpot.traces.store import Audit, Batch, Listing, Outcome, shadows, shape, units
from stockpot.traces.store.audit import audit
from stockpot.traces.store.measures import measures, stepped
from stockpot.traces.store.orders import Done, Order
from stockpot.traces.store.overview import overview
from stockpot.traces.store.reader import Reader
from stockpot.traces.store.rewriting import Change, KeptSpan, Stretch, kept_spans
from stockpot.traces.store.schema import SPANS
from stockpot.traces.store.spending import spending
from stockpot.traces.store.sqlite import Readers, Synchronous, connect, migrate
from stockpot.traces.store.subjects import subjects, traces_of_session
from stockpot.traces.store.writer import Writer
from stockpot.traces.tree import Light
from stockpot.traces.unit_figures import UnitFigures


class SqliteSpanStore:
    """Opens for reading at once; the first `append` takes the writer's lock until `close`.

    With `synchronous="NORMAL"` what was committed survives the death of the process; with "FULL" it
    also survives a power loss, as far as the disk keeps its word.
    """

    def __init__(
        self,
        folder: Path,
        *,
        synchronous: Synchronous = "NORMAL",
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._folder = folder
        self._synchronous = synchronous
        self._clock = clock
        path = folder / "spans.db"
        folder.mkdir(parents=True, exist_ok=True)
        with closing(connect(path, synchronous=synchronous)) as connection:
            migrate(connection, path, SPANS)
        self._readers = Readers(path)
        self._reader = Reader(folder, self._readers)
        self._writer: Writer | None = None
        self._writing = threading.Lock()

    def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        with self._writing:
            return self._writer_now().append(batches)

    def _writer_now(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self._folder, self._synchronous, self._clock)
        return self._writer

    def perform(self, order: Order) -> Done:
        with self._writing:
            if self._writer is not None:
                return self._writer.perform(order)
            # Whoever gives orders only does not keep the lock: ingest may be about to start.
            with closing(self._writer_now()) as writer:
                self._writer = None
                return writer.perform(order)

    def traces(
        self,
        where: TraceFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> Listing:
        return self._reader.traces(where, before=before, after=after, limit=limit)

    def trace(self, trace_id: bytes, project: str | None) -> list[Span]:
        return self._reader.trace(trace_id, project)

    def payload(self, trace_id: bytes, span_id: bytes, project: str | None) -> Payload | None:
        return self._reader.payload(trace_id, span_id, project)

    def spans(self, where: TraceFilter, *, after: int, limit: int) -> tuple[list[Span], int | None]:
        return self._reader.spans(where, after=after, limit=limit)

    def numbered_spans(
        self, where: TraceFilter, *, after: int, limit: int, every: bool = False
    ) -> tuple[list[tuple[int, Span]], int | None]:
        return self._reader.numbered_spans(where, after=after, limit=limit, every=every)

    def overview(
        self, where: TraceFilter, from_ms: float, to_ms: float, bucket_ms: float
    ) -> Overview:
        with self._readers.lend() as connection:
            return overview(connection, where, from_ms, to_ms, bucket_ms)

    def spending(
        self, where: TraceFilter, by: SpendBy, window: tuple[float, float, float], limit: int
    ) -> Spending:
        with self._readers.lend() as connection:
            return spending(connection, where, by, window, limit)

    def measures(
        self, where: Mapping[str, str], windows: Sequence[tuple[int, int]]
    ) -> list[Measure]:
        with self._readers.lend() as connection:
            return measures(connection, where, windows)

    def stepped(
        self, where: Mapping[str, str], start: int, end: int, step: int
    ) -> dict[int, Measure]:
        with self._readers.lend() as connection:
            return stepped(connection, where, start, end, step)

    def skeleton(self, trace_id: bytes, project: str | None) -> list[Light]:
        with self._readers.lend() as connection:
            return shape.light(connection, trace_id, project)

    def numbered(self, numbers: Sequence[int]) -> dict[int, Span]:
        with self._readers.lend() as connection:
            return shape.numbered(connection, numbers)

    def setups(self, where: TraceFilter) -> list[Slice]:
        with self._readers.lend() as connection:
            return shape.setups(connection, where)

    def subjects(
        self, kind: SubjectKind, where: SubjectFilter, *, offset: int, limit: int
    ) -> SubjectPage:
        with self._readers.lend() as connection:
            return subjects(connection, kind, where, offset, limit)

    def traces_of_session(
        self, session: str, project: str | None, sight: Sight | None, limit: int
    ) -> list[tuple[str, bytes]]:
        with self._readers.lend() as connection:
            return traces_of_session(connection, session, project, sight, limit)

    def kept_spans(self, stretch: Stretch) -> tuple[list[KeptSpan], int | None]:
        with self._readers.lend() as connection:
            return kept_spans(connection, self._folder, stretch)

    def rewrite(self, changes: Sequence[Change]) -> None:
        with self._writing:
            if self._writer is None:
                self._writer = Writer(self._folder, self._synchronous, self._clock)
            self._writer.rewrite(changes)

    def units(self, project: str, experiment: str, since_ns: int) -> UnitFigures:
        with self._readers.lend() as connection:
            return units.figures(connection, project, experiment, since_ns)

    def shadow_counts(self, where: TraceFilter) -> list[Counted]:
        with self._readers.lend() as connection:
            return shadows.counted(connection, where)

    def shadow_pairs(
        self, where: TraceFilter, *, before: int | None = None, limit: int
    ) -> list[Copied]:
        with self._readers.lend() as connection:
            return shadows.pairs(connection, self._folder, where, before, limit)

    def audit(self) -> Audit:
        with self._readers.lend() as connection:
            return audit(connection, self._folder)

    def checkpoint(self) -> None:
        """Move what the write-ahead logs hold into the files, as closing does."""
        with self._writing:
            if self._writer is not None:
                self._writer.checkpoint()

    def close(self) -> None:
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        self._readers.close()
