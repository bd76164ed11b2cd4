"""The catalog as a keeper of definitions: what `stockpot.revisions` asks of it.

Knows which definitions can come about: vendors, addresses, references, names of targets. Checking
asks no provider and looks up no secret; only a release does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import ValidationError

from stockpot.access import SYSTEM, Principal, audit
from stockpot.catalog.applying import (
    Applier,
    Ready,
    key_row,
    new_secrets,
    provider_row,
    row_of,
    settings_of,
)
from stockpot.catalog.connecting import Connecting, vendor_named
from stockpot.catalog.definitions import (
    SECTIONS,
    STORED,
    Document,
    ProviderDef,
    content_of,
    document_of,
    for_people,
)
from stockpot.catalog.edits import POINTERS, Edits
from stockpot.catalog.fleet import Fleet
from stockpot.catalog.models import RouteSettings
from stockpot.catalog.present import present
from stockpot.catalog.publish import Publisher
from stockpot.catalog.references import Unresolved, prepared, resolve_secret
from stockpot.catalog.service.keys import columns_of
from stockpot.catalog.service.models import all_targets, check_providers
from stockpot.catalog.service.projects import DEFAULT
from stockpot.catalog.store import budgets, journal, keys, projects, routes
from stockpot.catalog.store.providers import ProviderRow
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.core.faults import first_fault
from stockpot.gateway import GatewayPart
from stockpot.revisions import Change, Content, NewSecret, Path, Seen, Target, patched

T = TypeVar("T")


def _places(alias: Mapping[str, Any] | None) -> frozenset[tuple[str, str]]:
    """The targets of an alias as a state has it."""
    if alias is None:
        return frozenset()
    targets = all_targets(RouteSettings.model_validate(alias))
    return frozenset((target.provider, target.model) for target in targets)


class DefinitionKeeper:
    """Implements `stockpot.revisions.Keeper` over the catalog's tables and its publisher."""

    sections = SECTIONS
    model = Document

    def __init__(
        self,
        db: Database,
        edits: Edits,
        publisher: Publisher,
        fleet: Fleet,
        connecting: Connecting,
    ) -> None:
        self._db = db
        self._edits = edits
        self._publisher = publisher
        self._fleet = fleet
        self._connecting = connecting

    def read(self, raw: Mapping[str, Any]) -> Content:
        return content_of(Document.model_validate(raw))

    def for_people(self, content: Content) -> Content:
        return for_people(content)

    def present(self, c: sa.Connection) -> Content:
        return present(c)

    def new_secrets(self, changes: Sequence[Change]) -> tuple[NewSecret, ...]:
        return new_secrets(changes)

    # --- what can come about ----------------------------------------------------------------------

    async def target(self, wanted: Content, present: Content) -> Target:
        document = document_of(wanted)
        notes: list[str] = []
        kept = await self._db.read(lambda c: _kept_projects(c, document))
        notes += [f"the project {name!r} stays: keys hang on it" for name in kept]
        content = dict(wanted)
        if kept:
            old = present.get("projects", {})
            content["projects"] = {**content.get("projects", {}), **{n: old[n] for n in kept}}
        if "projects" in content:
            content["projects"] = {
                name: {"payloads": self._connecting.settings.payloads, **fields}
                for name, fields in content["projects"].items()
            }
        if "providers" in content:
            content["providers"] = {
                name: await self._checked(name, provider, notes)
                for name, provider in (document.providers or {}).items()
            }
        document = document_of(content)
        await self._check_targets(document, present)
        await self._db.read(lambda c: _check_keys(c, document))
        return Target(content, tuple(notes))

    async def _checked(self, name: str, wanted: ProviderDef, notes: list[str]) -> dict[str, Any]:
        """A provider as its state has it: the vendor's own address goes without saying."""
        vendor = vendor_named(wanted.vendor)
        base_url = await self._connecting.checked(vendor, wanted.base_url)
        own = wanted.model_copy(
            update={"base_url": "" if base_url == vendor.base_url else base_url}
        )
        published = await self._publisher.current()
        if any(o.name == name and o.origin == "engine" for o in published.offers):
            raise Conflict(f"{name!r} is the name of an engine of this instance")
        old = await self._db.read(lambda c: provider_row(c, name))
        row_of(self._connecting, name, own, old)
        if not own.secret and vendor.needs_secret and not vendor.local:
            raise InvalidInput(
                f"the provider {name!r} needs a secret",
                hint="secret = 'env:NAME' or 'file:/path', or 'stored' for one that is kept here",
            )
        if own.secret not in ("", STORED):
            await prepared((own.secret,))
            try:
                resolve_secret(own.secret)
            except Unresolved as missing:
                notes.append(f"the provider {name!r} cannot be used yet: {missing.message}")
        return own.model_dump(mode="json", exclude_defaults=True)

    async def _check_targets(self, document: Document, present: Content) -> None:
        """Targets of aliases that are new or changed lead to a provider that is there."""
        published = await self._publisher.current()
        ours = frozenset(document.providers or {})
        gone = frozenset(present.get("providers", {})) - ours
        for name, alias in (document.aliases or {}).items():
            told = alias.model_dump(mode="json", exclude_defaults=True)
            old = present.get("aliases", {}).get(name)
            if old == told:
                continue
            if not any(target.weight for target in alias.targets):
                raise InvalidInput(f"the alias {name!r} needs a target of a weight above 0")
            try:
                check_providers(published.offers, alias, ours, gone, _places(old))
            except NotFound as missing:
                raise InvalidInput(
                    f"the alias {name!r}: {missing.message}", hint=missing.hint
                ) from None

    # --- what it would mean -----------------------------------------------------------------------

    async def parts(self, changes: Sequence[Change]) -> tuple[GatewayPart, GatewayPart]:
        now = await self._publisher.current()
        planned = await self._publisher.preview(partial(self._preview(), changes=changes))
        return now.compiled.part, planned.compiled.part

    def _preview(self) -> Callable[..., None]:
        return Applier(self._connecting, SYSTEM, preview=True).apply

    async def try_on(self, changes: Sequence[Change]) -> tuple[str, int] | None:
        worker = self._fleet.busiest()
        if worker is None:
            return None
        change = partial(self._preview(), changes=changes)
        return worker, await self._publisher.try_on(worker, change)

    async def end_trial(self) -> None:
        await self._publisher.end_trial()

    def seen(self) -> Mapping[str, Sequence[Seen]]:
        return self._fleet.seen()

    # --- what is done -----------------------------------------------------------------------------

    async def release(
        self,
        actor: Principal,
        changes: Sequence[Change],
        secrets: Sequence[NewSecret],
        settle: Callable[[sa.Connection], T],
    ) -> T:
        rows = await self._completed(changes)
        ready = Ready(rows, {secret.name: secret.key for secret in secrets})
        applier = Applier(self._connecting, actor, ready)

        def write(c: sa.Connection) -> T:
            applier.apply(c, changes)
            names = [change.name for change in changes]
            audit(c, actor, "definitions.apply", f"{len(changes)} changes", names=names[:100])
            return settle(c)

        done = await self._db.write(write)
        await self._publisher.end_trial()
        await self._publisher.refresh(f"{len(changes)} definitions changed")
        return done

    async def _completed(self, changes: Sequence[Change]) -> dict[str, ProviderRow]:
        """Rows of providers that are new or changed, with the models that they list."""
        rows: dict[str, ProviderRow] = {}
        state = await self._db.read(present)
        wanted = document_of(patched(state, changes)).providers or {}
        for name in {change.path[1] for change in changes if change.path[0] == "providers"}:
            if name not in wanted:
                continue
            old = await self._db.read(partial(provider_row, name=name))
            row = row_of(self._connecting, name, wanted[name], old)
            if row.sealed_secret or row.secret_ref or not vendor_named(row.vendor).needs_secret:
                settings = settings_of(wanted[name])
                row = await self._connecting.completed(name, settings, row)
            rows[name] = row
        return rows

    async def move(self, actor: Principal, path: Path, value: Any, reason: str) -> None:
        section, name, field = path
        if POINTERS.get(section) != field:
            known = ", ".join(f"{s}.NAME.{f}" for s, f in POINTERS.items())
            raise InvalidInput(f"{'.'.join(path)} is no pointer", hint=f"one of {known}")
        move = self._move_key if section == "keys" else self._move_alias
        await move(actor, name, path, value, reason)
        await self._publisher.refresh(f"{section} {name} moved")

    async def _move_key(
        self, actor: Principal, name: str, path: Path, value: Any, reason: str
    ) -> None:
        if value not in ("active", "disabled"):
            raise InvalidInput(f"a key is active or disabled, not {value!r}")

        def write(c: sa.Connection) -> None:
            row = key_row(c, name)
            if row is None:
                raise NotFound(f"no key {name!r}", hint="stockpot keys list")
            keys.change_key(c, row.shown.id, state=value)
            audit(c, actor, "key.change", row.shown.id, state=value, reason=reason)

        await self._edits.move(actor, path, reason, write)

    async def _move_alias(
        self, actor: Principal, name: str, path: Path, value: Any, reason: str
    ) -> None:
        rows = {row.name: row for row in await self._db.read(routes.list_routes)}
        if name not in rows:
            raise NotFound(
                f"no alias {name!r}.{did_you_mean(name, rows)}", hint="stockpot aliases list"
            )
        told = {**rows[name].settings.model_dump(mode="json"), "targets": value}
        try:
            wanted = RouteSettings.model_validate(told)
        except ValidationError as wrong:
            raise InvalidInput(first_fault(wrong.errors())) from None
        if not any(target.weight for target in wanted.targets):
            raise InvalidInput("at least one target needs a weight above 0")
        published = await self._publisher.current()
        check_providers(published.offers, wanted)

        def write(c: sa.Connection) -> None:
            routes.put_route(c, name, wanted, rows[name].created_ms)
            told = wanted.model_dump(mode="json")["targets"]
            audit(c, actor, "alias.move", name, targets=told, reason=reason)

        await self._edits.move(actor, path, reason, write)

    async def tell(self, severity: str, subject: str, message: str, data: dict[str, Any]) -> None:
        def write(c: sa.Connection) -> None:
            values = {"severity": severity, "subject": subject, "message": message, "data": data}
            journal.add_event(c, now_ms(), kind="revision", **values)

        await self._db.write(write)


