"""Annotation queues, their items and the work on them. Functions work inside their caller's
transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.datasets.annotation_models import Answered, Item, Progress, Question, Queue
from stockpot.datasets.store.tables import items, queues, work

LOCKED, DONE, SKIPPED = "locked", "done", "skipped"


class Work(NamedTuple):
    """What one person does with one item."""

    item_id: str
    annotator_id: str
    state: str
    locked_until_ms: int
    answered: Answered | None


def list_queues(c: sa.Connection, projects: frozenset[str] | None) -> tuple[Queue, ...]:
    """Queues of some projects, or of all, newest first."""
    which = sa.true() if projects is None else queues.c.project.in_(sorted(projects))
    return _select(c, which)


def queue_with(c: sa.Connection, queue_id: str) -> Queue | None:
    """One queue."""
    return next(iter(_select(c, queues.c.id == queue_id)), None)


def queue_named(c: sa.Connection, project: str, name: str) -> str | None:
    """The id of a queue."""
    same = (queues.c.project == project) & (queues.c.name == name)
    return c.scalar(sa.select(queues.c.id).where(same))


def add_queue(c: sa.Connection, **values: Any) -> None:
    """A new queue without items."""
    c.execute(sa.insert(queues).values(**values))


def change_queue(c: sa.Connection, queue_id: str, **values: Any) -> None:
    """Set columns of a queue."""
    if values:
        c.execute(sa.update(queues).where(queues.c.id == queue_id).values(**values))


def lock(c: sa.Connection, queue_id: str) -> None:
    """Let nobody else be handed an item until this transaction ends. SQLite has one writer."""
    c.execute(sa.select(queues.c.id).where(queues.c.id == queue_id).with_for_update())


def add_items(c: sa.Connection, new: Sequence[dict[str, Any]]) -> None:
    """Put items at the end."""
    for start in range(0, len(new), 500):
        c.execute(sa.insert(items), list(new[start : start + 500]))


def open_ids(c: sa.Connection, queue_id: str) -> list[str]:
    """Items that wait for answers, in their order."""
    which = (items.c.queue_id == queue_id) & (items.c.state == "open")
    return list(c.scalars(sa.select(items.c.id).where(which).order_by(items.c.position)))


def item_ids(c: sa.Connection, queue_id: str) -> set[str]:
    """All items."""
    return set(c.scalars(sa.select(items.c.id).where(items.c.queue_id == queue_id)))


def list_items(
    c: sa.Connection, queue_id: str, state: str | None, offset: int, limit: int
) -> tuple[tuple[Item, ...], int]:
    """Items in their order, with what was answered, and how many there are."""
    which = items.c.queue_id == queue_id
    if state is not None:
        which &= items.c.state == state
    query = sa.select(items).where(which).order_by(items.c.position).offset(offset).limit(limit)
    rows = list(c.execute(query).mappings())
    total = c.scalar(sa.select(sa.func.count()).select_from(items).where(which)) or 0
    done = _answered(c, queue_id, [row["id"] for row in rows])
    return tuple(_item(row, done.get(row["id"], ())) for row in rows), total


def item_with(c: sa.Connection, queue_id: str, item_id: str) -> Item | None:
    """One item with what was answered."""
    same = (items.c.queue_id == queue_id) & (items.c.id == item_id)
    row = c.execute(sa.select(items).where(same)).mappings().first()
    return _item(row, _answered(c, queue_id, [item_id]).get(item_id, ())) if row else None


def change_item(c: sa.Connection, queue_id: str, item_id: str, **values: Any) -> None:
    """Set columns of an item."""
    same = (items.c.queue_id == queue_id) & (items.c.id == item_id)
    c.execute(sa.update(items).where(same).values(**values))


def work_on(c: sa.Connection, queue_id: str) -> list[Work]:
    """All work on open items of a queue."""
    waiting = (items.c.queue_id == work.c.queue_id) & (items.c.id == work.c.item_id)
    query = sa.select(work).join(items, waiting)
    query = query.where(work.c.queue_id == queue_id, items.c.state == "open")
    return [_work(row) for row in c.execute(query).mappings()]


def work_of(c: sa.Connection, queue_id: str, item_id: str, annotator_id: str) -> Work | None:
    """What one person does with one item."""
    row = c.execute(sa.select(work).where(_same(queue_id, item_id, annotator_id))).mappings()
    found = row.first()
    return _work(found) if found else None


def set_work(
    c: sa.Connection, queue_id: str, item_id: str, annotator_id: str, **values: Any
) -> None:
    """Put down what one person does with one item."""
    same = _same(queue_id, item_id, annotator_id)
    if c.execute(sa.update(work).where(same).values(**values)).rowcount:
        return
    blank = {"answers": None, "comment": "", "done_ms": None, "locked_until_ms": 0}
    keys = {"queue_id": queue_id, "item_id": item_id, "annotator_id": annotator_id}
    c.execute(sa.insert(work).values(**{**blank, **values, **keys}))


def _same(queue_id: str, item_id: str, annotator_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        work.c.queue_id == queue_id, work.c.item_id == item_id, work.c.annotator_id == annotator_id
    )


def _answered(
    c: sa.Connection, queue_id: str, ids: Sequence[str]
) -> dict[str, tuple[Answered, ...]]:
    which = sa.and_(work.c.queue_id == queue_id, work.c.state == DONE, work.c.item_id.in_(ids))
    rows = c.execute(sa.select(work).where(which).order_by(work.c.done_ms)).mappings()
    found: dict[str, tuple[Answered, ...]] = {}
    for row in rows:
        found[row["item_id"]] = (*found.get(row["item_id"], ()), _said(row))
    return found


def _said(row: sa.RowMapping) -> Answered:
    return Answered(
        annotator=row["annotator"],
        answers=row["answers"] or {},
        comment=row["comment"],
        done_ms=row["done_ms"] or 0,
    )


def _work(row: sa.RowMapping) -> Work:
    said = _said(row) if row["state"] == DONE else None
    return Work(row["item_id"], row["annotator_id"], row["state"], row["locked_until_ms"], said)


def _item(row: sa.RowMapping, answered: tuple[Answered, ...]) -> Item:
    same = ("id", "position", "trace_id", "span_id", "row_id", "state", "settled", "settled_by",
            "note")  # fmt: skip
    return Item(**{name: row[name] for name in same}, answered=answered)


def _select(c: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[Queue, ...]:
    rows = list(c.execute(sa.select(queues).where(which).order_by(queues.c.id.desc())).mappings())
    ids = [row["id"] for row in rows]
    return tuple(
        _queue(row, progress) for row, progress in zip(rows, _progress(c, ids), strict=True)
    )


def _progress(c: sa.Connection, ids: Sequence[str]) -> list[Progress]:
    states: dict[str, dict[str, int]] = {ident: {} for ident in ids}
    query = sa.select(items.c.queue_id, items.c.state, sa.func.count())
    query = query.where(items.c.queue_id.in_(ids)).group_by(items.c.queue_id, items.c.state)
    for ident, state, count in c.execute(query):
        states[ident][state] = count
    people: dict[str, dict[str, int]] = {ident: {} for ident in ids}
    done = sa.select(work.c.queue_id, work.c.annotator, sa.func.count())
    done = done.where(work.c.queue_id.in_(ids), work.c.state == DONE)
    for ident, who, count in c.execute(done.group_by(work.c.queue_id, work.c.annotator)):
        people[ident][who] = count
    return [
        Progress(
            items=sum(states[ident].values()),
            **{
                name: states[ident].get(name, 0) for name in ("open", "done", "disputed", "settled")
            },
            by_annotator=people[ident],
        )
        for ident in ids
    ]


def _queue(row: sa.RowMapping, progress: Progress) -> Queue:
    plain = [name for name in Queue.model_fields if name not in ("rubric", "progress")]
    rubric = tuple(Question(**question) for question in row["rubric"])
    return Queue(**{name: row[name] for name in plain}, rubric=rubric, progress=progress)
