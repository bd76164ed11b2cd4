"""Routes of data sets themselves, their slices, and where they come from and go to."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockpot.access import demand
from stockpot.core.errors import NotFound
from stockpot.datasets.api.who import Editor, Project, Viewer
from stockpot.datasets.models import (
    Dataset,
    DatasetName,
    DatasetSettings,
    NewDataset,
    NewSlice,
    ProjectName,
    RowOfTrace,
    Slice,
    Use,
)
from stockpot.datasets.opening import Datasets


def set_routes(routes: APIRouter, datasets: Datasets) -> None:
    """List, make, change, remove; slices; lineage."""
    _sets(routes, datasets)
    _slices(routes, datasets)
    _lineage(routes, datasets)


def _sets(routes: APIRouter, datasets: Datasets) -> None:
    sets = datasets.sets

    @routes.get("/datasets", tags=["datasets"])
    async def list_datasets(
        principal: Viewer, project: Annotated[ProjectName | None, Query()] = None
    ) -> tuple[Dataset, ...]:
        """Data sets that the caller sees, by project and name."""
        return await sets.all(principal, project)

    @routes.post("/datasets", tags=["datasets"], status_code=201)
    async def create_dataset(
        new: NewDataset, principal: Editor, project: Project = "default"
    ) -> Dataset:
        """A new data set without rows."""
        return await sets.create(project, new, principal)

    @routes.get("/datasets/{dataset}", tags=["datasets"])
    async def get_dataset(dataset: str, principal: Viewer, project: Project = "default") -> Dataset:
        """One data set with its newest version."""
        return await sets.get(project, dataset, principal)

    @routes.patch("/datasets/{dataset}", tags=["datasets"])
    async def change_dataset(
        dataset: str, wanted: DatasetSettings, principal: Editor, project: Project = "default"
    ) -> Dataset:
        """Change what is given; null keeps."""
        return await sets.change(project, dataset, wanted, principal)

    @routes.delete("/datasets/{dataset}", tags=["datasets"], status_code=204)
    async def remove_dataset(dataset: str, principal: Editor, project: Project = "default") -> None:
        """Forget a data set with all of its versions."""
        await sets.remove(project, dataset, principal)


def _slices(routes: APIRouter, datasets: Datasets) -> None:
    sets = datasets.sets

    @routes.get("/datasets/{dataset}/slices", tags=["datasets"])
    async def list_slices(
        dataset: str, principal: Viewer, project: Project = "default"
    ) -> tuple[Slice, ...]:
        """Named parts of a data set."""
        return await sets.slices(await sets.get(project, dataset, principal))

    @routes.put("/datasets/{dataset}/slices/{slice_name}", tags=["datasets"])
    async def set_slice(
        dataset: str,
        slice_name: DatasetName,
        wanted: NewSlice,
        principal: Editor,
        project: Project = "default",
    ) -> Slice:
        """Keep conditions under a name; they hold for every version."""
        return await sets.set_slice(project, dataset, slice_name, wanted.conditions, principal)

    @routes.delete("/datasets/{dataset}/slices/{slice_name}", tags=["datasets"], status_code=204)
    async def remove_slice(
        dataset: str, slice_name: str, principal: Editor, project: Project = "default"
    ) -> None:
        """Forget a slice; the rows stay."""
        await sets.remove_slice(project, dataset, slice_name, principal)


def _lineage(routes: APIRouter, datasets: Datasets) -> None:
    sets = datasets.sets

    @routes.get("/datasets/{dataset}/uses", tags=["datasets"])
    async def list_dataset_uses(
        dataset: str, principal: Viewer, project: Project = "default"
    ) -> tuple[Use, ...]:
        """What used which version: evaluation runs, annotation queues."""
        return await sets.uses(await sets.get(project, dataset, principal))

    @routes.get("/traces/{trace_id}/rows", tags=["datasets"])
    async def list_rows_of_trace(
        trace_id: str, principal: Viewer, project: Project = "default"
    ) -> tuple[RowOfTrace, ...]:
        """The rows of data sets that were made from a trace."""
        absent = NotFound(f"no trace {trace_id!r}", hint="stockpot traces list")
        demand(principal, "viewer", project, absent)
        return await sets.rows_of_trace(project, trace_id)
