"""Making data sets, putting rows in and taking them out, reading versions, comparing them.

Every change of rows makes a version; what is in a version never changes. Knows no file format and
no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.datasets import slicing
from stockpot.datasets.content import at_path, canonical, split_of
from stockpot.datasets.models import (
    Added,
    ChangedRow,
    Condition,
    Dataset,
    DatasetDiff,
    DatasetRow,
    DatasetSettings,
    DatasetVersion,
    NewDataset,
    NewRow,
    RowOfTrace,
    RowPage,
    Slice,
    SplitRequest,
    Use,
)
from stockpot.datasets.service.committing import Committing, checked
from stockpot.datasets.service.seeing import author_of, existing, version_of
from stockpot.datasets.store import datasets as store
from stockpot.datasets.store import rows as row_store
from stockpot.datasets.store.forgetting import forget_words
from stockpot.traces import Projects

Ref = int | str | None
_FORGOTTEN = "rows of traces that were erased"


class DatasetService:
    """Data sets of every project. Without an `actor` it is the instance that asks."""

    def __init__(self, db: Database, projects: Projects) -> None:
        self._db = db
        self._projects = projects

    # --- data sets --------------------------------------------------------------------------------

    async def all(self, actor: Principal, project: str | None = None) -> tuple[Dataset, ...]:
        """What the caller sees, by project and name."""
        seen = actor.projects("viewer")
        if project is not None:
            seen = frozenset({project}) if seen is None or project in seen else frozenset()
        return await self._db.read(lambda c: store.list_datasets(c, seen))

    async def get(self, project: str, name: str, actor: Principal | None = None) -> Dataset:
        """One data set; NotFound where there is none."""
        return await self._db.read(lambda c: existing(c, project, name, actor))

    async def create(
        self, project: str, new: NewDataset, actor: Principal | None = None
    ) -> Dataset:
        """A new data set without rows."""

        def write(c: sa.Connection) -> Dataset:
            demand_project(actor, "editor", project, self._projects(c))
            if store.dataset_named(c, project, new.name) is not None:
                raise Conflict(f"the project {project!r} has a data set {new.name!r} already")
            checked((), new.input_schema, new.expected_schema)
            values = {**new.model_dump(), "created_ms": now_ms(), "created_by": author_of(actor)}
            store.add_dataset(c, id=record_id("set"), project=project, **values)
            made = existing(c, project, new.name)
            _audited(c, actor, "create", made, after=made)
            return made

        return await self._db.write(write)

    async def change(
        self, project: str, name: str, wanted: DatasetSettings, actor: Principal | None = None
    ) -> Dataset:
        """Change what is given. Rows that are there must meet a new schema."""

        def write(c: sa.Connection) -> Dataset:
            before = existing(c, project, name, actor, "editor")
            changes: dict[str, Any] = wanted.model_dump(exclude_none=True)
            after = before.model_copy(update=changes)
            if before.version and (wanted.input_schema or wanted.expected_schema):
                found = row_store.page(c, before.id, before.version.number)
                checked(found, after.input_schema, after.expected_schema)
            store.change_dataset(c, before.id, **changes)
            made = existing(c, project, name)
            _audited(c, actor, "change", made, before=before, after=made)
            return made

        return await self._db.write(write)

    async def remove(self, project: str, name: str, actor: Principal | None = None) -> None:
        """Forget a data set with all of its versions."""

        def write(c: sa.Connection) -> None:
            found = existing(c, project, name, actor, "editor")
            row_store.remove_all(c, found.id)
            store.remove_dataset(c, found.id)
            _audited(c, actor, "remove", found, before=found)

        await self._db.write(write)

    # --- versions ---------------------------------------------------------------------------------

    async def versions(
        self, project: str, name: str, actor: Principal | None = None
    ) -> tuple[DatasetVersion, ...]:
        """All versions, newest first."""
        return await self._db.read(
            lambda c: store.list_versions(c, existing(c, project, name, actor).id)
        )

    async def version(
        self, project: str, name: str, ref: Ref = "latest", actor: Principal | None = None
    ) -> DatasetVersion:
        """One version, by number or `latest`."""
        return await self._db.read(lambda c: version_of(c, existing(c, project, name, actor), ref))

    async def rows(
        self, version: DatasetVersion, *, split: str | None = None, slice: str | None = None
    ) -> tuple[DatasetRow, ...]:
        """The rows of a version in their order; of one split, or of a named slice, alone."""

        def read(c: sa.Connection) -> tuple[DatasetRow, ...]:
            found = row_store.page(c, version.dataset_id, version.number, split=split)
            if slice is None:
                return tuple(found)
            conditions = _slice(c, version.dataset_id, slice).conditions
            return tuple(row for row in found if slicing.holds(row, conditions))

        return await self._db.read(read)

    async def row(self, version: DatasetVersion, row_id: str) -> DatasetRow:
        """One row of a version."""
        at = (version.dataset_id, version.number, [row_id])
        found = await self._db.read(lambda c: row_store.with_ids(c, *at))
        if row_id not in found:
            raise NotFound(f"version {version.number} has no row {row_id!r}")
        return found[row_id]

    async def page(
        self,
        version: DatasetVersion,
        *,
        split: str | None = None,
        slice: str | None = None,
        conditions: Sequence[Condition] = (),
        offset: int = 0,
        limit: int = 100,
    ) -> RowPage:
        """Some rows of a version, and how many there are of the kind."""

        def read(c: sa.Connection) -> RowPage:
            wanted = [*(_slice(c, version.dataset_id, slice).conditions if slice else ())]
            wanted += conditions
            if wanted:
                every = row_store.page(c, version.dataset_id, version.number, split=split)
                kept = [row for row in every if slicing.holds(row, wanted)]
                shown, total = kept[offset : offset + limit], len(kept)
            else:
                of = (version.dataset_id, version.number)
                shown = row_store.page(c, *of, split=split, offset=offset, limit=limit)
                counts = row_store.count_splits(c, version.dataset_id, version.number)
                total = sum(counts.values()) if split is None else counts.get(split, 0)
            following = offset + len(shown)
            more = following if following < total and shown else None
            return RowPage(items=tuple(shown), total=total, next_offset=more)

        return await self._db.read(read)

    async def splits(self, version: DatasetVersion) -> dict[str, int]:
        """How many rows each split has; those in none stand under ''."""
        return await self._db.read(
            lambda c: row_store.count_splits(c, version.dataset_id, version.number)
        )

    async def diff(
        self, dataset: Dataset, base: Ref | None, ref: Ref = "latest", limit: int = 200
    ) -> DatasetDiff:
        """What turns the version `base`, or the one before, into another."""

        def read(c: sa.Connection) -> DatasetDiff:
            other = version_of(c, dataset, ref)
            one = version_of(c, dataset, max(1, other.number - 1) if base is None else base)
            before = row_store.members(c, dataset.id, one.number)
            after = row_store.members(c, dataset.id, other.number)
            added = [ident for ident in after if ident not in before]
            removed = [ident for ident in before if ident not in after]
            both = [ident for ident in after if ident in before]
            changed = [ident for ident in both if before[ident].hash != after[ident].hash]
            old = row_store.with_ids(c, dataset.id, one.number, removed[:limit] + changed[:limit])
            new = row_store.with_ids(c, dataset.id, other.number, added[:limit] + changed[:limit])
            return DatasetDiff(
                base=one.number,
                version=other.number,
                added_count=len(added),
                removed_count=len(removed),
                changed_count=len(changed),
                unchanged_count=len(both) - len(changed),
                added=tuple(new[ident] for ident in added[:limit]),
                removed=tuple(old[ident] for ident in removed[:limit]),
                changed=tuple(
                    ChangedRow(id=ident, before=old[ident], after=new[ident])
                    for ident in changed[:limit]
                ),
            )

        return await self._db.read(read)

    # --- rows -------------------------------------------------------------------------------------

    async def add_rows(
        self,
        project: str,
        name: str,
        rows: Iterable[NewRow],
        message: str = "",
        actor: Principal | None = None,
        skipped: tuple[str, ...] = (),
    ) -> Added:
        """Put rows in: a version with what is new or other, or none where all of it is there."""
        given = list(rows)

        def write(c: sa.Connection) -> Added:
            found = existing(c, project, name, actor, "editor")
            made = Committing(c, found).put(given, message, author_of(actor))
            if made.version is not None:
                _audited(c, actor, "add_rows", found, after=made.version)
            return made.model_copy(update={"skipped": skipped})

        return await self._db.write(write)

    async def remove_rows(
        self,
        project: str,
        name: str,
        ids: Sequence[str],
        message: str = "",
        actor: Principal | None = None,
    ) -> Added:
        """Take rows out: a version without them. Older versions keep them."""

        def write(c: sa.Connection) -> Added:
            found = existing(c, project, name, actor, "editor")
            made = Committing(c, found).take(ids, message, author_of(actor))
            if made is None:
                raise NotFound(f"the data set {name!r} has none of these rows now")
            _audited(c, actor, "remove_rows", found, after=made)
            return Added(version=made, added=0, changed=0, unchanged=0)

        return await self._db.write(write)

    async def split(
        self, project: str, name: str, wanted: SplitRequest, actor: Principal | None = None
    ) -> Added:
        """Tell rows apart into splits by shares, the same row always into the same split."""

        def write(c: sa.Connection) -> Added:
            found = existing(c, project, name, actor, "editor")
            newest = version_of(c, found, "latest")
            rows = row_store.page(c, found.id, newest.number)
            moved = [
                _new(row).model_copy(update={"split": split})
                for row in rows
                if not (wanted.only_unassigned and row.split)
                and (split := split_of(_told(row, wanted), wanted.shares, wanted.seed)) != row.split
            ]
            message = wanted.message or "split " + canonical(wanted.shares)
            made = Committing(c, found).put(moved, message, author_of(actor))
            if made.version is not None:
                _audited(c, actor, "split", found, after=made.version)
            return made

        return await self._db.write(write)

    # --- slices, lineage --------------------------------------------------------------------------

    async def slices(self, dataset: Dataset) -> tuple[Slice, ...]:
        """All slices, by name."""
        return await self._db.read(lambda c: store.list_slices(c, dataset.id))

    async def set_slice(
        self,
        project: str,
        name: str,
        slice_: str,
        conditions: tuple[Condition, ...],
        actor: Principal | None = None,
    ) -> Slice:
        """Keep a slice under its name."""
        made = Slice(
            name=slice_, conditions=conditions, created_ms=now_ms(), created_by=author_of(actor)
        )

        def write(c: sa.Connection) -> Slice:
            found = existing(c, project, name, actor, "editor")
            store.set_slice(c, found.id, made)
            _audited(c, actor, "set_slice", found, after=made)
            return made

        return await self._db.write(write)

    async def remove_slice(
        self, project: str, name: str, slice_: str, actor: Principal | None = None
    ) -> None:
        """Forget a slice."""

        def write(c: sa.Connection) -> None:
            found = existing(c, project, name, actor, "editor")
            before = _slice(c, found.id, slice_)
            store.remove_slice(c, found.id, slice_)
            _audited(c, actor, "remove_slice", found, before=before)

        await self._db.write(write)

    async def note_use(
        self,
        version: DatasetVersion,
        kind: Literal["run", "annotation", "tuning"] | str,
        ref: str,
        label: str = "",
    ) -> None:
        """Note that something used a version, so that the version knows."""
        use = Use(number=version.number, kind=kind, ref=ref, label=label, created_ms=now_ms())
        await self._db.write(lambda c: store.add_use(c, version.dataset_id, use))

    async def uses(self, dataset: Dataset) -> tuple[Use, ...]:
        """What used a data set, newest first."""
        return await self._db.read(lambda c: store.list_uses(c, dataset.id))

    async def forget(self, project: str, traces: Sequence[str]) -> int:
        """Erase what rows say that were made from some traces; gives how many rows that are. Every
        version keeps its rows' hashes, and a new one is without these rows. What annotators wrote
        of these traces and rows goes too."""

        def write(c: sa.Connection) -> int:
            made = row_store.made_from(c, project, traces)
            now: dict[str, list[str]] = {}
            for row in made:
                if row.last:
                    now.setdefault(row.dataset_id, []).append(row.id)
            for dataset_id, ids in now.items():
                found = store.dataset_with(c, dataset_id)
                if found is not None:
                    Committing(c, found).take(ids, _FORGOTTEN, author_of(None))
            row_store.blank(c, sorted({row.hash for row in made}))
            words: dict[str, set[str]] = {}
            for row in made:
                words.setdefault(row.dataset, set()).add(row.id)
            forget_words(c, project, traces, words)
            return len({(row.dataset_id, row.id) for row in made})

        return await self._db.write(write)

    async def made_from(self, project: str, traces: Sequence[str]) -> frozenset[str]:
        """The names of data sets with rows that were made from some traces, in any version, also
        where these were erased."""
        ids = [trace.lower() for trace in traces]
        found = await self._db.read(lambda c: row_store.made_from(c, project, ids))
        return frozenset(made.dataset for made in found)

    async def rows_of_trace(self, project: str, trace_id: str) -> tuple[RowOfTrace, ...]:
        """The rows that were made from a trace."""
        return await self._db.read(lambda c: row_store.of_trace(c, project, trace_id.lower()))


def _slice(c: sa.Connection, dataset_id: str, name: str) -> Slice:
    known = store.list_slices(c, dataset_id)
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise NotFound(f"no slice {name!r}.{did_you_mean(name, [one.name for one in known])}")
    return found


def _new(row: DatasetRow) -> NewRow:
    return NewRow(**row.model_dump(exclude={"hash", "erased"}))


def _told(row: DatasetRow, wanted: SplitRequest) -> str:
    """What decides about a row's split: the field that keeps rows together, else its input."""
    if wanted.group_by:
        there, value = at_path(row.model_dump(), wanted.group_by)
        if there:
            return canonical(value)
    return canonical(row.input)


def _audited(
    c: sa.Connection, actor: Principal | None, verb: str, about: Dataset, **records: Any
) -> None:
    if actor is not None:
        told: dict[str, Any] = {"name": about.name, "project": about.project}
        audit(c, actor, f"dataset.{verb}", about.id, **records, **told)
