"""The routes that compare a candidate on copies of calls with what served them."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from stockpot.traces.api.who import Member, Seen
from stockpot.traces.models import Frozen, Named, OfProject, Sight, TraceFilter
from stockpot.traces.service import SpanLog
from stockpot.traces.shadowed import Only, ShadowComparison, ShadowPairs


class ShadowQuery(Frozen):
    """Copies of a route's calls in a window (the last day when not given), of one candidate."""

    route: str = Field(min_length=1, max_length=200)
    provider: Named | None = None
    model: Named | None = None
    project: OfProject | None = None
    environment: Named | None = None
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)

    def where(self, sight: Sight | None) -> TraceFilter:
        return TraceFilter(
            requested_model=self.route, provider=self.provider, model=self.model,
            project=self.project, environment=self.environment,
        ).seen_with(sight)  # fmt: skip


class ShadowPairsQuery(ShadowQuery):
    """Which pairs of them, and which page."""

    only: Only = "all"
    cursor: str | None = Field(None, max_length=40)
    limit: int = Field(20, ge=1, le=100)


def shadow_routes(routes: APIRouter, service: SpanLog) -> None:
    """The comparison and the pairs it is made of."""

    @routes.get("/traces/shadow")
    async def compare_shadow(
        _: Member, sight: Seen, asked: Annotated[ShadowQuery, Query()]
    ) -> ShadowComparison:
        """A candidate on copies of a route's calls against what served them: errors, latency, time
        to the first token, tokens, cost, answers, each difference with an interval."""
        where = asked.where(sight)
        return await asyncio.to_thread(service.shadow, where, asked.from_ms, asked.to_ms)

    @routes.get("/traces/shadow/pairs")
    def list_shadow_pairs(
        _: Member, sight: Seen, asked: Annotated[ShadowPairsQuery, Query()]
    ) -> ShadowPairs:
        """Calls and their copies, newest first, with both answers; `different` leaves out those
        that said the same, `failed` keeps copies that failed."""
        return service.shadow_pairs(
            asked.where(sight), asked.from_ms, asked.to_ms,
            only=asked.only, cursor=asked.cursor, limit=asked.limit,
        )  # fmt: skip
