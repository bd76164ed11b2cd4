"""Writing a state of the definitions into the catalog's tables, in its caller's transaction.

Only what the changes name is touched. A project stays for ever once a key hangs on it, and a key
that is removed is revoked: its history names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access import Principal, base62, digest
from stockpot.catalog.connecting import Connecting
from stockpot.catalog.definitions import (
    STORED,
    BudgetDef,
    Document,
    KeyDef,
    ProjectDef,
    ProviderDef,
    document_of,
)
from stockpot.catalog.models import NewKey, NewProject, ProviderSettings
from stockpot.catalog.present import of_instance, present
from stockpot.catalog.references import resolve_secret
from stockpot.catalog.service.keys import SECRET_PREFIX, add_key, columns_of
from stockpot.catalog.service.projects import existing_project, new_project
from stockpot.catalog.store import budgets, keys, projects, providers, routes
from stockpot.catalog.store.budgets import Scope
from stockpot.catalog.store.keys import KeyRow
from stockpot.catalog.store.providers import ProviderRow
from stockpot.core.clock import now_ms
from stockpot.core.errors import InvalidInput
from stockpot.revisions import Change, NewSecret, patched

_GOVERNING = {"limits", "budget"}


class Ready(NamedTuple):
    """What was found out before the transaction: completed rows of providers, secrets of keys."""

    providers: Mapping[str, ProviderRow] = {}
    secrets: Mapping[str, str] = {}


class Applier(NamedTuple):
    """Applies changes for somebody. `preview`: they are looked at and undone, so no secret is
    looked up and nobody is asked."""

    connecting: Connecting
    actor: Principal
    ready: Ready = Ready()
    preview: bool = False

    def apply(self, c: sa.Connection, changes: Sequence[Change]) -> None:
        """Bring about what the changes say, whatever else is there."""
        wanted = document_of(patched(present(c), changes))
        touched = {change.path[:2]: change for change in changes}
        named = {section: [p[1] for p in touched if p[0] == section] for section, _ in touched}
        gone = {p for p, change in touched.items() if change.kind == "remove"}
        for name in named.get("projects", ()):
            if ("projects", name) not in gone:
                self._project(c, name, (wanted.projects or {})[name])
        for name in named.get("providers", ()):
            if ("providers", name) not in gone:
                row = self._provider(c, name, (wanted.providers or {})[name])
                providers.put_provider(c, row)
        for name in named.get("aliases", ()):
            if ("aliases", name) not in gone:
                self._alias(c, name, wanted)
        for name in named.get("keys", ()):
            if ("keys", name) not in gone:
                self._key(c, name, (wanted.keys or {})[name])
        for section, name in gone:
            _REMOVE[section](c, name)

    def _project(self, c: sa.Connection, name: str, wanted: ProjectDef) -> None:
        values = wanted.model_dump(exclude=_GOVERNING)
        if projects.project_named(c, name, now_ms()) is None:
            payloads = wanted.payloads or self.connecting.settings.payloads
            new = NewProject.model_validate({"name": name, **values, "payloads": payloads})
            new_project(c, self.actor, new.model_copy(update={"limits": wanted.limits}), payloads)
        else:
            projects.change_project(c, name, **values, limits=wanted.limits)
        _cap(c, "project", name, wanted.budget)

    def _provider(self, c: sa.Connection, name: str, wanted: ProviderDef) -> ProviderRow:
        if name in self.ready.providers:
            return self.ready.providers[name]
        old = provider_row(c, name)
        return row_of(self.connecting, name, wanted, old)

    def _alias(self, c: sa.Connection, name: str, wanted: Document) -> None:
        old = {row.name: row.created_ms for row in routes.list_routes(c)}
        routes.put_route(c, name, (wanted.aliases or {})[name], old.get(name, now_ms()))

    def _key(self, c: sa.Connection, handle: str, wanted: KeyDef) -> None:
        row = key_row(c, handle)
        project = existing_project(c, wanted.project)
        values = wanted.model_dump(exclude={*_GOVERNING, "project", "secret", "expires"})
        chosen = columns_of({**values, "limits": wanted.limits}, project)
        if row is None:
            secret = self._secret(handle, wanted)
            new = NewKey(name=handle, project=wanted.project, environment=wanted.environment)
            key_id = add_key(c, self.actor, new, secret).id
            chosen["handle"] = handle
        else:
            key_id = row.shown.id
            if row.shown.project != wanted.project:
                raise InvalidInput(f"the key {handle!r} stays in its project; make another one")
            if wanted.secret and not self.preview:
                chosen |= secret_columns(resolve_secret(wanted.secret))
        keys.change_key(c, key_id, **chosen, secret_ref=wanted.secret)
        _cap(c, "key", key_id, wanted.budget)

    def _secret(self, handle: str, wanted: KeyDef) -> str:
        if self.preview:
            return SECRET_PREFIX + base62(43)  # undone before anybody could show it
        return resolve_secret(wanted.secret) if wanted.secret else self.ready.secrets[handle]


def row_of(
    connecting: Connecting, name: str, wanted: ProviderDef, old: ProviderRow | None
) -> ProviderRow:
    """A provider's row as far as it can be told without asking anybody."""
    row = connecting.kept(name, settings_of(wanted), old)
    if not wanted.secret:
        return row._replace(sealed_secret=None, secret_ref="", secret_hint="")
    if wanted.secret == STORED:
        if row.sealed_secret is None:
            raise InvalidInput(
                f"no secret is stored for the provider {name!r} at {row.base_url}",
                hint=f"stockpot providers connect {name}, or secret = 'env:NAME' in the file",
            )
        return row._replace(secret_ref="")
    return row


