"""One try at one target, which receives the upstream's callbacks and feeds the client.

Knows when an answer is whole, broken or an error; what follows a failure is its owner's to decide
(`attempts`).
"""

from __future__ import annotations

from binascii import hexlify
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Protocol

from stockpot.gateway import answers
from stockpot.gateway.estimate import estimate_nano
from stockpot.gateway.http.upstream_call import CONNECTING
from stockpot.gateway.outcome import (
    Failure,
    amiss,
    from_answer,
    from_transport,
    not_sent,
    too_lossy,
)
from stockpot.gateway.vendor_limits import wait_ahead
from stockpot.providers import UNREADABLE, BadRequest, CannotExpress, not_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.gateway.account import Accountant
    from stockpot.gateway.call import Call, Reply, StreamWay
    from stockpot.gateway.http.calls import FailureKind
    from stockpot.gateway.http.messages import Headers
    from stockpot.gateway.http.upstream import UpstreamCall, UpstreamClient
    from stockpot.gateway.snapshot import TargetEntry
    from stockpot.providers import Answer

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that is not streamed; it is held until it is whole."""

MAX_CAPTURED = 8 * 1024 * 1024
"""Bytes of a streamed answer that are kept as payload."""


class Desk(Protocol):
    """What every attempt of a worker shares."""

    client: UpstreamClient
    accountant: Accountant
    running: set[Owner]
    hands_trace_on: bool


class Owner(Protocol):
    """Whoever started an attempt and decides what follows it."""

    call: Call
    number: int
    rival: Attempt | None
    shared: Any

    def failed(self, attempt: Attempt, failure: Failure) -> None:
        """No byte has reached the client."""
        ...

    def won(self, attempt: Attempt) -> None:
        """The first byte of an answer is here."""
        ...

    def conclude(self, attempt: Attempt, done: Callable[[], None]) -> None:
        """The attempt is over and is the call's last; `done` lets the client have the rest."""
        ...

    def shut_down(self) -> None:
        """The worker stops."""
        ...


