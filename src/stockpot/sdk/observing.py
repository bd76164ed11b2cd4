"""`observe`: the decorator, the context manager, and what belongs to the span that runs now.

Knows spans and the sender. The current span is a context variable, so tasks of asyncio inherit it;
a thread of one's own gets it by `observe.propagate`.
"""

from __future__ import annotations

import contextvars
import functools
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, ParamSpec, TypedDict, TypeVar, overload

import msgspec

from stockpot.sdk.encode import TAIL, encoded, resource, span_json
from stockpot.sdk.options import Options, from_environment
from stockpot.sdk.sender import Bounds, Line, Sender
from stockpot.sdk.span import UNSAID, Kind, Place, Span, place_of
from stockpot.sdk.watched import Facts, Watch, observed

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger("stockpot.sdk")
_current: contextvars.ContextVar[Span | None] = contextvars.ContextVar("stockpot", default=None)
_BATCH, _FEEDBACK_BATCH = 500, 50


class Counts(TypedDict):
    """What became of spans and feedback so far."""

    waiting: int
    sent: int
    dropped: int
    refused: int


class Observation:
    """What `observe(...)` gives: a decorator, and a context manager, also of `async with`."""

    __slots__ = ("_facts", "_observer", "_open")

    def __init__(self, observer: Observer, facts: Facts) -> None:
        self._observer = observer
        self._facts = facts
        self._open: list[tuple[Span, contextvars.Token[Span | None]]] = []

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Observe each call of a function, a coroutine function or a generator function."""
        return observed(function, self._observer, self._facts)

    def __enter__(self) -> Span:
        span = self._observer.begin(self._facts)
        self._open.append((span, _current.set(span)))
        return span

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        span, token = self._open.pop(self._place())
        try:
            _current.reset(token)
        except ValueError:  # left in another context than it was entered in
            _current.set(None)
        if error is not None and not isinstance(error, GeneratorExit):
            span.fail(error)
        span.end()

    def _place(self) -> int:
        """Of the entry that is left: tasks that run at once may enter the same observation."""
        span = _current.get()
        return next((at for at, entry in enumerate(self._open) if entry[0] is span), -1)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)


class Observer:
    """The face of the SDK's observing half; `stockpot.observe` is the one of this process."""

    def __init__(self, options: Options | None = None) -> None:
        self._given = options
        self._options: Options | None = None
        self._sender: Sender | None = None
        self._told: set[str] = set()

    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def __call__(
        self,
        name: str = "",
        /,
        *,
        kind: Kind = "span",
        session: str = "",
        user: str = "",
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        input: Any = UNSAID,
        capture: bool | None = None,
        parent: Mapping[str, str] | Span | None = None,
    ) -> Observation: ...

    def __call__(self, target: Any = "", /, **facts: Any) -> Any:
        """`@observe`, `@observe("name", kind="tool")`, or `with observe("name") as span:`.

        `capture=False` keeps neither input nor output; `parent` takes the headers of the request
        that is being served, or a span.
        """
        if callable(target):
            return observed(target, self, Facts())
        return Observation(self, Facts(name=target, **facts))

    # --- the span that runs now ---------------------------------------------------------------

    def current(self) -> Span:
        """The span that runs now; outside of any, one that nobody keeps."""
        span = _current.get()
        return span if span is not None else Span(self, "", "span", None, recorded=False)

    def headers(self) -> dict[str, str]:
        """Headers for a call of the gateway, or of another service: it joins this trace."""
        span = _current.get()
        return {} if span is None else span.headers()

    def trace_id(self) -> str:
        """Of the trace that runs now, '' outside of any: what feedback refers to."""
        span = _current.get()
        return "" if span is None else span.trace_id

    def score(self, name: str = "rating", value: float | bool | None = None, **more: Any) -> None:
        """A score of the span that runs now; see `Span.score`."""
        span = _current.get()
        if span is not None:
            span.score(name, value, **more)

    def propagate(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, bound to the span that runs now: for threads and executors."""
        context = contextvars.copy_context()

        @functools.wraps(function)
        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            return context.copy().run(function, *args, **kwargs)

        return bound

    @contextmanager
    def below(self, headers: Mapping[str, str]) -> Iterator[None]:
        """Spans that begin within hang below the span that these headers name: for work that
        another process gave out, and that is no span of its own here."""
        place = place_of(headers)
        span = Span(self, "remote", "span", place, recorded=False)
        span.span_id = place.parent_id if place else span.span_id
        with self.within(span) if place else nullcontext():
            yield

    # --- setting up -----------------------------------------------------------------------------

    @property
    def options(self) -> Options:
        """What is in force."""
        if self._options is None:
            self._options = self._given or from_environment()
        return self._options

    def configure(self, **changes: Any) -> None:
        """Change options (see `Options`); best before the first span. What waits is still sent
        where it was meant to go."""
        self._options = msgspec.structs.replace(self.options, **changes)
        self._sender = None

    def counts(self) -> Counts:
        """How many spans and pieces of feedback wait, were sent, dropped, refused."""
        sender = self._sender
        if sender is None:
            return Counts(waiting=0, sent=0, dropped=0, refused=0)
        return Counts(waiting=sender.waiting, sent=sender.sent, dropped=sender.dropped,
                      refused=sender.refused)  # fmt: skip

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Send now what waits, for a process that is about to be frozen; whether all is sent."""
        return self._sender is None or self._sender.flush(timeout_s)

    # --- what decorators and spans ask of it ------------------------------------------------------

    @property
    def recording(self) -> bool:
        """Whether spans are sent at all."""
        options = self.options
        return options.enabled and bool(options.key)

    def begin(self, facts: Facts, name: str = "") -> Span:
        """A span that begins now, below the current one or where it was said. Never raises."""
        try:
            place = facts.parent
            at: Span | Place | None = place if isinstance(place, Span) else None
            if at is None:
                at = (place_of(place) if isinstance(place, Mapping) else None) or _current.get()
            span = Span(self, facts.name or name or "span", facts.kind, at, self.recording)
            return span.set(session=facts.session, user=facts.user, tags=facts.tags,
                            metadata=facts.metadata, input=facts.input)  # fmt: skip
        except Exception as wrong:
            self.wrong(wrong)
            return Span(self, "span", "span", None, recorded=False)

    def watch(self, facts: Facts, name: str) -> Watch:
        """A span for one call of a function; see `Watch`."""
        return Watch(self, self.begin(facts, name))

    @contextmanager
    def within(self, span: Span) -> Iterator[None]:
        """While code of an observed generator runs, its span is the current one."""
        token = _current.set(span)
        try:
            yield
        finally:
            try:
                _current.reset(token)
            except ValueError:
                _current.set(None)

    def ended(self, span: Span, end_ns: int) -> None:
        try:
            self._out().put("spans", span_json(span, end_ns))
        except Exception as wrong:
            self.wrong(wrong)

    def scored(self, span: Span, score: Mapping[str, Any]) -> None:
        about = {"id": uuid.uuid4().hex, "trace_id": span.trace_id, "span_id": span.span_id}
        if span.recorded:
            self.give({**about, **score})

    def give(self, item: Mapping[str, Any]) -> None:
        """Put one piece of feedback on its way."""
        try:
            if self.recording:
                self._out().put("feedback", encoded(item))
        except Exception as wrong:
            self.wrong(wrong)

    def wrong(self, error: BaseException) -> None:
        """Something of the SDK's own failed: told once a kind, never raised."""
        kind = f"{type(error).__name__}: {error}"
        if kind not in self._told and len(self._told) < 100:
            self._told.add(kind)
            _log.warning("observing failed, the application goes on", exc_info=error)

    def _out(self) -> Sender:
        sender = self._sender
        if sender is None:
            sender = self._sender = _sender(self.options)
        return sender


def _sender(options: Options) -> Sender:
    about = {
        "service.name": options.service,
        "service.version": options.release,
        "deployment.environment.name": options.environment,
        "telemetry.sdk.name": "stockpot",
        "telemetry.sdk.language": "python",
    }
    url = options.url.rstrip("/")
    spans = (options.traces_url or url).rstrip("/") + "/v1/traces"
    head = resource({name: value for name, value in about.items() if value})
    lines = {
        "spans": Line(spans, head, TAIL, _BATCH, compressed=True),
        "feedback": Line(
            url + "/api/v1/feedback", b'{"items":[', b"]}", _FEEDBACK_BATCH, compressed=False
        ),
    }
    bounds = Bounds(options.buffer_items, options.buffer_bytes, options.send_every_s,
                    options.exit_s, options.timeout_s)  # fmt: skip
    return Sender(options.key, lines, bounds)
