"""One call on its way through the pipeline. Holds state; decides nothing.

`Call` is the one type that the data plane is built around: the pipeline's stages fill it in, the
attempts work on it, accounting reads it. Its clock is `perf_counter_ns`; `start_ns` is the wall
clock at the first byte, so that a record's end is start plus a monotonic duration.
"""

from __future__ import annotations

from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import structs

from stockpot.core import ids
from stockpot.gateway.trace_context import (
    ALONE,
    Exposure,
    experiments_used,
    joined,
    labels,
    prompt_used,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stockpot.gateway.attempts import Attempts
    from stockpot.gateway.http.server import Exchange, Request
    from stockpot.gateway.leases import Purse
    from stockpot.gateway.limits import Gate
    from stockpot.gateway.models import Record, Verdict
    from stockpot.gateway.pipeline import Pipeline
    from stockpot.gateway.snapshot import KeyEntry, RouteEntry, TargetEntry, View
    from stockpot.providers import Ask, Dialect, Endpoint


class Reply(NamedTuple):
    """An answer that the gateway gives by itself: a refusal or a failure.

    `error` is the class that goes into the record; `headers` are added to the answer.
    """

    status: int
    code: str
    message: str
    param: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    record: bool = True


class Prompted(NamedTuple):
    """Which prompt a call came from, for its record. `lost` are parameters of the prompt that the
    client's dialect cannot say."""

    name: str
    version: str
    label: str
    lost: tuple[str, ...] = ()


class Refused(Exception):
    """A call that the gateway answers by itself, said from inside a stage."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.reply = reply


class Listener(Protocol):
    """Whoever wants to know how a call ended, before its answer does."""

    def concluded(self, record: Record, *, whole: bool) -> None:
        """The call's last record is being written; `whole` says that its answer was complete."""
        ...

    def stays(self) -> bool:
        """Whether somebody else wants the answer too, so that the call goes on without its client
        and at full speed. If not, nobody joins it from here on."""
        ...


class StreamWay(Protocol):
    """What a stream goes through on its way to the client, where a policy looks at it."""

    def pass_on(self, out: bytes) -> None:
        """More of the stream."""
        ...

    def end(self, rest: bytes) -> None:
        """The stream has ended well; `rest` is the last of it."""
        ...


class Guarding(Protocol):
    """The policy that looks at what a call asks and is answered."""

    digest: bytes
    """Of the policy: answers under another one are others."""

    @property
    def cacheable(self) -> bool:
        """Whether an answer to this call may be given to another one, or another's to it."""
        ...

    def told(self) -> tuple[Verdict, ...]:
        """What it said, for the record."""
        ...

    def holds_back(self, later: Callable[[], None]) -> bool:
        """Whether nothing may leave yet; what follows is then done afterwards."""
        ...

    def gate(self, attempt: Any) -> StreamWay:
        """What a stream of an attempt goes through."""
        ...

    def whole(self, attempt: Any, out: bytes) -> None:
        """Take over an answer that is whole: it is delivered, refused or asked for again."""
        ...


class Call:
    """State of one call; see the module's docstring. `guard` is the policy that holds for it, if
    any; an `internal` call is one that the gateway itself makes, about another."""

    __slots__ = (
        "answered",
        "ask",
        "attempts",
        "candidates",
        "client_lost",
        "dialect",
        "endpoint",
        "exchange",
        "exposures",
        "gates",
        "guard",
        "headers",
        "internal",
        "key",
        "listener",
        "marks",
        "parent_id",
        "pipeline",
        "position",
        "prompt",
        "purses",
        "request",
        "reserved_nano",
        "reserved_tokens",
        "root_id",
        "route",
        "route_reason",
        "start_ns",
        "trace_id",
        "trace_onward",
        "view",
    )

    def __init__(
        self, request: Request, exchange: Exchange, view: View, dialect: Dialect, endpoint: Endpoint
    ) -> None:
        self.request = request
        self.exchange = exchange
        self.view = view
        self.dialect = dialect
        self.endpoint: Endpoint = endpoint
        self.headers = headers = dict(request.headers)
        self.position = self.reserved_tokens = self.reserved_nano = 0
        self.prompt: Prompted | None = None
        self.exposures: tuple[Exposure, ...] = ()
        self.answered = self.client_lost = self.internal = False
        self.key: KeyEntry | None = None
        self.ask: Ask | None = None
        self.route: RouteEntry | None = None
        self.route_reason = ""
        self.candidates: Sequence[TargetEntry] = ()
        self.attempts: Attempts | None = None
        self.pipeline: Pipeline | None = None
        self.listener: Listener | None = None
        self.guard: Guarding | None = None
        self.gates: Sequence[Gate] = ()
        self.purses: Sequence[Purse] = ()
        now = perf_counter_ns()
        self.start_ns = time_ns() - (now - request.received_ns)
        self.marks = [request.received_ns, request.complete_ns]
        there = b"traceparent" in headers
        told = joined(request.headers) if there else (ids.trace_id(), b"", ALONE)
        self.trace_id, self.parent_id, self.trace_onward = told
        if b"baggage" in headers:
            self.headers = labels(headers[b"baggage"]) | headers
        if b"x-stockpot-prompt-used" in headers:
            used = prompt_used(headers[b"x-stockpot-prompt-used"])
            self.prompt = Prompted(*used) if used else None
        if b"x-stockpot-experiment-used" in headers:
            self.exposures = experiments_used(headers[b"x-stockpot-experiment-used"])
        self.root_id = ids.span_id()

    def mark(self) -> None:
        """Note that a stage is done; marks are in the order of `STAGES`."""
        self.marks.append(perf_counter_ns())

    def asks(self, body: bytes) -> None:
        """Ask for something else in the same form: with texts masked, or once more."""
        request = self.request = structs.replace(self.request, body=body)
        path = b"%b?%b" % (request.path, request.query) if request.query else request.path
        self.ask = self.dialect.read(self.endpoint, body, path, self.headers)

    # The server tells these about the client; the running attempt acts on them.

    def client_gone(self) -> None:
        if self.listener is not None and self.listener.stays():
            return
        self.client_lost = True
        if self.attempts is not None:
            self.attempts.client_gone()

    def client_blocked(self) -> None:
        if self.attempts is not None and (self.listener is None or not self.listener.stays()):
            self.attempts.pause()

    def client_writable(self) -> None:
        if self.attempts is not None:
            self.attempts.resume()
