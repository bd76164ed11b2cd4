"""Following one stream: what to ship next, what was acknowledged, what may be deleted.

Knows the files of a stream and the Starts that wait for their Record; knows no HTTP. Everything
goes by one place, the acknowledged one: a segment and the offset behind the last record that ingest
has committed. It is kept in the file `note`, together with the Starts that were open there. A stale
note does no harm, because ingest says how far it is; a segment is deleted only when a note that
does not need it is on the disk.

When the worker of a stream is dead, the Starts that are still open become `interrupted` records.
They are one more segment, which appears by a rename: they exist once or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from stockpot.core.locks import Held, hold, holder
from stockpot.gateway.models import Record, Shipment, Shipped, Start
from stockpot.gateway.spool.format import LOCK, SHED, Bodies
from stockpot.gateway.spool.frames import record_frame
from stockpot.gateway.spool.reader import (
    Entry,
    ledger_path,
    payload_path,
    read_bodies,
    read_entries,
    sample_records,
    segments,
)
from stockpot.gateway.spool.segment import sync_folder

INTERRUPTED = "interrupted"

_NOTE = "note"
_NEVER = (-1, -1)
_TYPICAL_ENTRY = 500
"""Bytes of a Start and its Record, where none can be looked at."""


class Note(msgspec.Struct, array_like=True):
    """The acknowledged place, and the Starts before it that had no Record before it."""

    segment: int
    offset: int
    open: list[Start]


class Batch(NamedTuple):
    """A shipment, the entries that it covers, and how many bodies could not be read for it."""

    shipment: Shipment
    entries: list[Entry]
    missing_bodies: int


class Tail:
    """One stream, from its acknowledged place on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stream = folder.name
        self.torn = self.missing_bodies = self.interrupted = 0
        self._damage: set[tuple[int, int, int]] = set()
        self.records = 0
        """Records acknowledged since this tail was opened."""
        self._lock = contextlib.ExitStack()
        self.dead = False
        """Whether the worker is gone; then the stream is ours."""
        self._read_to = _NEVER
        self._whole = 0
        note = _read_note(folder / _NOTE)
        if note is None:
            note = Note(min(segments(folder), default=1), 0, [])
        self.segment, self.offset = note.segment, note.offset
        self._open = {(start.trace_id, start.span_id): start for start in note.open}
        self._noted = (self.segment, self.offset)

    # --- shipping ---------------------------------------------------------------------------------

    def batch(self, records: int, size: int) -> Batch | None:
        """The next records, at most so many and about so many bytes; None when there are none."""
        while True:
            # Asked before reading: only then does the end of the file mean the end of the segment.
            left = self.dead or self._successor() is not None
            batch = self._read(records, size)
            if batch is not None or not left or not self._next_segment():
                return batch

    def acknowledge(self, batch: Batch, offset: int) -> None:
        """Ingest has committed this batch's segment up to `offset`, which may be another place."""
        if offset != batch.shipment.end:
            self.go_on_from(offset)
            return
        self._pass(batch.entries)
        self.offset = offset
        self.records += len(batch.shipment.items)
        self.missing_bodies += batch.missing_bodies

    def go_on_from(self, offset: int) -> None:
        """Take up another place of this segment, because ingest is there."""
        if offset > self.offset:
            entries = self._entries()
            self._pass(entry for entry in entries if entry[0] <= offset)
        self.offset = offset
        self._read_to = _NEVER

    def _read(self, records: int, size: int) -> Batch | None:
        """Whole entries up to the last Record that fits; Starts behind it wait for the next."""
        end_of_file = (self.segment, _size(self._ledger))
        if end_of_file == self._read_to:
            return None
        entries: list[Entry] = []
        items: list[Shipped] = []
        covered = missing = taken = 0
        end = self.offset
        with _Payload(payload_path(self.folder, self.segment)) as payload:
            for entry in self._entries():
                entries.append(entry)
                end, what, place = entry
                if not isinstance(what, Record):
                    continue
                items.append(payload.shipped(what, place))
                covered = len(entries)
                taken += place.length if place else 0
                if len(items) >= records or taken + end - self.offset >= size:
                    break
            else:
                self._read_to, self._whole = end_of_file, end
            missing = payload.missing
        if not items:
            return None
        self._read_to = _NEVER
        del entries[covered:]
        shipment = Shipment(self.stream, self.segment, self.offset, entries[-1][0], tuple(items))
        return Batch(shipment, entries, missing)

    def _entries(self) -> Iterable[Entry]:
        try:
            yield from read_entries(self._ledger, self.offset, self._damaged)
        except FileNotFoundError:
            return

    def _pass(self, entries: Iterable[Entry]) -> None:
        """Entries lie behind the acknowledged place from now on."""
        for _, what, _ in entries:
            key = (what.trace_id, what.span_id)
            if isinstance(what, Start):
                self._open[key] = what
            else:
                self._open.pop(key, None)

    # --- segments ---------------------------------------------------------------------------------

    @property
    def _ledger(self) -> Path:
        return ledger_path(self.folder, self.segment)

    def _successor(self) -> int | None:
        following = self.segment + 1
        if ledger_path(self.folder, following).exists():
            return following
        return None

    def _next_segment(self) -> bool:
        """Leave a segment that has no more records, and delete it. False when it is the last.

        Bodies go first: on a full disk that makes the room that the note needs.
        """
        self._pass(self._entries())
        successor = self._successor()
        if successor is None:
            return False
        self.torn += _size(self._ledger) > self._whole
        payload_path(self.folder, self.segment).unlink(missing_ok=True)
        self.segment, self.offset = successor, 0
        self.write_note(durable=True)
        self._delete_before(successor)
        return True

    def _damaged(self, begin: int, end: int) -> None:
        self._damage.add((self.segment, begin, end))

    @property
    def damaged_bytes(self) -> int:
        """Bytes of ledgers that were skipped because they are not what was written."""
        return sum(end - begin for _, begin, end in self._damage)

    def _delete_before(self, segment: int) -> None:
        for number in segments(self.folder):
            if number < segment:
                payload_path(self.folder, number).unlink(missing_ok=True)
                ledger_path(self.folder, number).unlink()

    def write_note(self, *, durable: bool = False) -> None:
        """Keep the acknowledged place, if it has moved."""
        place = (self.segment, self.offset)
        if place == self._noted:
            return
        note = Note(*place, list(self._open.values()))
        draft = self.folder / f".{_NOTE}"
        with draft.open("wb") as file:
            file.write(msgspec.msgpack.encode(note))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(self.folder / _NOTE)
        self._noted = place

    def backlog(self) -> tuple[int, int]:
        """Bytes and records that are not acknowledged.

        Records are counted in the first part of what waits (all of it, mostly) and then told from
        the size of the rest.
        """
        ledgers = payloads = 0
        for number in segments(self.folder):
            ledger = _size(ledger_path(self.folder, number))
            payload = _size(payload_path(self.folder, number))
            if number == self.segment and ledger:
                waiting = max(0, ledger - self.offset)
                ledgers += waiting
                payloads += payload * waiting // ledger
            elif number > self.segment:
                ledgers, payloads = ledgers + ledger, payloads + payload
        sample, records = sample_records(self._ledger, self.offset)
        if ledgers > sample:
            records = ledgers * records // sample if sample else -(-ledgers // _TYPICAL_ENTRY)
        return ledgers + payloads, records

    # --- the end of a stream ----------------------------------------------------------------------

    def take_over(self) -> bool:
        """Whether the worker is dead. If so, the stream is ours from here on."""
        if not self.dead and holder(self.folder / LOCK) is None:
            try:
                self._lock.enter_context(hold(self.folder / LOCK))
            except Held:
                return False
            self.dead = True
            self._read_to = _NEVER
        return self.dead

    def finish(self) -> bool:
        """Close a dead stream that has nothing to ship. True when no file of it is left.

        False means that there is something to ship again: the records of calls that were cut off.
        """
        if self._open:
            self._interrupt(list(self._open.values()))
            return False
        self.torn += _size(self._ledger) > self._whole
        # Bodies, then ledgers, then the note, which must be at the end by then: after a ledger is
        # gone, an older note would count Starts as open whose Records were in it.
        for number in segments(self.folder):
            payload_path(self.folder, number).unlink(missing_ok=True)
        self.write_note(durable=True)
        for number in segments(self.folder):
            ledger_path(self.folder, number).unlink()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        self.close()
        return True

    def _interrupt(self, starts: list[Start]) -> None:
        """Write the records of calls that the worker's death cut off, all of them or none."""
        died = self._ledger.stat().st_mtime_ns if self._ledger.exists() else 0
        frames = [record_frame(_interrupted(start, died), None) for start in starts]
        path = ledger_path(self.folder, self.segment + 1)
        draft = path.with_name("." + path.name)
        with draft.open("wb") as file:
            file.write(b"".join(frames))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(self.folder)
        self.interrupted += len(starts)

    def close(self) -> None:
        """Let go of the stream's lock."""
        self._lock.close()


