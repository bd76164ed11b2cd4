"""Making, listing and revoking API tokens."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access import credentials
from stockpot.access.audit_log import audit
from stockpot.access.guard import allows
from stockpot.access.models import (
    SCOPES,
    ApiToken,
    ApiTokenRequest,
    NewApiToken,
    Principal,
    Role,
    Scope,
)
from stockpot.access.service.gate import Clock, GateService
from stockpot.access.store import tokens
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Forbidden, InvalidInput, NotFound
from stockpot.core.ids import record_id

_IMPLIED: dict[Role, tuple[Scope, ...]] = {
    "admin": SCOPES,
    "editor": ("read", "write"),
    "viewer": ("read",),
    "own": ("read", "write"),
}


class Bounds(NamedTuple):
    """What a token may be and be used for."""

    role: Role
    scopes: tuple[Scope, ...]


class TokenService:
    """API tokens; only their SHA-256 is kept."""

    def __init__(self, db: Database, gate: GateService, clock: Clock = now_ms) -> None:
        self._db = db
        self._gate = gate
        self._now = clock

    async def all(self, actor: Principal) -> tuple[ApiToken, ...]:
        """The caller's own tokens; an admin sees all, a tied token those of its project."""
        owner = None if allows(actor, "admin") else actor.user_id
        return await self._db.read(lambda c: tokens.list_tokens(c, owner, actor.project))

    async def create(self, actor: Principal, wanted: ApiTokenRequest) -> NewApiToken:
        """A token that may at most what its maker may."""
        now = self._now()
        if wanted.expires_ms is not None and wanted.expires_ms <= now:
            raise InvalidInput("'expires_ms' is in the past")
        project = wanted.project or actor.project
        bounds = _bounds(wanted)
        _check_maker(actor, bounds, project)
        secret = credentials.TOKEN_PREFIX + credentials.base62(43)
        token = ApiToken(
            id=record_id("tok"),
            name=wanted.name,
            prefix=secret[:10],
            role=bounds.role,
            scopes=bounds.scopes,
            project=project,
            created_ms=now,
            expires_ms=wanted.expires_ms,
            last_used_ms=None,
        )

        def write(c: sa.Connection) -> None:
            tokens.add_token(c, token, credentials.digest(secret), actor.user_id)
            told: dict[str, Any] = {"name": token.name, "role": token.role}
            told |= {"scopes": list(token.scopes), "project": project or ""}
            audit(c, actor, "token.create", token.id, after=token, **told)

        await self._db.write(write)
        return NewApiToken(token=token, secret=secret)

    async def revoke(self, actor: Principal, token_id: str) -> None:
        """Own tokens; an admin any. It stops working at once."""

        def write(c: sa.Connection) -> None:
            found = tokens.token_by_id(c, token_id)
            if found is None or not _governs(actor, found):
                raise NotFound(f"no API token {token_id!r}", hint="stockpot tokens list")
            tokens.delete_token(c, token_id)
            audit(c, actor, "token.revoke", token_id, before=found.token, name=found.token.name)

        await self._db.write(write)
        self._gate.forget()


def _governs(actor: Principal, found: tokens.OwnedToken) -> bool:
    if actor.project is not None and actor.project != found.token.project:
        return False
    return found.owner_id == actor.user_id or allows(actor, "admin")


def _bounds(wanted: ApiTokenRequest) -> Bounds:
    """Role and scopes imply each other; with neither a token looks."""
    scopes = tuple(scope for scope in SCOPES if scope in (wanted.scopes or ()))
    if wanted.role is not None:
        return Bounds(wanted.role, scopes or _IMPLIED[wanted.role])
    if not scopes:
        return Bounds("viewer", _IMPLIED["viewer"])
    implied: Role = "viewer"
    if "admin" in scopes:
        implied = "admin"
    elif "write" in scopes:
        implied = "editor"
    return Bounds(implied, scopes)


def _check_maker(actor: Principal, bounds: Bounds, project: str | None) -> None:
    if actor.project is not None and project != actor.project:
        raise Forbidden(f"a token of the project {actor.project!r} makes tokens of that project")
    if project is not None:
        enough = actor.may(bounds.role, project)
    else:
        enough = allows(actor, bounds.role) or actor.may_somewhere(bounds.role)
    if not enough:
        raise Forbidden(f"{actor.label!r} cannot make a token with the role {bounds.role!r}")
    if too_wide := set(bounds.scopes) - set(actor.scopes):
        raise Forbidden(f"{actor.label!r} has not the scope {min(too_wide)!r} itself")
