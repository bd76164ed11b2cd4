"""Annotation: handing items out, taking answers, settling differences. Knows who annotates what.

An item is handed to as many people as the queue asks for, to each alone for a while; when all have
answered, those who differ make it disputed, and somebody settles it. Of a blind queue nothing that
was answered is told, and no score written, before all have answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal, audit, demand, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.datasets import agreeing
from stockpot.datasets.annotation_models import (
    Agreement,
    Answered,
    Answers,
    Item,
    ItemPage,
    NewQueue,
    Question,
    Queue,
    QueueSettings,
    QueueSource,
    Settlement,
    Task,
)
from stockpot.datasets.harvesting import input_of, metadata_of, source_span
from stockpot.datasets.service.datasets import DatasetService
from stockpot.datasets.store import queues as store
from stockpot.traces import NewScore, ScoreService, Sight, SpanLog, TraceFilter, output_text

LOCK_MS = 15 * 60_000
ADJUDICATED = "adjudication"
_PAGE = 500
_BLANK = {
    "trace_id": "", "span_id": "", "row_id": "", "state": "open", "settled": None,
    "settled_by": "", "note": "", "settled_ms": None,
}  # fmt: skip
"""A new item, but for what it is about."""


class AnnotationService:
    """Queues of every project."""

    def __init__(
        self, db: Database, datasets: DatasetService, spans: SpanLog, scores: ScoreService
    ) -> None:
        self._db = db
        self._datasets = datasets
        self._spans = spans
        self._scores = scores

    # --- queues -----------------------------------------------------------------------------------

    async def all(self, actor: Principal, project: str | None = None) -> tuple[Queue, ...]:
        """What the caller sees, newest first."""
        seen = actor.projects("viewer")
        if project is not None:
            seen = frozenset({project}) if seen is None or project in seen else frozenset()
        return await self._db.read(lambda c: store.list_queues(c, seen))

    async def get(self, actor: Principal, queue_id: str) -> Queue:
        """One queue with its progress."""
        return await self._db.read(lambda c: _queue(c, actor, queue_id, "viewer"))

    async def create(
        self, actor: Principal, project: str, new: NewQueue, sight: Sight | None
    ) -> Queue:
        """A new queue with its items."""
        demand_project(actor, "editor", project)
        found, version = await self._items(actor, project, new.source, sight)
        queue_id = record_id("que")
        dataset = new.source.dataset or ""
        values = new.model_dump(mode="json", exclude={"source"})
        values |= {"id": queue_id, "project": project, "state": "open", "dataset": dataset}
        values |= {"dataset_version": version, "created_ms": now_ms(), "created_by": actor.label}

        def write(c: sa.Connection) -> Queue:
            if store.queue_named(c, project, new.name) is not None:
                raise Conflict(f"the project {project!r} has a queue {new.name!r} already")
            store.add_queue(c, **values)
            store.add_items(c, [{**row, "queue_id": queue_id} for row in found])
            made = _queue(c, actor, queue_id, "editor")
            _audited(c, actor, "create", made)
            return made

        made = await self._db.write(write)
        if version is not None:
            of = await self._datasets.version(project, dataset, version)
            await self._datasets.note_use(of, "annotation", queue_id, new.name)
        return made

    async def feed(
        self, project: str, name: str, trace_ids: Sequence[str], question: str, about: str
    ) -> int:
        """Put traces into a queue of this name, which is made where there is none; returns how
        many were new. The instance does this by itself, for what a rule found."""
        now = now_ms()

        def write(c: sa.Connection) -> int:
            queue_id = store.queue_named(c, project, name)
            if queue_id is None:
                queue_id = record_id("que")
                rubric = Question(name=question, kind="bool")
                new = NewQueue(name=name, instructions=about, rubric=(rubric,), blind=False)
                values = new.model_dump(mode="json", exclude={"source"})
                values |= {"id": queue_id, "project": project, "state": "open", "dataset": ""}
                values |= {"dataset_version": None, "created_ms": now, "created_by": SYSTEM.label}
                store.add_queue(c, **values)
                made = store.queue_with(c, queue_id)
                assert made is not None
                _audited(c, SYSTEM, "create", made)
            store.lock(c, queue_id)
            known = store.item_ids(c, queue_id)
            fresh = [one for one in dict.fromkeys(trace_ids) if one not in known]
            place = len(known)
            rows = [{**_BLANK, "id": one, "trace_id": one, "position": place + n,
                     "queue_id": queue_id} for n, one in enumerate(fresh)]  # fmt: skip
            store.add_items(c, rows)
            return len(rows)

        return await self._db.write(write)

    async def change(self, actor: Principal, queue_id: str, wanted: QueueSettings) -> Queue:
        """Change what is given."""

        def write(c: sa.Connection) -> Queue:
            _queue(c, actor, queue_id, "editor")
            store.change_queue(c, queue_id, **wanted.model_dump(mode="json", exclude_none=True))
            made = _queue(c, actor, queue_id, "editor")
            _audited(c, actor, "change", made)
            return made

        return await self._db.write(write)

    async def items(
        self, actor: Principal, queue_id: str, state: str | None, offset: int, limit: int
    ) -> ItemPage:
        """Items in their order, with answers as far as they may be told."""

        def read(c: sa.Connection) -> ItemPage:
            queue = _queue(c, actor, queue_id, "viewer")
            found, total = store.list_items(c, queue_id, state, offset, limit)
            return ItemPage(items=tuple(_told(queue, item) for item in found), total=total)

        return await self._db.read(read)

    async def agreement(self, actor: Principal, queue_id: str) -> Agreement:
        """How far annotators agree, over items that all have answered."""

        def read(c: sa.Connection) -> tuple[Queue, tuple[Item, ...]]:
            queue = _queue(c, actor, queue_id, "viewer")
            found, _ = store.list_items(c, queue_id, None, 0, 1 << 20)
            return queue, tuple(item for item in found if item.state != "open")

        queue, done = await self._db.read(read)
        asked = [question for question in queue.rubric if question.kind != "text"]
        found = await asyncio.to_thread(lambda: [agreeing.agreement_on(q, done) for q in asked])
        return Agreement(questions=tuple(found))

    # --- work -------------------------------------------------------------------------------------

    async def next(self, actor: Principal, queue_id: str, sight: Sight | None) -> Task | None:
        """Hand the caller the next item, theirs alone for a while; None when there is none."""
        now = now_ms()

        def write(c: sa.Connection) -> tuple[Queue, str] | None:
            queue = _for_work(c, actor, queue_id)
            store.lock(c, queue_id)
            item_id = _free(c, queue, actor, now)
            if item_id is None:
                return None
            values = {"annotator": actor.label, "state": store.LOCKED, "started_ms": now}
            values |= {"locked_until_ms": now + LOCK_MS}
            store.set_work(c, queue_id, item_id, actor.user_id, **values)
            told = {"item": item_id}
            _audited(c, actor, "take", queue, **told)
            return queue, item_id

        taken = await self._db.write(write)
        return await self.task(actor, queue_id, taken[1], sight) if taken else None

    async def task(
        self, actor: Principal, queue_id: str, item_id: str, sight: Sight | None
    ) -> Task:
        """One item with what there is to look at."""

        def read(c: sa.Connection) -> tuple[Queue, Item, store.Work | None]:
            queue = _queue(c, actor, queue_id, "viewer")
            item = _item(c, queue_id, item_id)
            return queue, item, store.work_of(c, queue_id, item_id, actor.user_id)

        queue, item, mine = await self._db.read(read)
        shown = await self._shown(queue, item, sight)
        return Task(
            item=_told(queue, item),
            mine=mine.answered if mine else None,
            locked_until_ms=mine.locked_until_ms if mine and mine.state == store.LOCKED else None,
            **shown,
        )

    async def answer(self, actor: Principal, queue_id: str, item_id: str, given: Answers) -> Item:
        """Take the caller's answers. They may be given anew until all have answered."""
        now = now_ms()

        def write(c: sa.Connection) -> tuple[Queue, Item]:
            queue = _for_work(c, actor, queue_id)
            store.lock(c, queue_id)
            item = _item(c, queue_id, item_id)
            _check_turn(c, queue, item, actor, now)
            answers = agreeing.fitting(queue.rubric, given.answers)
            done: dict[str, Any] = {
                "annotator": actor.label,
                "state": store.DONE,
                "answers": answers,
            }
            done |= {"comment": given.comment, "done_ms": now, "started_ms": now}
            done["locked_until_ms"] = 0
            store.set_work(c, queue_id, item_id, actor.user_id, **done)
            item = _item(c, queue_id, item_id)
            whole = len(item.answered) >= queue.annotators
            if whole:
                state = "disputed" if agreeing.differing(queue.rubric, item.answered) else "done"
                store.change_item(c, queue_id, item_id, state=state)
                item = _item(c, queue_id, item_id)
            _audited(c, actor, "answer", queue, item=item_id)
            self._score(c, queue, item, actor.label, whole=whole)
            return queue, item

        return _told(*await self._db.write(write))

    async def skip(self, actor: Principal, queue_id: str, item_id: str) -> None:
        """Leave an item to others."""

        def write(c: sa.Connection) -> None:
            queue = _for_work(c, actor, queue_id)
            _item(c, queue_id, item_id)
            mine = store.work_of(c, queue_id, item_id, actor.user_id)
            if mine is not None and mine.state == store.DONE:
                raise Conflict("this item is answered already")
            values = {"annotator": actor.label, "state": store.SKIPPED, "locked_until_ms": 0}
            store.set_work(c, queue_id, item_id, actor.user_id, started_ms=now_ms(), **values)
            _audited(c, actor, "skip", queue, item=item_id)

        await self._db.write(write)

    async def settle(
        self, actor: Principal, queue_id: str, item_id: str, given: Settlement
    ) -> Item:
        """Say which answers stand where annotators differed."""

        def write(c: sa.Connection) -> tuple[Queue, Item]:
            queue = _queue(c, actor, queue_id, "editor")
            item = _item(c, queue_id, item_id)
            if item.state == "open":
                raise Conflict("this item still waits for answers")
            answers = agreeing.fitting(queue.rubric, given.answers)
            values: dict[str, Any] = {"state": "settled", "settled": answers, "note": given.note}
            values |= {"settled_by": actor.label, "settled_ms": now_ms()}
            store.change_item(c, queue_id, item_id, **values)
            _audited(c, actor, "settle", queue, item=item_id)
            item = _item(c, queue_id, item_id)
            said = Answered(
                annotator=actor.label, answers=answers, comment=given.note, done_ms=now_ms()
            )
            self._scores.write_within(
                c,
                agreeing.scores_of(queue.project, queue.id, item, queue.rubric, said, ADJUDICATED),
            )
            return queue, item

        return _told(*await self._db.write(write))

    # --- inside -----------------------------------------------------------------------------------

    def _score(self, c: sa.Connection, queue: Queue, item: Item, who: str, *, whole: bool) -> None:
        """Write what may be told: of a blind queue everything at once when all have answered. In
        the answer's own transaction, so that no answer stands without its scores."""
        told = [one for one in item.answered if whole or (not queue.blind and one.annotator == who)]
        new: list[NewScore] = []
        for one in told:
            new += agreeing.scores_of(queue.project, queue.id, item, queue.rubric, one)
        if new:
            self._scores.write_within(c, new)

    async def _items(
        self, actor: Principal, project: str, source: QueueSource, sight: Sight | None
    ) -> tuple[list[dict[str, Any]], int | None]:
        if source.dataset is not None:
            version = await self._datasets.version(project, source.dataset, source.version, actor)
            rows = await self._datasets.rows(version, split=source.split, slice=source.slice)
            some = rows[: source.limit]
            found = [{**_BLANK, "id": row.id, "row_id": row.id, "position": n,
                      "trace_id": row.source_trace, "span_id": row.source_span}
                     for n, row in enumerate(some)]  # fmt: skip
            number: int | None = version.number
        else:
            ids = await asyncio.to_thread(self._matching, project, source, sight)
            found = [{**_BLANK, "id": i, "trace_id": i, "position": n} for n, i in enumerate(ids)]
            number = None
        if not found:
            raise InvalidInput("nothing matches: a queue needs something to annotate")
        return found, number

    def _matching(self, project: str, source: QueueSource, sight: Sight | None) -> list[str]:
        ids = list(dict.fromkeys(source.trace_ids))
        for trace_id in ids:
            self._spans.trace(trace_id, project, sight)
        if ids and source.filter is None:
            return ids
        where = source.filter or TraceFilter(status="ok")
        where = where.model_copy(update={"project": project})
        seen, cursor = where.seen_with(sight), None
        while len(ids) < source.limit:
            page = self._spans.traces(seen, cursor, min(_PAGE, source.limit - len(ids)))
            ids += [row.trace_id for row in page.items if row.trace_id not in ids]
            cursor = page.next_cursor
            if cursor is None:
                break
        return ids

    async def _shown(self, queue: Queue, item: Item, sight: Sight | None) -> dict[str, Any]:
        if item.row_id:
            version = await self._datasets.version(
                queue.project, queue.dataset, queue.dataset_version
            )
            row = await self._datasets.row(version, item.row_id)
            told = {"input": row.input, "expected": row.expected, "metadata": row.metadata}
            return {**told, "output": None}
        return await asyncio.to_thread(self._of_trace, queue, item, sight)

    def _of_trace(self, queue: Queue, item: Item, sight: Sight | None) -> dict[str, Any]:
        nothing: dict[str, Any] = {"input": None, "output": None, "expected": None, "metadata": {}}
        try:
            spans = self._spans.trace(item.trace_id, queue.project, sight).spans
        except NotFound:
            return nothing
        span = source_span(spans, item.span_id or None)
        if span is None:
            return nothing
        body = self._spans.payload(item.trace_id, span.span_id, span.project, sight)
        output = output_text(body.response)
        return {**nothing, "input": input_of(body.request), "output": output,
                "metadata": metadata_of(span, ())}  # fmt: skip


