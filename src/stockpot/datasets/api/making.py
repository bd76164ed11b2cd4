"""Routes by which rows come in and go."""

from fastapi import APIRouter

from stockpot.datasets.api.who import Editor, Project
from stockpot.datasets.models import (
    Added,
    AddRows,
    FromFeedback,
    FromTraces,
    Imported,
    ImportRows,
    RemoveRows,
    SplitRequest,
)
from stockpot.datasets.opening import Datasets
from stockpot.traces import Seen


def making_routes(routes: APIRouter, datasets: Datasets) -> None:
    """Add, remove, import, from traces, from feedback, split. Each makes a version."""
    _rows(routes, datasets)
    _sources(routes, datasets)


def _rows(routes: APIRouter, datasets: Datasets) -> None:
    sets = datasets.sets

    @routes.post("/datasets/{dataset}/rows", tags=["datasets"], status_code=201)
    async def add_rows(
        dataset: str, new: AddRows, principal: Editor, project: Project = "default"
    ) -> Added:
        """Put rows in. With the id of a row that is there, a row takes its place."""
        return await sets.add_rows(project, dataset, new.rows, new.message, principal)

    @routes.post("/datasets/{dataset}/rows/remove", tags=["datasets"])
    async def remove_rows(
        dataset: str, gone: RemoveRows, principal: Editor, project: Project = "default"
    ) -> Added:
        """Take rows out of the next version; older versions keep them."""
        return await sets.remove_rows(project, dataset, gone.ids, gone.message, principal)

    @routes.post("/datasets/{dataset}/split", tags=["datasets"])
    async def split_dataset(
        dataset: str, wanted: SplitRequest, principal: Editor, project: Project = "default"
    ) -> Added:
        """Tell rows apart into splits by shares."""
        return await sets.split(project, dataset, wanted, principal)


def _sources(routes: APIRouter, datasets: Datasets) -> None:
    making = datasets.making

    @routes.post("/datasets/{dataset}/import", tags=["datasets"])
    async def import_rows(
        dataset: str, wanted: ImportRows, principal: Editor, project: Project = "default"
    ) -> Imported:
        """Rows out of the text of a CSV or JSONL file: all, or with a fault none. `dry_run` tells
        how the columns would be read."""
        return await making.import_text(project, dataset, wanted, principal)

    @routes.post("/datasets/{dataset}/from-traces", tags=["datasets"])
    async def add_rows_from_traces(
        dataset: str,
        wanted: FromTraces,
        principal: Editor,
        sight: Seen,
        project: Project = "default",
    ) -> Added:
        """Rows out of traces that are named or match a filter."""
        return await making.from_traces(project, dataset, wanted, principal, sight)

    @routes.post("/datasets/{dataset}/from-feedback", tags=["datasets"])
    async def add_rows_from_feedback(
        dataset: str,
        wanted: FromFeedback,
        principal: Editor,
        sight: Seen,
        project: Project = "default",
    ) -> Added:
        """Rows out of traces that users rated or corrected."""
        return await making.from_feedback(project, dataset, wanted, principal, sight)
