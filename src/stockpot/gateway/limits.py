"""Admitting calls by requests per minute, tokens per minute and calls at once, in this process.

Knows the generic cell rate algorithm and integer nanoseconds of a monotonic clock; knows no key, no
HTTP, no clock of its own except where a changed limit has to be carried over.

The algorithm is the virtual-scheduling form of GCRA (ITU-T I.371, Annex A; Brandur Leach's "Rate
Limiting, Cells, and GCRA" explains it for APIs): each limit keeps one number, the theoretical
arrival time `tat`, by which everything admitted so far will have drained at the permitted rate.
A call that costs `c` nanoseconds of rate is admitted when `max(tat, now) + c` is at most one minute
ahead of now. So a limit of N per minute admits a burst of N after a quiet minute and N a minute
from then on: never more than N at once and never more than N + N * t / 60 s in any t seconds.

Tokens are reserved before a call by estimate and settled after it by what was used: the difference
moves `tat` back or ahead, so that an estimate that was too low delays those who come later.
"""

from __future__ import annotations

import math
import time
from typing import Literal, NamedTuple

from stockpot.gateway.models import Limits

_MINUTE = 60_000_000_000
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

    @property
    def never(self) -> bool:
        """True when this call exceeds the whole limit, so that no wait lets it in."""
        return math.isinf(self.retry_after_s)

    @property
    def sentence(self) -> str:
        """Who refused, at which limit, and what to do next."""
        after = f"try again in {max(self.retry_after_s, 0.001):.3g} s"
        if self.kind == "budget":
            what = f"{self.scope} of ${self.limit / 1e9:.9g} has too little left for this call"
            return f"{what}; {'raise the budget' if self.never else after}"
        what = f"{self.scope or 'this scope'} allows {self.limit} {_KINDS[self.kind]}"
        if self.never:
            return f"{what} and this call alone needs more; send less text or lower max_tokens"
        return f"{what}, {self.remaining} left; {after}"


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


class _Rate:
    """One GCRA limit: nanoseconds that one unit takes, how far ahead `tat` may be, and `tat`.

    The nanoseconds are rounded up, so a rate is never exceeded; a burst is exact, because the
    window is measured in the same units.
    """

    __slots__ = ("limit", "per", "tat", "window")

    def __init__(self, limit: int, share: float) -> None:
        self.limit = limit
        own = limit * share
        self.per = math.ceil(_MINUTE / own)
        # A share below one call a minute must still let one call through, only less often.
        self.window = max(1, int(own + 1e-9)) * self.per
        self.tat = 0

    def owe(self, now: int, amount: int) -> None:
        """Take whatever is free or not."""
        tat = self.tat
        self.tat = (tat if tat > now else now) + amount * self.per

    def left(self, now: int) -> int:
        ahead = self.tat - now
        free = self.window - ahead if ahead > 0 else self.window
        return free // self.per if free > 0 else 0

    def left_of_all(self, now: int, share: float) -> int:
        return min(self.limit, int(self.left(now) / share))


class Gate:
    """The three limits of one scope (a key or a project)."""

    __slots__ = (
        "_limits",
        "_out",
        "_requests",
        "_share",
        "_tokens",
        "concurrency",
        "in_flight",
        "scope",
    )

    def __init__(self, limits: Limits, share: float, *, scope: str = "") -> None:
        self.scope = scope
        self.in_flight = 0
        self._out = 0
        self._limits = limits
        self._share = share
        self._requests = _Rate(limits.rpm, share) if limits.rpm else None
        self._tokens = _Rate(limits.tpm, share) if limits.tpm else None
        self.concurrency = _slots(limits.concurrency, share)

    def update(self, limits: Limits, share: float, now_ns: int | None = None) -> None:
        """Apply changed limits. What was used stays used, in the new limit's measure."""
        if limits == self._limits and share == self._share:
            return
        now = time.monotonic_ns() if now_ns is None else now_ns
        self._requests = _carried(self._requests, limits.rpm, share, now, self.in_flight)
        self._tokens = _carried(self._tokens, limits.tpm, share, now, self._out)
        self.concurrency = _slots(limits.concurrency, share)
        self._limits, self._share = limits, share

    def reserve(self, now_ns: int, tokens: int) -> Refusal | None:
        """Admit one call of about `tokens` tokens, or say why not. Takes all three or nothing."""
        if self.concurrency and self.in_flight >= self.concurrency:
            return Refusal(self.scope, "concurrency", self._limits.concurrency, 0, 1.0)
        requests, used = self._requests, self._tokens
        request_tat = token_tat = 0
        if requests is not None:
            request_tat = requests.tat
            request_tat = (request_tat if request_tat > now_ns else now_ns) + requests.per
            wait = request_tat - now_ns - requests.window
            if wait > 0:
                return self._refusal("requests", requests, now_ns, wait / 1e9)
        if used is not None:
            token_tat = used.tat
            token_tat = (token_tat if token_tat > now_ns else now_ns) + tokens * used.per
            wait = token_tat - now_ns - used.window
            if wait > 0:
                never = tokens * used.per > used.window
                return self._refusal("tokens", used, now_ns, math.inf if never else wait / 1e9)
            used.tat = token_tat
        if requests is not None:
            requests.tat = request_tat
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
            used.tat -= (reserved - actual) * used.per

    def cancel(self, now_ns: int, tokens: int) -> None:
        """Undo a reserve, because a later gate refused the same call."""
        self.settle(now_ns, tokens, 0)
        if self._requests is not None:
            self._requests.tat -= self._requests.per

    def figures(self, now_ns: int) -> Figures:
        """Limit, remaining and reset for the response headers."""
        requests, tokens, share = self._requests, self._tokens, self._share
        limits = self._limits
        left = tokens_left = 0
        reset = tokens_reset = 0.0
        if requests is not None:
            left = requests.left_of_all(now_ns, share)
            reset = max(0, requests.tat - now_ns) / 1e9
        if tokens is not None:
            tokens_left = tokens.left_of_all(now_ns, share)
            tokens_reset = max(0, tokens.tat - now_ns) / 1e9
        return Figures(limits.rpm, left, reset, limits.tpm, tokens_left, tokens_reset)

    def _refusal(
        self, kind: Literal["requests", "tokens"], rate: _Rate, now: int, after: float
    ) -> Refusal:
        return Refusal(self.scope, kind, rate.limit, rate.left_of_all(now, self._share), after)


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


def _carried(old: _Rate | None, limit: int, share: float, now: int, out: int) -> _Rate | None:
    """The new rate owing what the old one owed; out of nothing, what is in flight is owed."""
    if not limit:
        return None
    new = _Rate(limit, share)
    if old is None:
        new.owe(now, out)
    elif old.tat > now:
        new.tat = now + (old.tat - now) * new.per // old.per
    return new
