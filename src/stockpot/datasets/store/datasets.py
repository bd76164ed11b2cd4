"""Data sets, their versions, slices and uses. Functions work inside their caller's transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.datasets.models import Condition, Dataset, DatasetVersion, Slice, Use
from stockpot.datasets.store.tables import datasets, slices, uses, versions


def list_datasets(c: sa.Connection, projects: frozenset[str] | None) -> tuple[Dataset, ...]:
    """Data sets of some projects, or of all, by name."""
    which = sa.true() if projects is None else datasets.c.project.in_(sorted(projects))
    return _select(c, which)


def dataset_named(c: sa.Connection, project: str, name: str) -> Dataset | None:
    """One data set."""
    return next(iter(_select(c, (datasets.c.project == project) & (datasets.c.name == name))), None)


def dataset_with(c: sa.Connection, dataset_id: str) -> Dataset | None:
    """One data set, by its id."""
    return next(iter(_select(c, datasets.c.id == dataset_id)), None)


def add_dataset(c: sa.Connection, **values: Any) -> None:
    """A new data set without a version."""
    c.execute(sa.insert(datasets).values(head=0, **values))


def change_dataset(c: sa.Connection, dataset_id: str, **values: Any) -> None:
    """Set columns of a data set."""
    if values:
        c.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(**values))


def remove_dataset(c: sa.Connection, dataset_id: str) -> None:
    """Forget a data set with all of its versions."""
    for table in (uses, slices, versions):
        c.execute(sa.delete(table).where(table.c.dataset_id == dataset_id))
    c.execute(sa.delete(datasets).where(datasets.c.id == dataset_id))


def lock(c: sa.Connection, dataset_id: str) -> None:
    """Let nobody else change a data set until this transaction ends. SQLite has one writer."""
    c.execute(sa.select(datasets.c.id).where(datasets.c.id == dataset_id).with_for_update())


def take_number(c: sa.Connection, dataset_id: str) -> int:
    """The number of the next version."""
    taken = sa.update(datasets).where(datasets.c.id == dataset_id).values(head=datasets.c.head + 1)
    return int(c.execute(taken.returning(datasets.c.head)).scalar_one())


def add_version(c: sa.Connection, version: DatasetVersion) -> None:
    """Write a version down. It is never changed."""
    c.execute(sa.insert(versions).values(**version.model_dump(exclude={"id"})))


def version_numbered(c: sa.Connection, dataset_id: str, number: int) -> DatasetVersion | None:
    """One version."""
    query = sa.select(versions).where(
        versions.c.dataset_id == dataset_id, versions.c.number == number
    )
    row = c.execute(query).mappings().first()
    return _version(row) if row else None


def list_versions(c: sa.Connection, dataset_id: str) -> tuple[DatasetVersion, ...]:
    """All versions, newest first."""
    query = sa.select(versions).where(versions.c.dataset_id == dataset_id)
    rows = c.execute(query.order_by(versions.c.number.desc())).mappings()
    return tuple(_version(row) for row in rows)


def list_slices(c: sa.Connection, dataset_id: str) -> tuple[Slice, ...]:
    """All slices, by name."""
    query = sa.select(slices).where(slices.c.dataset_id == dataset_id).order_by(slices.c.name)
    return tuple(
        Slice(
            name=row["name"],
            conditions=tuple(Condition(**one) for one in row["conditions"]),
            created_ms=row["created_ms"],
            created_by=row["created_by"],
        )
        for row in c.execute(query).mappings()
    )


def set_slice(c: sa.Connection, dataset_id: str, slice_: Slice) -> None:
    """Keep a slice; one of the same name is replaced."""
    remove_slice(c, dataset_id, slice_.name)
    values = slice_.model_dump(mode="json")
    c.execute(sa.insert(slices).values(dataset_id=dataset_id, **values))


def remove_slice(c: sa.Connection, dataset_id: str, name: str) -> int:
    """Forget a slice; returns how many there were."""
    same = (slices.c.dataset_id == dataset_id) & (slices.c.name == name)
    return c.execute(sa.delete(slices).where(same)).rowcount


def add_use(c: sa.Connection, dataset_id: str, use: Use) -> None:
    """Note that something used a version; noted once."""
    same = sa.and_(
        uses.c.dataset_id == dataset_id, uses.c.number == use.number, uses.c.kind == use.kind,
        uses.c.ref == use.ref,
    )  # fmt: skip
    if c.scalar(sa.select(sa.literal(1)).where(sa.exists().where(same))) is None:
        c.execute(sa.insert(uses).values(dataset_id=dataset_id, **use.model_dump(mode="json")))


def list_uses(c: sa.Connection, dataset_id: str) -> tuple[Use, ...]:
    """What used a data set, newest first."""
    query = (
        sa.select(uses).where(uses.c.dataset_id == dataset_id).order_by(uses.c.created_ms.desc())
    )
    return tuple(
        Use(**{name: row[name] for name in Use.model_fields}) for row in c.execute(query).mappings()
    )


_NEWEST = [column.label(f"v_{column.name}") for column in versions.c]


def _select(c: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[Dataset, ...]:
    newest = (versions.c.dataset_id == datasets.c.id) & (versions.c.number == datasets.c.head)
    query = sa.select(datasets, *_NEWEST).select_from(datasets.outerjoin(versions, newest))
    query = query.where(which).order_by(datasets.c.project, datasets.c.name)
    return tuple(_dataset(row) for row in c.execute(query).mappings())


def _dataset(row: sa.RowMapping) -> Dataset:
    version = None
    if row["v_number"] is not None:
        version = _version({column.name: row[f"v_{column.name}"] for column in versions.c})
    own = {name: row[name] for name in Dataset.model_fields if name != "version"}
    return Dataset(**own, version=version)


def _version(row: Any) -> DatasetVersion:
    ident = f"{row['dataset_id']}@{row['number']}"
    return DatasetVersion(id=ident, **{column.name: row[column.name] for column in versions.c})