def settings_of(wanted: ProviderDef) -> ProviderSettings:
    """A definition as `stockpot providers connect` would say it."""
    by_reference = wanted.secret if wanted.secret not in ("", STORED) else None
    return ProviderSettings(
        vendor=wanted.vendor,
        base_url=wanted.base_url or None,
        secret_ref=by_reference,
        models=wanted.models,
    )


def secret_columns(secret: str) -> dict[str, object]:
    """What is kept of a key's secret."""
    return {"digest": digest(secret), "prefix": secret[:12]}


def provider_row(c: sa.Connection, name: str) -> ProviderRow | None:
    """The row of a provider that was connected."""
    return next((row for row in providers.list_providers(c) if row.name == name), None)


def key_row(c: sa.Connection, handle: str) -> KeyRow | None:
    """The key that a file names so."""
    rows = keys.list_keys(c, now_ms())
    return next((row for row in rows if row.handle == handle and not of_instance(row)), None)


def new_secrets(changes: Sequence[Change]) -> tuple[NewSecret, ...]:
    """A secret for each key that the changes make, where no reference names one."""
    made = (c.path[1] for c in changes if c.kind == "add" and c.path[0] == "keys"
            and not c.after.get("secret"))  # fmt: skip
    return tuple(NewSecret(name=name, key=SECRET_PREFIX + base62(43)) for name in made)


def _cap(c: sa.Connection, scope: Scope, ident: str, wanted: BudgetDef | None) -> None:
    old = budgets.all_budgets(c, now_ms()).get((scope, ident))
    if wanted is None:
        budgets.remove_budget(c, scope, ident)
        return
    spec = wanted.spec()
    if old is None or old.spec != spec:  # setting one anew would announce its percentages again
        budgets.set_budget(c, scope, ident, spec, now_ms())


def _revoke(c: sa.Connection, handle: str) -> None:
    row = key_row(c, handle)
    if row is not None:
        keys.change_key(c, row.shown.id, state="revoked")


_REMOVE = {
    "projects": projects.remove_project,
    "providers": providers.remove_provider,
    "aliases": routes.remove_route,
    "keys": _revoke,
}
