"""Deciding recorded calls again, by the present state and by a planned one, and counting what
differs. Knows spans, the gateway's part of a snapshot and price arithmetic; asks nobody.

Each call is judged alone and the same way every time. A call whose target would keep its share of
the route stays where it went; where the share shrinks, a number drawn from the trace id decides
whether the call moves, and where to. So no call moves that does not have to, and two rehearsals of
the same calls agree. Memory does not grow with the number of calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from stockpot.gateway import Budget, GatewayPart, Key, Project, Route, Target
from stockpot.prices import Usage, price_of
from stockpot.revisions.models import Rehearsal, Shift
from stockpot.traces import Span

_SHIFTS_TOLD = 50
_2_64 = 2.0**64
_SERVED_BY = {"count_tokens": "chat"}

UNKNOWN = (
    "whether calls would have met rates or a concurrency limit, which depends on when they come",
    "from which address a call came: networks of keys are not judged",
    "what rules and stickiness of a route would decide: they are not judged",
    "health: every target counts as well, and the first tier as the one that serves",
    "how many tokens another model would use for the same text",
    "what calls that were refused then would have cost",
)
"""What a rehearsal cannot know, told with its figures."""


class Way(NamedTuple):
    """How a state decides a call: refused with a code, or the shares of the first tier."""

    refused: str = ""
    shares: Mapping[str, float] = {}


class Judge:
    """One state of the gateway. `spent` is what each budget has spent, by its id."""

    def __init__(self, part: GatewayPart, now_ms: float, spent: Mapping[str, int]) -> None:
        self._keys: dict[str, Key] = {key.id: key for key in part.keys}
        self._projects: dict[str, Project] = {p.name: p for p in part.projects}
        self._routes: dict[str, Route] = {route.name: route for route in part.routes}
        self.targets: dict[str, Target] = {target.id: target for target in part.targets}
        self._tiers = {route.name: self._first_tier(route) for route in part.routes}
        self._now_ms = now_ms
        self._spent = spent

    def way(self, span: Span) -> Way:
        """The pipeline's decision: key, model, endpoint, budget, route."""
        key = self._keys.get(span.key_id)
        if key is None:
            return Way("invalid_api_key")
        if key.state != "active":
            return Way("key_disabled")
        if key.expires_ms and key.expires_ms < self._now_ms:
            return Way("key_expired")
        route = self._routes.get(span.requested_model)
        if route is None or not self._tiers[route.name]:
            return Way("model_not_found")
        if key.models and route.name not in key.models:
            return Way("model_not_allowed")
        if _SERVED_BY.get(span.endpoint, span.endpoint) not in route.endpoints:
            return Way("wrong_endpoint")
        if self._used_up(key):
            return Way("budget_exceeded")
        return Way(shares=self._shares(route, span))

    def _used_up(self, key: Key) -> bool:
        project = self._projects.get(key.project)
        budgets: tuple[Budget, ...] = key.budgets + (project.budgets if project else ())
        return any(self._spent.get(b.id, 0) >= b.limit_nano for b in budgets)

    def _first_tier(self, route: Route) -> tuple[tuple[str, int], ...]:
        known = [t for t in route.targets if t.weight > 0 and t.target in self.targets]
        lowest = min((t.tier for t in known), default=0)
        return tuple((t.target, t.weight) for t in known if t.tier == lowest)

    def _shares(self, route: Route, span: Span) -> Mapping[str, float]:
        tier = self._tiers[route.name]
        if route.strategy == "priority":
            return {tier[0][0]: 1.0}
        if route.strategy == "least_cost":
            costs = [(self.cost(ident, span), ident) for ident, _ in tier]
            known = [(cost, ident) for cost, ident in costs if cost is not None]
            if known:
                return {min(known)[1]: 1.0}
        shares: Counter[str] = Counter()
        for ident, weight in tier:
            shares[ident] += weight
        total = sum(shares.values())
        return {ident: weight / total for ident, weight in shares.items()}

    def cost(self, ident: str, span: Span) -> int | None:
        """What the recorded usage costs at a target today; None when no price is known."""
        target = self.targets[ident]
        if target.free:
            return 0
        tokens = span.tokens
        usage = Usage(
            input=tokens.input,
            output=tokens.output,
            cache_read=tokens.cache_read,
            cache_write=tokens.cache_write,
            reasoning=tokens.reasoning,
        )
        cost = price_of(usage, target.prices, int(self._now_ms))
        return None if cost is None else cost.total


