"""The present state of the definitions, read from the catalog's tables. Knows rows and shapes.

Keys that the instance made for itself are nobody's definition, and providers that were found in the
environment or on this machine are not in the tables at all.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from stockpot.access import SYSTEM
from stockpot.catalog.definitions import STORED
from stockpot.catalog.models import (
    ApartSpec,
    BudgetState,
    CacheSpec,
    LimitSpec,
    Project,
    RouteSettings,
)
from stockpot.catalog.store import keys, projects, providers, routes
from stockpot.catalog.store.keys import KeyRow
from stockpot.catalog.store.providers import ProviderRow
from stockpot.providers import vendors
from stockpot.revisions import Content

_ABOUT = ("owner", "description", "archetype", "domain", "stage", "risk_tier", "target_metric")


def present(c: sa.Connection) -> Content:
    """Every definition as it is in force now, pointers included."""
    now = time.time_ns() // 1_000_000
    found: Content = {
        "providers": {row.name: _provider(row) for row in providers.list_providers(c)},
        "aliases": {row.name: alias_content(row.settings) for row in routes.list_routes(c)},
        "projects": {p.name: _project(p) for p in projects.list_projects(c, now)},
        "keys": {row.handle: _key(row) for row in keys.list_keys(c, now) if not of_instance(row)},
    }
    return {section: entries for section, entries in found.items() if entries}


def of_instance(row: KeyRow) -> bool:
    """Whether the instance made a key for its own use."""
    return row.shown.name == "playground" and row.shown.created_by == SYSTEM.label


def alias_content(settings: RouteSettings) -> dict[str, Any]:
    """An alias as a state has it."""
    return settings.model_dump(mode="json", exclude_defaults=True)


def _provider(row: ProviderRow) -> dict[str, Any]:
    own = next((v.base_url for v in vendors() if v.name == row.vendor), "")
    secret = row.secret_ref or (STORED if row.sealed_secret else "")
    given = {
        "base_url": "" if row.base_url == own else row.base_url,
        "secret": secret,
        "models": list(row.models),
    }
    return {"vendor": row.vendor, **_said(given)}


def _project(project: Project) -> dict[str, Any]:
    about = {name: getattr(project, name) for name in _ABOUT}
    plain = {"archetype": "prompt", "stage": "crawl", "risk_tier": "low"}
    about = {name: value for name, value in about.items() if value != plain.get(name, "")}
    return {
        **about,
        **_governed(project.limits, project.budget),
        "payloads": project.payloads,
        **_said({"cache": _plain(project.cache), "apart": _plain(project.apart)}),
    }


def _key(row: KeyRow) -> dict[str, Any]:
    key = row.shown
    given = {
        "project": "" if key.project == "default" else key.project,
        "environment": "" if key.environment == "dev" else key.environment,
        "state": "disabled" if key.state == "disabled" else "",
        "expires_ms": int(key.expires_ms or 0),
        "models": list(key.models),
        "networks": list(key.networks),
        "payloads": row.own_payloads,
        "cache": _plain(key.cache),
        "apart": _plain(key.apart),
        "on_disconnect": "" if key.on_disconnect == "cancel" else key.on_disconnect,
        "on_ledger_full": "" if key.on_ledger_full == "refuse" else key.on_ledger_full,
        "secret": row.secret_ref,
    }
    return {**_said(given), **_governed(key.limits, key.budget)}


def _plain(spec: CacheSpec | ApartSpec | None) -> dict[str, Any] | None:
    return None if spec is None else spec.model_dump(mode="json", exclude_defaults=True)


def _governed(limits: LimitSpec, budget: BudgetState | None) -> dict[str, Any]:
    given: dict[str, Any] = {"limits": limits.model_dump(exclude_defaults=True)}
    if budget is not None:
        given["budget"] = budget.spec.model_dump(mode="json", exclude_defaults=True)
    return _said(given)


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    """What differs from its default."""
    return {name: value for name, value in fields.items() if value}
