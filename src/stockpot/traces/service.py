"""The verbs of the span log: take shipments, list, show, follow, export, verify.

Knows spans and cursors; knows neither SQL nor HTTP. All methods are synchronous and may be called
from any thread.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from stockpot.core.errors import Conflict, InvalidInput, NotFound
from stockpot.core.instance import Instance
from stockpot.gateway import Shipment, ShipmentAck
from stockpot.traces import excerpt, provenance, shadowed
from stockpot.traces.arrivals import arrived
from stockpot.traces.difference import TraceDiff, compared
from stockpot.traces.measure import Measure
from stockpot.traces.models import (
    Conversation,
    ExportedSpan,
    Overview,
    Payload,
    Sight,
    Span,
    SpendBy,
    Spending,
    SubjectFilter,
    SubjectKind,
    SubjectPage,
    Trace,
    TraceFilter,
    TracePage,
    TraceRow,
    Turn,
    Verification,
)
from stockpot.traces.provenance import Changes, Window
from stockpot.traces.receiving.again import History, Renormalised, renormalise
from stockpot.traces.receiving.batches import Receiver
from stockpot.traces.receiving.pricing import Prices, RowsOf, no_prices
from stockpot.traces.shadowed import Only, ShadowComparison, ShadowPairs
from stockpot.traces.store import Listed, SpanStore
from stockpot.traces.store.rewriting import Stretch
from stockpot.traces.tree import Below, Light, TreePage, grow, tree_page
from stockpot.traces.unit_figures import UnitFigures
from stockpot.traces.verify import verify

_NICE_BUCKETS_S = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400)
_POINTS = 120
_EXPORTED_AT_ONCE = 500
_TURN = 8000
"""Characters of one side of a turn."""

_SPANS_OF_TURN = 300
_TRACES_OF_SESSION = 500
_CHUNKS_OF_PAIRS = 20
"""Pages of pairs that are read for one page of those asked for, before it says where to go on."""


class OffsetMismatch(Conflict):
    """A shipment does not continue its segment; `offset` is where to go on from."""

    code, status = "offset_mismatch", 409

    def __init__(self, shipment: Shipment, offset: int) -> None:
        super().__init__(
            f"segment {shipment.segment} of {shipment.stream!r} is committed up to {offset}, "
            f"this shipment begins at {shipment.begin}"
        )
        self.stream = shipment.stream
        self.segment = shipment.segment
        self.offset = offset


class SpanLog:
    """One span log over any store; `instance` is needed by `verify` alone, `prices` for what others
    send without a cost."""

    def __init__(
        self, store: SpanStore, instance: Instance | None = None, prices: RowsOf = no_prices
    ) -> None:
        self._store = store
        self._instance = instance
        self._prices = Prices(prices)
        self._receiver = Receiver(self._prices)
        self.following = True
        """Whether tails go on; false once `stop_following` was called."""

    @property
    def store(self) -> SpanStore:
        """Where the spans live; for those who give orders to its writer."""
        return self._store

    # --- taking in ------------------------------------------------------------------------------

    def ingest(self, shipment: Shipment) -> ShipmentAck:
        """Commit a shipment. Raises OffsetMismatch; afterwards it is there for good."""
        outcome = self.ingest_all([shipment])[0]
        if isinstance(outcome, OffsetMismatch):
            raise outcome
        return outcome

    def ingest_all(self, shipments: Sequence[Shipment]) -> list[ShipmentAck | OffsetMismatch]:
        """Commit shipments in one transaction; those that do not continue are answered, not
        raised."""
        all_of_it = [arrived(shipment, self._receiver) for shipment in shipments]
        outcomes = self._store.append([one.batch for one in all_of_it])
        return [
            ShipmentAck(
                shipment.stream, shipment.segment, outcome.offset, one.rejected, one.message
            )
            if outcome.taken
            else OffsetMismatch(shipment, outcome.offset)
            for shipment, one, outcome in zip(shipments, all_of_it, outcomes, strict=True)
        ]

    def renormalise(self, stretch: Stretch) -> Renormalised:
        """Read a piece of history again, by what is known of dialects now. Only where spans are
        taken in."""
        return renormalise(cast("History", self._store), stretch, self._prices)

    # --- looking --------------------------------------------------------------------------------

    def traces(self, where: TraceFilter, cursor: str | None = None, limit: int = 50) -> TracePage:
        """One page of traces, newest first."""
        found = self._store.traces(where, before=_position(cursor), limit=limit)
        return TracePage(
            items=tuple(listed.row for listed in found.items),
            next_cursor=None if found.next is None else _cursor(found.next),
        )

    def newest(self) -> int:
        """The position that a tail begins from."""
        found = self._store.traces(TraceFilter(), limit=1)
        return found.items[0].position if found.items else 0

    def since(
        self, where: TraceFilter, position: int, limit: int = 200
    ) -> tuple[list[Listed], int]:
        """Traces whose root arrived after a position, oldest first; and where to go on."""
        newest = self.newest()
        found = self._store.traces(where, after=position, limit=limit)
        if found.next is not None:
            return found.items, found.next
        return found.items, max(position, newest, *(listed.position for listed in found.items))

    def trace(self, trace_id: str, project: str | None = None, sight: Sight | None = None) -> Trace:
        """All spans of a trace, within what somebody may see."""
        spans = self._store.trace(_bytes(trace_id, 16, "trace"), project)
        if sight is not None:
            spans = [span for span in spans if sight.sees(span.project, span.key_id)]
        if not spans:
            raise NotFound(f"no trace {trace_id!r}", hint="stockpot traces list")
        return Trace(trace_id=trace_id.lower(), spans=tuple(spans))

    def tree(
        self,
        trace_id: str,
        project: str | None = None,
        sight: Sight | None = None,
        *,
        parent: str | None = None,
        cursor: str | None = None,
        limit: int = 200,
    ) -> TreePage:
        """Rows of a trace's waterfall, or of what hangs below one span of it."""
        spans = self._store.skeleton(_bytes(trace_id, 16, "trace"), project)
        if sight is not None:
            spans = [span for span in spans if sight.sees(span.project, span.key_id)]
        if not spans:
            raise NotFound(f"no trace {trace_id!r}", hint="stockpot traces list")
        rows = grow(spans)
        first, last = 0, len(rows)
        if parent is not None:
            first, last = _subtree(rows, {s.number: s for s in spans}, _bytes(parent, 8, "span"))
        begin = first + _offset(cursor)
        shown = rows[begin : min(begin + limit, last)]
        told = self._store.numbered([row.number for row in shown])
        return tree_page(trace_id.lower(), rows, (first, begin, last), shown, told)

    def diff(
        self, before: str, after: str, project: str | None = None, sight: Sight | None = None
    ) -> TraceDiff:
        """Two traces aligned span by span, and in what they differ."""
        return compared(
            self.trace(before, project, sight).spans,
            self.trace(after, project, sight).spans,
            self._said,
        )

    def _said(self, span: Span) -> tuple[str, str]:
        if span.payload not in ("full", "masked"):
            return span.input_preview, span.output_preview
        bodies = self.payload(span.trace_id, span.span_id, span.project)
        return excerpt.turn(_sent(bodies.request), _sent(bodies.response))

    def changes(self, where: TraceFilter, base: Window, now: Window) -> Changes:
        """What changed between two windows, with the figures of both beside it."""
        found = []
        for window in (base, now):
            if window.from_ms >= window.to_ms:
                raise InvalidInput(
                    f"the window from {window.from_ms:.0f} to {window.to_ms:.0f} ms is empty"
                )
            given = {"from_ms": window.from_ms, "to_ms": window.to_ms}
            found.append(self._store.setups(where.narrowed(**given)))
        return provenance.compared(found[0], found[1], (base, now))

    def payload(
        self,
        trace_id: str,
        span_id: str,
        project: str | None = None,
        sight: Sight | None = None,
    ) -> Payload:
        """Request and response of a span that somebody may see."""
        if sight is not None:
            project = self._project_of(trace_id, span_id, project, sight)
        found = self._store.payload(
            _bytes(trace_id, 16, "trace"), _bytes(span_id, 8, "span"), project
        )
        if found is None:
            raise NotFound(
                f"no span {span_id!r} in trace {trace_id!r}",
                hint=f"stockpot traces show {trace_id}",
            )
        return found

    def _project_of(
        self, trace_id: str, span_id: str, project: str | None, sight: Sight
    ) -> str | None:
        """Where the span is that somebody may see; of two projects one may know the same ids."""
        _bytes(span_id, 8, "span")
        seen = self.trace(trace_id, project, sight).spans
        found = [span.project for span in seen if span.span_id == span_id.lower()]
        if not found:
            raise NotFound(
                f"no span {span_id!r} in trace {trace_id!r}",
                hint=f"stockpot traces show {trace_id}",
            )
        return found[-1]

    def subjects(
        self, kind: SubjectKind, where: SubjectFilter, cursor: str | None = None, limit: int = 50
    ) -> SubjectPage:
        """One page of sessions, users or tags."""
        return self._store.subjects(kind, where, offset=_offset(cursor), limit=limit)

    def traces_of_sessions(
        self, sessions: Sequence[str], project: str | None = None, sight: Sight | None = None
    ) -> list[tuple[str, str, str]]:
        """Session, project and trace id of the newest traces that some sessions have."""
        return [
            (session, of, trace.hex())
            for session in dict.fromkeys(sessions)
            for of, trace in self._store.traces_of_session(
                session, project, sight, _TRACES_OF_SESSION
            )
        ]

    def conversation(
        self,
        session: str,
        project: str | None = None,
        sight: Sight | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Conversation:
        """A session's turns, oldest first; `next_cursor` leads to those before them."""
        about = SubjectFilter(name=session, project=project).seen_with(sight)
        found = self._store.subjects("session", about, offset=0, limit=1).items
        if not found:
            raise NotFound(f"no session {session!r}", hint="stockpot traces sessions")
        where = TraceFilter(session=session, project=found[0].project).seen_with(sight)
        page = self.traces(where, cursor, limit)
        turns = tuple(self._turn(row) for row in reversed(page.items))
        return Conversation(subject=found[0], turns=turns, next_cursor=page.next_cursor)

    def _turn(self, row: TraceRow) -> Turn:
        """A trace as question and answer: the top span's, or the first that has kept them."""
        span = row.root
        if span.payload not in ("full", "masked") and 1 < row.spans <= _SPANS_OF_TURN:
            spans = self._store.trace(bytes.fromhex(row.trace_id), span.project)
            span = next((one for one in spans if one.payload in ("full", "masked")), span)
        asked, answered = self._said(span)
        more = len(asked) > _TURN or len(answered) > _TURN
        return Turn(row=row, asked=asked[:_TURN], answered=answered[:_TURN], more=more)

    def overview(
        self,
        where: TraceFilter,
        from_ms: float | None = None,
        to_ms: float | None = None,
        bucket_ms: float | None = None,
    ) -> Overview:
        """Figures of a window (the last day when not given) from rollups."""
        return self._store.overview(where, *_window(from_ms, to_ms, bucket_ms))

    def spending(
        self,
        where: TraceFilter,
        by: SpendBy,
        from_ms: float | None = None,
        to_ms: float | None = None,
        bucket_ms: float | None = None,
        limit: int = 100,
    ) -> Spending:
        """What was spent in a window (the last day when not given), on the dearest first."""
        return self._store.spending(where, by, _window(from_ms, to_ms, bucket_ms), limit)

    def measures(
        self, where: Mapping[str, str], windows: Sequence[tuple[int, int]]
    ) -> list[Measure]:
        """What happened in a slice (a value for each dimension that it is cut by) in each window of
        whole minutes, in Unix seconds."""
        return self._store.measures(where, windows)

    def stepped(
        self, where: Mapping[str, str], start: int, end: int, step: int
    ) -> dict[int, Measure]:
        """The same step by step, by each step's start."""
        return self._store.stepped(where, start, end, step)

    def units(self, project: str, experiment: str, since_ms: float = 0) -> UnitFigures:
        """What the units of an experiment did that were first exposed since a time."""
        return self._store.units(project, experiment, int(since_ms * 1e6))

    def shadow(
        self,
        where: TraceFilter,
        from_ms: float | None = None,
        to_ms: float | None = None,
        most: int = shadowed.MOST,
    ) -> ShadowComparison:
        """Copies of a route's calls (`requested_model`) against the calls, in a window (the last
        day when not given). Of several candidates the filter's, else the one with the newest."""
        start, end, _ = _window(from_ms, to_ms, None)
        where = where.narrowed(from_ms=start, to_ms=end)
        targets = self._store.shadow_counts(where.narrowed(provider=None, model=None))
        chosen = shadowed.chosen(targets, where.provider, where.model)
        if chosen is None:
            return shadowed.compared(where, targets, None, [])
        where = where.narrowed(provider=chosen.provider, model=chosen.model)
        found = self._store.shadow_pairs(where, limit=most)
        return shadowed.compared(where, targets, chosen, found)

    def shadow_pairs(
        self,
        where: TraceFilter,
        from_ms: float | None = None,
        to_ms: float | None = None,
        *,
        only: Only = "all",
        cursor: str | None = None,
        limit: int = 20,
    ) -> ShadowPairs:
        """Such pairs themselves, newest first, with both answers."""
        start, end, _ = _window(from_ms, to_ms, None)
        where = where.narrowed(from_ms=start, to_ms=end)
        before, shown = _position(cursor), []
        for _ in range(_CHUNKS_OF_PAIRS):
            found = self._store.shadow_pairs(where, before=before, limit=max(limit, 50))
            for pair in found:
                before = pair.number
                if shadowed.wanted(pair, only):
                    shown.append(shadowed.shown(pair))
                    if len(shown) == limit:
                        return ShadowPairs(items=tuple(shown), next_cursor=_cursor(before))
            if len(found) < max(limit, 50):
                return ShadowPairs(items=tuple(shown), next_cursor=None)
        return ShadowPairs(items=tuple(shown), next_cursor=_cursor(before or 0))

    def export(self, where: TraceFilter, *, payloads: bool = False) -> Iterator[ExportedSpan]:
        """Every matching span that is there now, in the order of arrival."""
        position: int | None = 0
        while position is not None:
            spans, position = self._store.spans(where, after=position, limit=_EXPORTED_AT_ONCE)
            for span in spans:
                request = response = None
                if payloads and span.payload in ("full", "masked"):
                    payload = self.payload(span.trace_id, span.span_id, span.project)
                    request, response = payload.request, payload.response
                yield ExportedSpan(**dict(span), request=request, response=response)

    def numbered_page(
        self, where: TraceFilter, position: int, limit: int
    ) -> tuple[list[tuple[int, Span]], int | None]:
        """Matching spans that are priced here, with the numbers by which orders name them, and
        where to go on."""
        return self._store.numbered_spans(where, after=position, limit=limit)

    def arrived(self, where: TraceFilter, position: int, limit: int) -> list[tuple[int, Span]]:
        """Matching spans after a position in the order of arrival, with their positions."""
        found, _ = self._store.numbered_spans(where, after=position, limit=limit, every=True)
        return found

    def recent(self, count: int) -> Iterator[Span]:
        """The root spans among the last `count` spans that are there now, in the order of arrival:
        what applications asked for, each once."""
        newest = self.newest()
        position: int | None = max(0, newest - count)
        while position is not None and position < newest:
            spans, position = self._store.spans(
                TraceFilter(), after=position, limit=_EXPORTED_AT_ONCE
            )
            yield from (span for span in spans if span.is_root)

    def spent(self, worker: str, scope: str, scope_id: str, from_ms: int) -> int | None:
        """Nano-dollars that a `key` (its id) or a `project` (its name) has spent since a time; None
        while records of that worker wait in this host's spool."""
        if self._instance is not None and (self._instance.spool / worker).exists():
            return None
        by_key = scope == "key"
        where = TraceFilter(key_id=scope_id) if by_key else TraceFilter(project=scope_id)
        now = time.time() * 1000
        return self._store.overview(where, from_ms, now, 0).totals.cost_nano

    # --- trusting -------------------------------------------------------------------------------

    def verify(self) -> Verification:
        """Reconcile the spool with the span log, and the span log with itself."""
        if self._instance is None:
            raise InvalidInput("this span log was opened without its instance")
        return verify(self._store, self._instance.spool)

    def stop_following(self) -> None:
        """End every tail within half a second, so that a server that stops need not cut them."""
        self.following = False

    def close(self) -> None:
        self._store.close()


def _subtree(rows: list[Below], spans: dict[int, Light], parent: bytes) -> tuple[int, int]:
    """Where the rows below a span begin and end."""
    for place, row in enumerate(rows):
        if spans[row.number].span_id == parent:
            return place + 1, place + row.spans
    raise NotFound(f"no span {parent.hex()!r} in this trace")


def _sent(body: str | None) -> bytes | None:
    return None if body is None else body.encode("utf-8", "replace")


def _offset(cursor: str | None) -> int:
    """Where a page begins in a list that has no other order than the one asked for."""
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise InvalidInput(f"{cursor!r} is not a cursor: take next_cursor of the page before")
    return int(cursor)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(b"1:%d" % position).decode().rstrip("=")


def _window(
    from_ms: float | None, to_ms: float | None, bucket_ms: float | None
) -> tuple[float, float, float]:
    """From, to and bucket: the last day, in buckets that can be drawn, where nothing is said."""
    end = time.time() * 1000 if to_ms is None else to_ms
    start = max(0.0, end - 86_400_000) if from_ms is None else from_ms
    if start >= end:
        raise InvalidInput(f"the window from {start:.0f} to {end:.0f} ms is empty")
    if bucket_ms is None:
        wide = (end - start) / 1000 / _POINTS
        bucket_ms = 1000 * next((b for b in _NICE_BUCKETS_S if b >= wide), _NICE_BUCKETS_S[-1])
    return start, end, bucket_ms


def _position(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        version, _, position = base64.urlsafe_b64decode(cursor + "==").partition(b":")
        if version != b"1":
            raise ValueError
        return int(position)
    except ValueError:
        raise InvalidInput(
            f"{cursor!r} is not a cursor: take next_cursor of the page before"
        ) from None


def _bytes(hexadecimal: str, length: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(hexadecimal)
    except ValueError:
        value = b""
    if len(value) != length:
        raise InvalidInput(
            f"{hexadecimal!r} is not a {what} id ({2 * length} hex digits)",
            hint="stockpot traces list",
        )
    return value
