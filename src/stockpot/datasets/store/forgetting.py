"""Erasing what annotators wrote of traces and rows that were erased. Works inside its caller's
transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.datasets.store.tables import items, queues, work

_AT_ONCE = 500


def forget_words(
    c: sa.Connection, project: str, traces: Sequence[str], rows: Mapping[str, Collection[str]]
) -> None:
    """Notes, comments and answers in words go, of some traces and of rows by their data set's name:
    they may quote what was said. Labels and numbers stay."""
    columns = queues.c.id, queues.c.rubric, queues.c.dataset
    for queue_id, rubric, dataset in c.execute(
        sa.select(*columns).where(queues.c.project == project)
    ).all():
        texts = {question["name"] for question in rubric if question.get("kind") == "text"}
        for column, wanted in (
            (items.c.trace_id, list(traces)),
            (items.c.row_id, sorted(rows.get(dataset, ()))),
        ):
            for start in range(0, len(wanted), _AT_ONCE):
                _blank(c, queue_id, column.in_(wanted[start : start + _AT_ONCE]), texts)


def _blank(c: sa.Connection, queue_id: str, which: Any, texts: set[str]) -> None:
    mine = (items.c.queue_id == queue_id) & which
    for item in c.execute(sa.select(items.c.id, items.c.settled).where(mine)).all():
        one = (items.c.queue_id == queue_id) & (items.c.id == item.id)
        kept = _without(item.settled, texts)
        c.execute(sa.update(items).where(one).values(note="", settled=kept))
        same = (work.c.queue_id == queue_id) & (work.c.item_id == item.id)
        for done in c.execute(sa.select(work.c.annotator_id, work.c.answers).where(same)).all():
            by = same & (work.c.annotator_id == done.annotator_id)
            kept = _without(done.answers, texts)
            c.execute(sa.update(work).where(by).values(comment="", answers=kept))


def _without(answers: dict[str, Any] | None, texts: set[str]) -> dict[str, Any] | None:
    if answers is None:
        return None
    return {name: value for name, value in answers.items() if name not in texts}
