"""The routes of feedback: give it, from servers and from browsers; sum it up; public keys.

Browsers show a public key: as a bearer, or as `?key=` in the address, since a beacon sends no
header. A beacon's body is `text/plain`, which needs no preflight.
"""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import Field, ValidationError

from stockpot.access import (
    SESSION_COOKIE,
    Principal,
    demand_project,
    no_project,
    public,
    requires,
)
from stockpot.core.errors import (
    Forbidden,
    InvalidInput,
    NotSignedIn,
    StockpotError,
)
from stockpot.core.faults import first_fault
from stockpot.feedback.models import (
    Accepted,
    FeedbackBatch,
    FeedbackItem,
    NewPublicKey,
    PublicKey,
    PublicKeySettings,
    Satisfaction,
    SatisfactionBy,
)
from stockpot.feedback.service.feedback import FeedbackService
from stockpot.feedback.service.keys import PREFIX, PublicKeyService
from stockpot.traces import Member, ScoreFilter, Seen

MOST_BYTES = 128 << 10
Editor = Annotated[Principal, Depends(requires("editor", "project"))]

_by_secret = requires("editor", "project", key=True)
_ITEM = FeedbackItem.model_json_schema()
_BODY = {"anyOf": [_ITEM, {"type": "object", "required": ["items"], "properties": {
    "items": {"type": "array", "minItems": 1, "maxItems": 100, "items": _ITEM}}}]}  # fmt: skip
_GIVEN: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _BODY}, "text/plain": {"schema": _BODY}},
        "description": "One item, or `items` with up to a hundred.",
    }
}


class TooLarge(StockpotError):
    """More than one piece of feedback can be."""

    code, status = "too_large", 413


class Giver(NamedTuple):
    """Who gives feedback: a principal, or whoever shows a public key."""

    principal: Principal | None
    key: PublicKey | None


class SatisfactionQuery(ScoreFilter):
    """Whose feedback, and by what to tell it apart. The last thirty days when not said."""

    by: SatisfactionBy = Field("prompt")


def router(feedback: FeedbackService, keys: PublicKeyService) -> APIRouter:
    """All routes of feedback."""
    routes = APIRouter(prefix="/api/v1", tags=["feedback"])
    _giving(routes, feedback, keys)
    _looking(routes, feedback)
    _keys(routes, keys)
    return routes


def _giving(routes: APIRouter, feedback: FeedbackService, keys: PublicKeyService) -> None:
    @routes.post(
        "/feedback",
        dependencies=[Depends(_declared)],
        response_model=Accepted,
        openapi_extra=_GIVEN,
        status_code=201,
    )
    async def give_feedback(
        request: Request,
        key: Annotated[str, Query(max_length=100, description="A public key.")] = "",
    ) -> Response:
        """Say what somebody thinks of a trace, a span or a session, or did with it. Takes a virtual
        key, an API token, a session or a public key."""
        origin = request.headers.get("origin", "")
        headers: dict[str, str] = {}
        try:
            giver = await _giver(request, keys, key, origin)
            headers = _cors(origin) if giver.key else {}
            accepted = await _give(request, feedback, keys, giver)
        except StockpotError as refused:
            return _refusal(refused, headers or await _cors_if(keys, origin))
        return JSONResponse(accepted.model_dump(), 201, headers)

    @routes.options("/feedback", dependencies=[Depends(public)], include_in_schema=False)
    async def preflight_feedback(request: Request) -> Response:
        """What a browser asks before it sends JSON or a header."""
        headers = await _cors_if(keys, request.headers.get("origin", ""))
        if headers:
            headers["access-control-allow-methods"] = "POST"
            headers["access-control-allow-headers"] = "authorization, content-type"
            headers["access-control-max-age"] = "600"
        return Response(status_code=204, headers=headers)


def _looking(routes: APIRouter, feedback: FeedbackService) -> None:
    @routes.get("/feedback/summary")
    async def summarise_feedback(
        _: Member, sight: Seen, asked: Annotated[SatisfactionQuery, Query()]
    ) -> tuple[Satisfaction, ...]:
        """Satisfaction and trust with their intervals, by prompt version or another."""
        where = ScoreFilter(**asked.model_dump(exclude={"by"}))
        return await feedback.satisfaction(where, asked.by, sight)


