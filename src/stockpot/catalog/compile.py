"""Compiling what is defined and what was found into the gateway's part of the snapshot.

Pure: records in, records out, the same bytes for the same input. Knows how names become routes;
knows no table, no socket and no worker.

An engine's model answers to its own name. A vendor's model answers to `<provider>/<model>`, and to
the bare name when nobody else has it. An alias takes its name from whoever had it.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec

from stockpot import gateway
from stockpot.catalog.models import (
    ApartSpec,
    CacheSpec,
    Kind,
    LimitSpec,
    Project,
    RouteSettings,
    RouteTarget,
    RuleSpec,
    ShadowSpec,
)
from stockpot.catalog.offers import Offer
from stockpot.catalog.own_prices import OwnPrice, with_own
from stockpot.catalog.pricing import price_rows
from stockpot.catalog.store.budgets import BudgetRow
from stockpot.catalog.store.keys import KeyRow
from stockpot.catalog.store.routes import RouteRow

_ENDPOINTS: dict[Kind, tuple[gateway.Endpoint, ...]] = {
    "chat": ("chat", "completions"),
    "embedding": ("embeddings",),
    "image": ("images", "image_edits"),
    "audio": ("speech", "transcriptions", "translations"),
    "moderation": ("moderations",),
    "rerank": ("rerank",),
}
_ANY = tuple(dict.fromkeys(endpoint for served in _ENDPOINTS.values() for endpoint in served))


class Definitions(NamedTuple):
    """What the store holds."""

    projects: tuple[Project, ...]
    project_budgets: dict[str, BudgetRow]
    keys: tuple[KeyRow, ...]
    routes: tuple[RouteRow, ...]
    prices: tuple[OwnPrice, ...] = ()


class ModelEntry(NamedTuple):
    """A name that applications may ask for."""

    name: str
    kind: Kind
    smoke: bool
    origin: str
    route: RouteSettings
    target_ids: tuple[str, ...]
    created_ms: int


class Compiled(NamedTuple):
    """The part for workers, and what the API tells of it."""

    part: gateway.GatewayPart
    models: tuple[ModelEntry, ...]
    notices: tuple[str, ...]


def compile_part(
    defined: Definitions, offers: tuple[Offer, ...], wires: tuple[str, ...], workers: int
) -> Compiled:
    """One consistent state. `wires` are the wire formats that workers speak."""
    targets = _Targets(tuple(o for o in offers if o.wire in wires), defined.prices)
    entries = _named(targets)
    notices: list[str] = []
    for row in defined.routes:
        entry = _alias(row, targets)
        entries[row.name] = entry
        if not entry.target_ids:
            notices.append(f"the alias {row.name!r} has no connected target")
    models = tuple(entries[name] for name in sorted(entries))
    part = gateway.GatewayPart(
        keys=tuple(_key(key) for key in sorted(defined.keys, key=lambda k: k.shown.id)),
        projects=tuple(
            _project(p, defined.project_budgets.get(p.name))
            for p in sorted(defined.projects, key=lambda p: p.name)
        ),
        routes=tuple(_route(entry, targets) for entry in models if entry.target_ids),
        targets=tuple(targets.made[ident] for ident in sorted(targets.made)),
        rate_share=1.0 / workers,
    )
    return Compiled(part, models, tuple(notices))


class _Targets:
    """Makes a target for a provider's model when a route first names it."""

    def __init__(self, offers: tuple[Offer, ...], own_prices: tuple[OwnPrice, ...]) -> None:
        self.offers = offers
        self._own_prices = own_prices
        self.made: dict[str, gateway.Target] = {}

    def ids(self, provider: str, model: str) -> tuple[str, ...]:
        """Targets of a model at a provider; several when several engines serve it."""
        mine = [o for o in self.offers if o.name == provider]
        able = [o for o in mine if o.origin != "engine" or model in o.models]
        return tuple(self._make(offer, model) for offer in able)

    def _make(self, offer: Offer, model: str) -> str:
        ident = f"{offer.name}/{model}"
        if offer.origin == "engine" and not offer.modest and offer.vendor != model:
            ident = f"{offer.name}/{offer.vendor}/{model}"
        if ident not in self.made:
            place = (offer.name, model)
            own = tuple(p for p in self._own_prices if (p.provider, p.model) == place)
            self.made[ident] = _target(ident, offer, model, own)
        return ident


def _target(ident: str, offer: Offer, model: str, own: tuple[OwnPrice, ...]) -> gateway.Target:
    published = () if offer.free else price_rows(offer.prices_as, model)
    return gateway.Target(
        id=ident,
        provider=offer.name,
        wire=offer.wire,
        base_url=offer.base_url,
        model=model,
        headers=offer.headers(),
        stream_usage=offer.stream_usage,
        prices=with_own(published, own),
        free=offer.free and not own,
        smoke=offer.smoke,
        native=offer.native,
        options=offer.options(),
        returns=offer.origin == "engine",
    )


def _named(targets: _Targets) -> dict[str, ModelEntry]:
    """What engines and vendors have, by the names that it answers to."""
    entries: dict[str, ModelEntry] = {}
    vendors = [offer for offer in targets.offers if offer.origin != "engine" or offer.modest]
    bare = Counter(model for offer in vendors for model in offer.models)
    for offer in vendors:
        for model in offer.models:
            full = f"{offer.name}/{model}"
            entries[full] = _entry(full, offer, model, targets)
            if bare[model] == 1 and model not in entries:
                entries[model] = _entry(model, offer, model, targets)
    for offer in targets.offers:
        if offer.origin == "engine" and not offer.modest:
            for model in offer.models:
                entries[model] = _entry(model, offer, model, targets)
    return entries


