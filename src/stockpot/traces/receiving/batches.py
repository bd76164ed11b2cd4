"""What one request of a sender becomes: rows for the store, and what of it could not be kept."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from stockpot.core.errors import InvalidInput
from stockpot.traces.dialects.logfire import PENDING
from stockpot.traces.otlp import JSON, PROTOBUF, Incoming, Unreadable, read, unpacked
from stockpot.traces.receiving.masked import masked
from stockpot.traces.receiving.pricing import Prices
from stockpot.traces.receiving.spans import MASKED, Origin, row
from stockpot.traces.store import NewPayload, NewSpan

MOST_UNPACKED = 256 << 20
"""Bytes that one request may have once it is unpacked."""

_log = logging.getLogger("stockpot.traces.receiving")

Row = tuple[NewSpan, NewPayload | None]


class Taken(NamedTuple):
    """Rows, how many spans were refused, and why the first of them was."""

    rows: list[Row]
    rejected: int = 0
    message: str = ""


class Receiver:
    """Reads requests one after the other."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    def take(self, body: bytes, form: str, encoding: str, origin: Origin) -> Taken:
        """A request's spans. Raises InvalidInput for one that cannot be read at all."""
        try:
            spans = list(read(unpacked(body, encoding, MOST_UNPACKED), form))
        except Unreadable as bad:
            raise InvalidInput(f"not an ExportTraceServiceRequest: {bad}") from None
        rows: list[Row] = []
        rejected, why = 0, ""
        for span in spans:
            if fault := span.fault:
                rejected, why = rejected + 1, why or fault
            elif span.attributes.get(PENDING) != "pending_span":
                try:
                    rows.append(self._row(span, origin))
                except Exception:  # one strange span must not keep all others waiting for ever
                    _log.exception("a span of %r cannot be read", origin.project)
                    rejected, why = rejected + 1, why or "a span cannot be read; see ingest's log"
        return Taken(rows, rejected, why)

    def _row(self, span: Incoming, origin: Origin) -> Row:
        if not span.start_ns:
            span.start_ns = span.end_ns = time.time_ns()
        unclean = origin.payload == MASKED and not origin.clean
        return row(masked(span) if unclean else span, origin, self._prices)


FORMS = {"application/x-protobuf": PROTOBUF, "application/json": JSON}
"""Content types that are understood."""
