"""Finding a data set by project and name. One that is not to be seen is absent."""

from __future__ import annotations

import sqlalchemy as sa

from stockpot.access import Principal, Role, demand
from stockpot.core.errors import NotFound, did_you_mean
from stockpot.datasets.models import Dataset, DatasetVersion
from stockpot.datasets.store import datasets as store


def author_of(actor: Principal | None) -> str:
    """Who did it; what the instance does by itself is signed by its name."""
    return actor.label if actor else "stockpot"


def existing(
    c: sa.Connection, project: str, name: str, actor: Principal | None = None, role: Role = "viewer"
) -> Dataset:
    """A data set that the actor may use so; no actor is the instance itself."""
    absent = NotFound(f"no data set {name!r}", hint="stockpot datasets list")
    if actor is not None:
        demand(actor, role, project, absent)
    found = store.dataset_named(c, project, name)
    if found is None:
        known = [d.name for d in store.list_datasets(c, frozenset({project}))]
        raise NotFound(
            f"no data set {name!r} in the project {project!r}.{did_you_mean(name, known)}",
            hint=f"stockpot datasets list --project {project}",
        )
    return found


def version_of(c: sa.Connection, dataset: Dataset, ref: int | str | None) -> DatasetVersion:
    """A version by its number, or `latest`."""
    if ref is None or ref == "latest" or ref == "":
        if dataset.version is None:
            raise NotFound(
                f"the data set {dataset.name!r} has no rows yet",
                hint=f"stockpot datasets import {dataset.name} FILE",
            )
        return dataset.version
    number = int(ref) if str(ref).isdigit() and len(str(ref)) < 10 else 0
    found = store.version_numbered(c, dataset.id, number)
    if found is None:
        raise NotFound(
            f"the data set {dataset.name!r} has no version {ref!r}",
            hint=f"stockpot datasets versions {dataset.name}",
        )
    return found
