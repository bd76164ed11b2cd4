"""Routes of sessions: signing in and out, the password, one-time links."""

from fastapi import APIRouter, Depends, Request, Response

from stockpot.access.access import Access
from stockpot.access.api.who import Admin, Anyone, SessionCookie, address_of, set_session
from stockpot.access.guard import SESSION_COOKIE, public, requires
from stockpot.access.models import NewPassword, SessionInfo, SignIn, SignInLink, User
from stockpot.access.service.gate import check_origin
from stockpot.core.errors import NotSignedIn


def session_routes(routes: APIRouter, access: Access) -> None:
    """Begin, look, end; set a password; make a link."""

    @routes.post("/session", dependencies=[Depends(public)])
    async def sign_in(how: SignIn, request: Request, response: Response) -> SessionInfo:
        """Sign in with e-mail address and password, or with the token of a one-time link."""
        check_origin(request)
        signed_in = await access.sign_in.sign_in(how, address_of(request))
        set_session(request, response, signed_in.cookie)
        return signed_in.info

    @routes.get("/session", dependencies=[Depends(requires("own"))])
    async def get_session(
        request: Request, response: Response, cookie: SessionCookie = ""
    ) -> SessionInfo:
        """Who is signed in, and the value that writes send along."""
        if not cookie:
            raise NotSignedIn("this is a token, not a session")
        info = await access.sign_in.session(cookie)
        set_session(request, response, cookie)  # the cookie's end slides with the session's
        return info

    @routes.delete("/session", status_code=204)
    async def sign_out(principal: Anyone, response: Response, cookie: SessionCookie = "") -> None:
        """Sign out."""
        await access.sign_in.sign_out(principal, cookie)
        response.delete_cookie(SESSION_COOKIE, path="/")

    @routes.post("/session/password", dependencies=[Depends(requires("own"))])
    async def set_password(new: NewPassword, request: Request, cookie: SessionCookie = "") -> User:
        """Set or change the password; all other sessions of the user end."""
        if not cookie:
            raise NotSignedIn("a password is set in a session", hint="stockpot sign-in")
        return await access.sign_in.set_password(cookie, new, address_of(request))

    @routes.post("/session/links", status_code=201)
    async def create_link(principal: Admin) -> SignInLink:
        """A one-time sign-in link for the caller."""
        token, expires_ms = await access.sign_in.new_link(principal)
        return access.people.shown_link(token, expires_ms)
