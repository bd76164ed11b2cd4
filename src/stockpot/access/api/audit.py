"""Routes of the audit log. An admin of projects sees what happened in those."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from stockpot.access.api.who import Admin, ProjectAdmin
from stockpot.access.models import AuditEntry, AuditFilter, AuditVerification
from stockpot.access.service.audit import AuditService


class AuditQuery(AuditFilter):
    """A filter, and which page of what it finds; `before` is the id of the last entry seen."""

    limit: int = Query(100, ge=1, le=500)
    before: str | None = Query(None, max_length=40)


def audit_routes(routes: APIRouter, audit: AuditService) -> None:
    """Read, export, verify."""

    @routes.get("/audit")
    async def list_audit(
        principal: ProjectAdmin, asked: Annotated[AuditQuery, Query()]
    ) -> tuple[AuditEntry, ...]:
        """What was changed, by whom and from where, newest first."""
        return await audit.entries(principal, _filter(asked), asked.limit, asked.before)

    @routes.get(
        "/audit/export",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}},
    )
    async def export_audit(
        principal: ProjectAdmin, asked: Annotated[AuditFilter, Query()]
    ) -> StreamingResponse:
        """Every matching entry as JSON lines, oldest first."""
        pages = audit.export(principal, asked)
        first = await anext(pages)  # a store that is away is told, not an answer cut off
        return StreamingResponse(
            _from(first, pages),
            media_type="application/jsonl",
            headers={"content-disposition": 'attachment; filename="audit.jsonl"'},
        )

    @routes.get("/audit/verify")
    async def verify_audit(
        _: Admin,
        number: Annotated[int, Query(ge=0, le=10**15)] = 0,
        noted: Annotated[str, Query(max_length=64, alias="hash")] = "",
    ) -> AuditVerification:
        """Compute the hash chain anew; `number` and `hash` are a head that was noted before."""
        return await audit.verify(number, noted)


async def _from(first: str, pages: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for page in pages:
        yield page


def _filter(asked: AuditQuery) -> AuditFilter:
    """The filter alone, out of a query that says more."""
    return AuditFilter(**{name: getattr(asked, name) for name in AuditFilter.model_fields})
