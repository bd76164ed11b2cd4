"""From deployments and the router's settings to aliases: targets, weights, tiers, retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any, NamedTuple

from stockpot.catalog.litellm.findings import Findings
from stockpot.catalog.litellm.providers import Place

MOST_ATTEMPTS = 10
_STRATEGIES = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "least_latency",
    "cost-based-routing": "least_cost",
}
_RETRIES = {
    "TimeoutErrorRetries": "timeout",
    "RateLimitErrorRetries": "rate_limit",
    "InternalServerErrorRetries": "server",
}
_EVERY = ("connect", "timeout", "rate_limit", "server", "stream")


class Deployment(NamedTuple):
    """One entry of `model_list` that has a place here."""

    group: str
    place: Place
    params: Mapping[str, Any]
    kind: str
    path: str


class Routing(NamedTuple):
    """What the router's settings say for all groups."""

    strategy: str = ""
    attempts: int = 3
    timeouts: Mapping[str, float] = {}
    retry_on: tuple[str, ...] = ()
    fallbacks: Mapping[str, Sequence[str]] = {}
    default_fallbacks: Sequence[str] = ()
    by_tag: bool = False


def routing_of(
    router: Mapping[str, Any], litellm: Mapping[str, Any], findings: Findings
) -> Routing:
    """The settings of both tables; the router's win, as they do there."""
    both = {**litellm, **router}
    retries = number(both.get("num_retries"))
    timeouts = {
        ours: float(seconds)
        for theirs, ours in (("timeout", "total_s"), ("stream_timeout", "first_byte_s"))
        if (seconds := number(both.get(theirs))) is not None
    }
    request_timeout = number(both.get("request_timeout"))
    if request_timeout is not None:
        timeouts.setdefault("total_s", float(request_timeout))
    return Routing(
        strategy=_strategy(router, findings),
        attempts=int(retries) + 1 if retries is not None else 3,
        timeouts=timeouts,
        retry_on=_retry_on(router, findings),
        fallbacks=_fallbacks(both.get("fallbacks")),
        default_fallbacks=tuple(map(str, both.get("default_fallbacks") or ())),
        by_tag=bool(router.get("enable_tag_filtering")),
    )


