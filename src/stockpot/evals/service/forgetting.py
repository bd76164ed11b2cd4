"""Erasing what evaluations keep of traces that were erased. Knows rows, results and answers; who
asks, and of whom, is not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from stockpot.core.db import Database
from stockpot.evals import store
from stockpot.evals.models import Result, Row, Verdict

_ORIGIN = ("trace_id", "span_id", "split")


class Forgetting:
    """Blanks rows that were made from some traces, and every run's word on them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def forget(self, project: str, traces: Sequence[str]) -> int:
        """Leave nothing of what rows made from these traces say, nor of what models and judges
        answered to them; gives how many results that are. Figures stay, and so does the hash of the
        rows. Of kept answers nothing tells what they were asked: those kept since such rows came go
        all, and are asked again."""
        gone = frozenset(trace.lower() for trace in traces)
        return await self._db.write(lambda c: _forget(c, project, gone))


def _forget(c: sa.Connection, project: str, traces: frozenset[str]) -> int:
    blanked, since = 0, None
    store.overwrite_what_goes(c)
    for digest, created_ms in store.rowsets_in(c, project):
        found = store.rowset(c, project, digest)
        rows = store.rows_in(found[1]) if found else []
        items = {row.id for row in rows if row.metadata.get("trace_id") in traces}
        if not items:
            continue
        since = created_ms if since is None else min(since, created_ms)
        kept = [_blank_row(row) if row.id in items else row for row in rows]
        store.replace_rows(c, project, digest, [row.model_dump(mode="json") for row in kept])
        for run_id in store.runs_on(c, project, digest):
            blanked += _blank_results(c, run_id, items)
    if since is not None:
        store.forget_answers_since(c, project, since)
    return blanked


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
