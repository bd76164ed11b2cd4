"""The routes of access: sessions, links, API tokens, users, the audit log."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Query, Request, Response

from stockpot.access.guard import SESSION_COOKIE, public, requires
from stockpot.access.models import (
    ApiToken,
    ApiTokenRequest,
    AuditEntry,
    NewApiToken,
    NewPassword,
    Principal,
    SessionInfo,
    SignIn,
    SignInLink,
    User,
)
from stockpot.access.service import SESSION_MS, AccessService, check_origin
from stockpot.core.errors import NotSignedIn

SessionCookie = Annotated[str, Cookie(alias=SESSION_COOKIE)]
Anyone = Annotated[Principal, Depends(requires("own"))]
Admin = Annotated[Principal, Depends(requires("admin"))]


def router(access: AccessService, console_url: str) -> APIRouter:
    """All routes of access."""
    routes = APIRouter(prefix="/api/v1", tags=["access"])
    _session_routes(routes, access, console_url)
    _token_routes(routes, access)

    @routes.get("/users")
    async def list_users(_: Admin) -> tuple[User, ...]:
        """Everybody who can sign in."""
        return await access.users()

    @routes.get("/audit")
    async def list_audit(
        _: Admin,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[str | None, Query(max_length=40)] = None,
    ) -> tuple[AuditEntry, ...]:
        """What was changed, newest first; `before` is the id of the last entry seen."""
        return await access.audit_entries(limit, before)

    return routes


def _session_routes(routes: APIRouter, access: AccessService, console_url: str) -> None:
    @routes.post("/session", dependencies=[Depends(public)])
    async def sign_in(how: SignIn, request: Request, response: Response) -> SessionInfo:
        """Sign in with e-mail address and password, or with the token of a one-time link."""
        check_origin(request)
        address = request.client.host if request.client else ""
        signed_in = await access.sign_in(how, address)
        _set_cookie(request, response, signed_in.cookie)
        return signed_in.info

    @routes.get("/session", dependencies=[Depends(requires("own"))])
    async def get_session(
        request: Request, response: Response, cookie: SessionCookie = ""
    ) -> SessionInfo:
        """Who is signed in, and the value that writes send along."""
        if not cookie:
            raise NotSignedIn("this is a token, not a session")
        info = await access.session(cookie)
        _set_cookie(request, response, cookie)  # the cookie's end slides with the session's
        return info

    @routes.delete("/session", status_code=204, dependencies=[Depends(requires("own"))])
    async def sign_out(response: Response, cookie: SessionCookie = "") -> None:
        """Sign out."""
        await access.sign_out(cookie)
        response.delete_cookie(SESSION_COOKIE, path="/")

    @routes.post("/session/password", dependencies=[Depends(requires("own"))])
    async def set_password(new: NewPassword, cookie: SessionCookie = "") -> User:
        """Set or change the password; all other sessions of the user end."""
        if not cookie:
            raise NotSignedIn("a password is set in a session", hint="stockpot sign-in")
        return await access.set_password(cookie, new)

    @routes.post("/session/links", status_code=201)
    async def create_link(principal: Admin) -> SignInLink:
        """A one-time sign-in link."""
        token, expires_ms = await access.new_link(principal)
        return SignInLink(url=f"{console_url}/sign-in#token={token}", expires_ms=expires_ms)


def _token_routes(routes: APIRouter, access: AccessService) -> None:
    @routes.get("/tokens")
    async def list_tokens(principal: Anyone) -> tuple[ApiToken, ...]:
        """The caller's API tokens; an admin sees all."""
        return await access.tokens(principal)

    @routes.post("/tokens", status_code=201)
    async def create_token(wanted: ApiTokenRequest, principal: Anyone) -> NewApiToken:
        """A new API token. Its secret is shown this once."""
        return await access.create_token(principal, wanted)

    @routes.delete("/tokens/{token_id}", status_code=204)
    async def revoke_token(token_id: str, principal: Anyone) -> None:
        """Revoke an API token."""
        await access.revoke_token(principal, token_id)


def _set_cookie(request: Request, response: Response, value: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        value,
        max_age=SESSION_MS // 1000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
