"""Erasing what evaluations keep of traces that were erased. Knows rows, results and answers; who
asks, and of whom, is not known here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.evals import store
from stockpot.evals.answer_file import forget_answers
from stockpot.evals.models import Result, Row, Verdict
from stockpot.evals.service.echoing import items_from
from stockpot.monitors import CheckService

_ORIGIN = ("trace_id", "span_id", "split")


class Forgetting:
    """Blanks rows that were made from some traces, and every run's word on them. `file` is where
    runs of this home keep answers beside the store."""

    def __init__(self, db: Database, checks: CheckService, file: Path) -> None:
        self._db = db
        self._checks = checks
        self._file = file

    async def forget(self, project: str, traces: Sequence[str]) -> int:
        """Leave nothing of what rows made from these traces say, nor of what models and judges
        answered to them; gives how many results that are. Figures stay, and so does the hash of the
        rows. Of kept answers nothing tells what they were asked: those kept since such rows came go
        all, and every one where judges look at traffic; they are asked again."""
        gone = frozenset(trace.lower() for trace in traces)
        judged = any(one.kind == "online" for one in await self._checks.of_project(project))
        blanked, found = await self._db.write(lambda c: _forget(c, project, gone, judged=judged))
        if found:
            await asyncio.to_thread(forget_answers, self._file, project, now_ms() + 1)
        return blanked

    async def age(self, project: str, before_ms: int) -> int:
        """Remove answers that were kept before a time; gives how many. They are asked again."""
        gone = await self._db.write(lambda c: store.forget_answers(c, project, before_ms))
        return gone + await asyncio.to_thread(forget_answers, self._file, project, before_ms)


def _forget(
    c: sa.Connection, project: str, traces: frozenset[str], *, judged: bool
) -> tuple[int, bool]:
    """How many results were blanked, and whether any kept answer may be about these traces."""
    blanked = 0
    since = 0 if judged and traces else None
    store.overwrite_what_goes(c)
    for digest, created_ms in store.rowsets_in(c, project):
        found = store.rowset(c, project, digest)
        rows = store.rows_in(found[1]) if found else []
        items = items_from(rows, traces)
        if not items:
            continue
        since = created_ms if since is None else min(since, created_ms)
        kept = [_blank_row(row) if row.id in items else row for row in rows]
        store.replace_rows(c, project, digest, [row.model_dump(mode="json") for row in kept])
        for run_id in store.runs_on(c, project, digest):
            blanked += _blank_results(c, run_id, items)
    if since is not None:
        store.forget_answers_since(c, project, since)
    return blanked, since is not None


def _blank_row(row: Row) -> Row:
    origin = {name: row.metadata[name] for name in _ORIGIN if name in row.metadata}
    return Row(id=row.id, metadata=origin)


def _blank_results(c: sa.Connection, run_id: str, items: set[str]) -> int:
    clusters: dict[str, str] = {}
    found = [
        (place, _blank(one, clusters))
        for place, one in store.results_of(c, run_id)
        if one.item in items
    ]
    store.put_results(c, run_id, found)
    return len(found)


def _blank(result: Result, clusters: dict[str, str]) -> Result:
    """A result without a word. Rows of one cluster, which may be a name, stay together."""
    cluster = result.cluster
    if cluster:
        cluster = clusters.setdefault(cluster, f"erased {len(clusters) + 1}")
    told = {
        "input": None, "expected": None, "output": "", "slices": (), "cluster": cluster,
        "error": "erased" if result.error else "", "scores": _figures(result.scores),
    }  # fmt: skip
    return result.model_copy(update=told)


def _figures(scores: Mapping[str, Verdict]) -> dict[str, Verdict]:
    return {
        name: one.model_copy(update={"reason": "", "judgement": None})
        for name, one in scores.items()
    }
