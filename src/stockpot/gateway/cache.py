"""Answering a request that was answered before: the same bytes, for the same scope, for a while.

Off unless a key or its project says so. Knows requests, answers and policies; knows no upstream.
What is the same is decided exactly: scope, route with everything behind it, endpoint, and the body
but for what changes no answer (`stream`, which has entries of its own, and who asks). White space
and the order of the outermost fields do not count; inside, order does, since models see it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stockpot.gateway import answers
from stockpot.gateway.pipeline import ANSWERED, Verdict
from stockpot.gateway.rules import Facts

if TYPE_CHECKING:
    from stockpot.gateway.account import Accountant
    from stockpot.gateway.call import Call
    from stockpot.gateway.http.messages import Exchange, Headers, Request
    from stockpot.gateway.models import Record

LARGEST_BODY = 256 * 1024
"""Bytes of a request from which it is not looked up: reading it would hold up the loop."""

_OVERHEAD = 1024
"""Bytes that an entry takes beside its answer, roughly."""

_ASIDE = frozenset((
    "stream", "stream_options", "user", "metadata", "safety_identifier", "labels",
))  # fmt: skip
"""Fields that change no answer."""
_STATEFUL = frozenset(("background", "conversation", "previous_response_id"))
"""Fields of requests that stand in a conversation kept elsewhere: never the same."""
_TOLD_APART = (b"anthropic-version", b"anthropic-beta", b"openai-beta")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Entry(NamedTuple):
    """One answer as the client got it, and what it had cost."""

    born: float
    body: bytes
    headers: Headers
    streamed: bool
    record: Record

    @property
    def size(self) -> int:
        return len(self.body) + _OVERHEAD


class AnswerCache:
    """The stage, as a callable, with what this worker remembers: the last used, bounded in bytes.

    An entry that is too old for whoever asks is not given, and goes when its turn comes.
    """

    __slots__ = ("_accountant", "_clock", "_entries", "_most", "size")

    def __init__(
        self, accountant: Accountant, most_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._accountant = accountant
        self._most = most_bytes
        self._clock = clock
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __call__(self, call: Call) -> Verdict:
        key = call.key
        assert key is not None
        policy = key.cache
        if policy is None or (call.guard is not None and not call.guard.cacheable):
            return None
        control = call.headers.get(b"cache-control", b"").lower()
        name = None if b"no-store" in control else name_of(call)
        if name is None:
            return None
        entry = self._entries.get(name)
        if entry is not None and b"no-cache" not in control:
            age = self._clock() - entry.born
            if age <= policy.ttl_s:
                self._entries.move_to_end(name)
                self._repeat(call, entry, int(age))
                return ANSWERED
        call.exchange = call.listener = Recording(self, name, call.exchange, policy.max_entry)
        return None

    def _repeat(self, call: Call, entry: Entry, age: int) -> None:
        call.answered = True
        exchange, body = call.exchange, entry.body
        headers = [
            *entry.headers,
            (b"x-stockpot-cache", b"hit"),
            (b"age", b"%d" % age),
            *answers.about(call, time.perf_counter_ns()),
        ]

        def tell() -> None:
            if entry.streamed:
                exchange.start(200, headers, body)
                exchange.finish()
            else:
                exchange.respond(200, headers, body)

        self._accountant.repeated(call, entry.record, body, entry.streamed, tell)

    def keep(self, name: bytes, body: bytes, headers: Headers, streamed: bool, of: Record) -> None:
        """Remember an answer; the least used go."""
        kept = [pair for pair in headers if pair[0] in (b"content-type", b"x-stockpot-degraded")]
        entry = Entry(self._clock(), body, kept, streamed, of)
        old = self._entries.pop(name, None)
        self.size += entry.size - (old.size if old is not None else 0)
        self._entries[name] = entry
        while self.size > self._most:
            _, gone = self._entries.popitem(last=False)
            self.size -= gone.size


class Recording:
    """The exchange of a call whose answer may be kept: passes everything on and listens.

    The answer is kept when it ends if accounting has said by then that it was a good one.
    """

    __slots__ = ("_cache", "_exchange", "_headers", "_most", "_name", "_record", "_said", "_size")

    def __init__(self, cache: AnswerCache, name: bytes, exchange: Exchange, most: int) -> None:
        self._cache = cache
        self._name = name
        self._exchange = exchange
        self._most = most
        self._headers: Headers = []
        self._said: list[bytes] | None = []
        self._size = 0
        self._record: Record | None = None

    def concluded(self, record: Record, *, whole: bool) -> None:
        """See `call.Listener`."""
        record.cache = "miss"
        failed = record.status != 200 or record.error or record.finish_reason == "error"
        if whole and not failed:
            self._record = record

    @property
    def request(self) -> Request:
        return self._exchange.request

    @property
    def writable(self) -> bool:
        return self._exchange.writable

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self._exchange.respond(status, [*headers, (b"x-stockpot-cache", b"miss")], body)
        if self._record is not None and status == 200 and len(body) <= self._most:
            self._cache.keep(self._name, body, headers, False, self._record)

    def start(self, status: int, headers: Headers, first: bytes) -> None:
        self._headers = headers
        self._exchange.start(status, [*headers, (b"x-stockpot-cache", b"miss")], first)
        self._listen(first)

    def write(self, chunk: bytes) -> None:
        self._exchange.write(chunk)
        self._listen(chunk)

    def finish(self, last: bytes = b"") -> None:
        self._exchange.finish(last)
        self._listen(last)
        if self._record is not None and self._said is not None:
            said = b"".join(self._said)
            self._cache.keep(self._name, said, self._headers, True, self._record)

    def abort(self) -> None:
        self._exchange.abort()

    def _listen(self, said: bytes) -> None:
        if self._said is not None:
            self._size += len(said)
            self._said.append(said)
            if self._size > self._most:
                self._said = None


def name_of(call: Call) -> bytes | None:
    """What an answer to this call is kept under; None when it is not to be kept."""
    key, ask, route, request = call.key, call.ask, call.route, call.request
    assert key is not None
    assert ask is not None
    assert route is not None
    body = sameness(request.body) if len(request.body) <= LARGEST_BODY else None
    if body is None:
        return None
    kind = b"%d%d" % (ask.stream, ask.wants_usage)
    if route.rules:
        facts = Facts(call.headers, request.body, key.spec.project)
        kind += bytes(facts.meet(rule) for rule, _ in route.rules)
    said = [call.headers.get(name, b"") for name in _TOLD_APART]
    guarded = call.guard.digest if call.guard is not None else b""
    parts = (key.cache_scope, guarded, route.digest, kind, request.path, request.query, *said, body)
    return sha256(b"\0".join(parts)).digest()


def sameness(body: bytes) -> bytes | None:
    """The body as far as it decides the answer; None when it is no JSON object or stands in a
    conversation that is kept elsewhere."""
    try:
        fields = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if type(fields) is not dict or not _STATEFUL.isdisjoint(fields):
        return None
    return _encode({name: fields[name] for name in sorted(fields) if name not in _ASIDE})