def _queue(c: sa.Connection, actor: Principal, queue_id: str, role: str) -> Queue:
    absent = NotFound(f"no annotation queue {queue_id!r}", hint="stockpot annotate list")
    found = store.queue_with(c, queue_id)
    if found is None:
        raise absent
    demand(actor, "editor" if role == "editor" else "viewer", found.project, absent)
    return found


def _for_work(c: sa.Connection, actor: Principal, queue_id: str) -> Queue:
    """A queue in which the caller may answer."""
    queue = _queue(c, actor, queue_id, "editor")
    if queue.assignees and actor.label not in queue.assignees:
        raise Forbidden(
            f"the queue {queue.name!r} is assigned to {', '.join(queue.assignees[:5])}",
            hint="ask an editor of the project to assign it",
        )
    if queue.state == "closed":
        raise Conflict(f"the queue {queue.name!r} is closed")
    return queue


def _item(c: sa.Connection, queue_id: str, item_id: str) -> Item:
    found = store.item_with(c, queue_id, item_id)
    if found is None:
        raise NotFound(f"the queue has no item {item_id!r}")
    return found


def _free(c: sa.Connection, queue: Queue, actor: Principal, now: int) -> str | None:
    """The item that the caller is at, else the first that wants one more annotator."""
    mine: dict[str, str] = {}
    taken: dict[str, int] = {}
    for one in store.work_on(c, queue.id):
        if one.annotator_id == actor.user_id:
            mine[one.item_id] = one.state
        elif one.state == store.DONE or (one.state == store.LOCKED and one.locked_until_ms > now):
            taken[one.item_id] = taken.get(one.item_id, 0) + 1
    waiting = store.open_ids(c, queue.id)
    at = next((i for i in waiting if mine.get(i) == store.LOCKED), None)
    if at is not None and taken.get(at, 0) < queue.annotators:
        return at
    free = (i for i in waiting if i not in mine and taken.get(i, 0) < queue.annotators)
    return next(free, None)


def _check_turn(c: sa.Connection, queue: Queue, item: Item, actor: Principal, now: int) -> None:
    if item.state != "open":
        raise Conflict("all annotators have answered this item", hint="settle it if it is disputed")
    others = [
        one for one in store.work_on(c, queue.id)
        if one.item_id == item.id and one.annotator_id != actor.user_id
        and (one.state == store.DONE or (one.state == store.LOCKED and one.locked_until_ms > now))
    ]  # fmt: skip
    if len(others) >= queue.annotators:
        raise Conflict("somebody else is at this item", hint="take the next one")


def _told(queue: Queue, item: Item) -> Item:
    """An item as it may be shown now."""
    if item.state == "open" and queue.blind:
        return item.model_copy(update={"answered": ()})
    if item.state == "open":
        return item
    return item.model_copy(update={"disputed": agreeing.differing(queue.rubric, item.answered)})


def _audited(c: sa.Connection, actor: Principal, verb: str, queue: Queue, **detail: Any) -> None:
    told = {"name": queue.name, "project": queue.project, **detail}
    audit(c, actor, f"annotation.{verb}", queue.id, **told)
