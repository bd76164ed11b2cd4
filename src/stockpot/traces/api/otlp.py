"""`POST /v1/traces`: spans of applications, as OTLP over HTTP."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import Field

from stockpot.access import Principal, demand_project, requires
from stockpot.core.errors import InvalidInput
from stockpot.gateway import otlp
from stockpot.traces.models import Frozen
from stockpot.traces.otlp import Unreadable, read, unpacked
from stockpot.traces.receiving.batches import MOST_UNPACKED
from stockpot.traces.receiving.door import Behind, Door, TooMuchWaits
from stockpot.traces.receiving.sender import Sender
from stockpot.traces.store.rewriting import Stretch

Sending = Annotated[Principal, Depends(requires("editor", "project", key=True))]
SenderOf = Callable[[Principal, str], Awaitable[Sender]]
"""Whose spans somebody sends into a project ('' is a key's own). Raises NotFound."""

_PROJECT = ("stockpot.project", "openinference.project.name")
_ANSWERS = {"application/json": {"schema": {"type": "object"}}, "application/x-protobuf": {}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "An ExportTraceServiceResponse", "content": _ANSWERS},
    **{
        status: {"description": f"{told}: a google.rpc.Status", "content": _ANSWERS}
        for status, told in (
            (400, "The spans cannot be read"),
            (413, "Unpacked, the body is too large"),
            (415, "A form or an encoding that is not taken"),
            (429, "More spans wait than may; send these again after `Retry-After` seconds"),
        )
    },
}


Audited = Callable[[Principal, dict[str, object]], Awaitable[None]]
"""Notes in the audit log that somebody has history read again."""


class RenormaliseAsked(Frozen):
    """Which spans to read again (all projects, all times when not given) and the place to go on
    from, which the answer before tells."""

    project: str | None = Field(None, max_length=100)
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)
    after: int = Field(0, ge=0, le=2**62)


class RenormaliseDone(Frozen):
    """How many spans were read, how many mean something else now; `after` is None at the end."""

    read: int
    changed: int
    after: int | None


def otlp_router(door: Door, sender_of: SenderOf, audited: Audited) -> APIRouter:
    """The route that OpenTelemetry's exporters send to, and the one that reads history again."""
    routes = APIRouter(tags=["traces"])

    @routes.post(
        "/v1/traces",
        response_class=Response,
        responses=_RESPONSES,
    )
    async def take_spans(
        principal: Sending,
        request: Request,
        content_type: Annotated[str, Header()] = "",
        content_encoding: Annotated[str, Header()] = "",
        x_stockpot_project: Annotated[str, Header()] = "",
        x_stockpot_environment: Annotated[str, Header()] = "",
    ) -> Response:
        """Take spans as OTLP (protobuf or JSON; gzip, deflate or zstd). With a virtual key they
        belong to its project and environment; with an API token the project is said by the header
        `x-stockpot-project`, by the resource attribute `stockpot.project`, or by the token."""
        form = otlp.form_of(content_type)
        encoding = content_encoding.strip().lower()
        if form is None or encoding not in otlp.ENCODINGS:
            return _refused(415, "send application/x-protobuf or application/json", form)
        body = await request.body()
        try:
            project = x_stockpot_project or _project(principal, body, form, encoding)
            sender = await _sender(principal, project, sender_of)
            environment = sender.environment or x_stockpot_environment
            record = otlp.entry(
                sender.project, environment, sender.key_id, sender.payloads, (form, encoding),
                len(body), principal.address,
            )  # fmt: skip
            ack = await door.take(record, body)
        except InvalidInput as wrong:
            return _refused(wrong.status if wrong.status == 413 else 400, wrong.message, form)
        except (Behind, TooMuchWaits) as later:
            return _refused(later.status, later.message, form)
        answer = otlp.partial_body(ack.rejected, ack.message, form)
        return Response(answer, media_type=otlp.TYPES[form].decode())

    @routes.post("/api/v1/traces/renormalise")
    async def renormalise_traces(
        principal: Annotated[Principal, Depends(requires("admin"))], asked: RenormaliseAsked
    ) -> RenormaliseDone:
        """Read a piece of history again from what senders sent, by what is known of their
        conventions now; sums follow. Ask again with `after` until it is null."""
        if asked.after == 0:
            await audited(principal, asked.model_dump(exclude={"after"}))
        stretch = Stretch(
            asked.project or "",
            0 if asked.from_ms is None else round(asked.from_ms * 1e6),
            1 << 62 if asked.to_ms is None else round(asked.to_ms * 1e6),
            asked.after,
        )
        done = await door.renormalise(stretch)
        return RenormaliseDone(read=done.read, changed=done.changed, after=done.following)

    return routes


async def _sender(principal: Principal, project: str, sender_of: SenderOf) -> Sender:
    if principal.via == "key":
        return await sender_of(principal, "")
    demand_project(principal, "editor", project)
    return await sender_of(principal, project)


def _project(principal: Principal, body: bytes, form: str, encoding: str) -> str:
    """The project of a request that no header names one for."""
    if principal.via == "key":
        return ""
    try:
        spans = read(unpacked(body, encoding, MOST_UNPACKED), form)
        named = {_named(span.under.resource) for span in spans}
    except Unreadable as bad:
        raise InvalidInput(str(bad)) from None
    if len(named) > 1:
        raise InvalidInput(
            f"spans of several projects in one request: {', '.join(sorted(named))}; "
            "send each with a key of its project"
        )
    project = (named.pop() if named else "") or principal.project or ""
    if not project:
        raise InvalidInput(
            "which project these spans belong to is said by the header 'x-stockpot-project', by "
            "the resource attribute 'stockpot.project', or by a virtual key as the bearer"
        )
    return project


def _named(resource: dict[str, object]) -> str:
    return next((str(resource[name]) for name in _PROJECT if resource.get(name)), "")


def _refused(status: int, message: str, form: str | None) -> Response:
    """An error as OTLP wants it: a google.rpc.Status in the form of the request."""
    shape = form or "json"
    later = {"retry-after": str(otlp.RETRY_AFTER_S)} if status in (429, 503) else None
    body = otlp.status_body(message, shape, status)
    return Response(body, status, later, media_type=otlp.TYPES[shape].decode())
