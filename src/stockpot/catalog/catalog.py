"""The catalog's services, wired. Knows who needs whom; the composition root gives the stores."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from pathlib import Path
from typing import NamedTuple

from stockpot.catalog import addresses
from stockpot.catalog.connecting import Connecting
from stockpot.catalog.disks import DiskNews
from stockpot.catalog.edits import Edits
from stockpot.catalog.fleet import Fleet
from stockpot.catalog.holders import KeyHolders
from stockpot.catalog.keeping import DefinitionKeeper
from stockpot.catalog.publish import Publisher
from stockpot.catalog.service.budgets import BudgetService, SpendOf
from stockpot.catalog.service.keys import KeyService
from stockpot.catalog.service.models import ModelService
from stockpot.catalog.service.prices import PriceService
from stockpot.catalog.service.projects import ProjectService
from stockpot.catalog.service.providers import ProviderService
from stockpot.catalog.service.requests import RequestService
from stockpot.catalog.service.trial import Trial
from stockpot.catalog.surroundings import Surroundings
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.instance import Instance
from stockpot.core.kv import KeyValue, open_kv

RECLAIM_EVERY_S = 5

_log = logging.getLogger("stockpot.catalog")


class Catalog(NamedTuple):
    """Everything that the catalog can do."""

    instance: Instance
    settings: Settings
    surroundings: Surroundings
    publisher: Publisher
    fleet: Fleet
    disks: DiskNews
    projects: ProjectService
    keys: KeyService
    providers: ProviderService
    models: ModelService
    budgets: BudgetService
    trial: Trial
    kv: KeyValue
    edits: Edits
    keeper: DefinitionKeeper
    requests: RequestService
    prices: PriceService
    holders: KeyHolders

    async def prepare(self, *, probe: bool) -> None:
        """Seed a fresh instance, look around, publish."""
        await self.projects.ensure_default()
        await self.edits.begin()
        await self.surroundings.look(probe=probe)
        if probe:
            await self.keys.playground_secret()
            await self.publisher.refresh("the control plane started")

    async def look_again(self, *, probe: bool = False) -> None:
        """Publish when engines or local servers came or went, or secrets by reference changed."""
        before = self.surroundings.fingerprint
        await self.surroundings.look(probe=probe)
        if self.surroundings.fingerprint != before:
            await self.publisher.refresh("engines, local servers or secrets by reference changed")

    async def watch(self) -> None:
        """Look around, take back what the dead held, and notice what others wrote, for ever."""
        for second in itertools.count(1):
            await asyncio.sleep(1.0)
            try:
                _alive(self.instance).touch()
                await self.look_again(probe=True)
                if second % RECLAIM_EVERY_S == 0:
                    await self.budgets.reclaim()
                await self.publisher.refresh_if_changed()
            except Exception:
                _log.exception("looking around failed; trying again")


def open_catalog(
    db: Database,
    instance: Instance,
    settings: Settings,
    spend_of: SpendOf,
    *,
    resolve: addresses.Resolve = addresses.resolve,
) -> Catalog:
    """Wire the services of one instance."""
    surroundings = Surroundings(instance, settings)
    publisher = Publisher(db, surroundings, settings)
    fleet = Fleet()
    edits = Edits(db)
    keys = KeyService(db, edits, publisher, instance)
    connecting = Connecting(instance, settings, resolve)
    return Catalog(
        instance=instance,
        settings=settings,
        surroundings=surroundings,
        publisher=publisher,
        fleet=fleet,
        disks=DiskNews(db),
        projects=ProjectService(db, edits, publisher, settings),
        keys=keys,
        providers=ProviderService(db, edits, publisher, instance, settings, resolve),
        models=ModelService(edits, publisher, fleet),
        budgets=BudgetService(db, fleet, spend_of),
        trial=Trial(keys, settings),
        edits=edits,
        keeper=DefinitionKeeper(db, edits, publisher, fleet, connecting),
        requests=RequestService(db, edits, publisher),
        prices=PriceService(db, publisher),
        holders=KeyHolders(publisher),
        kv=open_kv(settings.kv_url) if settings.kv_url else _own_kv(instance),
    )


def _alive(instance: Instance) -> Path:
    """Touched every second: tells the next control plane when this one last granted a rate."""
    return instance.run / "rates.alive"


def _own_kv(instance: Instance) -> KeyValue:
    try:
        ago_s = max(0.0, time.time() - _alive(instance).stat().st_mtime)
    except FileNotFoundError:
        return open_kv("memory://")
    return open_kv("memory://", born_ns=time.monotonic_ns() - int(ago_s * 1e9))
