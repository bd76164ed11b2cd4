"""Calls that a policy flagged or stopped, into an annotation queue: people say what was right.

Knows spans of guardrails and queues; decides nothing. What was looked at is remembered by time,
with an overlap, since a span arrives after its call; a queue takes the same call once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.guardrails import store
from stockpot.guardrails.models import Policy
from stockpot.traces import SpanLog, TraceFilter

if TYPE_CHECKING:
    from stockpot.datasets import AnnotationService

OVERLAP_MS = 5 * 60_000
"""How late a span may come and is still found."""

MOST = 500
"""Calls that one look takes of one policy."""

RUBRIC = "guardrail_right"


class Harvesting:
    """Looks for flagged calls of every policy that names a queue."""

    def __init__(self, db: Database, spans: SpanLog, queues: AnnotationService) -> None:
        self._db = db
        self._spans = spans
        self._queues = queues

    async def look(self) -> int:
        """Carry what is new; returns how many calls were put into queues."""
        policies = await self._db.read(store.list_policies)
        until = await self._db.read(store.harvested_until)
        put = 0
        for policy in policies:
            if policy.queue and policy.bindings:
                put += await self._carry(policy, until.get(policy.id, 0))
        return put

    async def _carry(self, policy: Policy, since_ms: int) -> int:
        now = now_ms()
        begin = max(since_ms - OVERLAP_MS, int(policy.created_ms))
        ids: list[str] = []
        for rule in policy.rules:
            if rule.action == "mask" and not rule.shadow:
                continue
            where = TraceFilter(
                project=policy.project, kind="guardrail", agent=policy.name, tool=rule.id,
                from_ms=begin,
            )  # fmt: skip
            page = await asyncio.to_thread(self._spans.traces, where, None, MOST)
            ids += [row.trace_id for row in page.items]
        put = 0
        if ids:
            about = f"What the guardrail policy {policy.name!r} flagged. Was it right?"
            put = await self._queues.feed(policy.project, policy.queue, ids, RUBRIC, about)
        await self._db.write(lambda c: store.note_harvest(c, policy.id, now))
        return put
