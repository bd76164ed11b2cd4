"""Sending what an application leaves behind, from one thread with a bounded buffer.

Knows lanes (where bodies go and how they are put together); knows no span. `put` takes a lock for
the time of an append and nothing else, so it never waits for the network. When the buffer is full,
what comes is dropped and counted, and told once. What the server refuses for good is counted too;
everything else is tried again, at growing intervals. A child process begins with an empty buffer:
what its parent held is the parent's to send.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import random
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stockpot.sdk.http import Answer, Away, ask

_spread = random.Random()  # noqa: S311 - spreads retries; the application's seed stays its own

_log = logging.getLogger("stockpot.sdk")

_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
_MOST_BYTES = 4 * 1024 * 1024
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0
_COMPRESSED_FROM = 2048


class Line(NamedTuple):
    """Where a lane leads, and what stands around the items of a body."""

    url: str
    head: bytes
    tail: bytes
    most: int
    compressed: bool


class Bounds(NamedTuple):
    """Of the buffer over all lanes, and how long things may take."""

    items: int = 10_000
    size: int = 32 * 1024 * 1024
    every_s: float = 1.0
    exit_s: float = 3.0
    timeout_s: float = 10.0


class Lane:
    """Items on their way to one path."""

    __slots__ = ("asked", "line", "next_try", "wait", "waiting")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.waiting: deque[bytes] = deque()
        self.next_try = 0.0
        self.asked = 0.0
        """When the server itself said that it may be asked again."""
        self.wait = 0.0

    def batch(self) -> list[bytes]:
        """The first items that fit into one body; always one, if there is any."""
        taken: list[bytes] = []
        size = 0
        for _, item in zip(range(self.line.most), self.waiting, strict=False):
            size += len(item)
            if taken and size > _MOST_BYTES:
                break
            taken.append(item)
        return taken


class Sender:
    """See the module's docstring. The thread begins with the first item."""

    def __init__(self, key: str, lines: dict[str, Line], bounds: Bounds = Bounds()) -> None:
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._bounds = bounds
        self._lines = lines
        self._begin()
        _senders.add(self)

    def _begin(self) -> None:
        self._lanes = {name: Lane(line) for name, line in self._lines.items()}
        # Of a lock that its holder may take again: a span may end in a signal's handler or in the
        # collection of garbage, in the middle of another one's end.
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._size = self._count = 0
        self._urgent = 0
        self._pause = _FIRST_PAUSE_S
        self._closing = False
        self._until = 0.0
        self._told: set[str] = set()
        self.sent = self.dropped = self.refused = 0

    @property
    def waiting(self) -> int:
        """Items in the buffer."""
        return self._count

    def put(self, lane: str, item: bytes) -> bool:
        """Take an item, or drop it when the buffer is full."""
        bounds = self._bounds
        with self._changed:
            if self._count >= bounds.items or self._size + len(item) > bounds.size:
                self.dropped += 1
                full = self._count
            else:
                full = 0
                waiting = self._lanes[lane].waiting
                waiting.append(item)
                self._count += 1
                self._size += len(item)
                if self._thread is None:
                    self._start()
                if self._count == 1 or len(waiting) == self._lanes[lane].line.most:
                    self._changed.notify_all()
        if full:
            self._tell("full", f"{full} spans wait for the server, the buffer is full: what comes "
                       "is dropped (`observe.counts()` tells how much)")  # fmt: skip
        return not full

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="stockpot-sender", daemon=True)
        with contextlib.suppress(RuntimeError):  # the interpreter ends: `close` sends the rest
            thread.start()
            self._thread = thread
            _flush_in_children_of_multiprocessing(self)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._count or self._closing)
                if not self._urgent and not self._closing:
                    self._changed.wait_for(self._due, self._bounds.every_s)
                if self._closing and (not self._count or time.monotonic() > self._until):
                    return
            try:
                self._round()
            except Exception as wrong:  # the thread must live; a batch that cannot go is dropped
                self._tell("wrong", f"sending failed: {wrong!r}")
                self._give_up_first()

    def _due(self) -> bool:
        now = time.monotonic()
        return bool(self._urgent or self._closing) or any(
            len(lane.waiting) >= lane.line.most and lane.next_try <= now
            for lane in self._lanes.values()
        )

    def _round(self) -> None:
        """Send what may be sent now, lane by lane."""
        before = self.sent + self.refused
        for lane in self._lanes.values():
            while (batch := lane.batch()) and (
                lane.next_try <= time.monotonic()
                or ((self._urgent or self._closing) and lane.asked <= time.monotonic())
            ):
                if not self._deliver(lane, batch):
                    break
        if self.sent + self.refused > before:
            self._pause = _FIRST_PAUSE_S
        if self._urgent or self._closing:
            with self._changed:  # a server that is away is not asked without a pause
                self._changed.wait(self._pause if self._count else 0)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_S)

    def _deliver(self, lane: Lane, batch: list[bytes]) -> bool:
        """Whether the batch is done with, one way or the other."""
        try:
            answer = self._post(lane.line, batch)
        except Away as away:
            self._later(lane, 0.0, str(away))
            return False
        if answer.status in _LATER:
            after = answer.headers.get("retry-after", "")
            self._later(lane, float(after) if after.isdigit() else 0.0, f"status {answer.status}")
            return False
        if answer.status < 300:
            self._done(lane, len(batch), sent=True)
        elif len(batch) > 1 and answer.status in (400, 413, 422):  # one may spoil the others
            half = len(batch) // 2
            return self._deliver(lane, batch[:half]) and self._deliver(lane, batch[half:])
        else:
            self._done(lane, len(batch), sent=False)
            said = answer.body[:300].decode("utf-8", "replace")
            self._tell(f"refused {answer.status}",
                       f"{lane.line.url} refuses, status {answer.status}: {said}")  # fmt: skip
        lane.wait = lane.next_try = lane.asked = 0.0
        return True

    def _post(self, line: Line, batch: list[bytes]) -> Answer:
        body = line.head + b",".join(batch) + line.tail
        headers = self._headers
        if line.compressed and len(body) > _COMPRESSED_FROM:
            import zlib

            made = zlib.compressobj(1, wbits=31)
            body = made.compress(body) + made.flush()
            headers = {**headers, "content-encoding": "gzip"}
        return ask(line.url, headers, body, self._bounds.timeout_s)

    def _later(self, lane: Lane, after: float, why: str) -> None:
        lane.wait = min(max(lane.wait * 2, _FIRST_WAIT_S), _LONGEST_WAIT_S)
        spread = lane.wait * _spread.uniform(0.5, 1.0)
        lane.asked = time.monotonic() + after
        lane.next_try = time.monotonic() + max(after, spread)
        self._tell(
            "away", f"{lane.line.url} is away ({why}); up to {self._bounds.items} spans wait"
        )

    def _done(self, lane: Lane, count: int, *, sent: bool) -> None:
        with self._changed:
            for _ in range(count):
                self._size -= len(lane.waiting.popleft())
            self._count -= count
            self.sent += count if sent else 0
            self.refused += 0 if sent else count
            self._changed.notify_all()
        if sent and "away" in self._told:
            self._told -= {"away", "full"}
            _log.info("the server is back; %d spans were dropped so far", self.dropped)

    def _give_up_first(self) -> None:
        for lane in self._lanes.values():
            if batch := lane.batch():
                self._done(lane, len(batch), sent=False)
                return

    def _tell(self, what: str, message: str) -> None:
        """Once, until it is over."""
        if what not in self._told:
            self._told.add(what)
            _log.warning("%s", message)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Send what waits now; whether the buffer became empty in time."""
        with self._changed:
            self._urgent += 1
            self._pause = _FIRST_PAUSE_S
            self._changed.notify_all()
            done = self._changed.wait_for(lambda: not self._count, timeout_s)
            self._urgent -= 1
        return done

    def close(self) -> None:
        """Send what waits, as far as the time at exit reaches; the thread ends."""
        thread = self._thread
        with self._changed:
            self._until = time.monotonic() + self._bounds.exit_s
            self._closing = True
            self._changed.notify_all()
        if thread is not None and thread.is_alive():
            thread.join(self._bounds.exit_s)
        else:
            while self._count and time.monotonic() < self._until:
                self._round()
        if self._count:
            _log.warning("%d spans were not sent before the end", self._count)

    def after_fork(self) -> None:
        """In a child process: the parent's buffer is the parent's."""
        self._begin()


_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


def _flush_in_children_of_multiprocessing(sender: Sender) -> None:
    """These end without the hooks of an ordinary exit. Until one has read its main module it is no
    child yet, and forgets what it was to do at its end."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is None:
        return
    from multiprocessing import util

    if processes.parent_process() is not None:
        _close_at_its_end(sender)
    else:
        util.register_after_fork(sender, _close_at_its_end)


def _close_at_its_end(sender: Sender) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, sender.close, exitpriority=10)


def _each(do: Callable[[Sender], None]) -> None:
    for sender in list(_senders):
        do(sender)


atexit.register(lambda: _each(Sender.close))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _each(Sender.after_fork))