class _Payload:
    """The payload file of a segment, opened when the first record needs it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self.missing = 0

    def __enter__(self) -> _Payload:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)

    def shipped(self, record: Record, place: Bodies | None) -> Shipped:
        """A record with its bodies; without, and marked, when they are not what was written."""
        if place is None:
            return Shipped(record)
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            bodies = read_bodies(self._file, place)
        except FileNotFoundError:
            bodies = None
        if bodies is None:
            self.missing += 1
            record.payload = SHED
            return Shipped(record)
        return Shipped(record, *bodies)


def _read_note(path: Path) -> Note | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Note)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _interrupted(start: Start, died_ns: int) -> Record:
    """What is known of a call that was cut off: its Start, and when the worker last wrote."""
    return Record(
        start.trace_id, start.span_id, start.parent_id, True, start.start_ns,
        max(0, died_ns - start.start_ns), start.project, start.environment, start.key_id,
        start.endpoint, start.route, start.provider, start.target, start.model, "", 0, INTERRUPTED,
        "the gateway process ended during this call; its cost is an estimate", "", False, 1, 0, 0,
        start.estimated_input, 0, 0, 0, 0, "estimated", start.estimated_cost_nano, (),
        start.price_id, "", "", (), "", "", (), 0, 0, 0, 0,
    )  # fmt: skip
