"""Deciding which targets serve a call, and in which order. Knows routes and health, no HTTP."""

from __future__ import annotations

import random
from collections.abc import Sequence

from stockpot.gateway.snapshot import RouteEntry, TargetEntry

_random = random.random


def candidates(route: RouteEntry) -> Sequence[TargetEntry]:
    """Targets in the order of trying: tier by tier, a weighted draw inside a tier, cooling last.

    Cooling targets stay on the list, after every other one: better a late try than no try.
    """
    fixed = route.fixed
    if fixed is not None:
        for target in fixed:
            if target.health.cooling_until:
                break
        else:
            return fixed
    tiers = route.tiers
    warm: list[TargetEntry] = []
    cooling: list[TargetEntry] = []
    for tier in tiers:
        for target in _weighted(tier):
            (cooling if target.health.cooling() else warm).append(target)
    return warm + cooling


def _weighted(tier: tuple[tuple[TargetEntry, int], ...]) -> list[TargetEntry]:
    """A weighted order without replacement (Efraimidis and Spirakis 2006: sort by u^(1/w))."""
    if len(tier) == 1:
        return [tier[0][0]]
    keyed = [(_random() ** (1.0 / weight), target) for target, weight in tier]
    keyed.sort(key=lambda pair: pair[0], reverse=True)
    return [target for _, target in keyed]
