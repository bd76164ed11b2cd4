"""Writing a spool stream. Knows when bytes reach the kernel or the disk; knows nothing of shipping.

All that one turn of the event loop leaves behind goes out together: one writev of bodies, one write
of ledger entries, then the callbacks, in order. With fsync=group the same happens in a thread, one
batch at a time, each synced before its callbacks run; what arrives meanwhile is the next batch.

What is promised: when `done` runs, the record is in the kernel (`never`: it survives kill -9) or on
the disk (`group`: it survives a power loss). The one exception is a disk that refuses the ledger:
`state` becomes "full", the callbacks still run, and the record waits in memory (bounded), counted
as `refused`, until it can be written. Who admits calls while the state is "full" accepts that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from stockpot.core.errors import Conflict
from stockpot.core.locks import Held, hold
from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool.format import LOCK, SHED
from stockpot.gateway.spool.frames import place_of, record_frame, start_frame
from stockpot.gateway.spool.room import Room, SpoolState, Survey, survey
from stockpot.gateway.spool.segment import Segment, sync_folder

Fsync = Literal["never", "group"]
Done = Callable[[], None]
Finish = tuple[Record, bytes | None, list[bytes] | None, Done]
Batch = list[Start | Finish]

_TICK_S = 1.0
_HELD_MAX = 8 << 20
_log = logging.getLogger(__name__)


class Spool:
    """One worker's stream. `state` and `counters` may be read at any time.

    A Record must carry the `trace_id` and `span_id` of its Start: that is how an attempt that the
    death of the worker cut off is told from one that ended.
    """

    def __init__(
        self,
        folder: Path,
        stream: str,
        lock: contextlib.ExitStack,
        fsync: Fsync,
        room: Room,
        segment_bytes: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.stream = stream
        self.state: SpoolState = "ok"
        self.counters = dict.fromkeys(
            ("starts", "written", "shed_payloads", "refused", "lost", "torn",
             "flushes", "syncs", "ledger_bytes", "payload_bytes", "held_bytes"), 0
        )  # fmt: skip
        self._spool = folder
        self._folder = folder / stream
        self._lock = lock
        self._group = fsync == "group"
        self._room = room
        self._segment_bytes = segment_bytes
        self._segment = Segment(self._folder, 1)
        self._loop = loop
        self._soon: Callable[[Callable[[], None]], object] = loop.call_soon
        self._queue: Batch = []
        self._scheduled = False
        self.closed = False
        self._in_flight: Batch = []
        self._held = b""
        self._held_records = 0
        self._pool = ThreadPoolExecutor(2, "spool")
        self._measuring = False
        self._surveyed(survey(folder))
        self._timer = loop.call_later(_TICK_S, self._tick)

    @classmethod
    def open(
        cls,
        folder: Path,
        stream: str,
        *,
        fsync: Fsync,
        payload_quota: int,
        ledger_quota: int,
        disk_reserve: int,
        loop: asyncio.AbstractEventLoop,
        segment_bytes: int = 16 << 20,
    ) -> Spool:
        """Create the stream's folder, lock it and open its first segment."""
        lock = _create_locked(folder, stream)
        room = Room(payload_quota, ledger_quota, disk_reserve)
        spool = cls(folder, stream, lock, fsync, room, segment_bytes, loop)
        if spool._group:
            sync_folder(spool._folder)
            sync_folder(folder)
        return spool

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the whole spool folder, of all streams: what nobody has fetched yet."""
        return self._room.payload + self._room.ledger

    def start(self, entry: Start) -> None:
        """Note that an attempt is about to leave; in the kernel with this turn's flush."""
        self._queue.append(entry)
        if not self._scheduled:
            self._scheduled = True
            self._soon(self._flush)

    def finish(
        self, record: Record, request: bytes | None, response: list[bytes] | None, done: Done
    ) -> None:
        """Note how an attempt ended; `done` runs when the record is as safe as `fsync` asks for.

        The spool owns `record` from now on: it sets `payload` when it has to shed the bodies.
        """
        self._queue.append((record, request, response, done))
        if not self._scheduled:
            self._scheduled = True
            self._soon(self._flush)

    def close(self) -> None:
        """Write all that is left, run its callbacks and release the lock."""
        self.closed = self._scheduled = True  # what callbacks finish is written below
        self._timer.cancel()
        self._pool.shutdown(wait=True)
        written, self._in_flight = self._in_flight, []
        self._call_back(written)
        while self._queue or self._held:
            held, batch = self._held, self._queue
            self._queue = []
            self._write(batch)
            self._call_back(batch)
            if held and held == self._held and not self._queue:
                break  # the disk takes nothing at all
        self._soon, self._scheduled = _refuse, False
        if self._held:
            self.counters["lost"] += self._held_records
            _log.error(
                "spool %s: closed with %d records unwritten", self.stream, self._held_records
            )
        self._segment.close()
        self._lock.close()

    # --- the hot path: one flush per turn of the loop ---------------------------------------------

    def _flush(self) -> None:
        if self.closed:  # close() has written what this flush was scheduled for
            return
        batch, self._queue = self._queue, []
        if self._group:  # _scheduled stays set: what arrives now waits for the next batch
            self._in_flight = batch
            self._pool.submit(self._write_in_thread, batch)
            return
        self._scheduled = False
        self._write(batch)
        self._call_back(batch)

    def _write(self, batch: Batch) -> None:
        """One batch into the files, in one thread at a time. Never raises: clients wait for it."""
        try:
            self._append(batch)
        except Exception:
            self.counters["lost"] += sum(type(item) is tuple for item in batch)
            _log.exception("spool %s: a batch cannot be written", self.stream)

    def _append(self, batch: Batch) -> None:
        if self._segment.size >= self._segment_bytes and not self._held:
            self._rotate()
        places, bodies = self._write_bodies(batch)
        frames: list[bytes] = []
        records = 0
        for item, place in zip(batch, places, strict=True):
            try:
                if type(item) is tuple:
                    frames.append(record_frame(item[0], place))
                    records += 1
                else:
                    frames.append(start_frame(item))  # type: ignore[arg-type]
            except Exception:
                self.counters["lost"] += 1
                _log.exception("spool %s: an entry cannot be encoded", self.stream)
        self.counters["flushes"] += 1
        self.counters["starts"] += len(frames) - records
        whole = self._write_ledger(b"".join(frames), records)
        if self._group and records and whole:
            self._sync(bodies, records)
        if self._room.calm <= 0:
            self._judge()

    def _write_bodies(self, batch: Batch) -> tuple[list[bytes | None], bool]:
        """Write the bodies of a batch. Where each entry's bodies are, and whether there are any."""
        places: list[bytes | None] = []
        bodies: list[bytes] = []
        begin = end = self._segment.payload_end
        shedding = self.state != "ok"
        for item in batch:
            place = None
            if type(item) is tuple and (item[1] is not None or item[2] is not None):
                record, request, response, _ = item
                if shedding:
                    self._shed(record)
                else:
                    place, length = place_of(end, request, response)
                    end += length
                    if request:
                        bodies.append(request)
                    if response:
                        bodies += response
            places.append(place)
        if not bodies:
            return places, False
        try:
            self._segment.append_payload(bodies, end - begin)
        except OSError as error:
            return self._shed_all(batch, places, error), False
        self._room.wrote(end - begin, 0)
        self.counters["payload_bytes"] += end - begin
        return places, True

    def _write_ledger(self, data: bytes, records: int) -> bool:
        """Append to the ledger what is held back and `data`. False when some of it is held back."""
        if self._held:
            if len(self._held) + len(data) > _HELD_MAX:
                self._lose(records)
                data, records = b"", 0
            data, records = self._held + data, self._held_records + records
        room, counters = self._room, self.counters
        taken = 0
        if room.ledger + len(data) <= room.ceiling:
            try:
                taken = self._segment.append_ledger(data)
                room.failed_ledger = False
            except OSError as error:
                _log.debug("spool %s: the disk refuses the ledger: %s", self.stream, error)
        room.wrote(0, taken)
        counters["ledger_bytes"] += taken
        if taken == len(data):
            counters["written"] += records
            if self._held:
                self._hold(b"", 0)
            return True
        counters["refused"] += records - self._held_records
        counters["torn"] += taken > 0
        room.fail(ledger=True)
        self._hold(data[taken:], records)
        return False

    def _call_back(self, batch: Batch) -> None:
        for item in batch:
            if type(item) is tuple:
                try:
                    item[3]()
                except Exception as error:
                    self._loop.call_exception_handler(
                        {"message": "a spool callback failed", "exception": error}
                    )

    # --- fsync=group: the same in a thread --------------------------------------------------------

    def _write_in_thread(self, batch: Batch) -> None:
        self._write(batch)
        self._in_loop(self._written)

    def _written(self) -> None:
        batch, self._in_flight = self._in_flight, []
        self._call_back(batch)
        if self._queue and not self.closed:
            self._flush()
        else:
            self._scheduled = False

    def _sync(self, bodies: bool, records: int) -> None:
        try:
            self._segment.sync(payload=bodies)
            self.counters["syncs"] += 1
        except OSError as error:
            self.counters["refused"] += records
            _log.error("spool %s: fsync failed: %s", self.stream, error)

    # --- when there is no room --------------------------------------------------------------------

    def _shed(self, record: Record) -> None:
        record.payload = SHED
        self.counters["shed_payloads"] += 1

    def _shed_all(
        self, batch: Batch, places: list[bytes | None], error: OSError
    ) -> list[bytes | None]:
        """The disk refused the bodies of a batch: their records go out without them."""
        _log.warning("spool %s: payloads are shed: %s", self.stream, error)
        self._room.fail(ledger=False)
        for item, place in zip(batch, places, strict=True):
            if place is not None and type(item) is tuple:
                self._shed(item[0])
        return [None] * len(batch)

    def _hold(self, data: bytes, records: int) -> None:
        self._held, self._held_records = data, records
        self.counters["held_bytes"] = len(data)

    def _lose(self, records: int) -> None:
        self.counters["lost"] += records
        self.counters["refused"] += records

    def _judge(self) -> None:
        state = self._room.judge()
        if state != self.state:
            _log.warning("spool %s: %s, was %s", self.stream, state, self.state)
            self.state = state

    # --- once a second ----------------------------------------------------------------------------

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK_S, self._tick)
        if not self._measuring:
            self._measuring = True
            self._pool.submit(self._measure)

    def _measure(self) -> None:
        try:
            found = survey(self._spool)
        except OSError as error:
            _log.warning("spool %s: cannot measure %s: %s", self.stream, self._spool, error)
            found = None
        self._in_loop(lambda: self._surveyed(found))

    def _surveyed(self, found: Survey | None) -> None:
        self._measuring = False
        if found is not None:
            self._room.take(found)
        self._room.failed_payload = False  # the next bodies find out
        self._judge()
        if self._held and not self._scheduled:
            self._scheduled = True
            self._soon(self._flush)

    def _in_loop(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: close() has seen to the rest
            self._loop.call_soon_threadsafe(callback)

    def _rotate(self) -> None:
        try:
            successor = Segment(self._folder, self._segment.number + 1)
        except OSError as error:
            _log.warning("spool %s: stays in its segment: %s", self.stream, error)
            return
        self._segment.close()
        self._segment = successor
        if self._group:
            sync_folder(self._folder)


def _refuse(_: Callable[[], None]) -> None:
    raise RuntimeError("the spool is closed")


def _create_locked(folder: Path, stream: str) -> contextlib.ExitStack:
    """Make the stream's folder appear with its lock already held.

    The shipper takes a stream whose lock is free for one whose worker is dead.
    """
    draft = folder / f".new-{stream}"
    draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = contextlib.ExitStack()
    try:
        lock.enter_context(hold(draft / LOCK))
        draft.rename(folder / stream)
    except (Held, OSError) as error:
        lock.close()
        raise Conflict(
            f"the spool stream {stream!r} exists already: {error}",
            hint="each worker process needs a stream name of its own",
        ) from None
    return lock