def _entry(name: str, offer: Offer, model: str, targets: _Targets) -> ModelEntry:
    kind = offer.kind_of(model)
    target = RouteTarget(provider=offer.name, model=model)
    route = RouteSettings(kind=kind, targets=(target,))
    ids = targets.ids(offer.name, model)
    return ModelEntry(name, kind, offer.smoke, offer.origin, route, ids, offer.created_ms)


def _alias(row: RouteRow, targets: _Targets) -> ModelEntry:
    ids = [i for t in row.settings.targets for i in targets.ids(t.provider, t.model)]
    smoke = bool(ids) and all(targets.made[ident].smoke for ident in ids)
    unique = tuple(dict.fromkeys(ids))
    settings = row.settings
    if settings.shadow is not None:
        targets.ids(settings.shadow.provider, settings.shadow.model)
    return ModelEntry(row.name, settings.kind, smoke, "alias", settings, unique, row.created_ms)


def _route(entry: ModelEntry, targets: _Targets) -> gateway.Route:
    shares = [
        gateway.WeightedTarget(target=ident, weight=t.weight, tier=t.tier)
        for t in entry.route.targets
        for ident in targets.ids(t.provider, t.model)
    ]
    choice = entry.route
    return gateway.Route(
        name=entry.name,
        endpoints=_endpoints(entry),
        targets=tuple(shares),
        attempts=choice.attempts,
        retry_on=choice.retry_on,
        timeouts=gateway.Timeouts(**choice.timeouts.model_dump()),
        created_ms=entry.created_ms,
        degrade=choice.degrade,
        strategy=choice.strategy,
        rules=tuple(_rule(rule, targets) for rule in choice.rules),
        sticky=choice.sticky,
        retry_share=choice.retry_share,
        retry_floor=choice.retry_floor,
        retry_burst=choice.retry_burst,
        breaker=gateway.Breaker(**choice.breaker.model_dump()) if choice.breaker else None,
        hedge=gateway.Hedge(**choice.hedge.model_dump()) if choice.hedge else None,
        shadow=_shadow(choice.shadow, targets) if choice.shadow else None,
    )


def _rule(rule: RuleSpec, targets: _Targets) -> gateway.Rule:
    ids = [i for name in rule.targets for i in targets.ids(*name.split("/", 1))]
    field = rule.field.lower() if rule.source == "header" else rule.field
    return gateway.Rule(
        rule.name, rule.source, rule.values, field, tuple(ids), rule.tier, rule.only
    )


def _shadow(shadow: ShadowSpec, targets: _Targets) -> gateway.Shadow | None:
    ids = targets.ids(shadow.provider, shadow.model)
    return gateway.Shadow(ids[0], shadow.share, shadow.concurrency) if ids else None


def _endpoints(entry: ModelEntry) -> tuple[gateway.Endpoint, ...]:
    """What a route serves. A vendor's model under its full name was guessed to be of its kind, so
    whoever names it so may ask anything of it."""
    full = {f"{target.provider}/{target.model}" for target in entry.route.targets}
    if entry.origin in ("engine", "alias") or entry.name not in full:
        return _ENDPOINTS[entry.kind]
    return _ANY


def _project(project: Project, budget: BudgetRow | None) -> gateway.Project:
    return gateway.Project(
        id=project.id,
        name=project.name,
        limits=_limits(project.limits),
        budgets=_budgets(budget),
        cache=_cache(project.cache),
        user_limits=_limits(project.apart.users) if project.apart else gateway.Limits(),
        model_limits=_model_limits(project.apart),
    )


def _key(row: KeyRow) -> gateway.Key:
    key = row.shown
    return gateway.Key(
        id=key.id,
        hash=row.digest,
        name=key.name,
        project=key.project,
        environment=key.environment,
        state="disabled" if key.state == "disabled" else "active",
        expires_ms=int(key.expires_ms or 0),
        models=key.models,
        networks=key.networks,
        limits=_limits(key.limits),
        budgets=_budgets(row.budget),
        payloads=key.payloads,
        on_disconnect=key.on_disconnect,
        on_ledger_full=key.on_ledger_full,
        cache=_cache(key.cache),
        user_limits=_limits(key.apart.users) if key.apart else gateway.Limits(),
        model_limits=_model_limits(key.apart),
    )


def _cache(spec: CacheSpec | None) -> gateway.CachePolicy | None:
    return None if spec is None else gateway.CachePolicy(spec.ttl_s, spec.scope, spec.max_entry)


def _model_limits(apart: ApartSpec | None) -> tuple[gateway.ModelLimits, ...]:
    found = sorted(apart.models.items()) if apart else ()
    return tuple(gateway.ModelLimits(model, _limits(limits)) for model, limits in found)


def _limits(limits: LimitSpec) -> gateway.Limits:
    return gateway.Limits(rpm=limits.rpm, tpm=limits.tpm, concurrency=limits.concurrency)


def _budgets(row: BudgetRow | None) -> tuple[gateway.Budget, ...]:
    if row is None:
        return ()
    return (msgspec.convert({"id": row.id, **row.spec.model_dump()}, gateway.Budget),)
