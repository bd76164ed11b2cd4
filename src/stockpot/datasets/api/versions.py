"""Routes of versions: their rows, what tells them apart, exports, checks."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from stockpot.core.errors import InvalidInput
from stockpot.datasets.api.who import Project, Ref, Viewer
from stockpot.datasets.models import (
    Check,
    Condition,
    DatasetDiff,
    DatasetRow,
    DatasetVersion,
    RowPage,
)
from stockpot.datasets.opening import Datasets

_CONTENT = {"application/jsonl": {"schema": {"type": "string"}}, "text/csv": {}}
_AT_ONCE = 128 << 10


def version_routes(routes: APIRouter, datasets: Datasets) -> None:
    """Versions, rows, difference, check, export."""
    _reading(routes, datasets)
    _comparing(routes, datasets)


def _reading(routes: APIRouter, datasets: Datasets) -> None:
    sets = datasets.sets

    @routes.get("/datasets/{dataset}/versions", tags=["datasets"])
    async def list_dataset_versions(
        dataset: str, principal: Viewer, project: Project = "default"
    ) -> tuple[DatasetVersion, ...]:
        """All versions, newest first."""
        return await sets.versions(project, dataset, principal)

    @routes.get("/datasets/{dataset}/rows", tags=["datasets"])
    async def list_rows(
        dataset: str,
        principal: Viewer,
        project: Project = "default",
        version: Ref = "latest",
        split: Annotated[str | None, Query(max_length=40)] = None,
        slice: Annotated[str | None, Query(max_length=100)] = None,
        q: Annotated[str, Query(max_length=200)] = "",
        offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> RowPage:
        """Rows of a version; `q` keeps those whose input holds a text."""
        found = await sets.version(project, dataset, version, principal)
        held = (Condition(field="input", op="contains", value=q),) if q else ()
        return await sets.page(
            found, split=split, slice=slice, conditions=held, offset=offset, limit=limit
        )

    @routes.get("/datasets/{dataset}/splits", tags=["datasets"])
    async def count_splits(
        dataset: str, principal: Viewer, project: Project = "default", version: Ref = "latest"
    ) -> dict[str, int]:
        """How many rows each split has; those in none stand under the empty name."""
        return await sets.splits(await sets.version(project, dataset, version, principal))

    @routes.get(
        "/datasets/{dataset}/export",
        tags=["datasets"],
        response_class=StreamingResponse,
        responses={200: {"content": _CONTENT}},
    )
    async def export_dataset(
        dataset: str,
        principal: Viewer,
        project: Project = "default",
        version: Ref = "latest",
        split: Annotated[str | None, Query(max_length=40)] = None,
        slice: Annotated[str | None, Query(max_length=100)] = None,
        format: Annotated[Literal["jsonl", "csv"], Query()] = "jsonl",
    ) -> StreamingResponse:
        """A version as JSON lines or CSV, as an import takes it again."""
        found = await sets.version(project, dataset, version, principal)
        rows = await sets.rows(found, split=split, slice=slice)
        lines = _jsonl(rows) if format == "jsonl" else _csv(rows)
        kind = "application/jsonl" if format == "jsonl" else "text/csv"
        name = f'attachment; filename="{dataset}-v{found.number}.{format}"'
        return StreamingResponse(lines, media_type=kind, headers={"content-disposition": name})


def _comparing(routes: APIRouter, datasets: Datasets) -> None:
    @routes.get("/datasets/{dataset}/diff", tags=["datasets"])
    async def compare_dataset_versions(
        dataset: str,
        principal: Viewer,
        base: Annotated[int | None, Query(ge=1, le=10**9)] = None,
        project: Project = "default",
        version: Ref = "latest",
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> DatasetDiff:
        """What turns the version `base` into another; where none is named, the one before it."""
        found = await datasets.sets.get(project, dataset, principal)
        return await datasets.sets.diff(found, base, version, limit)

    @routes.get("/datasets/{dataset}/check", tags=["datasets"])
    async def check_dataset(
        dataset: str,
        principal: Viewer,
        project: Project = "default",
        version: Ref = "latest",
        threshold: Annotated[float, Query(ge=0.3, le=1)] = 0.8,
        against: Annotated[
            str, Query(max_length=120, description="Another data set, as NAME or NAME@VERSION.")
        ] = "",
    ) -> Check:
        """Near-duplicates, and those of them in different splits (or in another data set)."""
        found = await datasets.sets.version(project, dataset, version, principal)
        other = None
        if against:
            name, _, number = against.partition("@")
            other = await datasets.sets.version(project, name, number or "latest", principal)
            if other.id == found.id:
                raise InvalidInput("a version is compared against another, not against itself")
        return await datasets.making.check(found, threshold, other)


def _jsonl(rows: tuple[DatasetRow, ...]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for row in rows:
        told = row.model_dump(exclude={"hash", "erased"})
        held.append(json.dumps(told, ensure_ascii=True) + "\n")
        size += len(held[-1])
        if size > _AT_ONCE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


_COLUMNS = ("id", "input", "expected", "metadata", "split", "source_trace", "source_span")


def _csv(rows: tuple[DatasetRow, ...]) -> Iterator[str]:
    """Objects as JSON in one cell, which an import reads as objects."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in rows:
        told = row.model_dump(include=set(_COLUMNS))
        writer.writerow([_cell(told[name]) for name in _COLUMNS])
        if out.tell() > _AT_ONCE:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=True)
