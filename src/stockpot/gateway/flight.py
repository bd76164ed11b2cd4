"""One call on its way upstream for all that ask the same meanwhile. Knows exchanges and the answer
as it passes; knows no upstream.

Whoever asks while the first is silent waits; whoever asks while a stream runs gets what was said so
far, and the rest as it comes. When the first call fails before it said anything, those who wait go
upstream themselves. Its client may leave: the call goes on while somebody else follows it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.gateway.call import Call
    from stockpot.gateway.http.messages import Exchange, Headers, Request
    from stockpot.gateway.models import Record


class Entry(NamedTuple):
    """One answer as the client got it, and what it had cost."""

    born: float
    body: bytes
    headers: Headers
    streamed: bool
    record: Record

    @property
    def size(self) -> int:
        return len(self.body) + OVERHEAD


OVERHEAD = 1024
"""Bytes that an entry takes beside its answer, roughly."""


class Cache(Protocol):
    """What a flight wants of the cache that it was started for."""

    def told(self, call: Call, headers: Headers, age: int) -> Headers:
        """The headers of an answer that another call was given."""
        ...

    def kept(self, headers: Headers) -> Headers:
        """What of an answer's headers others are told too."""
        ...

    def entry(self, body: bytes, headers: Headers, streamed: bool, of: Record) -> Entry:
        """An answer as it would be kept."""
        ...

    def keep(self, name: bytes, entry: Entry) -> None:
        """Remember an answer."""
        ...

    def repeat(self, call: Call, entry: Entry, age: int) -> None:
        """Give a call the answer that another one got."""
        ...

    def followed(
        self, call: Call, first: Record, said: bytes, first_ns: int, done: Callable[[], None]
    ) -> None:
        """A call got a stream while another one got it."""
        ...

    def fly(self, call: Call, name: bytes, most: int) -> None:
        """A call goes upstream by itself."""
        ...

    def landed(self, name: bytes, flight: Flight) -> None:
        """Nobody joins this call any more."""
        ...


class Follower(NamedTuple):
    """A call that gets a stream which is under way, and when it got its first bytes."""

    call: Call
    first_ns: int


class Flight:
    """The exchange of a call whose answer may be kept: passes everything on and listens.

    The answer is kept when it ends if accounting has said by then that it was a good one.
    """

    __slots__ = (
        "_cache", "_exchange", "_followers", "_good", "_headers", "_most", "_name", "_record",
        "_said", "_size", "_started", "_waiting",
    )  # fmt: skip

    def __init__(self, cache: Cache, name: bytes, exchange: Exchange, most: int) -> None:
        self._cache = cache
        self._name = name
        self._exchange = exchange
        self._most = most
        self._headers: Headers = []
        self._said: list[bytes] | None = []
        self._size = 0
        self._record: Record | None = None
        self._good = self._started = False
        self._waiting: list[Call] = []
        self._followers: list[Follower] = []

    # Those who ask the same meanwhile.

    def join(self, call: Call) -> bool:
        """Whether this call gets the answer from here, now or later."""
        if not self._started:
            self._waiting.append(call)
        elif self._said is not None:
            self._follow(call, b"".join(self._said))
        return not self._started or self._said is not None

    def stays(self) -> bool:
        """See `call.Listener`."""
        if self._waiting or self._followers:
            return True
        self._cache.landed(self._name, self)
        return False

    def _follow(self, call: Call, said: bytes) -> None:
        call.answered = True
        call.exchange.start(200, self._cache.told(call, self._headers, 0), said)
        self._followers.append(Follower(call, time.perf_counter_ns()))

    def _fall_through(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            assert call.pipeline is not None
            self._cache.fly(call, self._name, self._most)
            call.pipeline.resume(call)

    def _end_followers(self, last: bytes | None) -> None:
        """`last` None: the first call's connection was cut, and so are theirs."""
        record, followers = self._record, self._followers
        assert record is not None or not followers
        said = b"".join(self._said or ()) if followers else b""
        self._followers = []
        for call, first_ns in followers:
            assert record is not None
            exchange = call.exchange
            done = exchange.abort if last is None else partial(exchange.finish, last)
            self._cache.followed(call, record, said, first_ns, done)

    # The call's own listener.

    def concluded(self, record: Record, *, whole: bool) -> None:
        """See `call.Listener`."""
        record.cache = "miss"
        failed = record.status != 200 or record.error or record.finish_reason == "error"
        self._record = record
        self._good = whole and not failed
        if not self._good:
            self._cache.landed(self._name, self)

    # Its exchange.

    @property
    def request(self) -> Request:
        return self._exchange.request

    @property
    def writable(self) -> bool:
        return self._exchange.writable

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self._exchange.respond(status, [*headers, (b"x-stockpot-cache", b"miss")], body)
        self._cache.landed(self._name, self)
        if not self._good or status != 200:
            return self._fall_through()
        assert self._record is not None
        entry = self._cache.entry(body, headers, False, self._record)
        if len(body) <= self._most:
            self._cache.keep(self._name, entry)
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            self._cache.repeat(call, entry, 0)
        return None

    def start(self, status: int, headers: Headers, first: bytes) -> None:
        self._started = True
        self._headers = self._cache.kept(headers)
        self._exchange.start(status, [*headers, (b"x-stockpot-cache", b"miss")], first)
        self._listen(first)
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            self._follow(call, first)

    def write(self, chunk: bytes) -> None:
        self._exchange.write(chunk)
        self._listen(chunk)
        if self._followers:
            for call, _ in self._followers:
                call.exchange.write(chunk)

    def finish(self, last: bytes = b"") -> None:
        self._exchange.finish(last)
        self._listen(last)
        self._cache.landed(self._name, self)
        if self._good and self._said is not None:
            assert self._record is not None
            said = b"".join(self._said)
            self._cache.keep(self._name, self._cache.entry(said, self._headers, True, self._record))
        self._end_followers(last)

    def abort(self) -> None:
        self._exchange.abort()
        self._cache.landed(self._name, self)
        self._end_followers(None)
        self._fall_through()

    def _listen(self, said: bytes) -> None:
        self._size += len(said)
        if self._said is not None:
            self._said.append(said)
            if self._size > self._most:
                self._said = None
