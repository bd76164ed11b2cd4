"""Public keys: made, changed, revoked, and held against their limits.

A web page carries its key, so it is no secret: whoever has it can give feedback onto traces of one
project, as often as its limits allow, from the pages that it names, and nothing else.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, audit, base62, demand, demand_project
from stockpot.core.db import Database
from stockpot.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    NotSignedIn,
    StockpotError,
)
from stockpot.core.ids import record_id
from stockpot.core.kv import KeyValue, RateAsk
from stockpot.feedback import store
from stockpot.feedback.models import NewPublicKey, PublicKey, PublicKeySettings
from stockpot.traces import Projects

PREFIX = "pk-"


class TooMuchFeedback(StockpotError):
    """A public key, or one caller with it, is over its limit."""

    code, status = "rate_limited", 429

    def __init__(self, whose: str, wait_ms: int) -> None:
        super().__init__(f"{whose} gives more feedback than its limit allows")
        self.retry_after_s = max(1, -(-wait_ms // 1000))


class PublicKeyService:
    """Keys for browsers. `kv` counts; shared between hosts where one is set."""

    def __init__(self, db: Database, kv: KeyValue, projects: Projects) -> None:
        self._db = db
        self._kv = kv
        self._projects = projects

    async def all(self, actor: Principal, *, revoked: bool = False) -> tuple[PublicKey, ...]:
        """What the caller sees, newest first."""
        found = await self._db.read(lambda c: store.list_keys(c, revoked=revoked))
        return tuple(key for key in found if actor.may("viewer", key.project))

    async def create(self, actor: Principal, new: NewPublicKey) -> PublicKey:
        """A new key. It can be read again at any time."""

        def write(c: sa.Connection) -> PublicKey:
            demand_project(actor, "editor", new.project, self._projects(c))
            key = PublicKey(
                id=record_id("pub"),
                key=PREFIX + base62(32),
                state="active",
                created_ms=time.time_ns() // 1_000_000,
                created_by=actor.label,
                **new.model_dump(),
            )
            store.add_key(c, key)
            audit(
                c, actor, "public_key.create", key.id, after=key, name=key.name, project=key.project
            )
            return key

        return await self._db.write(write)

    async def change(self, actor: Principal, key_id: str, wanted: PublicKeySettings) -> PublicKey:
        """Change what is given."""
        changes = wanted.model_dump(mode="json", exclude_none=True)

        def write(c: sa.Connection) -> PublicKey:
            key = _governed(c, actor, key_id)
            if key.state == "revoked":
                raise Conflict(f"the public key {key_id!r} was revoked", hint="make a new one")
            if changes:
                store.change_key(c, key_id, **changes)
            return _changed(c, actor, "change", key)

        return await self._db.write(write)

    async def revoke(self, actor: Principal, key_id: str) -> None:
        """The key stops working at once; what it brought stays."""

        def write(c: sa.Connection) -> None:
            key = _governed(c, actor, key_id)
            store.change_key(c, key_id, state="revoked")
            _changed(c, actor, "revoke", key)

        await self._db.write(write)

    # --- at work ----------------------------------------------------------------------------------

    async def holder(self, shown: str, origin: str) -> PublicKey:
        """The key that a caller shows, if it may be used from a page of this origin."""
        key = await self._db.read(lambda c: store.key_shown(c, shown))
        if key is None or key.state != "active":
            raise NotSignedIn("this public key is unknown or was revoked", hint="make a new one")
        if origin and not allows(key, origin):
            raise Forbidden(
                f"pages of {origin!r} may not use the public key {key.name!r}",
                hint=f"stockpot feedback keys change {key.id} --origin {origin}",
            )
        return key

    async def allowed_somewhere(self, origin: str) -> bool:
        """Whether any key lets pages of this origin in: what a preflight can be told."""
        found = await self._db.read(store.list_keys)
        return any(allows(key, origin) for key in found)

    async def spend(self, key: PublicKey, address: str, items: int) -> None:
        """Take items from the limits of the key and of the caller, or refuse."""
        if items > min(key.rpm, key.caller_rpm):
            raise InvalidInput(
                f"{items} items at once are more than the public key {key.name!r} allows a minute"
            )
        asks = [
            RateAsk(f"feedback:{key.id}:{_network(address)}", key.caller_rpm, items, items),
            RateAsk(f"feedback:{key.id}", key.rpm, items, items),
        ]
        for whose, ask in zip(("this caller", f"the public key {key.name!r}"), asks, strict=True):
            (grant,) = await self._kv.rates([ask])
            if not grant.granted:
                raise TooMuchFeedback(whose, grant.wait_ms)


def allows(key: PublicKey, origin: str) -> bool:
    """Whether pages of an origin may use a key."""
    return "*" in key.origins or origin in key.origins


def _network(address: str) -> str:
    """Who counts as one caller: an IPv4 address, or the network of an IPv6 one, since a household
    has 2^64 of those."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _governed(c: sa.Connection, actor: Principal, key_id: str) -> PublicKey:
    absent = NotFound(f"no public key {key_id!r}", hint="stockpot feedback keys list")
    key = store.key_by_id(c, key_id)
    if key is None:
        raise absent
    demand(actor, "editor", key.project, absent)
    return key


def _changed(c: sa.Connection, actor: Principal, verb: str, before: PublicKey) -> PublicKey:
    after = store.key_by_id(c, before.id) or before
    told: dict[str, Any] = {"name": after.name, "project": after.project}
    audit(c, actor, f"public_key.{verb}", after.id, before=before, after=after, **told)
    return after
