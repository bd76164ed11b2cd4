"""The handler of the pipeline: trying targets until one answers. Knows outcomes and their classes.

`Attempts` belongs to one call and decides what follows a failure or a long silence. Another try
happens only while no byte has reached the client. A try at a target that this call has not seen and
that is well costs nothing; any other try is taken from the route's allowance, so that an upstream
in trouble does not get a multiple of its traffic.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from stockpot.core import ids
from stockpot.gateway import answers
from stockpot.gateway.attempt import Attempt
from stockpot.gateway.route import candidates
from stockpot.gateway.shadow import Shadowing

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.gateway.account import Accountant
    from stockpot.gateway.attempt import Owner
    from stockpot.gateway.call import Call, Reply
    from stockpot.gateway.http.upstream import UpstreamClient
    from stockpot.gateway.models import Route
    from stockpot.gateway.outcome import Failure
    from stockpot.gateway.snapshot import RouteEntry, TargetEntry

BACKOFF_MOST_S = 10.0
RETURN_S, RETURN_TRIES = 0.1, 7
"""Tries after 0.1, 0.2, 0.4 ... seconds, 6.3 in all: a killed engine is back in one or two."""


class Upstreams:
    """What every attempt of a worker shares; as a callable it is the pipeline's handler."""

    __slots__ = ("accountant", "client", "hands_trace_on", "running")

    def __init__(
        self, client: UpstreamClient, accountant: Accountant, *, hands_trace_on: bool = True
    ) -> None:
        self.client = client
        self.accountant = accountant
        self.hands_trace_on = hands_trace_on
        """Whether upstreams are told the trace (W3C Trace Context)."""
        self.running: set[Owner] = set()

    def __call__(self, call: Call) -> None:
        route = call.route
        assert route is not None
        route.traffic.calls += 1
        attempts = call.attempts = Attempts(call, route, self)
        self.running.add(attempts)
        attempts.begin()
        if route.extras:
            attempts.hedge_later()


