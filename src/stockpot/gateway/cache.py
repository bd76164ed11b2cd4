"""Answering a request that was answered before: the same bytes, for the same scope, for a while.

Off unless a key or its project says so. Knows requests, answers and policies; knows no upstream.
What is the same is decided exactly: scope, route with everything behind it, endpoint, and the body
but for what changes no answer (who asks). White space and the order of the outermost fields do not
count; inside, order does, since models see it. Each form of an answer (whole, streamed) is an entry
of its own, made from another one's where its dialect can be told again without loss. While the
first such call is on its way, others join it (`flight`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from stockpot.gateway import answers
from stockpot.gateway.bill import usage_in
from stockpot.gateway.flight import Entry, Flight
from stockpot.gateway.pipeline import ANSWERED, PAUSE, Verdict
from stockpot.gateway.rules import Facts
from stockpot.providers import retold

if TYPE_CHECKING:
    from stockpot.gateway.account import Accountant
    from stockpot.gateway.call import Call
    from stockpot.gateway.http.messages import Headers
    from stockpot.gateway.models import Record

LARGEST_BODY = 256 * 1024
"""Bytes of a request from which it is not looked up, and of an answer from which it is not told in
another form: reading it would hold up the loop."""

_ASIDE = frozenset((
    "stream", "stream_options", "user", "metadata", "safety_identifier", "labels",
))  # fmt: skip
"""Fields that change no answer."""
_STATEFUL = frozenset(("background", "conversation", "previous_response_id"))
"""Fields of requests that stand in a conversation kept elsewhere, unless they say null or false:
never the same."""
_TOLD_APART = (b"anthropic-version", b"anthropic-beta", b"openai-beta")
_KEPT = frozenset((b"content-type", b"x-stockpot-degraded"))
_DIGEST = 32
_FORMS = {
    "openai": (b"0", b"10", b"11"), "anthropic": (b"0", b"11"),
    "gemini": (b"0", b"11", b"11alt=sse"), "responses": (b"0", b"11"),
}  # fmt: skip
"""The forms that the same answer may have; see `_form_of`."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class AnswerCache:
    """The stage, as a callable, with what this worker remembers: the last used, bounded in bytes.

    An entry that is too old for whoever asks is not given, and goes when its turn comes.
    """

    __slots__ = ("_accountant", "_clock", "_entries", "_flights", "_most", "size")

    def __init__(
        self, accountant: Accountant, most_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._accountant = accountant
        self._most = most_bytes
        self._clock = clock
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._flights: dict[bytes, Flight] = {}
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
        if b"no-cache" not in control:
            entry = self._fresh(name, policy.ttl_s) or self._other_form(call, name, policy.ttl_s)
            if entry is not None:
                self._entries.move_to_end(name)
                self.repeat(call, entry, int(self._clock() - entry.born))
                return ANSWERED
            flight = self._flights.get(name)
            if flight is not None and flight.join(call):
                return PAUSE
        self.fly(call, name, policy.max_entry)
        return None

    def fly(self, call: Call, name: bytes, most: int) -> None:
        """Listen to a call that goes upstream; others may join the first of its kind."""
        flight = call.exchange = call.listener = Flight(self, name, call.exchange, most)
        self._flights.setdefault(name, flight)

    def _fresh(self, name: bytes, ttl_s: int) -> Entry | None:
        entry = self._entries.get(name)
        return entry if entry is not None and self._clock() - entry.born <= ttl_s else None

    def _other_form(self, call: Call, name: bytes, ttl_s: int) -> Entry | None:
        """The same answer as it was given whole, or as a stream: told anew once, and kept so."""
        ask = call.ask
        assert ask is not None
        if ask.endpoint != "chat":
            return None
        for form in _FORMS.get(ask.dialect, ()):
            entry = self._fresh(name[:_DIGEST] + form, ttl_s)
            if entry is None or len(entry.body) > LARGEST_BODY:
                continue
            again = retold(ask, entry.body, entry.streamed, usage_in(entry.record))
            if again is not None:
                headers = [pair for pair in entry.headers if pair[0] != b"content-type"]
                headers.append((b"content-type", again[1]))
                made = entry._replace(body=again[0], headers=headers, streamed=ask.stream)
                self.keep(name, made)
                return made if name in self._entries else None
        return None

    def told(self, call: Call, headers: Headers, age: int) -> Headers:
        """The headers of an answer that another call was given."""
        hit = [(b"x-stockpot-cache", b"hit"), (b"age", b"%d" % age)]
        return [*headers, *hit, *answers.about(call, time.perf_counter_ns())]

    def repeat(self, call: Call, entry: Entry, age: int) -> None:
        """Give a call the answer that another one got."""
        call.answered = True
        exchange, body = call.exchange, entry.body
        headers = self.told(call, entry.headers, age)

        def tell() -> None:
            if entry.streamed:
                exchange.start(200, headers, body)
                exchange.finish()
            else:
                exchange.respond(200, headers, body)

        self._accountant.repeated(call, entry.record, body, entry.streamed, tell)
        call.guard = None  # which knows the call: a circle less

    def followed(
        self, call: Call, first: Record, said: bytes, first_ns: int, done: Callable[[], None]
    ) -> None:
        """A call that got a stream while another one got it."""
        self._accountant.repeated(call, first, said, True, done, first_ns=first_ns)

    def kept(self, headers: Headers) -> Headers:
        """What of an answer's headers others are told too."""
        return [pair for pair in headers if pair[0] in _KEPT]

    def entry(self, body: bytes, headers: Headers, streamed: bool, of: Record) -> Entry:
        return Entry(self._clock(), body, self.kept(headers), streamed, of)

    def keep(self, name: bytes, entry: Entry) -> None:
        """Remember an answer; the least used go."""
        old = self._entries.pop(name, None)
        self.size += entry.size - (old.size if old is not None else 0)
        self._entries[name] = entry
        while self.size > self._most:
            _, gone = self._entries.popitem(last=False)
            self.size -= gone.size

    def landed(self, name: bytes, flight: Flight) -> None:
        """Nobody joins this call any more."""
        if self._flights.get(name) is flight:
            del self._flights[name]


def name_of(call: Call) -> bytes | None:
    """What an answer to this call is kept under, a digest and a form; None when it is not kept."""
    key, ask, route, request = call.key, call.ask, call.route, call.request
    assert key is not None
    assert ask is not None
    assert route is not None
    body = sameness(request.body) if len(request.body) <= LARGEST_BODY else None
    if body is None:
        return None
    path, query = request.path, request.query
    form = b"1%d" % ask.wants_usage if ask.stream else b"0"
    if ask.dialect == "gemini" and ask.endpoint == "chat":
        path, form, query = path.rpartition(b":")[0], form + query, b""
    kind = b""
    if route.rules:
        facts = Facts(call.headers, request.body, key.spec.project)
        kind = bytes(facts.meet(rule) for rule, _ in route.rules)
    said = [call.headers.get(name, b"") for name in _TOLD_APART]
    guarded = call.guard.digest if call.guard is not None else b""
    parts = (key.cache_scope, guarded, route.digest, kind, path, query, *said, body)
    return sha256(b"\0".join(parts)).digest() + form


def sameness(body: bytes) -> bytes | None:
    """The body as far as it decides the answer; None when it is no JSON object or stands in a
    conversation that is kept elsewhere."""
    try:
        fields = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if type(fields) is not dict or any(fields.get(name) for name in _STATEFUL):
        return None
    return _encode({name: fields[name] for name in sorted(fields) if name not in _ASIDE})
