"""Finding out who calls. Knows sessions, tokens and what is open to their owners.

What was found is believed for two seconds, so that a page of the console costs one look-up and not
twenty. Every change of access made in this process forgets it at once (`forget`); a change made by
another process counts when the two seconds are over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
from starlette.requests import Request

from stockpot.access import credentials
from stockpot.access.guard import CSRF_HEADER, READS
from stockpot.access.models import ApiToken, Principal, Role, Scope, lower
from stockpot.access.store import people, sessions, tokens
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Forbidden, NotSignedIn
from stockpot.core.instance import Instance

SESSION_MS = 14 * 24 * 3600 * 1000
BELIEVED_MS = 2000
_SLIDE_MS = 600_000
"""A session's end moves, and a token's last use is noted, at most this often."""

_MOST_KNOWN = 10_000
COMMAND_LINE = Principal(user_id="cli", label="command line", role="admin", via="cli")

Clock = Callable[[], int]


class _Known(NamedTuple):
    """Somebody who called a moment ago; `ends_ms` is when the credential does."""

    principal: Principal
    at_ms: int
    ends_ms: float


class GateService:
    """The `Gate` that `requires` asks."""

    def __init__(self, db: Database, instance: Instance, clock: Clock = now_ms) -> None:
        self.internal_token = instance.internal_token
        self._cli_token = instance.derive("cli")
        self._db = db
        self._now = clock
        self._known: dict[bytes, _Known] = {}
        self._changes = 0

    def forget(self) -> None:
        """Somebody's access changed: the next call of everybody is looked up."""
        self._changes += 1
        self._known.clear()

    async def identify(self, request: Request, bearer: str, session: str) -> Principal:
        """The principal behind a bearer token or a session cookie; raises NotSignedIn."""
        address = request.client.host if request.client else ""
        if bearer:
            principal = await self._by_token(bearer)
        elif session:
            principal = await self._by_session(request, session)
        else:
            raise NotSignedIn("nobody is signed in", hint="stockpot sign-in prints a sign-in link")
        return principal.model_copy(update={"address": address})

    async def _by_token(self, bearer: str) -> Principal:
        if credentials.same(bearer, self._cli_token):
            return COMMAND_LINE
        digest = credentials.digest(bearer)
        if known := self._remembered(digest):
            return known
        changes = self._changes
        principal, token = await self._db.read(lambda c: _token_holder(c, digest, self._now()))
        self._remember(digest, principal, token.expires_ms or float("inf"), changes)
        now = self._now()
        if token.last_used_ms is None or now - token.last_used_ms > _SLIDE_MS:
            await self._db.write(lambda c: tokens.touch_token(c, token.id, now))
        return principal

    async def _by_session(self, request: Request, cookie: str) -> Principal:
        digest = credentials.digest(cookie)
        principal = self._remembered(digest) or await self._look_up(cookie, digest)
        if request.method not in READS:
            check_origin(request)
            if not credentials.same(
                request.headers.get(CSRF_HEADER, ""), credentials.csrf_of(cookie)
            ):
                raise Forbidden(
                    f"a write in a session needs the session's value in the header {CSRF_HEADER!r}",
                    hint="GET /api/v1/session tells it",
                )
        return principal

    async def _look_up(self, cookie: str, digest: bytes) -> Principal:
        changes = self._changes
        session, grants = await self.session(cookie)
        user = session.user
        principal = Principal(
            user_id=user.id, label=user.email, role=user.role, via="session", grants=grants
        )
        self._remember(digest, principal, session.expires_ms, changes)
        return principal

    async def session(self, cookie: str) -> tuple[sessions.Session, dict[str, Role]]:
        """The live session behind a cookie, and what is open to its user; its end slides."""
        digest, now = credentials.digest(cookie), self._now()
        found = await self._db.read(lambda c: _session_holder(c, digest, now))
        if found is None:
            raise NotSignedIn("this session has ended", hint="sign in again")
        if found[0].expires_ms < now + SESSION_MS - _SLIDE_MS:
            await self._db.write(lambda c: sessions.extend_session(c, digest, now + SESSION_MS))
        return found

    def _remembered(self, digest: bytes) -> Principal | None:
        known, now = self._known.get(digest), self._now()
        if known is None or not 0 <= now - known.at_ms < BELIEVED_MS or known.ends_ms <= now:
            return None
        return known.principal

    def _remember(self, digest: bytes, principal: Principal, ends_ms: float, changes: int) -> None:
        if changes != self._changes:
            return  # it was looked up before somebody's access changed
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[digest] = _Known(principal, self._now(), ends_ms)


def _session_holder(
    c: sa.Connection, digest: bytes, now: int
) -> tuple[sessions.Session, dict[str, Role]] | None:
    session = sessions.session_by_digest(c, digest, now)
    return (session, people.grants_of(c, session.user.id)) if session else None


def _token_holder(c: sa.Connection, digest: bytes, now: int) -> tuple[Principal, ApiToken]:
    found = tokens.token_by_digest(c, digest)
    if found is None:
        raise NotSignedIn("this API token is unknown or was revoked", hint="stockpot tokens list")
    token, owner_id, owner = found
    if token.expires_ms is not None and token.expires_ms <= now:
        raise NotSignedIn(f"the API token {token.name!r} has expired", hint="make a new one")
    if owner_id == COMMAND_LINE.user_id:
        return acting(token, owner_id, "admin", {}), token
    if owner is None or not owner.active:
        raise NotSignedIn(f"the owner of the API token {token.name!r} has no access any more")
    return acting(token, owner_id, owner.role, people.grants_of(c, owner_id)), token


def acting(token: ApiToken, owner_id: str, role: Role, grants: dict[str, Role]) -> Principal:
    """A token at work: at most what its owner may now, at most what the token may."""
    owner = Principal(user_id=owner_id, label=token.name, role=role, via="token", grants=grants)
    scopes: tuple[Scope, ...] = token.scopes
    if token.project is None:
        bounded = {name: lower(held, token.role) for name, held in grants.items()}
        update = {"role": lower(role, token.role), "grants": bounded, "scopes": scopes}
        return owner.model_copy(update=update)
    held = owner.role_on(token.project)
    tied = {token.project: lower(held, token.role)} if held else {}
    return owner.model_copy(
        update={"role": "own", "grants": tied, "scopes": scopes, "project": token.project}
    )


def check_origin(request: Request) -> None:
    """Refuse a write that a page of another site makes. Browsers send at least one of the two."""
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise Forbidden("this request comes from a page of another site")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise Forbidden(f"requests from the origin {origin!r} may not write here")
