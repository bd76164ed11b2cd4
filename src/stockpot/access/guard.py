"""The declaration that each route makes: who may call it. Knows roles; knows no table.

    @router.get("/api/v1/users")
    async def list_users(principal: Annotated[Principal, Depends(requires("admin"))]) -> ...

`requires(role)` asks for a role on the instance. A route whose records belong to projects says
`requires(role, of="project")`: whoever has the role in some project comes in, and the handler
answers for the project at hand, with `demand` or `Principal.sees`. With `owner=True` it also lets
in who may be the owner of the record, and `demand` decides.

With `key=True` a route of a project also takes a virtual key as its bearer, so that an application
needs no second secret: the key has the declared role, in its own project and at such routes only.

A route that needs nobody says `Depends(public)`; one that only the instance's own processes may
call says `Depends(internal)`. Tests fail for a route that declares nothing, and walk the API's
description, where the declarations stand as `x-stockpot-access`, to see that each is kept.
"""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
import functools
import hmac
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Literal, NamedTuple, Protocol, cast

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from stockpot.access.credentials import TOKEN_PREFIX
from stockpot.access.models import RANK, Principal, Role
from stockpot.core.errors import Forbidden, NotFound, NotSignedIn, did_you_mean

SESSION_COOKIE = "stockpot_session"
CSRF_HEADER = "x-stockpot-csrf"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

_bearer = HTTPBearer(auto_error=False, description="An API token (`spt_...`).")
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description=f"A session; writes also need {CSRF_HEADER}."
)

Guard = Callable[..., Awaitable[Principal]]
Of = Literal["instance", "project"]


class Declaration(NamedTuple):
    """What a route asks of its caller."""

    role: Role
    of: Of = "instance"
    owner: bool = False
    key: bool = False


KeyHolder = Callable[[str, str, Role], Awaitable[Principal | None]]
"""What the application keeps at `app.state.key_holder`: who a virtual key is, from its secret, the
caller's address and the role that it is to have; None for what is no virtual key."""


class Gate(Protocol):
    """What the application keeps at `app.state.gate`."""

    internal_token: str

    async def identify(self, request: Request, bearer: str, session: str) -> Principal:
        """The principal behind a bearer token or a session cookie; raises NotSignedIn."""
        ...


def allows(principal: Principal, role: Role) -> bool:
    """Whether a principal's role on the instance is at least `role`."""
    return RANK[principal.role] >= RANK[role]


def demand(
    principal: Principal, role: Role, project: str, absent: NotFound, *, owner_id: str = ""
) -> None:
    """Refuse whoever has not this role in a project and does not own the record either. To somebody
    who sees no such record it does not exist: `absent` is raised."""
    owns = principal.owns(owner_id) and principal.may("own", project)
    if owns or principal.may(role, project):
        return
    if not principal.may("viewer", project):
        raise absent
    raise _lacking(principal, role, principal.role_on(project), f"the project {project!r}")


def demand_project(
    principal: Principal | None, role: Role, project: str, known: Collection[str] | None = None
) -> None:
    """Refuse a project that is not among the `known`, and whoever has not this role in it; None is
    the instance itself, which may everything. Without `known` only the role is looked at, which is
    enough where no record of an absent project can be found or made."""
    absent = no_project(project, known or (), principal)
    if known is not None and project not in known:
        raise absent
    if principal is not None:
        demand(principal, role, project, absent)


def no_project(
    project: str, known: Collection[str] = (), principal: Principal | None = None
) -> NotFound:
    """What somebody is told of a project that is not there or that they may not know of, with the
    nearest spelling among those of the `known` that are open to them."""
    open_to = [one for one in known if principal is None or principal.may("own", one)]
    near = f".{did_you_mean(project, open_to)}" if known else ""
    return NotFound(f"no project {project!r}{near}", hint="stockpot projects list")


@functools.cache
def requires(role: Role, of: Of = "instance", *, owner: bool = False, key: bool = False) -> Guard:
    """A dependency that yields the caller's Principal or refuses. One object per declaration."""
    declaration = Declaration(role, of, owner, key)

    async def guard(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        session: Annotated[str | None, Depends(_cookie)],
    ) -> Principal:
        gate = cast("Gate", request.app.state.gate)
        token = bearer.credentials if bearer else ""
        if key and token and (holder := await _by_key(request, token, role)) is not None:
            return holder
        principal = await gate.identify(request, token, session or "")
        _check(principal, declaration, request.method)
        return principal

    guard.__name__ = f"requires_{role}"
    guard.declaration = declaration  # type: ignore[attr-defined]
    return guard


async def _by_key(request: Request, secret: str, role: Role) -> Principal | None:
    if secret.startswith(TOKEN_PREFIX):
        return None
    holder = cast("KeyHolder", request.app.state.key_holder)
    return await holder(secret, request.client.host if request.client else "", role)


def _check(principal: Principal, asked: Declaration, method: str) -> None:
    if asked.of == "instance" and not allows(principal, asked.role):
        raise _lacking(principal, asked.role, principal.role, "this instance")
    lowest: Role = "own" if asked.owner else asked.role
    if asked.of == "project" and not principal.may_somewhere(lowest):
        raise _lacking(principal, lowest, None, "any project")
    _check_scopes(principal, asked, method)


def _check_scopes(principal: Principal, asked: Declaration, method: str) -> None:
    needed = {"read" if method in READS else "write"}
    if asked.role == "admin":
        needed.add("admin")
    if missing := needed - set(principal.scopes):
        raise Forbidden(
            f"the token {principal.label!r} has not the scope {min(missing)!r}",
            hint="make one with the scopes that it needs: stockpot tokens create --help",
        )


def _lacking(principal: Principal, role: Role, held: Role | None, where: str) -> Forbidden:
    has = f"has {held!r}" if held else "has none"
    return Forbidden(
        f"this needs the role {role!r} in {where}; {principal.label!r} {has}",
        hint="ask an admin of this instance",
    )


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


def declaration_of(call: object) -> Declaration | None:
    """What a dependency declares, when it asks for a role."""
    return cast("Declaration | None", getattr(call, "declaration", None))


def declared(call: object) -> str | None:
    """What a dependency declares: a role, `public`, `internal`, or None for any other."""
    if call is public or call is internal:
        return str(call.__name__)
    asked = declaration_of(call)
    return asked.role if asked else None
