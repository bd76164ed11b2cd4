"""What every HTTP face of the control plane does: errors as JSON, safe headers, bounded bodies,
and no input that nobody could keep.

Knows HTTP and the error shape `{"error": {"code", "message", "hint"}}`; knows no route.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockpot.core.errors import InvalidInput, StockpotError
from stockpot.core.faults import first_fault

_log = logging.getLogger("stockpot.web")

SAFE_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class ErrorDetail(BaseModel):
    """`code` is stable; `hint` is the next step, a command where there is one."""

    code: str
    message: str
    hint: str


class ErrorBody(BaseModel):
    """What every error looks like."""

    error: ErrorDetail


_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}

# The shape is named, not given as a model: FastAPI would build one for each status of each route,
# which takes half a second of every start.
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": told, "content": _ERROR}
    for status, told in (
        (400, "The request cannot be read"),
        (401, "Nobody is signed in"),
        (403, "The caller's role does not allow it"),
        (404, "There is no such thing"),
        (409, "It conflicts with what is there"),
        (413, "The body is too large"),
        (422, "The input is wrong"),
        (429, "Too many attempts; Retry-After says when"),
        (503, "Something that is needed is away"),
    )
}
"""For `FastAPI(responses=...)`: what any route may answer instead of a result."""


MOST_DEPTH = 100
"""Of JSON within JSON: whoever writes it out again gives up at about twice that."""


async def keepable(request: Request) -> None:
    """For `FastAPI(dependencies=...)`: refuses, before any route sees it, what nobody could keep or
    tell again. In an address that is NUL, which Postgres cannot even look for; in a JSON body, half
    of a surrogate pair and what is nested too deep."""
    if "\0" in request.url.path or "%00" in request.url.query:
        raise InvalidInput("the address holds a NUL character", hint="leave %00 out of it")
    if not hasattr(request, "_json"):  # FastAPI has read it where it is one
        return
    told = await request.json()
    if _deeper(told, MOST_DEPTH):
        raise InvalidInput(f"the body is JSON nested deeper than {MOST_DEPTH} levels")
    body = await request.body()
    try:
        if any(sign in body for sign in _MAY_BE_HALVES):
            json.dumps(told, ensure_ascii=False).encode()
    except UnicodeEncodeError as half:
        raise InvalidInput(
            f"the body holds half of a character: \\u{ord(half.object[half.start]):04x} alone",
            hint="cut texts between characters, not between the two halves of one",
        ) from None


_MAY_BE_HALVES = (b"\\ud", b"\\uD", b"\xed", b"\0")
"""An escape; UTF-8 of a surrogate, which Python's JSON lets pass; NUL is in any UTF-16."""


def _deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def answer_errors(app: FastAPI) -> None:
    """Give every error of an application the same shape, and describe it."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        document["components"]["schemas"] |= {
            "ErrorBody": ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
        }
        definitions = document["components"]["schemas"]["ErrorBody"].pop("$defs", {})
        document["components"]["schemas"] |= definitions
        return document

    app.openapi = described  # type: ignore[method-assign]

    @app.exception_handler(StockpotError)
    async def ours(_: Request, error: StockpotError) -> JSONResponse:
        wait = getattr(error, "retry_after_s", None)
        headers = {"retry-after": str(wait)} if wait is not None else None
        return _json(error.status, error.code, error.message, error.hint, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return _json(422, "invalid_input", _first_fault(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
        code = codes.get(error.status_code, "refused")
        message = f"{error.detail}: {request.method} {request.url.path}"
        return _json(error.status_code, code, message, headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        told = f"{type(error).__name__} inside stockpot"
        return _json(500, "internal_error", told, "the control plane's log tells more")


def _json(
    status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"error": {"code": code, "message": message, "hint": hint}}
    return JSONResponse(body, status_code=status, headers=headers)


def _first_fault(error: RequestValidationError) -> str:
    """Without the place where FastAPI looked: a path, a query or a body."""
    place = str(error.errors()[0]["loc"][0])
    return first_fault([{**fault, "loc": fault["loc"][1:]} for fault in error.errors()], place)


class SafeHeaders:
    """Adds the security headers to each answer, and counts answers by status."""

    def __init__(self, app: ASGIApp, counted: Callable[[int], None]) -> None:
        self._app = app
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counted(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


class BoundedBodies:
    """Refuses a body that is larger than `most` bytes, before it is all here."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > self._most:
            await self._refusal()(scope, receive, send)
            return
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise HTTPException(413, "the body is too large")
            return message

        await self._app(scope, bounded, send)

    def _refusal(self) -> JSONResponse:
        told = f"a body may have at most {self._most // 1024 // 1024} MB"
        return _json(413, "too_large", told, "raise STOCKPOT_MAX_BODY_MB")