class Attempt:
    """One try at one target; the upstream client calls the `on_...` methods."""

    __slots__ = (
        "_body",
        "_captured_bytes",
        "_started",
        "answer",
        "attempts",
        "call",
        "captured",
        "degraded",
        "error",
        "first_ns",
        "gate",
        "headers",
        "last_ns",
        "message",
        "number",
        "outrun",
        "over",
        "reason",
        "received_bytes",
        "sent_ns",
        "span_id",
        "start_ns",
        "status",
        "streaming",
        "target",
        "unbilled",
        "upstream",
    )

    def __init__(self, attempts: Owner, target: TargetEntry) -> None:
        self.attempts = attempts
        self.call = attempts.call
        self.target = target
        self.number = attempts.number
        self.span_id = attempts.call.root_id
        self.status = 0
        self.error = ""
        self.message = ""
        self.headers: Headers = []
        self.answer: Answer | None = None
        self.captured: list[bytes] = []
        self.degraded: tuple[str, ...] = ()
        self.upstream: UpstreamCall | None = None
        self.streaming = False
        self.gate: StreamWay | None = None
        """What a stream goes through where a policy looks at it."""
        self.unbilled = False
        self.outrun = False
        """Whether another try at the same call was faster."""
        self.over = False
        self.reason = self.call.route_reason
        self.received_bytes = 0
        self.first_ns = self.last_ns = 0
        self._body: list[bytes] = []
        self._captured_bytes = 0
        self._started = False
        self.start_ns = time_ns()
        self.sent_ns = perf_counter_ns()

    def send(self) -> None:
        call, target = self.call, self.target
        ask = call.ask
        assert ask is not None
        assert call.route is not None
        try:
            out = target.wire.outgoing(ask, target.spec)
        except (BadRequest, CannotExpress) as bad:
            return self.attempts.failed(self, not_sent(bad))
        except UNREADABLE as bad:
            return self.attempts.failed(self, not_sent(not_json(bad)))
        if out.losses:
            self.degraded = tuple(loss.field for loss in out.losses)
            refused = too_lossy(out.losses, call.route.spec.degrade, target.spec.provider)
            if refused is not None:
                return self.attempts.failed(self, refused)
        if call.prompt is not None:
            self.degraded += call.prompt.lost
        nano = call.reserved_nano or estimate_nano(target, ask)
        shared = self.attempts.shared
        shared.accountant.started(self, nano)
        target.health.in_flight += 1
        if target.health.unwell:
            target.health.departs(self.start_ns)
        trace = b""
        if shared.hands_trace_on:
            ours = hexlify(call.trace_id), hexlify(self.span_id), call.trace_onward
            trace = b"traceparent: 00-%b-%b%b" % ours
        for name, value in out.headers:
            trace += f"{name}: {value}\r\n".encode("latin-1")
        head = target.head(out.path, trace, len(out.body), out.content_type)
        timeouts = call.route.spec.timeouts or target.spec.timeouts
        self.upstream = shared.client.send(target.origin, head, out.body, self, timeouts)
        return None

    def _close(self) -> None:
        self.over = True
        self.target.health.in_flight -= 1

    # What the upstream says.

    def on_connected(self, reused: bool) -> None:
        if len(self.call.marks) == 5:  # an earlier attempt may never have got this far
            self.call.mark()

    def on_head(self, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers
        ask = self.call.ask
        assert ask is not None
        if status < 400:
            self.answer = self.target.wire.answer(ask, self.target.spec)
            self.streaming = ask.stream and self.target.wire.is_stream(headers)
            if self.streaming and self.call.guard is not None:
                self.gate = self.call.guard.gate(self)
            if self.target.watched and (wait := wait_ahead(headers, ask)):
                self.target.health.limited(wait)

    def on_body(self, data: bytes) -> None:
        if self.over:
            return
        self.received_bytes += len(data)
        if self.streaming:
            self._stream(data)
        else:
            if not self._body and self.status < 400 and self.target.health.paces is not None:
                self._first_byte()
            self._body.append(data)
            if self.received_bytes > MAX_ANSWER:
                self.cut("answer_too_large", f"the answer is larger than {MAX_ANSWER} bytes")

    def _stream(self, data: bytes) -> None:
        answer = self.answer
        assert answer is not None
        now = self.last_ns = perf_counter_ns()
        out = answer.feed(data)
        if answer.failure and not self._started:
            return self._failed_at_once(answer.failure)
        if not self.first_ns and answer.started:
            self.first_ns = now
        if self._captured_bytes < MAX_CAPTURED:
            self.captured.append(data)
            self._captured_bytes += len(data)
        if self.gate is not None:
            self.gate.pass_on(out)
        elif answer.ended:
            self._succeed(out)
        elif out and not self.call.client_lost:
            self.write(out)
        return None

    def _failed_at_once(self, message: str) -> None:
        """The stream begins with an error: no byte is out, another target may do better."""
        assert self.upstream is not None
        self.upstream.cancel()
        self._close()
        failure = Failure("upstream_error", "server", 502, message)
        self.attempts.failed(self, failure)

    def write(self, out: bytes) -> None:
        """More of a stream, for the client."""
        if self._started:
            self.call.exchange.write(out)
        else:
            self._started = True
            if self.target.health.paces is not None:
                self._first_byte()
            headers = answers.headers_of(self, perf_counter_ns())
            self.call.exchange.start(self.status, headers, out)

    def _first_byte(self) -> None:
        """An answer begins: note how long it took, and stop whoever races with it."""
        paces, now = self.target.health.paces, perf_counter_ns()
        assert paces is not None
        paces[self.streaming].seen(now - self.sent_ns, now)
        self.attempts.won(self)

    def on_end(self) -> None:
        if self.over:
            return
        if self.status >= 400:
            body = b"".join(self._body)
            self.captured = [body]
            self._close()
            self.attempts.failed(self, from_answer(self, body))
        elif self.streaming:
            self._stream_ended()
        else:
            self._complete(b"".join(self._body))

    def _complete(self, body: bytes) -> None:
        answer, ask = self.answer, self.call.ask
        assert answer is not None
        assert ask is not None
        self._close()
        self.captured = [body]
        try:
            out = answer.complete(body)
            looked_at = not answer.ended or b'"error"' in body or ask.stream
            if looked_at and (why := amiss(self, body)):
                raise ValueError(why)
        except ValueError as bad:
            failure = Failure("bad_answer", "server", 502, f"the upstream's answer: {bad}")
            return self.attempts.failed(self, failure)
        self.target.health.succeeded(self.start_ns)
        if self.call.guard is not None:
            return self.call.guard.whole(self, out)
        return self.deliver(out)

    def deliver(self, out: bytes) -> None:
        """The answer, or the last of a stream, is the client's."""
        if self.streaming:
            return self._finish_stream(out)
        status, exchange = self.status, self.call.exchange
        headers = answers.headers_of(self, perf_counter_ns())
        return self.attempts.conclude(self, lambda: exchange.respond(status, headers, out))

    def _stream_ended(self) -> None:
        """The upstream closed its stream properly, but without the dialect's end mark."""
        answer = self.answer
        assert answer is not None
        rest = answer.end()
        if answer.ended or answer.finish_reason or answer.failure:
            if self.gate is not None:
                self.gate.end(rest)
            else:
                self._succeed(rest)
        elif not self._started:
            self._close()
            self.attempts.failed(
                self, Failure("stream", "stream", 502, "the upstream ended an empty stream")
            )
        else:
            self._break("stream_truncated", "the upstream ended the stream before the answer did")

    def _succeed(self, last: bytes) -> None:
        self.ended_well()
        self._finish_stream(last)

    def ended_well(self) -> None:
        """A stream has come to its end, be it that of an error."""
        answer = self.answer
        assert answer is not None
        self._close()
        if answer.failure:
            self.error, self.message = "stream", answer.failure
            self.target.health.failed(f"stream: {answer.failure}", self.start_ns)
        else:
            self.target.health.succeeded(self.start_ns)

    def _finish_stream(self, last: bytes, torn: bool = False) -> None:
        exchange = self.call.exchange
        if self.call.client_lost:
            self.attempts.conclude(self, _nothing)
        elif torn:
            self.attempts.conclude(self, exchange.abort)
        elif self._started:
            self.attempts.conclude(self, lambda: exchange.finish(last))
        else:
            headers = answers.headers_of(self, perf_counter_ns())
            status = self.status
            self._started = True
            if self.attempts.rival is not None:
                self.attempts.won(self)

            def all_at_once() -> None:
                exchange.start(status, headers, last)
                exchange.finish()

            self.attempts.conclude(self, all_at_once)

    def on_failure(self, kind: FailureKind, message: str) -> None:
        if self.over:
            return
        if self._started:
            self._break(f"stream_{kind}", f"the upstream failed in mid-stream: {message}")
            return
        self._close()
        self.attempts.failed(self, from_transport(kind, message, self.target.spec.provider))

    def _break(self, error: str, message: str) -> None:
        """Bytes are out: end the stream with a well-formed error event, never like a good one."""
        answer = self.answer
        assert answer is not None
        self._close()
        self.error, self.message = error, message
        self.target.health.failed(f"{error}: {message}", self.start_ns)
        last = answer.broken(message, error)
        self._finish_stream(last, torn=not last)

    # What the gateway or the client decides.

    def cut(self, error: str, message: str) -> None:
        """Give up this try for a reason of the gateway's own."""
        if self.over:
            return
        if self.upstream is not None:
            self.upstream.cancel()
        if self._started:
            self._break(error, message)
            return
        self._close()
        self.attempts.failed(self, Failure(error, error, 502, message, movable=False))

    def cancel(self) -> None:
        """Want no more of an answer that nothing is wrong with."""
        if self.over:
            return
        if self.upstream is not None:
            self.upstream.cancel()
        self._close()
        self.target.health.succeeded(self.start_ns)

    def refuse(self, reply: Reply) -> None:
        """Answer with a refusal of the gateway's own: what the model said may not leave."""
        self.cancel()
        self.error, self.message = reply.code, reply.message
        if self._started:
            assert self.answer is not None
            last = self.answer.broken(reply.message, reply.code)
            self._finish_stream(last, torn=not last)
            return
        self.status = reply.status
        exchange, call = self.call.exchange, self.call
        done = _nothing
        if not call.client_lost:
            told = answers.refusal(call, reply)
            done = lambda: exchange.respond(*told)  # noqa: E731
        self.attempts.conclude(self, done)

    @property
    def begun(self) -> bool:
        """Whether the first byte of an answer is here."""
        return self._started or bool(self._body)

    def lose(self) -> None:
        """Another try at the same call was faster. How long this one took at least is known."""
        assert self.upstream is not None
        self.outrun, self.error = True, "hedge_lost"
        self.message = "another target's answer began first"
        self.unbilled = self.upstream.phase == CONNECTING
        self.upstream.cancel()
        self._close()
        paces, now, ask = self.target.health.paces, perf_counter_ns(), self.call.ask
        if paces is not None and ask is not None and not self.begun:
            paces[ask.stream].seen(now - self.sent_ns, now)

    def lost(self, policy: str) -> None:
        """The client left. `drain` reads on for the bill, the others stop the upstream."""
        if policy == "drain" and not self.over:
            self.resume_reading()
            return None
        self.span_id = self.call.root_id
        if self.upstream is not None and not self.over:
            self.upstream.cancel()
        if self.answer is not None and self.answer.failure and not self.over:
            self.ended_well()  # it left because of the error that the stream told
            return self.attempts.conclude(self, _nothing)
        self.unbilled = policy == "cancel"
        self.error = "client_disconnect"
        self.message = f"the client closed the connection; policy {policy!r}"
        if not self.over:
            self._close()
        self.status = 499
        return self.attempts.conclude(self, _nothing)

    def resume_reading(self) -> None:
        if self.upstream is not None:
            self.upstream.resume()


def _nothing() -> None:
    return None
