"""Admitting calls by requests per minute, tokens per minute and calls at once, in this process.

Knows what a call costs of each limit; knows no key, no HTTP, no clock of its own except where a
changed limit has to be carried over. `rates` says how much a rate admits, alone and shared.

Tokens are reserved before a call by estimate and settled after it by what was used: the difference
moves `tat` back or ahead, so that an estimate that was too low delays those who come later.
"""

from __future__ import annotations

import math
import time
from typing import Literal, NamedTuple

from stockpot.gateway.models import Limits
from stockpot.gateway.rates import Leased, Meter, Rate, RateDesk
from stockpot.gateway.slots import Slots

_KINDS = {
    "requests": "requests per minute",
    "tokens": "tokens per minute",
    "concurrency": "calls at once",
}


class Refusal(NamedTuple):
    """Why a call was not admitted. `retry_after_s` is infinite when waiting cannot help."""

    scope: str
    kind: Literal["requests", "tokens", "concurrency", "budget"]
    limit: int
    remaining: int
    retry_after_s: float
    may_come: bool = False
    """Whether more of a shared limit has been asked for, so that a moment's wait may help."""

    @property
    def never(self) -> bool:
        """True when this call exceeds the whole limit, so that no wait lets it in."""
        return math.isinf(self.retry_after_s)

    @property
    def sentence(self) -> str:
        """Who refused, at which limit, and what to do next."""
        after = f"try again in {_span(self.retry_after_s)}"
        if self.kind == "budget":
            what = f"{self.scope}, ${self.limit / 1e9:.9g}, has too little left for this call"
            return f"{what}; {'raise the budget' if self.never else after}"
        what = f"{self.scope or 'this scope'} allows {self.limit} {_KINDS[self.kind]}"
        if self.never:
            return f"{what} and this call alone needs more; send less text or lower max_tokens"
        return f"{what}, {self.remaining} left; {after}"


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if size * 2 <= seconds < math.inf:
            return f"{math.ceil(seconds / size)} {unit}"
    return f"{max(seconds, 0.001):.3g} s"


class Figures(NamedTuple):
    """What the x-ratelimit-* headers say; a limit of 0 is unlimited and gets no header.

    Limits are those of the whole scope; what remains is seen by this worker and scaled by its
    share, exact with one worker. `reset_*` is the time until the limit is whole again.
    """

    limit_requests: int
    remaining_requests: int
    reset_requests_s: float
    limit_tokens: int
    remaining_tokens: int
    reset_tokens_s: float


