"""What surrounds the instance: engines that run, vendor keys in the environment, local servers.

Knows where to look and how long to believe; the rest of the catalog sees offers.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken

from stockpot import engines
from stockpot.catalog import discover
from stockpot.catalog.offers import Offer, offer_of
from stockpot.catalog.references import ROLES, Unresolved, file_mark, resolve_secret
from stockpot.catalog.store.providers import ProviderRow
from stockpot.core.addresses import refused
from stockpot.core.config import Settings
from stockpot.core.instance import Instance
from stockpot.providers import vendors

ENGINE_GRACE_S = 300.0
"""An engine that went away keeps its routes so long: it is most likely being restarted at the same
address, and the gateway retries meanwhile."""

PROBE_EVERY_S = 30.0


class Offers(NamedTuple):
    """All offers, and what a person should know about those that cannot be made."""

    offers: tuple[Offer, ...]
    notices: tuple[str, ...]


class Surroundings:
    """Looks around; remembers what it saw last."""

    def __init__(
        self, instance: Instance, settings: Settings, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._instance = instance
        self._settings = settings
        self._environ = environ
        self._engines: dict[str, tuple[engines.EngineAddress, float]] = {}
        self._local: tuple[Offer, ...] = ()
        self._probed = -PROBE_EVERY_S
        self._files: dict[str, object] = {}
        """Secrets' files by reference, as they were when looked at."""

    async def look(self, *, probe: bool) -> None:
        """See which engines run, whose secret's file was written anew and, now and then, which
        local servers answer. Roles' credentials are kept fresh."""
        await ROLES.refresh()
        named = list(self._files)
        marks = await asyncio.to_thread(
            lambda: dict(zip(named, map(file_mark, named), strict=True))
        )
        self._files = {ref: marks.get(ref) or last for ref, last in self._files.items()}
        now = time.monotonic()
        for address in await asyncio.to_thread(engines.running, self._instance):
            self._engines[address.name] = (address, now)
        for name, (_, seen) in tuple(self._engines.items()):
            if now - seen > ENGINE_GRACE_S:
                del self._engines[name]
        if probe and self._settings.discover and now - self._probed >= PROBE_EVERY_S:
            self._probed = now
            own = frozenset({self._settings.gateway_port, self._settings.port})
            self._local = await discover.local_servers(0, own)

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Differs when what was seen differs."""
        engines_seen = (address for address, _ in self._engines.values())
        return (ROLES.version, *engines_seen, *self._local, *self._files.values())

    def offers(self, connected: tuple[ProviderRow, ...], since_ms: int) -> Offers:
        """Everything that can be routed to. What was connected by hand wins over what was found
        under the same name."""
        made: dict[str, Offer] = {}
        notices: list[str] = []
        by_file = (row.secret_ref for row in connected if row.secret_ref.startswith("file:"))
        self._files = {ref: self._files.get(ref) for ref in by_file}
        if self._settings.discover:
            found = (*self._local, *discover.from_environment(self._environ, since_ms))
            made |= {offer.name: offer for offer in found}
        for row in connected:
            if (where := self._forbidden(row)) is not None:
                made.pop(row.name, None)
                notices.append(
                    f"the provider {row.name!r} is not called: {where} is a private address, and "
                    "STOCKPOT_PRIVATE_UPSTREAMS is false"
                )
                continue
            try:
                made[row.name] = self._opened(row)
            except (InvalidToken, LookupError, Unresolved) as wrong:
                made.pop(row.name, None)
                notices.append(_broken(row, wrong))
        addresses = [address for address, _ in self._engines.values()]
        recorded = [one for one in addresses if one.engine == engines.RECORDED]
        running = [_engine(one, since_ms) for one in addresses if one not in recorded]
        running += [_player(recorded, since_ms)] if recorded else []
        by_name = sorted((*running, *made.values()), key=lambda o: (o.name, o.vendor))
        return Offers(tuple(by_name), tuple(notices))

    def _forbidden(self, row: ProviderRow) -> str | None:
        """The private address that a provider was connected with before they were forbidden.

        Names are looked at by the worker as it connects; addresses it takes as they are given,
        since engines have such.
        """
        host = urlsplit(row.base_url).hostname or ""
        try:
            forbidden = refused(host, private=self._settings.private_upstreams)
        except ValueError:
            return None
        return host if forbidden else None

    def _opened(self, row: ProviderRow) -> Offer:
        vendor = next((v for v in vendors() if v.name == row.vendor), None)
        if vendor is None:
            raise LookupError(row.vendor)
        if row.secret_ref:
            secret = resolve_secret(row.secret_ref, self._environ)
        else:
            secret = self._instance.unseal(row.sealed_secret).decode() if row.sealed_secret else ""
        return offer_of(
            vendor,
            name=row.name,
            base_url=row.base_url,
            origin="console",
            secret=secret,
            secret_hint=row.secret_hint,
            models=row.models or row.listed,
            created_ms=row.created_ms,
        )


def _broken(row: ProviderRow, wrong: Exception) -> str:
    if isinstance(wrong, Unresolved):
        return f"the provider {row.name!r} has no secret: {wrong.message}"
    if isinstance(wrong, InvalidToken):
        return f"the secret of the provider {row.name!r} cannot be opened: connect it again"
    return f"the provider {row.name!r} needs the vendor {row.vendor!r}, which is unknown here"


def _player(recorded: list[engines.EngineAddress], since_ms: int) -> Offer:
    """All recorded models as one provider. What they cost is not known until somebody states it,
    and none takes the bare name of a model that is really there."""
    return Offer(
        name=engines.RECORDED,
        vendor=engines.RECORDED,
        title="recorded answers",
        wire="openai",
        base_url=recorded[0].url.rstrip("/"),
        origin="engine",
        models=tuple(sorted(address.model for address in recorded)),
        kind="chat",
        modest=True,
        created_ms=since_ms,
        verified=True,
    )


def _engine(address: engines.EngineAddress, since_ms: int) -> Offer:
    return Offer(
        name=address.engine,
        vendor=address.name,
        title=address.engine,
        wire="openai",
        base_url=address.url.rstrip("/"),
        origin="engine",
        models=(address.model,),
        kind=address.kind,
        smoke=address.smoke,
        free=True,
        created_ms=since_ms,
        verified=True,
    )
