"""Reconciling what workers wrote with what the span log holds. Knows both; mends neither.

A spool stream is a folder of segments. What lies before a segment's committed offset must be in the
span log; what lies behind it waits to be shipped; a torn last entry belongs to a killed writer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stockpot.core.locks import holder
from stockpot.gateway import Record, otlp, spool
from stockpot.traces.models import Verification
from stockpot.traces.store import SpanStore

_SHOWN = 20


class _Found(NamedTuple):
    """What one segment tells."""

    waiting: int
    torn: int
    lost: tuple[str, ...]
    damage: tuple[str, ...]


def verify(store: SpanStore, folder: Path) -> Verification:
    """Compare a spool folder with a span log. `lost` counts acknowledged records without a span."""
    audit = store.audit()
    segments = [_segment(store, *at, audit.offsets.get(at[1:3], 0)) for at in _segments(folder)]
    lost = [name for found in segments for name in found.lost]
    problems = [*audit.problems, *(text for found in segments for text in found.damage)]
    problems += [f"lost: {name}" for name in lost[:_SHOWN]]
    if audit.missing_payloads:
        problems.append(f"{audit.missing_payloads} payloads that were kept are not there")
    return Verification(
        spans=audit.spans,
        traces=audit.traces,
        payloads=audit.payloads,
        spooled=sum(found.waiting for found in segments),
        torn_entries=sum(found.torn for found in segments),
        interrupted=audit.interrupted,
        missing_payloads=audit.missing_payloads,
        shed_payloads=audit.shed_payloads,
        lost=len(lost) + max(0, audit.committed - audit.spans),
        problems=tuple(problems),
    )


def _segments(folder: Path) -> Iterator[tuple[Path, str, int]]:
    """Ledger, stream and number of every segment that is still there."""
    streams = (path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    for stream in sorted(streams):
        with contextlib.suppress(FileNotFoundError):  # shipped and deleted just now
            for number in spool.segments(stream):
                yield spool.ledger_path(stream, number), stream.name, number


def _segment(store: SpanStore, ledger: Path, stream: str, number: int, committed: int) -> _Found:
    waiting, end, lost, damage = 0, 0, [], []

    def damaged(begin: int, after: int) -> None:
        damage.append(f"{stream}/{number}: bytes {begin} to {after} are damaged")

    try:
        size = ledger.stat().st_size
        for end, entry, _ in spool.read_entries(ledger, 0, damaged):
            if not isinstance(entry, Record):
                continue
            if end > committed:
                waiting += 1
            elif entry.endpoint != otlp.ENDPOINT and not _is_there(store, entry):
                lost.append(f"{entry.trace_id.hex()}/{entry.span_id.hex()} of {stream}/{number}")
    except FileNotFoundError:  # shipped and deleted just now
        return _Found(0, 0, (), ())
    torn = int(size > end and holder(ledger.parent / "lock") is None)
    return _Found(waiting, torn, tuple(lost), tuple(damage))


def _is_there(store: SpanStore, record: Record) -> bool:
    span = record.span_id.hex()
    return any(found.span_id == span for found in store.trace(record.trace_id, record.project))
