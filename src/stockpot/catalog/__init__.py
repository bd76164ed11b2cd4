"""What an instance offers and to whom: projects, virtual keys, providers, models, budgets.

Knows records and publishes them to the gateway as snapshots; knows nothing of requests, spans or
prompts. What a budget allows is defined and lent out here, and counted in the gateway.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.catalog.api import internal_router, router
    from stockpot.catalog.catalog import Catalog, open_catalog
    from stockpot.catalog.keeping import spent_by_budget
    from stockpot.catalog.models import (
        CreatedKey,
        Event,
        InstanceInfo,
        KeySettings,
        Model,
        NewKey,
        NewProject,
        Project,
        Provider,
        ProviderSettings,
        RouteSettings,
        TestResult,
        VirtualKey,
    )
    from stockpot.catalog.publish import PartSource, Publisher
    from stockpot.catalog.service.keys import own_key_ids, secret_for
    from stockpot.catalog.store.projects import project_names
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "internal_router router",
            "catalog": "Catalog open_catalog",
            "keeping": "spent_by_budget",
            "publish": "PartSource Publisher",
            "service.keys": "own_key_ids secret_for",
            "store.projects": "project_names",
            "models": "CreatedKey Event InstanceInfo KeySettings Model NewKey NewProject Project "
            "Provider ProviderSettings RouteSettings TestResult VirtualKey",
        },
    )

__all__ = [
    "Catalog",
    "CreatedKey",
    "Event",
    "InstanceInfo",
    "KeySettings",
    "Model",
    "NewKey",
    "NewProject",
    "PartSource",
    "Project",
    "Provider",
    "ProviderSettings",
    "Publisher",
    "RouteSettings",
    "TestResult",
    "VirtualKey",
    "internal_router",
    "open_catalog",
    "own_key_ids",
    "project_names",
    "router",
    "secret_for",
    "spent_by_budget",
]
