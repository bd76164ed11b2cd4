"""Requests for access and what became of them."""

from __future__ import annotations

import sqlalchemy as sa

from stockpot.access.models import AccessRequest
from stockpot.access.store.tables import access_requests


def add_request(c: sa.Connection, request: AccessRequest) -> None:
    """Somebody asks."""
    c.execute(sa.insert(access_requests).values(**request.model_dump(mode="json")))


def request_by_id(c: sa.Connection, request_id: str) -> AccessRequest | None:
    """One request."""
    query = sa.select(access_requests).where(access_requests.c.id == request_id)
    row = c.execute(query).mappings().first()
    return AccessRequest(**row) if row else None


def list_requests(
    c: sa.Connection,
    *,
    seen: frozenset[str] | None,
    open_to: frozenset[str] | None,
    asked_by: str,
    state: str | None = None,
    project: str | None = None,
    limit: int = 500,
) -> tuple[AccessRequest, ...]:
    """Newest first: those of the projects `seen`, and what `asked_by` asked for in those that are
    `open_to` them. None is every project."""
    columns = access_requests.c
    query = sa.select(access_requests).order_by(columns.id.desc()).limit(limit)
    if seen is not None:
        mine = columns.asked_by == asked_by
        if open_to is not None:
            mine &= columns.project.in_(open_to)
        query = query.where(columns.project.in_(seen) | mine)
    if state is not None:
        query = query.where(columns.state == state)
    if project is not None:
        query = query.where(columns.project == project)
    return tuple(AccessRequest(**row) for row in c.execute(query).mappings())


def decide(c: sa.Connection, request: AccessRequest) -> None:
    """Keep how a request was decided."""
    values = {n: getattr(request, n) for n in ("state", "decided_by", "decided_ms", "note")}
    c.execute(sa.update(access_requests).where(access_requests.c.id == request.id).values(**values))