class Attempts:
    """The tries of one call: one after the other, or two at once where the route hedges."""

    __slots__ = (
        "_hedging",
        "_target",
        "_timer",
        "_tried",
        "_why",
        "call",
        "current",
        "number",
        "rival",
        "route",
        "shared",
    )  # fmt: skip

    def __init__(self, call: Call, route: RouteEntry, shared: Upstreams) -> None:
        self.call = call
        self.route = route
        self.shared = shared
        self.number = 0
        self.current: Attempt | None = None
        self.rival: Attempt | None = None
        """The second try, while two race."""
        self._target = call.candidates[0]
        self._tried: tuple[TargetEntry, ...] = ()
        self._why = ""
        """Why the next try is made, where it is not for a failure."""
        self._timer: asyncio.TimerHandle | None = None
        self._hedging: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Start the next try."""
        self._timer = None
        self.number += 1
        attempt = self.current = Attempt(self, self._target)
        if self.number > 1:
            retry = "retry" if self._target in self._tried else "fallback"
            attempt.reason, self._why = self._why or retry, ""
        attempt.send()

    def failed(self, attempt: Attempt, failure: Failure) -> None:
        """No byte has reached the client: try again where that may help, else tell the client."""
        attempt.error, attempt.message = failure.error, failure.message
        attempt.status = failure.status
        if failure.error_class not in ("client", "unsent"):
            said = f"{failure.error}: {failure.message}"
            attempt.target.health.failed(said, attempt.start_ns, failure.retry_after_s)
        self._tried += (attempt.target,)
        if self.rival is not None:
            if attempt is self.current:
                self.current = self.rival
            self.rival = None
            self._pass_over(attempt)
            return
        delay = self._next(failure)
        if delay is None:
            self._conclude(attempt, failure)
            return
        self._pass_over(attempt)
        if delay > 0:
            self._timer = asyncio.get_running_loop().call_later(delay, self.begin)
        else:
            self.begin()

    def _pass_over(self, attempt: Attempt) -> None:
        """Record a try that will not be the answer, as a child of the one that will."""
        attempt.span_id = ids.span_id()
        self.shared.accountant.finished(attempt, root=False, done=_nothing)
        attempt.upstream = None

    def _next(self, failure: Failure) -> float | None:
        """Seconds until the next try, or None when there is none; chooses its target."""
        spec: Route = self.route.spec
        most = RETURN_TRIES if self._comes_back(failure) else spec.attempts
        if self.call.client_lost or self.number >= most or not failure.movable:
            return None
        at_once = failure.error_class in ("auth", "unsent")
        if not at_once and failure.error_class not in spec.retry_on:
            return None
        fresh = [target for target in self.call.candidates if target not in self._tried]
        well = next((target for target in fresh if target.health.ready()), None)
        if well is not None:
            self._target = well
            return 0.0
        if not fresh and (at_once or failure.retry_after_s > spec.max_retry_after_s):
            return None
        traffic = self.route.traffic
        if not traffic.retries.take(traffic.calls):
            return None
        if fresh:
            self._target = fresh[0]
            return 0.0
        return self._again(spec, failure)

    def _comes_back(self, failure: Failure) -> bool:
        """Whether the last target is one that is being started, or started again."""
        absent = failure.error_class == "connect" or failure.status == 503
        return absent and self._tried[-1].spec.returns

    def _again(self, spec: Route, failure: Failure) -> float:
        """Every target was tried: go round, after a pause of full jitter (Brooker 2015)."""
        targets = self.call.candidates
        well = [target for target in targets if target.health.ready()] or targets
        self._target = well[len(self._tried) % len(well)]
        if self._comes_back(failure):
            return RETURN_S * 2.0 ** (self.number - 1)
        most: float = min(spec.backoff_ms / 1000 * 2 ** (self.number - 1), BACKOFF_MOST_S)
        return failure.retry_after_s + most * random.random()  # noqa: S311 - jitter

    def _conclude(self, attempt: Attempt, failure: Failure) -> None:
        guard = self.call.guard
        if guard is not None and guard.holds_back(lambda: self._conclude(attempt, failure)):
            return
        status, headers, body = answers.failed(attempt, failure)
        exchange = self.call.exchange
        self.conclude(attempt, lambda: exchange.respond(status, headers, body))

    def conclude(self, attempt: Attempt, done: Callable[[], None]) -> None:
        """Record the last try as the root of the trace; `done` lets the client have the rest."""
        call = self.call
        call.answered = True
        if len(call.marks) == 6:
            call.mark()
        self.shared.running.discard(self)
        self.shared.accountant.finished(attempt, root=True, done=done)
        if self.route.extras:
            self._extras_end(attempt)
        # Nothing calls back from here on. Cut the circles, so that no garbage collector is needed.
        call.attempts = call.guard = self.current = attempt.upstream = attempt.gate = None

    def _extras_end(self, attempt: Attempt) -> None:
        if self._hedging is not None:
            self._hedging.cancel()
            self._hedging = None
        if self.route.shadow is not None and not attempt.error:
            Shadowing.offer(self.call, self.route, self.shared)

    # What a guardrail decides.

    def again(self, attempt: Attempt, why: str) -> None:
        """Ask the same target once more, by what the call asks now; what it said goes nowhere."""
        self._pass_over(attempt)
        self._target, self._why = attempt.target, why
        self.begin()

    def onward(self, attempt: Attempt, route: RouteEntry, why: str) -> bool:
        """Ask a target of another route instead; False when none is connected."""
        call = self.call
        call.candidates = candidates(route, call)
        if not call.candidates:
            return False
        self.route, self._tried = route, ()
        self._pass_over(attempt)
        self._target, self._why = call.candidates[0], why
        self.begin()
        return True

    def refuse(self, reply: Reply) -> None:
        """Stop whatever runs, and answer with a refusal."""
        attempt = self.current
        assert attempt is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.won(attempt)
        attempt.refuse(reply)

    # Two at once.

    def hedge_later(self) -> None:
        """Wait as long as nearly all answers of this target take to begin, then try another."""
        hedge, first, ask = self.route.spec.hedge, self.current, self.call.ask
        if hedge is None or first is None or first.over or len(self.call.candidates) < 2:
            return
        assert ask is not None
        paces = first.target.health.paces
        usual_ms = paces[ask.stream].p95 / 1e6 if paces is not None else 0.0
        wait_ms = max(usual_ms, hedge.min_ms) if usual_ms else hedge.max_ms
        loop = asyncio.get_running_loop()
        self._hedging = loop.call_later(min(wait_ms, hedge.max_ms) / 1000, self._hedge)

    def _hedge(self) -> None:
        self._hedging = None
        first, traffic = self.current, self.route.traffic
        if first is None or first.over or first.begun or self.call.client_lost:
            return
        used = (*self._tried, first.target)
        others = [t for t in self.call.candidates if t not in used and t.health.ready()]
        if not others or not traffic.hedges.take(traffic.calls):
            return
        self.number += 1
        rival = self.rival = Attempt(self, others[0])
        rival.reason = "hedge"
        rival.send()

    def won(self, attempt: Attempt) -> None:
        """The first byte of an answer is here: whoever else runs is stopped."""
        rival = self.rival
        if rival is not None:
            loser = self.current if attempt is rival else rival
            assert loser is not None
            self.current, self.rival = attempt, None
            loser.lose()
            self._pass_over(loser)

    # The client's side.

    def client_gone(self) -> None:
        if self.call.answered:
            return
        attempt = self.current
        assert attempt is not None
        self.won(attempt)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            attempt.lost("cancel")
        elif self.call.key is not None:
            attempt.lost(self.call.key.spec.on_disconnect)

    def pause(self) -> None:
        if self.current is not None and self.current.upstream is not None:
            self.current.upstream.pause()

    def resume(self) -> None:
        if self.current is not None and self.current.upstream is not None:
            self.current.upstream.resume()

    def shut_down(self) -> None:
        """The worker stops and this call did not end in time."""
        if not self.call.answered and self.current is not None:
            self.won(self.current)
            self.current.cut("shutdown", "the gateway was stopped during this call")


def _nothing() -> None:
    return None
