"""The routes that look into traces and compare them: tree, diff, what changed."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from stockpot.traces import provenance
from stockpot.traces.api.who import Member, Seen
from stockpot.traces.difference import TraceDiff
from stockpot.traces.models import Frozen, Named, OfProject, Sight, TraceFilter
from stockpot.traces.provenance import Changes, FeedbackOf, Window
from stockpot.traces.service import SpanLog
from stockpot.traces.tree import TreePage

Rated = Callable[[TraceFilter, Window, str, Sight | None], Awaitable[FeedbackOf]]
"""Scores of a window by the values of a dimension (`prompt`, `model`), or of all together ('')."""

_DAY_MS = 86_400_000


class TreeQuery(Frozen):
    """Which part of a trace's tree: all of it or what hangs below `parent`, from `cursor` on."""

    project: OfProject | None = None
    parent: str | None = Field(None, max_length=16)
    cursor: str | None = Field(None, max_length=20)
    limit: int = Field(200, ge=1, le=1000)


class ChangesQuery(Frozen):
    """Two windows (the last day and the one before, when not given) of some calls."""

    project: OfProject | None = None
    environment: Named | None = None
    prompt_name: Named | None = None
    model: Named | None = None
    service: Named | None = None
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)
    base_from_ms: float | None = Field(None, ge=0, le=9e12)
    base_to_ms: float | None = Field(None, ge=0, le=9e12)

    def windows(self) -> tuple[Window, Window]:
        """The earlier and the later one. What is left out is the time just before the other."""
        end = time.time() * 1000 if self.to_ms is None else self.to_ms
        start = max(0.0, end - _DAY_MS) if self.from_ms is None else self.from_ms
        base_end = start if self.base_to_ms is None else self.base_to_ms
        base_start = self.base_from_ms
        if base_start is None:
            base_start = max(0.0, base_end - max(0.0, end - start))
        return Window(from_ms=base_start, to_ms=base_end), Window(from_ms=start, to_ms=end)


def shape_routes(routes: APIRouter, service: SpanLog, rated: Rated | None) -> None:
    """Tree, diff and changes."""

    @routes.get("/traces/changes")
    async def get_changes(
        _: Member, sight: Seen, asked: Annotated[ChangesQuery, Query()]
    ) -> Changes:
        """What changed between two windows: prompt versions, models, parameters, tools, releases,
        each with calls, cost, latency, errors and feedback before and after."""
        where = TraceFilter(
            project=asked.project, environment=asked.environment, model=asked.model,
            prompt_name=asked.prompt_name, service=asked.service,
        )  # fmt: skip
        base, now = asked.windows()
        found = await asyncio.to_thread(service.changes, where.seen_with(sight), base, now)
        if rated is None:
            return found
        for dimension in ("", "prompt", "model"):
            then = await rated(where, base, dimension, sight)
            later = await rated(where, now, dimension, sight)
            found = provenance.with_feedback(found, dimension, then, later)
        return found

    _single(routes, service)


def _single(routes: APIRouter, service: SpanLog) -> None:
    @routes.get("/traces/diff")
    def diff_traces(
        _: Member,
        sight: Seen,
        before: Annotated[str, Query(max_length=32)],
        after: Annotated[str, Query(max_length=32)],
        project: OfProject | None = None,
    ) -> TraceDiff:
        """Two traces span by span: prompts, models, parameters, what was said, cost, latency."""
        return service.diff(before, after, project, sight)

    @routes.get("/traces/{trace_id}/tree")
    def get_tree(
        _: Member, sight: Seen, trace_id: str, asked: Annotated[TreeQuery, Query()]
    ) -> TreePage:
        """One page of a trace's waterfall in reading order, each span with the sums of all that
        hangs below it."""
        return service.tree(
            trace_id, asked.project, sight,
            parent=asked.parent, cursor=asked.cursor, limit=asked.limit,
        )  # fmt: skip
