"""The routes of scores: list, write, sum up."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from stockpot.access import Principal, requires
from stockpot.traces.api import Member, Seen
from stockpot.traces.models import Frozen, Named, OfProject
from stockpot.traces.scores.models import (
    ScoreBatch,
    ScoreBy,
    ScoreFilter,
    ScorePage,
    ScoreSummary,
    Written,
)
from stockpot.traces.scores.service import ScoreService
from stockpot.traces.scores.sessions import FeedbackOfSessions, SessionFeedback
from stockpot.traces.service import SpanLog

Editor = Annotated[Principal, Depends(requires("editor", "project"))]


class ScoresQuery(ScoreFilter):
    """A filter, and which page of what it finds."""

    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(100, ge=1, le=1000)


class SummaryQuery(ScoreFilter):
    """A filter, and by what to tell the scores apart."""

    by: ScoreBy = "prompt"


class SessionsQuery(Frozen):
    """Of which sessions; each by its name."""

    session: tuple[Named, ...] = Field((), max_length=200)
    project: OfProject | None = None


def score_router(service: ScoreService, spans: SpanLog) -> APIRouter:
    """All routes of scores."""
    routes = APIRouter(prefix="/api/v1", tags=["scores"])
    of_sessions = FeedbackOfSessions(service, spans)

    @routes.get("/scores")
    async def list_scores(
        _: Member, sight: Seen, asked: Annotated[ScoresQuery, Query()]
    ) -> ScorePage:
        """Scores, newest first; of each target, name, source and author the newest alone, unless
        `history` is asked for."""
        return await service.query(asked, asked.cursor, asked.limit, sight)

    @routes.post("/scores", status_code=201)
    async def write_scores(batch: ScoreBatch, principal: Editor) -> Written:
        """Write scores, all or none. A repetition of an id changes nothing. Who writes in a session
        is the author."""
        scores = batch.scores
        if principal.via == "session":
            own = {"author": principal.label, "source": "human"}
            scores = tuple(score.model_copy(update=own) for score in scores)
        else:
            named = {"author": principal.label}
            scores = tuple(s if s.author else s.model_copy(update=named) for s in scores)
        return await service.write(scores, principal)

    @routes.get("/scores/summary")
    async def summarise_scores(
        _: Member, sight: Seen, asked: Annotated[SummaryQuery, Query()]
    ) -> tuple[ScoreSummary, ...]:
        """Counts, means and labels of the scores of each name, by prompt version or another."""
        return await service.summary(asked, asked.by, sight)

    @routes.get("/sessions/feedback")
    async def list_session_feedback(
        _: Member, sight: Seen, asked: Annotated[SessionsQuery, Query()]
    ) -> tuple[SessionFeedback, ...]:
        """What people said of some sessions and of the traces in them; sessions that nobody said
        anything of are left out."""
        return await of_sessions(asked.session, asked.project, sight)

    return routes