def _keys(routes: APIRouter, keys: PublicKeyService) -> None:
    @routes.get("/public-keys")
    async def list_public_keys(
        principal: Annotated[Principal, Depends(requires("viewer", "project"))],
        include_revoked: Annotated[bool, Query()] = False,
    ) -> tuple[PublicKey, ...]:
        """Keys with which browsers give feedback, newest first."""
        return await keys.all(principal, revoked=include_revoked)

    @routes.post("/public-keys", status_code=201)
    async def create_public_key(new: NewPublicKey, principal: Editor) -> PublicKey:
        """A new public key: it gives feedback onto traces of its project and does nothing else."""
        return await keys.create(principal, new)

    @routes.patch("/public-keys/{public_key_id}")
    async def change_public_key(
        public_key_id: str, wanted: PublicKeySettings, principal: Editor
    ) -> PublicKey:
        """Change what is given; null keeps."""
        return await keys.change(principal, public_key_id, wanted)

    @routes.delete("/public-keys/{public_key_id}", status_code=204)
    async def revoke_public_key(public_key_id: str, principal: Editor) -> None:
        """Revoke: the key stops working at once."""
        await keys.revoke(principal, public_key_id)


async def _declared(request: Request) -> None:
    """Stands for the declaration of who may give feedback. Whoever shows nothing is refused here,
    before the body is read; `_giver` looks at what is shown."""
    shown = request.headers.get("authorization") or request.cookies.get(SESSION_COOKIE)
    if not (shown or request.query_params.get("key")):
        raise NotSignedIn(
            "feedback needs a virtual key, an API token or a public key",
            hint="stockpot feedback keys create --name my-site",
        )


_declared.declaration = _by_secret.declaration  # type: ignore[attr-defined]


async def _giver(request: Request, keys: PublicKeyService, in_address: str, origin: str) -> Giver:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    shown = bearer.strip() if scheme.lower() == "bearer" else ""
    if in_address and not in_address.startswith(PREFIX):
        raise Forbidden(
            "only a public key may stand in an address, where others can read it",
            hint="send a secret as the header authorization: Bearer ...",
        )
    if in_address or shown.startswith(PREFIX):
        return Giver(None, await keys.holder(in_address or shown, origin))
    given = HTTPAuthorizationCredentials(scheme="Bearer", credentials=shown) if shown else None
    principal = await _by_secret(request, given, request.cookies.get(SESSION_COOKIE))
    return Giver(principal, None)


async def _give(
    request: Request, feedback: FeedbackService, keys: PublicKeyService, giver: Giver
) -> Accepted:
    items = _items(await _body(request))
    project = _project_of(giver, items)
    if giver.key is not None:
        address = request.client.host if request.client else ""
        await keys.spend(giver.key, address, len(items))
        return await feedback.give(project, items, only_known=True)
    principal = giver.principal
    audited = principal if principal is not None and principal.via != "key" else None
    return await feedback.give(project, items, actor=audited)


async def _body(request: Request) -> bytes:
    held = bytearray()
    async for piece in request.stream():
        held += piece
        if len(held) > MOST_BYTES:
            raise TooLarge(f"feedback may have at most {MOST_BYTES >> 10} KB")
    return bytes(held)


def _items(body: bytes) -> tuple[FeedbackItem, ...]:
    try:
        if b'"items"' in body[:4096]:
            try:
                return FeedbackBatch.model_validate_json(body).items
            except ValidationError as bad:
                if bad.errors()[0]["type"] != "extra_forbidden":
                    raise
        return (FeedbackItem.model_validate_json(body),)
    except ValidationError as bad:
        raise InvalidInput(first_fault(bad.errors(), "body")) from None


def _project_of(giver: Giver, items: tuple[FeedbackItem, ...]) -> str:
    """The one project of some feedback. A key's is its own; a person or a token names it."""
    named = {item.project for item in items if item.project is not None}
    tied = giver.key.project if giver.key else giver.principal and giver.principal.project
    if len(named) > 1:
        raise InvalidInput("the items of one request are of one project")
    project = next(iter(named), tied or "default")
    if giver.key is not None and project != giver.key.project:
        raise no_project(project)
    if giver.principal is not None:
        demand_project(giver.principal, "editor", project)
    return project


def _cors(origin: str) -> dict[str, str]:
    """What lets a page of this origin read the answer."""
    if not origin:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "retry-after",
        "cross-origin-resource-policy": "cross-origin",
        "vary": "Origin",
    }


async def _cors_if(keys: PublicKeyService, origin: str) -> dict[str, str]:
    return _cors(origin) if origin and await keys.allowed_somewhere(origin) else {}


def _refusal(refused: StockpotError, headers: dict[str, str]) -> Response:
    wait = getattr(refused, "retry_after_s", None)
    if wait is not None:
        headers = {**headers, "retry-after": str(wait)}
    told = {"code": refused.code, "message": refused.message, "hint": refused.hint}
    return JSONResponse({"error": told}, refused.status, headers)
