"""Making, changing, rotating and revoking virtual keys."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import sqlalchemy as sa

from stockpot.access import (
    SYSTEM,
    Principal,
    audit,
    base62,
    demand,
    demand_project,
    digest,
    user_by_email,
)
from stockpot.catalog.edits import Edits
from stockpot.catalog.models import (
    ApartSpec,
    CacheSpec,
    CreatedKey,
    KeySettings,
    LimitSpec,
    NewKey,
    Project,
    VirtualKey,
)
from stockpot.catalog.publish import Publisher
from stockpot.catalog.service.projects import DEFAULT, existing_project
from stockpot.catalog.store import budgets, keys
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.core.instance import Instance

SECRET_PREFIX = "sk-sp-"  # noqa: S105 - it marks keys and is none
_PREFIX_SHOWN = 12
_OF_AN_OWNER = {"state"}
"""What a key's owner may change of it without being an editor; the rest is asked for."""


class KeyService:
    """Virtual keys: what applications show the gateway. Only their SHA-256 is kept."""

    def __init__(
        self, db: Database, edits: Edits, publisher: Publisher, instance: Instance
    ) -> None:
        self._db = db
        self._edits = edits
        self._publisher = publisher
        self._instance = instance

    async def all(self, actor: Principal, *, revoked: bool = False) -> tuple[VirtualKey, ...]:
        """What the caller sees, newest first."""
        rows = await self._db.read(lambda c: keys.list_keys(c, now_ms(), revoked=revoked))
        shown = (row.shown for row in rows)
        return tuple(key for key in shown if actor.sees(key.project, key.owner_id))

    async def owned_by(self, actor: Principal) -> tuple[str, ...]:
        """The ids of the caller's own keys."""
        mine = actor.projects("own") or frozenset()
        return await self._db.read(lambda c: keys.ids_owned_by(c, actor.user_id, mine))

    async def create(self, actor: Principal, new: NewKey) -> CreatedKey:
        """A new key; its secret is in the answer and nowhere else."""
        secret = SECRET_PREFIX + base62(43)
        told = f"key {new.name} created"
        record = await self._edits.write(actor, told, lambda c: add_key(c, actor, new, secret))
        await self._publisher.refresh(f"key {record.id} created")
        return CreatedKey(key=secret, record=record)

    async def change(
        self, actor: Principal, key_id: str, wanted: KeySettings, reason: str = ""
    ) -> VirtualKey:
        """Change what is given. A new state is a pointer that moves, with its reason."""
        given = {k: getattr(wanted, k) for k in wanted.model_fields_set}
        changes = {k: v for k, v in given.items() if v is not None}

        def write(c: sa.Connection) -> VirtualKey:
            alone = set(changes) <= _OF_AN_OWNER
            key = governed_key(c, actor, key_id, by_owner=alone)
            if key.state == "revoked":
                raise Conflict(f"the key {key_id!r} was revoked", hint="stockpot keys create")
            values = columns_of(changes, existing_project(c, key.project))
            if (budget := changes.get("budget")) is not None:
                budgets.set_budget(c, "key", key_id, budget, now_ms())
            keys.change_key(c, key_id, **values)
            told = wanted.model_dump(mode="json", include=set(changes))
            after = _existing(c, key_id)
            told["project"] = key.project
            audit(c, actor, "key.change", key_id, before=key, after=after, **told)
            return after

        row = await self._db.read(lambda c: keys.key_by_id(c, key_id, now_ms()))
        path = ("keys", row.handle if row else key_id, "state")
        record = await self._edits.move(actor, path, reason or f"key {key_id} changed", write)
        await self._publisher.refresh(f"key {key_id} changed")
        return record

    async def revoke(self, actor: Principal, key_id: str) -> None:
        """The key stops working at once and for ever; its history stays."""

        def write(c: sa.Connection) -> None:
            key = governed_key(c, actor, key_id, by_owner=True)
            keys.change_key(c, key_id, state="revoked")
            told = {"name": key.name, "project": key.project}
            audit(c, actor, "key.revoke", key_id, before=key, after=_existing(c, key_id), **told)

        await self._edits.write(actor, f"key {key_id} revoked", write)
        await self._publisher.refresh(f"key {key_id} revoked")

    async def rotate(self, actor: Principal, key_id: str) -> CreatedKey:
        """A new secret for the same key; the old one stops working at once."""
        secret = SECRET_PREFIX + base62(43)

        def write(c: sa.Connection) -> VirtualKey:
            key = governed_key(c, actor, key_id, by_owner=True)
            if key.state == "revoked":
                raise Conflict(f"the key {key_id!r} was revoked", hint="stockpot keys create")
            keys.change_key(c, key_id, digest=digest(secret), prefix=secret[:_PREFIX_SHOWN])
            after = _existing(c, key_id)
            told = {"name": key.name, "project": key.project}
            audit(c, actor, "key.rotate", key_id, before=key, after=after, **told)
            return after

        record = await self._db.write(write)
        await self._publisher.refresh(f"key {key_id} rotated")
        return CreatedKey(key=secret, record=record)

    async def remove_budget(self, actor: Principal, key_id: str) -> None:
        """Take a key's cap away."""

        def write(c: sa.Connection) -> None:
            key = governed_key(c, actor, key_id)
            budgets.remove_budget(c, "key", key_id)
            after = _existing(c, key_id)
            audit(
                c, actor, "key.remove-budget", key_id, before=key, after=after, project=key.project
            )

        await self._edits.write(actor, f"budget of key {key_id} removed", write)
        await self._publisher.refresh(f"budget of key {key_id} removed")

    async def note(self, actor: Principal, action: str, subject: str, **detail: Any) -> None:
        """Leave a trace in the audit log of a call that was made by hand."""
        await self._db.write(lambda c: audit(c, actor, action, subject, **detail))

    async def playground_secret(self, project: str = DEFAULT) -> str:
        """The secret of the key `playground` of a project, which is made when it is first needed.

        It is derived from the instance's own secret, so nothing has to be stored to know it again.
        """
        return await self._own_secret("playground", project)

    async def evaluation_secret(self, project: str = DEFAULT) -> str:
        """The secret of the key `evaluations` of a project, made and known like that one."""
        return await self._own_secret("evaluations", project)

    async def _own_secret(self, use: str, project: str) -> str:
        secret = secret_for(self._instance, use, project)
        if await self._db.read(lambda c: keys.key_id_of(c, digest(secret))) is None:
            new = NewKey(name=use, project=project)
            await self._db.write(lambda c: _add_once(c, new, secret))
            await self._publisher.refresh(f"{use} key of {project} created")
        return secret


