"""Connecting and removing providers, trying them, and re-sealing their secrets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import InvalidToken

from stockpot.access import Principal, audit
from stockpot.catalog import addresses
from stockpot.catalog.connecting import Connecting, fault_of, vendor_named
from stockpot.catalog.discover import listed_models
from stockpot.catalog.edits import Edits
from stockpot.catalog.models import Provider, ProviderSettings, ProviderVendor, TestResult
from stockpot.catalog.offers import Offer
from stockpot.catalog.publish import Published, Publisher
from stockpot.catalog.store import providers
from stockpot.catalog.store.providers import ProviderRow
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.core.instance import Instance
from stockpot.providers import vendors, wire_names

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class ProviderService:
    """Upstreams. A secret that is typed in is sealed with the instance's key, never shown again."""

    def __init__(
        self,
        db: Database,
        edits: Edits,
        publisher: Publisher,
        instance: Instance,
        settings: Settings,
        resolve: addresses.Resolve = addresses.resolve,
    ) -> None:
        self._db = db
        self._edits = edits
        self._publisher = publisher
        self._instance = instance
        self._connecting = Connecting(instance, settings, resolve)
        self.sealed_elsewhere: list[Callable[[sa.Connection], int]] = []
        """Who else keeps sealed secrets: each seals its own anew and tells how many."""

    def vendors(self) -> tuple[ProviderVendor, ...]:
        """What can be connected."""
        shown = ("name", "title", "wire", "base_url", "needs_secret", "local")
        return tuple(
            ProviderVendor(verified=bool(v.verified), **{name: getattr(v, name) for name in shown})
            for v in vendors()
        )

    async def all(self) -> tuple[Provider, ...]:
        """What is connected, wherever it comes from."""
        published = await self._publisher.current()
        grouped = groupby(published.offers, key=lambda offer: offer.name)
        return tuple(_shown(tuple(offers)) for _, offers in grouped)

    async def connect(self, actor: Principal, name: str, wanted: ProviderSettings) -> Provider:
        """Connect a provider, or change it. A secret that is not given again is kept."""
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r} is no provider's name: lower-case letters, digits, '.', '_' and '-'"
            )
        vendor = vendor_named(wanted.vendor)
        published = await self._publisher.current()
        if any(o.name == name and o.origin == "engine" for o in published.offers):
            raise Conflict(f"{name!r} is the name of an engine of this instance")
        old = await self._db.read(lambda c: _row(c, name))
        row = await self._connecting.completed(name, wanted, old)

        def write(c: sa.Connection) -> None:
            before, after = _told(_row(c, name)), _told(row)
            providers.put_provider(c, row)
            told = {"vendor": vendor.name, "base_url": row.base_url}
            audit(c, actor, "provider.connect", name, before=before, after=after, **told)

        await self._edits.write(actor, f"provider {name} connected", write)
        published = await self._publisher.refresh(f"provider {name} connected")
        return _shown(tuple(o for o in published.offers if o.name == name))

    async def remove(self, actor: Principal, name: str) -> None:
        """Disconnect; its secret is deleted."""

        def write(c: sa.Connection) -> None:
            before = _told(_row(c, name))
            if not providers.remove_provider(c, name):
                known = [row.name for row in providers.list_providers(c)]
                raise NotFound(
                    f"no provider {name!r} was connected by hand.{did_you_mean(name, known)}",
                    hint="stockpot providers list",
                )
            audit(c, actor, "provider.remove", name, before=before)

        await self._edits.write(actor, f"provider {name} removed", write)
        await self._publisher.refresh(f"provider {name} removed")

    async def test(self, actor: Principal, name: str) -> TestResult:
        """Ask a provider which models it has."""
        offers = _named(await self._publisher.current(), name)
        await self._db.write(lambda c: audit(c, actor, "provider.try", name))
        began = time.perf_counter()
        listings = [await listed_models(offer) for offer in offers]
        models = {model for listing in listings for model in listing.models}
        return TestResult(
            ok=bool(models),
            status=max(listing.status for listing in listings),
            duration_ms=(time.perf_counter() - began) * 1000,
            text=f"{len(models)} models" if models else "",
            error="" if models else fault_of(offers[0], listings[0]),
            trace_id=None,
        )

    async def rotate_secrets(self, actor: Principal) -> int:
        """A new instance secret; what was sealed is sealed anew. Returns how many secrets."""

        def write(c: sa.Connection) -> int:
            rows = [row for row in providers.list_providers(c) if row.sealed_secret]
            self._instance.rotate()
            count = sum(self._resealed(c, row) for row in rows)
            count += sum(reseal(c) for reseal in self.sealed_elsewhere)
            audit(c, actor, "secrets.rotate", "instance", resealed=count)
            return count

        return await self._db.write(write)

    def _resealed(self, c: sa.Connection, row: ProviderRow) -> bool:
        try:
            plain = self._instance.unseal(row.sealed_secret or b"")
        except InvalidToken:
            return False  # it was sealed elsewhere; the notices of the instance say so
        providers.put_provider(c, row._replace(sealed_secret=self._instance.seal(plain)))
        return True


def _told(row: ProviderRow | None) -> dict[str, Any] | None:
    """A connected provider as the audit log may know it: without its secret."""
    return {k: v for k, v in row._asdict().items() if k != "sealed_secret"} if row else None


def _row(c: sa.Connection, name: str) -> ProviderRow | None:
    return next((row for row in providers.list_providers(c) if row.name == name), None)


def _named(published: Published, name: str) -> tuple[Offer, ...]:
    found = tuple(offer for offer in published.offers if offer.name == name)
    if not found:
        known = {offer.name for offer in published.offers}
        raise NotFound(
            f"no provider {name!r}.{did_you_mean(name, known)}", hint="stockpot providers list"
        )
    return found


def _shown(offers: tuple[Offer, ...]) -> Provider:
    """One provider; the engines of one kind are one provider with several models."""
    first = offers[0]
    notice = ""
    if first.wire not in wire_names():
        notice = f"connected, but the gateway does not speak its wire format {first.wire!r} yet"
    elif not _models(offers):
        notice = f"it lists no models; name them, or route an alias to one of {first.name!r}"
    return Provider(
        name=first.name,
        vendor=first.vendor if first.origin != "engine" else first.name,
        title=first.title,
        wire=first.wire,
        base_url=first.base_url,
        origin=first.origin,
        secret_hint=first.secret_hint,
        models=_models(offers),
        created_ms=first.created_ms,
        routable=first.wire in wire_names(),
        notice=notice,
    )


def _models(offers: Iterable[Offer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(model for offer in offers for model in offer.models))
