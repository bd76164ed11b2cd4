"""Deciding which targets serve a call, and in which order. Knows routes and health, no HTTP.

Rules come first, then stickiness, then the route's strategy inside each tier; lower tiers come
before higher ones, and whoever rests comes last, after every other one: better a late try than no
try. Each order holds every target once.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from time import perf_counter_ns
from typing import TYPE_CHECKING, Protocol

from stockpot.gateway.estimate import estimate_nano
from stockpot.gateway.rules import Facts
from stockpot.gateway.snapshot import RouteEntry, TargetEntry, Tier

if TYPE_CHECKING:
    from stockpot.gateway.models import Strategy
    from stockpot.gateway.snapshot import KeyEntry
    from stockpot.providers import Ask

_random = random.random
_2_64 = 2.0**64


class Asker(Protocol):
    """What of a call matters for its way; `route_reason` is filled in here."""

    ask: Ask | None
    headers: dict[bytes, bytes]
    key: KeyEntry | None
    route_reason: str


def candidates(route: RouteEntry, call: Asker) -> Sequence[TargetEntry]:
    """Targets in the order of trying."""
    fixed = route.fixed
    if fixed is not None:
        for target in fixed:
            if target.health.unwell:
                return _the_well_first(list(fixed), call)
        return fixed
    tiers = route.tiers
    if route.rules:
        tiers = _by_rule(route, call)
    if not call.route_reason:
        call.route_reason = route.spec.strategy
    order: list[TargetEntry] = []
    token = who(route, call) if route.spec.sticky != "never" else b""
    arrange = _STRATEGIES[route.spec.strategy]
    for tier in tiers:
        if len(tier) == 1:
            order.append(tier[0][0])
        elif token:
            order += rendezvous(tier, token)
        else:
            order += arrange(tier, call)
    if token and tiers and len(tiers[0]) > 1 and call.route_reason == route.spec.strategy:
        call.route_reason = "sticky"
    for target in order:
        if target.health.unwell:
            return _the_well_first(order, call)
    return order


def _the_well_first(order: list[TargetEntry], call: Asker) -> list[TargetEntry]:
    well = [target for target in order if target.health.ready()]
    if len(well) == len(order) or not well:
        return order
    if well[0] is not order[0]:
        call.route_reason = "breaker"
    return well + [target for target in order if target not in well]


def _by_rule(route: RouteEntry, call: Asker) -> tuple[Tier, ...]:
    """The tiers of the first rule that holds, else the route's."""
    assert call.ask is not None
    project = call.key.spec.project if call.key is not None else ""
    facts = Facts(call.headers, call.ask.body, project)
    for rule, tiers in route.rules:
        if facts.meet(rule):
            call.route_reason = f"rule:{rule.name}"
            return tiers
    return route.tiers


# --- stickiness -----------------------------------------------------------------------------------


def who(route: RouteEntry, call: Asker) -> bytes:
    """Whose calls stay together: the session's, else the user's; b"" when nobody is named."""
    assert call.ask is not None
    headers: Mapping[bytes, bytes] = call.headers
    if route.spec.sticky == "session" and (session := headers.get(b"x-stockpot-session")):
        return b"s" + session
    user = headers.get(b"x-stockpot-user") or call.ask.user.encode()
    return b"u" + user if user else b""


def rendezvous(tier: Tier, token: bytes) -> list[TargetEntry]:
    """Highest random weight (Thaler and Ravishankar 1998): each target draws a number that only the
    token and its own id decide, so one that comes or goes moves nobody but its own."""
    return _highest(tier, [_drawn(target.id, token) for target, _ in tier])


def _drawn(ident: str, token: bytes) -> float:
    digest = blake2b(b"%b\0%b" % (token, ident.encode()), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / _2_64


# --- strategies -----------------------------------------------------------------------------------


def _weighted(tier: Tier, call: Asker) -> list[TargetEntry]:
    """A weighted order without replacement (Efraimidis and Spirakis 2006: sort by u^(1/w))."""
    return _highest(tier, [_random() for _ in tier])


def _highest(tier: Tier, drawn: list[float]) -> list[TargetEntry]:
    keyed = [(u ** (1.0 / weight), t) for u, (t, weight) in zip(drawn, tier, strict=True)]
    keyed.sort(key=lambda pair: pair[0], reverse=True)
    return [target for _, target in keyed]


def _priority(tier: Tier, call: Asker) -> list[TargetEntry]:
    """As listed."""
    return [target for target, _ in tier]


def _least_latency(tier: Tier, call: Asker) -> list[TargetEntry]:
    """Power of two choices (Mitzenmacher 2001): of two that are drawn by weight, the one with the
    lesser load; the other is one of the next two. To take the least of all would send every call
    to whoever was measured last."""
    assert call.ask is not None
    order = _weighted(tier, call)
    now, kind = perf_counter_ns(), 1 if call.ask.stream else 0
    held = _load(order[0], kind, now)
    for place in range(len(order) - 1):
        other = _load(order[place + 1], kind, now)
        if other < held:
            order[place], order[place + 1] = order[place + 1], order[place]
        else:
            held = other
    return order


def _load(target: TargetEntry, kind: int, now: int) -> float:
    health = target.health
    return health.paces[kind].load(health.in_flight, now) if health.paces is not None else 0.0


def _least_cost(tier: Tier, call: Asker) -> list[TargetEntry]:
    """By what this call may cost; equals by weight, and those without a price last."""
    assert call.ask is not None
    ask = call.ask

    def cost(target: TargetEntry) -> float:
        known = target.spec.free or target.price is not None
        return estimate_nano(target, ask) if known else math.inf

    return sorted(_weighted(tier, call), key=cost)


def _least_busy(tier: Tier, call: Asker) -> list[TargetEntry]:
    """By calls in flight for its weight; equals by weight."""
    weights = dict(tier)
    order = _weighted(tier, call)
    return sorted(order, key=lambda target: (target.health.in_flight + 1) / weights[target])


_STRATEGIES: dict[Strategy, Callable[[Tier, Asker], list[TargetEntry]]] = {
    "weighted": _weighted,
    "priority": _priority,
    "least_latency": _least_latency,
    "least_cost": _least_cost,
    "least_busy": _least_busy,
}