def secret_for(instance: Instance, use: str, project: str = DEFAULT) -> str:
    """The secret of a key that the instance itself uses in a project, such as `playground`."""
    purpose = use if project == DEFAULT else f"{use}:{project}"
    return SECRET_PREFIX + instance.derive(purpose)


OWN_USES = ("evaluations", "playground")


def own_key_ids(c: sa.Connection, instance: Instance, project: str) -> frozenset[str]:
    """The keys with which the instance itself calls in a project: what they did is no traffic."""
    told = (digest(secret_for(instance, use, project)) for use in OWN_USES)
    return frozenset(found for one in told if (found := keys.key_id_of(c, one)) is not None)


def _add_once(c: sa.Connection, new: NewKey, secret: str) -> None:
    if keys.key_id_of(c, digest(secret)) is None:
        add_key(c, SYSTEM, new, secret)


def add_key(c: sa.Connection, actor: Principal, new: NewKey, secret: str) -> VirtualKey:
    """Write a new key, in its caller's transaction."""
    project = existing_project(c, new.project, actor)
    demand_project(actor, "editor", project.name)
    given = {k: getattr(new, k) for k in KeySettings.model_fields}
    chosen = columns_of({k: v for k, v in given.items() if v is not None}, project)
    key_id = record_id("key")
    defaults: dict[str, Any] = {
        "environment": project.environments[0],
        "state": "active",
        "expires_ms": 0,
        "models": [],
        "networks": [],
        "limits": LimitSpec(),
        "on_disconnect": "cancel",
        "on_ledger_full": "refuse",
    }
    keys.add_key(
        c,
        **(defaults | chosen),
        id=key_id,
        name=new.name,
        project=new.project,
        digest=digest(secret),
        prefix=secret[:_PREFIX_SHOWN],
        created_ms=now_ms(),
        created_by=actor.label,
        owner_id=_owner(c, actor, new.owner),
    )
    if new.budget is not None:
        budgets.set_budget(c, "key", key_id, new.budget, now_ms())
    made = _existing(c, key_id)
    audit(c, actor, "key.create", key_id, after=made, name=new.name, project=new.project)
    return made


def _owner(c: sa.Connection, actor: Principal, email: str | None) -> str:
    if email is None:
        return actor.user_id if actor.user_id.startswith("usr_") else ""
    user = user_by_email(c, email.strip().lower())
    if user is None:
        raise NotFound(f"no user {email!r}", hint="stockpot users list")
    return user.id


def columns_of(given: dict[str, Any], project: Project) -> dict[str, Any]:
    """Chosen settings as columns, checked."""
    values = {k: v for k, v in given.items() if k != "budget"}
    environment = values.get("environment")
    if environment is not None and environment not in project.environments:
        raise InvalidInput(
            f"no environment {environment!r} in the project {project.name!r}."
            f"{did_you_mean(environment, project.environments)}",
            hint=f"one of {', '.join(project.environments)}",
        )
    for network in values.get("networks", ()):
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise InvalidInput(
                f"{network!r} is not an address or a network", hint="such as 203.0.113.0/24"
            ) from None
    for name in ("models", "networks"):
        if name in values:
            values[name] = list(values[name])
    for name in ("cache", "apart"):
        if isinstance(spec := values.get(name), (CacheSpec, ApartSpec)):
            values[name] = spec.model_dump()
    if "expires_ms" in values:
        values["expires_ms"] = int(values["expires_ms"])
    return values


def _existing(c: sa.Connection, key_id: str) -> VirtualKey:
    row = keys.key_by_id(c, key_id, now_ms())
    if row is None:
        raise _unknown(c, key_id)
    return row.shown


def _unknown(c: sa.Connection, key_id: str, actor: Principal = SYSTEM) -> NotFound:
    listed = (row.shown for row in keys.list_keys(c, now_ms()))
    known = [key.id for key in listed if actor.sees(key.project, key.owner_id)]
    return NotFound(f"no key {key_id!r}.{did_you_mean(key_id, known)}", hint="stockpot keys list")


def governed_key(
    c: sa.Connection, actor: Principal, key_id: str, *, by_owner: bool = False
) -> VirtualKey:
    """The key, when the caller is an editor of its project, or with `by_owner` its owner."""
    row = keys.key_by_id(c, key_id, now_ms())
    absent = _unknown(c, key_id, actor)
    if row is None:
        raise absent
    owner_id = row.shown.owner_id if by_owner else ""
    demand(actor, "editor", row.shown.project, absent, owner_id=owner_id)
    return row.shown
