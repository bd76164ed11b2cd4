"""The routes of sessions, users and tags."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from stockpot.traces.api.who import Member, Seen
from stockpot.traces.models import (
    Conversation,
    Frozen,
    Named,
    OfProject,
    SubjectFilter,
    SubjectPage,
)
from stockpot.traces.service import SpanLog


class SubjectsQuery(SubjectFilter):
    """A filter, and which page of what it finds."""

    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(50, ge=1, le=500)


class ConversationQuery(Frozen):
    """Which session, and which of its turns."""

    session: Named
    project: OfProject | None = None
    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(20, ge=1, le=100)


def subject_routes(routes: APIRouter, service: SpanLog) -> None:
    """Sessions, users and tags."""

    @routes.get("/sessions")
    def list_sessions(
        _: Member, sight: Seen, asked: Annotated[SubjectsQuery, Query()]
    ) -> SubjectPage:
        """Sessions with their traces, tokens, cost and errors, newest first."""
        return service.subjects("session", asked.seen_with(sight), asked.cursor, asked.limit)

    @routes.get("/sessions/conversation")
    def get_conversation(
        _: Member, sight: Seen, asked: Annotated[ConversationQuery, Query()]
    ) -> Conversation:
        """The turns of one session, oldest first: its newest ones, and by `next_cursor` those
        before them."""
        return service.conversation(asked.session, asked.project, sight, asked.cursor, asked.limit)

    @routes.get("/end-users")
    def list_end_users(
        _: Member, sight: Seen, asked: Annotated[SubjectsQuery, Query()]
    ) -> SubjectPage:
        """The end users that applications named, newest first."""
        return service.subjects("user", asked.seen_with(sight), asked.cursor, asked.limit)

    @routes.get("/tags")
    def list_tags(_: Member, sight: Seen, asked: Annotated[SubjectsQuery, Query()]) -> SubjectPage:
        """The tags of traces, newest first."""
        return service.subjects("tag", asked.seen_with(sight), asked.cursor, asked.limit)
