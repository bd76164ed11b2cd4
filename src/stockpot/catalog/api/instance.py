"""Routes about the instance itself: what runs, what happened."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from stockpot import __version__
from stockpot.access import allows
from stockpot.catalog.api.who import Admin, Anyone, Member
from stockpot.catalog.catalog import Catalog
from stockpot.catalog.disks import disk_notices
from stockpot.catalog.models import Event, InstanceInfo, Kind, Model, ProcessState
from stockpot.catalog.offers import Offer
from stockpot.catalog.told_settings import SettingShown, told
from stockpot.core.instance import Instance
from stockpot.core.urls import console_url, gateway_url

_TEST_MODEL = "echo"


def instance_routes(routes: APIRouter, catalog: Catalog) -> None:
    """The instance and its events."""

    @routes.get("/instance", tags=["instance"])
    async def get_instance(principal: Anyone) -> InstanceInfo:
        """Addresses, the model to begin with, and to viewers of the instance its processes and
        what to know."""
        info = await describe(catalog)
        if allows(principal, "viewer"):
            return info
        return info.model_copy(update={"processes": (), "notices": ()})

    @routes.get("/settings", tags=["instance"])
    async def list_settings(_: Admin) -> tuple[SettingShown, ...]:
        """What the instance runs with, without secrets; each is changed where it was set."""
        return told(catalog.settings)

    @routes.get("/events", tags=["instance"])
    async def list_events(
        principal: Member,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[str | None, Query(max_length=40)] = None,
    ) -> tuple[Event, ...]:
        """What happened, newest first; `before` is the id of the last event seen."""
        return await catalog.budgets.events(principal, limit, before)


async def describe(catalog: Catalog) -> InstanceInfo:
    """The instance as it is now."""
    await catalog.look_again()
    published = await catalog.publisher.current()
    models = await catalog.models.all()
    return InstanceInfo(
        version=__version__,
        gateway_url=gateway_url(catalog.settings),
        console_url=console_url(catalog.settings),
        revision=published.revision,
        default_model=_first(published.offers, models, "chat", catalog.settings.default_model)
        or _TEST_MODEL,
        embedding_model=_first(published.offers, models, "embedding"),
        processes=_processes(catalog.instance),
        workers=len(catalog.fleet.living()),
        notices=(*published.notices, *disk_notices(catalog.fleet.living())),
    )


def _first(
    offers: tuple[Offer, ...], models: tuple[Model, ...], kind: Kind, wanted: str = ""
) -> str | None:
    """The wanted model where it is served, else a real one: an engine's before a vendor's."""
    served = {m.name for m in models if m.kind == kind and m.targets}
    engines_first = sorted(offers, key=lambda offer: offer.origin != "engine")
    names = [n for o in engines_first for m in o.models for n in (m, f"{o.name}/{m}")]
    real = (name for name in (wanted, *names) if name in served and name != _TEST_MODEL)
    return next(real, None)


def _processes(instance: Instance) -> tuple[ProcessState, ...]:
    """What the supervisor says of its processes; nothing when none runs."""
    try:
        rows = msgspec.json.decode((instance.run / "supervisor.json").read_bytes())
        return tuple(ProcessState(**row) for row in rows)
    except (OSError, ValueError, TypeError):
        return ()
