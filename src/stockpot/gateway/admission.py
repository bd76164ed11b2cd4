"""The limiting stage: room in the spool, then rates, then budgets; all of them or none.

Knows limits and leases; knows no HTTP but the headers of a refusal. Nothing here waits for a store,
with one exception that is bounded: a call for which this worker holds nothing of a shared limit,
and which the store has not refused yet, waits for the grant that is under way, at most PATIENCE_S.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stockpot.gateway.call import Call, Reply
from stockpot.gateway.estimate import estimate_nano, estimate_tokens
from stockpot.gateway.pipeline import PAUSE, Verdict
from stockpot.gateway.rates import PATIENCE_S, RateDesk

if TYPE_CHECKING:
    from stockpot.gateway.limits import Gate, Refusal
    from stockpot.gateway.snapshot import KeyEntry
    from stockpot.gateway.spool import Spool

_PATIENCE_NS = int(PATIENCE_S * 1e9)


class Admission:
    """The stage, as a callable. Without a desk for rates (or `slots`, for calls at once) these are
    this worker's own, and nobody waits for them."""

    __slots__ = ("_desk", "_slots", "_spool")

    def __init__(
        self, spool: Spool, desk: RateDesk | None = None, slots: RateDesk | None = None
    ) -> None:
        self._spool = spool
        self._desk = desk
        self._slots = slots

    def __call__(self, call: Call) -> Verdict:
        key = call.key
        assert key is not None
        if self._spool.state == "full" and key.spec.on_ledger_full == "refuse":
            return Reply(
                503,
                "record_store_full",
                "the disk of the gateway is full, so this call could not be recorded; "
                "free space, or: stockpot keys change KEY --on-ledger-full pass",
                record=False,
            )
        if key.limited:
            refusal = _reserve(call, key)
            if refusal is not None:
                if refusal.may_come:
                    self._wait(refusal, call, time.monotonic_ns() + _PATIENCE_NS)
                    return PAUSE
                return _refused(refusal)
        call.mark()
        return None

    def _wait(self, refusal: Refusal, call: Call, until: int) -> None:
        def again() -> None:
            assert call.key is not None
            assert call.pipeline is not None
            refusal = None if call.client_lost else _reserve(call, call.key)
            if refusal is None:
                call.mark()
                call.pipeline.resume(call)
            elif refusal.may_come and time.monotonic_ns() < until:
                self._wait(refusal, call, until)
            else:
                call.pipeline.resume(call, _refused(refusal))

        desk = self._slots if refusal.kind == "concurrency" else self._desk
        assert desk is not None
        desk.wait(again)


def _reserve(call: Call, key: KeyEntry) -> Refusal | None:
    ask, route = call.ask, call.route
    assert ask is not None
    assert route is not None
    tokens = estimate_tokens(ask)
    now = time.monotonic_ns()
    gates = key.gates
    if key.splits:
        gates = key.gates_of(call.headers.get(b"x-stockpot-user"), ask.user, ask.model)
    refusal = _take(gates, now, tokens)
    if refusal is not None:
        return refusal
    if key.purses and not route.free:
        nano = max(estimate_nano(target, ask) for target in route.targets)
        for done, purse in enumerate(key.purses):
            refusal = purse.reserve(nano)
            if refusal is not None:
                for paid in key.purses[:done]:
                    paid.settle(nano, 0)
                for undo in gates:
                    undo.cancel(now, tokens)
                return refusal
        call.purses = key.purses
        call.reserved_nano = nano
    call.gates = gates
    call.reserved_tokens = tokens
    return None


def _take(gates: Sequence[Gate], now: int, tokens: int) -> Refusal | None:
    for done, gate in enumerate(gates):
        refusal = gate.reserve(now, tokens)
        if refusal is not None:
            for undo in gates[:done]:
                undo.cancel(now, tokens)
            return refusal
    return None


_CODES = {
    "requests": "rate_limit_exceeded",
    "tokens": "rate_limit_exceeded",
    "concurrency": "concurrency_limit_exceeded",
    "budget": "budget_exceeded",
}


def _refused(refusal: Refusal) -> Reply:
    kind = refusal.kind.encode()
    headers = [
        (b"x-ratelimit-limit-" + kind, b"%d" % refusal.limit),
        (b"x-ratelimit-remaining-" + kind, b"%d" % refusal.remaining),
    ]
    if refusal.never:
        headers.append((b"x-should-retry", b"false"))
    else:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(refusal.retry_after_s))))
    return Reply(429, _CODES[refusal.kind], refusal.sentence, headers=tuple(headers))
