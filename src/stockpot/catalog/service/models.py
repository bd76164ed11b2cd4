"""The names that applications may ask for: what serves them, how they do, and aliases."""

from __future__ import annotations

import re
import time
from collections.abc import Collection

import sqlalchemy as sa

from stockpot.access import Principal, audit
from stockpot.catalog.compile import ModelEntry
from stockpot.catalog.edits import Edits
from stockpot.catalog.fleet import Fleet
from stockpot.catalog.models import (
    Model,
    RouteChoice,
    RouteSettings,
    RouteTarget,
    ShadowSpec,
    TargetHealth,
)
from stockpot.catalog.offers import Offer
from stockpot.catalog.publish import Publisher
from stockpot.catalog.store import routes
from stockpot.core.clock import now_ms
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.gateway import Target
from stockpot.prices import BUCKETS, PriceRow, ordinary_row

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}")
_NO_TOKENS = ("request", "search", "audio_time", "characters")
_BUCKETS = tuple(bucket for bucket in BUCKETS if bucket not in _NO_TOKENS)
_PICO_PER_DOLLAR_MTOK = 1_000_000


class ModelService:
    """Models as the gateway knows them now."""

    def __init__(self, edits: Edits, publisher: Publisher, fleet: Fleet) -> None:
        self._edits = edits
        self._publisher = publisher
        self._fleet = fleet

    async def all(self) -> tuple[Model, ...]:
        """By name, with the health that the workers report."""
        published = await self._publisher.current()
        targets = {target.id: target for target in published.compiled.part.targets}
        return tuple(self._shown(entry, targets) for entry in published.compiled.models)

    async def named(self, name: str) -> Model:
        """One model."""
        models = await self.all()
        for model in models:
            if model.name == name:
                return model
        near = did_you_mean(name, [model.name for model in models])
        raise NotFound(f"no model {name!r}.{near}", hint="stockpot aliases list")

    async def set_alias(self, actor: Principal, name: str, wanted: RouteSettings) -> Model:
        """Define an alias, or change it."""
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} is no model's name: letters, digits and . _ : @ / + -")
        if not any(target.weight for target in wanted.targets):
            raise InvalidInput("at least one target needs a weight above 0")
        published = await self._publisher.current()
        aliases = (e for e in published.compiled.models if e.origin == "alias" and e.name == name)
        had = {(t.provider, t.model) for entry in aliases for t in all_targets(entry.route)}
        check_providers(published.offers, wanted, had=had)

        def write(c: sa.Connection) -> None:
            before = _alias(c, name)
            routes.put_route(c, name, wanted, now_ms())
            told = wanted.model_dump(mode="json")
            audit(c, actor, "alias.set", name, before=before, after=wanted, **told)

        pointer = ("aliases", name, "targets")
        await self._edits.write(actor, f"alias {name} set", write, settles=(pointer,))
        await self._publisher.refresh(f"alias {name} set")
        return await self.named(name)

    async def remove_alias(self, actor: Principal, name: str) -> None:
        """Remove an alias; a model of the same name shows again."""

        def write(c: sa.Connection) -> None:
            before = _alias(c, name)
            if not routes.remove_route(c, name):
                known = [row.name for row in routes.list_routes(c)]
                raise NotFound(
                    f"no alias {name!r}.{did_you_mean(name, known)}", hint="stockpot aliases list"
                )
            audit(c, actor, "alias.remove", name, before=before)

        await self._edits.write(actor, f"alias {name} removed", write)
        await self._publisher.refresh(f"alias {name} removed")

    def _shown(self, entry: ModelEntry, targets: dict[str, Target]) -> Model:
        shares = {(t.provider, t.model): (t.weight, t.tier) for t in entry.route.targets}
        there = {(targets[i].provider, targets[i].model) for i in entry.target_ids}
        return Model(
            name=entry.name,
            kind=entry.kind,
            smoke=entry.smoke,
            origin=entry.origin,
            targets=tuple(self._health(targets[i], shares) for i in entry.target_ids),
            defined=entry.route.targets,
            absent=tuple(t for t in entry.route.targets if (t.provider, t.model) not in there),
            attempts=entry.route.attempts,
            retry_on=entry.route.retry_on,
            timeouts=entry.route.timeouts,
            created_ms=entry.created_ms,
            **{name: getattr(entry.route, name) for name in RouteChoice.model_fields},
        )

    def _health(
        self, target: Target, shares: dict[tuple[str, str], tuple[int, int]]
    ) -> TargetHealth:
        weight, tier = shares[target.provider, target.model]
        seen = self._fleet.target(target.id)
        price = ordinary_row(target.prices, time.time_ns() // 1_000_000)
        return TargetHealth(
            id=target.id,
            provider=target.provider,
            model=target.model,
            base_url=target.base_url,
            wire=target.wire,
            weight=weight,
            tier=tier,
            state=seen.state,
            last_error=seen.last_error,
            last_ok_ms=seen.last_ok_ms,
            in_flight=seen.in_flight,
            price=_dollars(price),
            price_source=price.source if price else "",
            free=target.free,
            breaker=seen.breaker,
            limited_until_ms=seen.limited_until_ms,
            first_byte_ms=seen.first_byte_ms,
        )


def _alias(c: sa.Connection, name: str) -> RouteSettings | None:
    return next((row.settings for row in routes.list_routes(c) if row.name == name), None)


def all_targets(route: RouteSettings) -> tuple[RouteTarget | ShadowSpec, ...]:
    """Everything that a route may call, its candidate included."""
    return (*route.targets, *((route.shadow,) if route.shadow else ()))


def check_providers(
    offers: tuple[Offer, ...],
    wanted: RouteSettings,
    coming: Collection[str] = (),
    going: Collection[str] = (),
    had: Collection[tuple[str, str]] = (),
) -> None:
    """Every target leads to a provider that is there, or that comes with the same change; raises
    NotFound with the nearest one. A target that the route `had` may wait for its provider."""
    by_name = {offer.name: offer for offer in offers if offer.name not in going}
    for target in all_targets(wanted):
        if target.provider in coming:
            continue
        if (target.provider, target.model) in had and target.provider not in going:
            continue
        offer = by_name.get(target.provider)
        if offer is None:
            near = did_you_mean(target.provider, [*by_name, *coming])
            raise NotFound(
                f"no provider {target.provider!r}.{near}",
                hint="stockpot providers list",
            )
        served = [m for o in offers if o.name == offer.name for m in o.models]
        if offer.origin == "engine" and target.model not in served:
            raise NotFound(
                f"no engine serves {target.model!r}.{did_you_mean(target.model, served)}",
                hint="stockpot models list",
            )


def _dollars(row: PriceRow | None) -> dict[str, float] | None:
    if row is None:
        return None
    picos = {name: getattr(row, name) for name in _BUCKETS}
    return {name: pico / _PICO_PER_DOLLAR_MTOK for name, pico in picos.items() if pico is not None}
