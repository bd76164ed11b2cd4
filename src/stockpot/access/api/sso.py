"""Routes of signing in by a provider. A browser follows them; both answer with a redirect."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Cookie, Depends, Query, Request, Response

from stockpot.access.api.who import address_of, set_session
from stockpot.access.guard import public
from stockpot.access.models import SignInWays
from stockpot.access.service.sso import CALLBACK, ERRAND_MS, Back, SsoService
from stockpot.core.errors import StockpotError

ERRAND_COOKIE = "stockpot_sign_in"
_PATH = "/api/v1/sign-in"
_MOVED: dict[str, Any] = {
    "status_code": 303,
    "response_class": Response,
    "responses": {303: {"description": "The next address is in the header Location"}},
}

REFUSED_COOKIE, REFUSED_S = "stockpot_sign_in_refused", 60
"""Tells the sign-in page why: words in an address could be anybody's."""

ErrandCookie = Annotated[str, Cookie(alias=ERRAND_COOKIE)]
Text = Annotated[str, Query(max_length=4000)]


def sso_routes(routes: APIRouter, sso: SsoService) -> None:
    """What there is, the way there, the way back."""

    @routes.get("/sign-in", dependencies=[Depends(public)])
    async def list_sign_in_ways() -> SignInWays:
        """How one can sign in here: with a password, and at which providers."""
        return sso.ways()

    @routes.get("/sign-in/{name}", dependencies=[Depends(public)], **_MOVED)
    async def begin_sign_in(name: str, request: Request, next: Text = "/overview") -> Response:
        """Send the browser to a provider; `next` is the console's page to come back to."""
        try:
            leaving = await sso.leave(name, next)
        except StockpotError as refused:
            return _refusal(request, refused)
        response = Response(status_code=303, headers={"location": leaving.address})
        response.set_cookie(
            ERRAND_COOKIE,
            leaving.cookie,
            max_age=ERRAND_MS // 1000,
            path=_PATH,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    @routes.get(CALLBACK.removeprefix("/api/v1"), dependencies=[Depends(public)], **_MOVED)
    async def finish_sign_in(
        name: str,
        request: Request,
        code: Text = "",
        state: Text = "",
        error: Text = "",
        iss: Text = "",
        cookie: ErrandCookie = "",
    ) -> Response:
        """Where a provider sends the browser back to; a session begins."""
        back = Back(code, state, error, iss)
        try:
            arrived = await sso.arrive(name, back, cookie, address_of(request))
        except StockpotError as refused:
            return _refusal(request, refused)
        response = Response(status_code=303, headers={"location": arrived.next})
        response.delete_cookie(ERRAND_COOKIE, path=_PATH)
        set_session(request, response, arrived.signed_in.cookie)
        return response


def _refusal(request: Request, refused: StockpotError) -> Response:
    """A person is sent to the sign-in page, which says why; a program gets the error itself."""
    if "text/html" not in request.headers.get("accept", ""):
        raise refused
    response = Response(status_code=303, headers={"location": "/sign-in"})
    response.delete_cookie(ERRAND_COOKIE, path=_PATH)
    response.set_cookie(
        REFUSED_COOKIE, quote(str(refused)), max_age=REFUSED_S, path="/sign-in", samesite="lax"
    )
    return response