def number(value: Any) -> float | None:
    """A number, also one that is written as text."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _strategy(router: Mapping[str, Any], findings: Findings) -> str:
    wanted = str(router.get("routing_strategy") or "simple-shuffle")
    if wanted not in _STRATEGIES:
        told = "there is no such strategy here; targets are drawn by weight"
        findings.lost("router_settings.routing_strategy", f"{wanted!r}: {told}")
    return _STRATEGIES.get(wanted, "weighted")


def _retry_on(router: Mapping[str, Any], findings: Findings) -> tuple[str, ...]:
    policy = router.get("retry_policy")
    if not isinstance(policy, Mapping):
        return ()
    never = {ours for theirs, ours in _RETRIES.items() if policy.get(theirs) == 0}
    for key in policy:
        if key not in _RETRIES:
            findings.lost(f"router_settings.retry_policy.{key}", "such errors are not retried")
        elif policy[key] != 0:
            told = "classes of errors share the route's number of attempts"
            findings.remark(f"router_settings.retry_policy.{key}", told)
    return tuple(name for name in _EVERY if name not in never) if never else ()


def _fallbacks(rows: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows if isinstance(rows, Sequence) and not isinstance(rows, str) else ():
        if isinstance(row, Mapping):
            found |= {str(name): tuple(map(str, then or ())) for name, then in row.items()}
    return found


def aliases_of(
    deployments: Sequence[Deployment], routing: Routing, findings: Findings
) -> dict[str, dict[str, Any]]:
    """An alias for each group of deployments."""
    groups: dict[str, list[Deployment]] = {}
    for deployment in deployments:
        groups.setdefault(deployment.group, []).append(deployment)
    return {name: _alias(name, groups, routing, findings) for name in groups}


def _alias(
    name: str, groups: Mapping[str, list[Deployment]], routing: Routing, findings: Findings
) -> dict[str, Any]:
    own = groups[name]
    targets = _targets(own, findings)
    then = routing.fallbacks.get(name, routing.fallbacks.get("*", routing.default_fallbacks))
    tiers = 0
    for fallback in then:
        if fallback == name:
            continue
        if fallback not in groups:
            findings.lost(f"fallbacks.{name}", f"the group {fallback!r} has no deployment here")
            continue
        tier = max(t.get("tier", 0) for t in targets) + 1
        known = {(t["provider"], t["model"]) for t in targets}
        more = [t for t in _targets(groups[fallback], findings)
                if (t["provider"], t["model"]) not in known]  # fmt: skip
        targets += [{**t, "tier": tier + t.get("tier", 0)} for t in more]
        tiers += bool(more)
    made: dict[str, Any] = {"targets": targets}
    attempts = min(MOST_ATTEMPTS, routing.attempts + tiers)
    if attempts != 3:
        made["attempts"] = attempts
    if own[0].kind == "embedding":
        made["kind"] = "embedding"
    if routing.strategy != "weighted" and len(targets) > 1:
        made["strategy"] = routing.strategy
    if routing.retry_on:
        made["retry_on"] = list(routing.retry_on)
    if timeouts := {**routing.timeouts, **_bounds(own)}:
        made["timeouts"] = timeouts
    if routing.by_tag and (rules := _rules(own)):
        made["rules"] = rules
    return made


def _targets(deployments: Sequence[Deployment], findings: Findings) -> list[dict[str, Any]]:
    orders = sorted({number(d.params.get("order")) or 0.0 for d in deployments})
    weights = _weights(deployments, findings)
    made: dict[tuple[Place, int], int] = {}
    for deployment, weight in zip(deployments, weights, strict=True):
        tier = orders.index(number(deployment.params.get("order")) or 0.0)
        key = (deployment.place, tier)
        made[key] = made.get(key, 0) + weight
    targets = []
    for (place, tier), weight in made.items():
        target: dict[str, Any] = {"provider": place.provider, "model": place.model}
        if weight != 1:
            target["weight"] = weight
        if tier:
            target["tier"] = tier
        targets.append(target)
    return targets


def _weights(deployments: Sequence[Deployment], findings: Findings) -> list[int]:
    """By `weight`, else by rpm or tpm where every deployment has it, as the shuffle there does."""
    for key in ("weight", "rpm", "tpm"):
        given = [number(d.params.get(key)) for d in deployments]
        if key != "weight":
            for d, value in zip(deployments, given, strict=True):
                if value is not None:
                    told = "a limit of one deployment becomes its share of the alias"
                    findings.remark(f"{d.path}.{key}", told)
        if all(value is not None and value > 0 for value in given) and len(given) > 1:
            scale = 100 if key == "weight" else 1
            whole = [max(1, round((value or 0) * scale)) for value in given]
            divisor = gcd(*whole)
            return [value // divisor for value in whole]
    return [1] * len(deployments)


def _bounds(deployments: Sequence[Deployment]) -> dict[str, float]:
    """The longest that a deployment of the group is given."""
    found: dict[str, float] = {}
    for theirs, ours in (("timeout", "total_s"), ("stream_timeout", "first_byte_s")):
        given = [s for d in deployments if (s := number(d.params.get(theirs))) is not None]
        if given:
            found[ours] = max(given)
    return found


def _rules(deployments: Sequence[Deployment]) -> list[dict[str, Any]]:
    tagged: dict[str, list[str]] = {}
    for deployment in deployments:
        for tag in deployment.params.get("tags") or ():
            if tag != "default":
                where = f"{deployment.place.provider}/{deployment.place.model}"
                tagged.setdefault(str(tag), []).append(where)
    return [
        {"name": tag, "source": "tag", "values": [tag], "targets": sorted(set(where)), "only": True}
        for tag, where in tagged.items()
    ]
