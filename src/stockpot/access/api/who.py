"""Who may call a route, as parameter types, and the session's cookie."""

from typing import Annotated

from fastapi import Cookie, Depends, Request, Response

from stockpot.access.guard import SESSION_COOKIE, requires
from stockpot.access.models import Principal
from stockpot.access.service.gate import SESSION_MS

Anyone = Annotated[Principal, Depends(requires("own"))]
Admin = Annotated[Principal, Depends(requires("admin"))]
ProjectViewer = Annotated[Principal, Depends(requires("viewer", "project"))]
ProjectAdmin = Annotated[Principal, Depends(requires("admin", "project"))]

SessionCookie = Annotated[str, Cookie(alias=SESSION_COOKIE)]


def address_of(request: Request) -> str:
    """From where a request comes."""
    return request.client.host if request.client else ""


def set_session(request: Request, response: Response, value: str) -> None:
    """Give the browser its session, for as long as that lives."""
    response.set_cookie(
        SESSION_COOKIE,
        value,
        max_age=SESSION_MS // 1000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
