"""Finding the calls that evaluations made with the words of some traces, so that they are erased
with them. Knows rows, results, certificates and checks; who asks, and of whom, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from stockpot.core.db import Database
from stockpot.evals import store
from stockpot.evals.clients import in_header
from stockpot.evals.judges import store as judges
from stockpot.evals.models import Result, Row
from stockpot.evals.ports import DataSets
from stockpot.monitors import CheckService, KeptCheck
from stockpot.traces import Calls

_LONGEST = 200
"""What a span keeps of a row's name."""


class Echoing:
    """Tells the calls of a project, and lets canaries forget what such rows were answered."""

    def __init__(self, db: Database, datasets: DataSets, checks: CheckService) -> None:
        self._db = db
        self._datasets = datasets
        self._checks = checks

    async def calls(self, project: str, traces: Sequence[str]) -> Calls:
        """The calls that were made with rows that came from these traces, and those that scored
        them. What evaluations keep of them must still be whole."""
        gone = frozenset(trace.lower() for trace in traces)
        told, runs = await self._db.read(lambda c: _called(c, project, gone))
        for check in await self._checks.of_project(project):
            if check.kind in ("online", "drift"):
                runs[check.id] = gone
        for check in await self._canaries(project, traces):
            runs[check.id] = frozenset()
        return Calls(told, runs)

    async def forget_references(self, project: str, traces: Sequence[str]) -> int:
        """Canaries that asked such rows lose all answers and take a new reference; gives how many
        canaries that are."""
        found = await self._canaries(project, traces)
        await self._checks.forget_states([check.id for check in found])
        return len(found)

    async def _canaries(self, project: str, traces: Sequence[str]) -> list[KeptCheck]:
        named = await self._datasets.made_from(project, traces)
        found = await self._checks.of_project(project) if named else ()
        return [
            check for check in found
            if check.kind == "canary" and str(check.spec.get("dataset", "")).split("@")[0] in named
        ]  # fmt: skip


def items_from(rows: Iterable[Row], traces: frozenset[str]) -> set[str]:
    """The ids of rows that were made from some traces."""
    return {row.id for row in rows if str(row.metadata.get("trace_id", "")).lower() in traces}


def _called(
    c: sa.Connection, project: str, gone: frozenset[str]
) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Traces that results name, and runs and certificates by the rows that they asked."""
    told: set[str] = set()
    runs: dict[str, frozenset[str]] = {}
    for digest, _ in store.rowsets_in(c, project):
        found = store.rowset(c, project, digest)
        items = items_from(store.rows_in(found[1]), gone) if found else set()
        if not items:
            continue
        asked = frozenset(name for item in items for name in (item, in_header(item)[:_LONGEST]))
        for run_id in store.runs_on(c, project, digest):
            runs[run_id] = asked
            told.update(
                trace for _, one in store.results_of(c, run_id) if one.item in items
                for trace in _traces_in(one)
            )  # fmt: skip
        runs |= dict.fromkeys(judges.certified_on(c, project, digest), asked)
    return frozenset(told), runs


def _traces_in(result: Result) -> Iterator[str]:
    """Of the call itself, and of every call of its judges."""
    yield result.trace_id.lower()
    for verdict in result.scores.values():
        if verdict.judgement is not None:
            yield from (vote.trace_id.lower() for vote in verdict.judgement.votes)