def spent_by_budget(c: sa.Connection) -> dict[str, int]:
    """What each budget has spent in its present period, by its id."""
    rows = budgets.all_budgets(c, now_ms()).values()
    return {row.id: row.spent_nano for row in rows}


def _kept_projects(c: sa.Connection, wanted: Document) -> tuple[str, ...]:
    """Projects that are not wanted but stay: the first one, and those that keys hang on."""
    there = {project.name for project in projects.list_projects(c, now_ms())}
    held = {DEFAULT, *(row.shown.project for row in keys.list_keys(c, now_ms(), revoked=True))}
    return tuple(sorted((there & held) - set(wanted.projects or {})))


def _check_keys(c: sa.Connection, document: Document) -> None:
    """Keys hang on projects that are there, and say what such a key can be."""
    there = {project.name: project for project in projects.list_projects(c, now_ms())}
    known = {*there, *(document.projects or {})}
    for name, key in (document.keys or {}).items():
        if key.project not in known:
            near = did_you_mean(key.project, known)
            raise InvalidInput(f"the key {name!r}: no project {key.project!r}.{near}")
        any_project = there.get(key.project) or next(iter(there.values()))
        try:
            columns_of({"environment": key.environment, "networks": key.networks}, any_project)
        except InvalidInput as wrong:
            raise InvalidInput(f"the key {name!r}: {wrong.message}", hint=wrong.hint) from None
        row = key_row(c, name)
        if row is not None and row.shown.project != key.project:
            raise InvalidInput(f"the key {name!r} stays in its project; make another one")
