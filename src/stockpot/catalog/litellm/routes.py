"""From deployments and the router's settings to aliases: targets, weights, tiers, retries."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any, NamedTuple

from stockpot.catalog.litellm.findings import Findings
from stockpot.catalog.litellm.providers import Place

MOST_ATTEMPTS = 10
MOST_WEIGHT = 1_000_000
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}")
"""What an alias may be called (`definitions.AliasName`)."""
_NOT_OF_A_RULE = re.compile(r"[^A-Za-z0-9._-]+")
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
        if (seconds := number(both.get(theirs))) is not None and seconds > 0
    }
    request_timeout = number(both.get("request_timeout"))
    if request_timeout is not None and request_timeout > 0:
        timeouts.setdefault("total_s", float(request_timeout))
    return Routing(
        strategy=_strategy(router, findings),
        attempts=max(0, int(retries)) + 1 if retries is not None else 3,
        timeouts=timeouts,
        retry_on=_retry_on(router, findings),
        fallbacks=_fallbacks(both.get("fallbacks"), findings),
        default_fallbacks=findings.names(both.get("default_fallbacks"), "default_fallbacks"),
        by_tag=bool(router.get("enable_tag_filtering")),
    )


def number(value: Any) -> float | None:
    """A finite number, also one that is written as text."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


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


def _fallbacks(rows: Any, findings: Findings) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows if isinstance(rows, Sequence) and not isinstance(rows, str) else ():
        for name, then in findings.table(row, "fallbacks").items():
            found[str(name)] = findings.names(then, f"fallbacks.{name}")
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
        if groups[fallback][0].kind != own[0].kind:
            told = f"the group {fallback!r} serves other calls: {groups[fallback][0].kind}"
            findings.lost(f"fallbacks.{name}", told)
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
    if routing.by_tag and (rules := _rules(own, findings)):
        made["rules"] = rules
    return made


def _targets(deployments: Sequence[Deployment], findings: Findings) -> list[dict[str, Any]]:
    tiers: dict[float, list[Deployment]] = {}
    for deployment in deployments:
        tiers.setdefault(_order(deployment), []).append(deployment)
    made: dict[tuple[Place, int], int] = {}
    for tier, order in enumerate(sorted(tiers)):
        weights = _weights(tiers[order], findings)
        for deployment, weight in zip(tiers[order], weights, strict=True):
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


def _order(deployment: Deployment) -> float:
    """Who has none comes after all that have one, as there."""
    found = number(deployment.params.get("order"))
    return math.inf if found is None else found


def _weights(deployments: Sequence[Deployment], findings: Findings) -> list[int]:
    """By `weight` where one has it (who has none is not drawn, as there), else by rpm or tpm where
    every deployment has it."""
    given = {key: [_share(d, key) for d in deployments] for key in ("weight", "rpm", "tpm")}
    for key in ("rpm", "tpm"):
        for d, share in zip(deployments, given[key], strict=True):
            if share is not None:
                told = "a limit of one deployment becomes its share of the alias"
                findings.remark(f"{d.path}.{key}", told)
    if any(given["weight"]):
        for d, share in zip(deployments, given["weight"], strict=True):
            if not share:
                told = "without a weight beside others that have one it is not drawn"
                findings.remark(f"{d.path}.weight", told)
        return _whole([share or 0.0 for share in given["weight"]], 100)
    for key in ("rpm", "tpm"):
        if all(given[key]) and len(deployments) > 1:
            return _whole([share or 0.0 for share in given[key]], 1)
    return [1] * len(deployments)


def _share(deployment: Deployment, key: str) -> float | None:
    found = number(deployment.params.get(key))
    return found if found is not None and found >= 0 else None


def _whole(shares: Sequence[float], scale: int) -> list[int]:
    """In whole numbers that a weight can be; what had a share keeps one."""
    scale_down = max(1.0, max(shares) * scale / MOST_WEIGHT)
    whole = [max(1, round(s * scale / scale_down)) if s else 0 for s in shares]
    divisor = gcd(*whole)
    return [value // divisor for value in whole]


def _bounds(deployments: Sequence[Deployment]) -> dict[str, float]:
    """The longest that a deployment of the group is given."""
    found: dict[str, float] = {}
    for theirs, ours in (("timeout", "total_s"), ("stream_timeout", "first_byte_s")):
        given = [s for d in deployments if (s := number(d.params.get(theirs))) and s > 0]
        if given:
            found[ours] = max(given)
    return found


def _rules(deployments: Sequence[Deployment], findings: Findings) -> list[dict[str, Any]]:
    tagged: dict[str, list[str]] = {}
    for deployment in deployments:
        for tag in findings.names(deployment.params.get("tags"), f"{deployment.path}.tags"):
            if tag != "default":
                where = f"{deployment.place.provider}/{deployment.place.model}"
                tagged.setdefault(tag.strip(), []).append(where)
    made: list[dict[str, Any]] = []
    for place, (tag, whose) in enumerate(tagged.items(), 1):
        if not 0 < len(tag) <= 200 or "," in tag:
            findings.lost(f"{deployments[0].group}.tags", f"{tag!r:.60} can be no tag")
            continue
        name = _NOT_OF_A_RULE.sub("-", tag).strip("._-")[:50] or f"tag-{place}"
        if any(rule["name"] == name for rule in made):
            name = f"{name}-{place}"
        places = sorted(set(whose))
        made.append({"name": name, "source": "tag", "values": [tag], "targets": places,
                     "only": True})  # fmt: skip
    return made
