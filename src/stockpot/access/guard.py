"""The declaration that each route makes: who may call it. Knows roles; knows no table.

    @router.get("/api/v1/keys")
    async def list_keys(principal: Annotated[Principal, Depends(requires("viewer"))]) -> ...

A route that needs nobody says `Depends(public)`; one that only the instance's own processes may
call says `Depends(internal)`. A test fails for a route that declares neither.
"""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import functools
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from stockpot.access.models import Principal, Role
from stockpot.core.errors import Forbidden, NotSignedIn

SESSION_COOKIE = "stockpot_session"
CSRF_HEADER = "x-stockpot-csrf"

_RANK: dict[Role, int] = {"own": 0, "viewer": 1, "editor": 2, "admin": 3}

_bearer = HTTPBearer(auto_error=False, description="An API token (`spt_...`).")
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description=f"A session; writes also need {CSRF_HEADER}."
)

Guard = Callable[..., Awaitable[Principal]]


class Gate(Protocol):
    """What the application keeps at `app.state.gate`."""

    internal_token: str

    async def identify(self, request: Request, bearer: str, session: str) -> Principal:
        """The principal behind a bearer token or a session cookie; raises NotSignedIn."""
        ...


def allows(principal: Principal, role: Role) -> bool:
    """Whether a principal's role is at least `role`."""
    return _RANK[principal.role] >= _RANK[role]


@functools.cache
def requires(role: Role) -> Guard:
    """A dependency that yields the caller's Principal or refuses. One object per role."""

    async def guard(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        session: Annotated[str | None, Depends(_cookie)],
    ) -> Principal:
        gate = cast("Gate", request.app.state.gate)
        token = bearer.credentials if bearer else ""
        principal = await gate.identify(request, token, session or "")
        if not allows(principal, role):
            raise Forbidden(
                f"this needs the role {role!r}; {principal.label!r} has {principal.role!r}",
                hint="ask an admin of this instance",
            )
        return principal

    guard.__name__ = f"requires_{role}"
    guard.role = role  # type: ignore[attr-defined]
    return guard


async def public() -> None:
    """Declares that anybody may call a route."""


async def internal(request: Request) -> None:
    """Declares that only the instance's own processes may call a route."""
    gate = cast("Gate", request.app.state.gate)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        token.encode(), gate.internal_token.encode()
    ):
        raise NotSignedIn("this route is for the instance's own processes")


def declared(call: object) -> str | None:
    """What a dependency declares: a role, `public`, `internal`, or None for any other."""
    if call is public or call is internal:
        return str(call.__name__)
    return cast("str | None", getattr(call, "role", None))