class _Count:
    """What is kept while calls go by."""

    def __init__(self) -> None:
        self.calls = self.moved = self.before_nano = self.after_nano = self.unpriced = 0
        self.refused: Counter[str] = Counter()
        self.admitted: Counter[str] = Counter()
        self.shifts: Counter[tuple[str, str, str]] = Counter()
        self.from_ms: float | None = None
        self.to_ms: float | None = None


def rehearse(spans: Iterable[Span], present: Judge, planned: Judge) -> Rehearsal:
    """Decide every call by both states."""
    count = _Count()
    for span in spans:
        count.calls += 1
        count.from_ms = min(count.from_ms or span.start_ms, span.start_ms)
        count.to_ms = max(count.to_ms or span.start_ms, span.start_ms)
        _judge(span, present, planned, count)
    shifts = tuple(
        Shift(route=route, before=before, after=after, calls=calls)
        for (route, before, after), calls in sorted(
            count.shifts.items(), key=lambda item: (-item[1], item[0])
        )
    )
    return Rehearsal(
        calls=count.calls,
        from_ms=count.from_ms,
        to_ms=count.to_ms,
        refused=dict(count.refused.most_common()),
        admitted=dict(count.admitted.most_common()),
        moved=count.moved,
        shifts=shifts[:_SHIFTS_TOLD],
        cost_before_nano=count.before_nano,
        cost_after_nano=count.after_nano,
        unpriced=count.unpriced,
        unknown=UNKNOWN,
        sentence=_sentence(count),
    )


def _judge(span: Span, present: Judge, planned: Judge, count: _Count) -> None:
    now, then = present.way(span), planned.way(span)
    if now.refused:
        if not then.refused:
            count.admitted[now.refused] += 1
        return
    was = span.target if span.target in now.shares else _drawn(now.shares, _number(span, b"was"))
    before = present.cost(was, span)
    if then.refused:
        count.refused[then.refused] += 1
        after: int | None = 0
    else:
        goes = _kept(was, now.shares, then.shares, span)
        after = planned.cost(goes, span)
        if goes != was:
            count.moved += 1
            count.shifts[span.requested_model, was, goes] += 1
    if before is None or after is None:
        count.unpriced += 1
        return
    count.before_nano += before
    count.after_nano += after


def _kept(was: str, now: Mapping[str, float], then: Mapping[str, float], span: Span) -> str:
    """Where a call goes that was at a target, so that as few as possible move."""
    stays = min(1.0, then.get(was, 0.0) / now[was])
    if _number(span, b"stays") < stays:
        return was
    grown = {ident: share - now.get(ident, 0.0) for ident, share in then.items()}
    grown = {ident: share for ident, share in grown.items() if share > 0 and ident != was}
    return _drawn(grown or then, _number(span, b"goes"))


def _drawn(shares: Mapping[str, float], number: float) -> str:
    rest = number * sum(shares.values())
    for ident in sorted(shares):
        rest -= shares[ident]
        if rest < 0:
            return ident
    return max(shares)


def _number(span: Span, purpose: bytes) -> float:
    """The same for the same call, evenly spread over [0, 1)."""
    digest = blake2b(span.trace_id.encode(), digest_size=8, person=purpose).digest()
    return int.from_bytes(digest, "big") / _2_64


def _sentence(count: _Count) -> str:
    """`14 of 1000 calls would be refused (...), 200 would go to another model, cost -31 %`."""
    if not count.calls:
        return "no recorded call to rehearse with"
    parts = []
    if refused := count.refused.total():
        codes = ", ".join(f"{code}: {calls}" for code, calls in count.refused.most_common())
        parts.append(f"{refused} would now be refused ({codes})")
    if admitted := count.admitted.total():
        parts.append(f"{admitted} that are refused now would be served")
    if count.moved:
        parts.append(f"{count.moved} would go to another model")
    if count.before_nano != count.after_nano:
        parts.append(_cost(count))
    told = ", ".join(parts) or "nothing would change"
    if count.unpriced:
        told += f" ({count.unpriced} calls have no known price)"
    return f"of the last {count.calls} calls: {told}"


def _cost(count: _Count) -> str:
    if not count.before_nano:
        return f"cost +${count.after_nano / 1e9:.6g} from nothing"
    share = (count.after_nano - count.before_nano) / count.before_nano
    return f"cost {share * 100:+.3g} %"
