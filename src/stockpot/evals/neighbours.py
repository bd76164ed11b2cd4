"""Prompts, data sets and aliases as evaluations need them. Knows their services; knows no run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

from stockpot.access import SYSTEM
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.evals.models import Row
from stockpot.evals.ports import Course, Move, PromptOf, RowsOf, Said
from stockpot.prompts import PRODUCTION, PromptFilter, Prompts
from stockpot.revisions import Turn, turns
from stockpot.traces import SpanLog, TraceFilter

_MOST_MOVES = 10_000


class Sets(Protocol):
    """The part of the service of data sets that gives rows."""

    async def version(self, project: str, name: str, ref: Any) -> Any: ...

    async def rows(self, version: Any, *, split: str | None = None) -> Any: ...

    async def note_use(self, version: Any, kind: str, ref: str, label: str = "") -> None: ...

    async def made_from(self, project: str, traces: Sequence[str]) -> frozenset[str]: ...


class Queues(Protocol):
    """The part of the service of annotation that gives answers."""

    async def all(self, actor: Any, project: str | None = None) -> Any: ...

    async def items(
        self, actor: Any, queue_id: str, state: str | None, offset: int, limit: int
    ) -> Any: ...


class RowsOfSets:
    """Rows out of data sets; without a service there are none."""

    def __init__(self, sets: Sets | None) -> None:
        self._sets = sets

    async def rows(self, project: str, name: str, version: int | None, split: str) -> RowsOf:
        """The rows of a version, the latest without one."""
        if self._sets is None:
            raise NotFound(f"no data set {name!r}", hint="stockpot eval run SUITE --rows FILE")
        found = await self._sets.version(project, name, "latest" if version is None else version)
        rows = await self._sets.rows(found, split=split or None)
        return RowsOf(name, found.number, tuple(_row(row) for row in rows if not row.erased))

    async def used(self, project: str, name: str, version: int, run: str, label: str) -> None:
        """Let a version know the run that used it."""
        if self._sets is not None:
            found = await self._sets.version(project, name, version)
            await self._sets.note_use(found, "run", run, label)

    async def made_from(self, project: str, traces: Sequence[str]) -> frozenset[str]:
        """The names of data sets with rows that were made from some traces, in any version."""
        return await self._sets.made_from(project, traces) if self._sets else frozenset()


def _row(row: Any) -> Row:
    """A data set's row; where it came from and its split stand in the metadata."""
    origin = {"trace_id": row.source_trace, "span_id": row.source_span, "split": row.split}
    metadata = {**row.metadata, **{name: value for name, value in origin.items() if value}}
    told = row.input if isinstance(row.input, dict) else {}
    return Row(
        id=row.id, input=row.input, expected=row.expected, metadata=metadata,
        output=metadata.get("output", told.get("output")),
    )  # fmt: skip


_MOST_ITEMS = 1 << 20
SETTLED = "adjudication"
"""Who said what settles a difference of annotators."""


class LabelsOfQueues:
    """What people said in annotation queues on data sets."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def labels(self, project: str, dataset: str, question: str) -> list[Said]:
        """Of one question, from every queue on a data set. Of a blind queue only what all have
        answered. Raises InvalidInput where it is not clear which question is meant."""
        listed = await self._queues.all(SYSTEM, project)
        mine = [queue for queue in listed if queue.dataset == dataset]
        asked = sorted({q.name for queue in mine for q in queue.rubric if q.kind != "text"})
        if question and mine and question not in asked:
            near = did_you_mean(question, asked)
            raise InvalidInput(f"no queue on {dataset!r} asks {question!r}.{near}")
        if not question and len(asked) > 1:
            raise InvalidInput(
                f"{dataset!r} was annotated for several questions: {', '.join(asked)}",
                hint=f"--question {asked[0]}",
            )
        name = question or (asked[0] if asked else "")
        found: list[Said] = []
        for queue in mine:
            page = await self._queues.items(SYSTEM, queue.id, None, 0, _MOST_ITEMS)
            for item in page.items:
                found += _said(item, name)
        return found


def _said(item: Any, question: str) -> list[Said]:
    said = [
        Said(item.row_id, one.annotator, one.answers[question], one.done_ms)
        for one in item.answered
        if one.answers.get(question) is not None
    ]
    if item.settled and item.settled.get(question) is not None:
        last = max((one.at_ms or 0 for one in said), default=None)
        said.append(Said(item.row_id, SETTLED, item.settled[question], last))
    return said


class PromptVersions:
    """Versions of prompts, and the moves of `production`."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    async def resolved(self, project: str, name: str, ref: str) -> PromptOf:
        """The version that a label or a number names."""
        found = await self._prompts.prompts.found(SYSTEM, project, name, ref)
        version = found.version
        return PromptOf(name, version.number, found.kept.content.model, version.content_hash)

    async def moves(self, project: str) -> list[Move]:
        """Every move of `production`, oldest first."""
        listed = await self._prompts.prompts.all(SYSTEM, PromptFilter(project=project))
        found: list[Move] = []
        for prompt in listed:
            history = await self._prompts.labels.history(
                SYSTEM, project, prompt.name, PRODUCTION, _MOST_MOVES
            )
            made = {
                version.number: version.created_ms
                for version in await self._prompts.prompts.versions(
                    SYSTEM, project, prompt.name, limit=_MOST_MOVES
                )
            }
            found += [
                Move(prompt.name, move.before, move.after, move.at_ms,
                     made.get(move.after, move.at_ms))
                for move in history
                if move.after is not None
            ]  # fmt: skip
        return sorted(found, key=lambda move: move.at_ms)


class AliasCourses:
    """Where aliases led, out of revisions and moved pointers, and who calls them."""

    def __init__(self, db: Database, log: SpanLog) -> None:
        self._db = db
        self._log = log

    async def courses(self) -> list[Course]:
        """Every turn of every alias, oldest first."""
        found = await self._db.read(lambda c: turns(c, "aliases", "targets"))
        return [_course(turn) for turn in found]

    async def called(self, project: str, from_ms: float, to_ms: float) -> frozenset[str]:
        """The names that a project's calls asked for, out of rollups."""
        where = TraceFilter(project=project)
        told = await asyncio.to_thread(self._log.overview, where, from_ms, to_ms)
        return frozenset(group.key for group in told.by_route)


def _course(turn: Turn) -> Course:
    """Targets of weight 0 get no call but by a rule, so that the rules tell them."""
    content = turn.content or {}
    targets = frozenset(
        f"{target['provider']}/{target['model']}"
        for target in content.get("targets") or ()
        if target.get("weight", 1)
    )
    rules = content.get("rules")
    told = json.dumps(rules, sort_keys=True).encode() if rules else b""
    digest = hashlib.sha256(told).hexdigest() if told else ""
    tried = None if turn.tried_s is None else turn.tried_s / 3600
    return Course(turn.name, targets, digest, turn.at_ms, tried)