class Gate:
    """The three limits of one scope (a key, a project, an end user, a model of a key).

    `share` is this worker's part of each limit. With a `desk` the rates of several workers are
    leased, with a `slots` desk their calls at once; without, each keeps to its part.
    """

    __slots__ = (
        "_desk",
        "_ident",
        "_limits",
        "_out",
        "_requests",
        "_share",
        "_slots",
        "_slots_desk",
        "_tokens",
        "concurrency",
        "in_flight",
        "scope",
    )

    def __init__(
        self,
        limits: Limits,
        share: float,
        *,
        scope: str = "",
        ident: str = "",
        desk: RateDesk | None = None,
        slots: RateDesk | None = None,
    ) -> None:
        self.scope = scope
        self.in_flight = 0
        self._out = 0
        self._limits = limits
        self._share = share
        self._ident = ident
        self._desk = desk
        self._slots_desk = slots
        self._slots: Slots | None = None
        self._requests = self._meter(None, "rpm", limits.rpm, share, 0, 0)
        self._tokens = self._meter(None, "tpm", limits.tpm, share, 0, 0)
        self._at_once(limits.concurrency, share)

    @property
    def idle(self) -> bool:
        """Whether forgetting it loses nothing: no call in flight, every limit whole."""
        now = time.monotonic_ns()
        meters = (self._requests, self._tokens)
        return not self.in_flight and not any(m and m.busy_ns(now) for m in meters)

    def update(self, limits: Limits, share: float, now_ns: int | None = None) -> None:
        """Apply changed limits. What was used stays used, in the new limit's measure."""
        if limits == self._limits and share == self._share:
            return
        now = time.monotonic_ns() if now_ns is None else now_ns
        requests, tokens = self._requests, self._tokens
        self._requests = self._meter(requests, "rpm", limits.rpm, share, now, self.in_flight)
        self._tokens = self._meter(tokens, "tpm", limits.tpm, share, now, self._out)
        self._at_once(limits.concurrency, share)
        self._limits, self._share = limits, share

    def close(self) -> None:
        """The scope is no more: nothing is asked for it again."""
        for meter in (self._requests, self._tokens):
            if self._desk is not None and isinstance(meter, Leased):
                self._desk.forget(meter)
        if self._slots_desk is not None and self._slots is not None:
            self._slots_desk.forget(self._slots)

    def _at_once(self, limit: int, share: float) -> None:
        """The limit of calls at once: this worker's part, or slots that are leased."""
        desk, old = self._slots_desk, self._slots
        if desk is not None and old is not None:
            desk.forget(old)
        self._slots, self.concurrency = None, _slots(limit, share)
        if desk is not None and limit and share < 1:
            self._slots = Slots(f"{self._ident}:slots", limit, round(1 / share), desk, self)
            self.concurrency = 0

    def _meter(
        self, old: Meter | None, kind: str, limit: int, share: float, now: int, out: int
    ) -> Meter | None:
        """The rate of a limit; out of nothing, what is in flight is owed."""
        if self._desk is not None and isinstance(old, Leased):
            self._desk.forget(old)
        if not limit:
            return None
        if self._desk is not None and share < 1:
            scope = f"{self._ident}:{kind}"
            return Leased(
                scope, limit, round(1 / share), self._desk
            )  # what was used the store knows
        if isinstance(old, Rate):
            return old.resized(limit, share, now)
        new = Rate(limit, share)
        if out:
            new.owe(now, out)
        return new

    def reserve(self, now_ns: int, tokens: int) -> Refusal | None:
        """Admit one call of about `tokens` tokens, or say why not. Takes all three or nothing."""
        if self.concurrency and self.in_flight >= self.concurrency:
            return Refusal(self.scope, "concurrency", self._limits.concurrency, 0, 1.0)
        slots = self._slots
        if slots is not None and not slots.take(now_ns):
            coming = slots.may_come(now_ns)
            return Refusal(self.scope, "concurrency", self._limits.concurrency, 0, 1.0, coming)
        requests, used = self._requests, self._tokens
        if requests is not None:
            wait = requests.take(now_ns, 1)
            if wait:
                return self._refusal("requests", requests, now_ns, wait, 1)
        if used is not None:
            wait = used.take(now_ns, tokens)
            if wait:
                if requests is not None:
                    requests.undo(now_ns, 1)
                return self._refusal("tokens", used, now_ns, wait, tokens)
        self.in_flight += 1
        self._out += tokens
        return None

    def settle(self, now_ns: int, reserved: int, actual: int) -> None:
        """A call ended: give back or take the difference, and free its slot."""
        self.in_flight -= 1
        self._out -= reserved
        used = self._tokens
        if used is None:
            return
        if actual > reserved:
            used.owe(now_ns, actual - reserved)
        else:
            used.undo(now_ns, reserved - actual)

    def cancel(self, now_ns: int, tokens: int) -> None:
        """Undo a reserve, because a later gate refused the same call."""
        self.settle(now_ns, tokens, 0)
        if self._requests is not None:
            self._requests.undo(now_ns, 1)

    def figures(self, now_ns: int) -> Figures:
        """Limit, remaining and reset for the response headers."""
        requests, tokens = self._requests, self._tokens
        limits = self._limits
        left = tokens_left = 0
        reset = tokens_reset = 0.0
        if requests is not None:
            left = requests.left(now_ns)
            reset = requests.busy_ns(now_ns) / 1e9
        if tokens is not None:
            tokens_left = tokens.left(now_ns)
            tokens_reset = tokens.busy_ns(now_ns) / 1e9
        return Figures(limits.rpm, left, reset, limits.tpm, tokens_left, tokens_reset)

    def _refusal(
        self, kind: Literal["requests", "tokens"], rate: Meter, now: int, wait: int, amount: int
    ) -> Refusal:
        after = wait / 1e9 if rate.fits(amount) else math.inf
        may_come = isinstance(rate, Leased) and rate.may_come(now)
        return Refusal(self.scope, kind, rate.limit, rate.left(now), after, may_come)


def reset_text(seconds: float) -> str:
    """A duration as the OpenAI dialect writes it in x-ratelimit-reset-*: `6m0s`, `1s`, `12ms`."""
    ms = math.ceil(seconds * 1000)
    if ms < 1000:
        return f"{ms}ms"
    minutes, ms = divmod(ms, 60_000)
    rest = f"{ms / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _slots(concurrency: int, share: float) -> int:
    # Rounded down, so that all workers together stay under the limit; 1e-9 forgives 49 * (1 / 49).
    return max(1, int(concurrency * share + 1e-9)) if concurrency else 0
