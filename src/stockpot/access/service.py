"""Signing in and out, and finding out who calls. Takes its store and its clock as arguments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
from starlette.requests import Request

from stockpot.access import attempts, credentials, store
from stockpot.access.audit_log import audit
from stockpot.access.guard import CSRF_HEADER, allows
from stockpot.access.models import (
    ApiToken,
    ApiTokenRequest,
    AuditEntry,
    NewApiToken,
    NewPassword,
    Principal,
    SessionInfo,
    SignIn,
    User,
)
from stockpot.core.db import Database
from stockpot.core.errors import Forbidden, InvalidInput, NotFound, NotSignedIn, TooManyAttempts
from stockpot.core.ids import record_id
from stockpot.core.instance import Instance

SESSION_MS = 14 * 24 * 3600 * 1000
LINK_MS = 24 * 3600 * 1000
_FRESH_MS = 15 * 60 * 1000
"""So long a session that a link began may set a password without knowing the old one."""
_SLIDE_MS = 600_000
"""A session's end moves, and a token's last use is noted, at most this often."""

_READS = {"GET", "HEAD", "OPTIONS"}
_CLI = Principal(user_id="cli", label="command line", role="admin", via="cli")


class TooEarly(TooManyAttempts):
    """Too many failures; `retry_after_s` goes into the Retry-After header."""

    def __init__(self, wait_ms: int) -> None:
        self.retry_after_s = -(-wait_ms // 1000)
        super().__init__(
            f"too many failed sign-ins; try again in {self.retry_after_s} s",
            hint="stockpot sign-in prints a fresh sign-in link",
        )


class SignedIn(NamedTuple):
    """A new session: the cookie's value, and what the console learns."""

    cookie: str
    info: SessionInfo


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class AccessService:
    """The verbs of access. It is also the `Gate` that `requires` asks."""

    def __init__(
        self, db: Database, instance: Instance, *, clock: Callable[[], int] = _now_ms
    ) -> None:
        self.internal_token = instance.internal_token
        self._cli_token = instance.derive("cli")
        self._db = db
        self._now = clock
        self._hashing = asyncio.Semaphore(2)  # 64 MiB each: a flood of guesses must not fill memory

    # who calls

    async def identify(self, request: Request, bearer: str, session: str) -> Principal:
        """The principal behind a bearer token or a session cookie; raises NotSignedIn."""
        if bearer:
            return await self._by_token(bearer)
        if session:
            return await self._by_session(request, session)
        raise NotSignedIn("nobody is signed in", hint="stockpot sign-in prints a sign-in link")

    async def _by_token(self, bearer: str) -> Principal:
        if credentials.same(bearer, self._cli_token):
            return _CLI
        found = await self._db.read(lambda c: store.token_by_digest(c, credentials.digest(bearer)))
        now = self._now()
        if found is None:
            raise NotSignedIn(
                "this API token is unknown or was revoked", hint="stockpot tokens list"
            )
        token, owner = found
        if token.expires_ms is not None and token.expires_ms <= now:
            raise NotSignedIn(f"the API token {token.name!r} has expired", hint="make a new one")
        if token.last_used_ms is None or now - token.last_used_ms > _SLIDE_MS:
            await self._db.write(lambda c: store.touch_token(c, token.id, now))
        return Principal(user_id=owner, label=token.name, role=token.role, via="token")

    async def _by_session(self, request: Request, cookie: str) -> Principal:
        session = await self._session(cookie)
        if request.method not in _READS:
            check_origin(request)
            if not credentials.same(
                request.headers.get(CSRF_HEADER, ""), credentials.csrf_of(cookie)
            ):
                raise Forbidden(
                    f"a write in a session needs the session's value in the header {CSRF_HEADER!r}",
                    hint="GET /api/v1/session tells it",
                )
        user = session.user
        return Principal(user_id=user.id, label=user.email, role=user.role, via="session")

    async def _session(self, cookie: str) -> store.Session:
        digest, now = credentials.digest(cookie), self._now()
        session = await self._db.read(lambda c: store.session_by_digest(c, digest, now))
        if session is None:
            raise NotSignedIn("this session has ended", hint="sign in again")
        if session.expires_ms < now + SESSION_MS - _SLIDE_MS:
            await self._db.write(lambda c: store.extend_session(c, digest, now + SESSION_MS))
        return session

    # signing in and out

    async def sign_in(self, how: SignIn, address: str) -> SignedIn:
        """By password or by a one-time link. Raises TooEarly after failures."""
        if bool(how.token) == bool(how.email or how.password):
            raise InvalidInput("sign in with an e-mail address and a password, or with a token")
        account = "link" if how.token else how.email.strip().lower()
        patience = attempts.scopes(account, address)
        await self._db.write(lambda c: self._count_attempt(c, patience))
        user = await (self._by_link(how.token) if how.token else self._by_password(account, how))
        if user is None:
            await self._db.write(lambda c: self._wait_from_now(c, patience))
            if how.token:
                raise NotSignedIn(
                    "this sign-in link was used or has expired", hint="stockpot sign-in"
                )
            raise NotSignedIn("the e-mail address or the password is wrong")
        return await self._db.write(lambda c: self._begin(c, user, bool(how.token), patience))

    async def _by_password(self, email: str, how: SignIn) -> User | None:
        found = await self._db.read(lambda c: store.credentials_of(c, email))
        user, hashed = found if found else (None, None)
        async with self._hashing:
            right = await asyncio.to_thread(credentials.password_matches, how.password, hashed)
        return user if right else None

    async def _by_link(self, token: str) -> User | None:
        def use(c: sa.Connection) -> User | None:
            user_id = store.use_link(c, credentials.digest(token), self._now())
            return store.user_by_id(c, user_id) if user_id else None

        return await self._db.write(use)

    def _count_attempt(self, c: sa.Connection, patience: dict[str, attempts.Patience]) -> None:
        """Every attempt counts as failed until it succeeds, so that haste gains nothing."""
        now = self._now()
        store.forget_failures(c, (), now - attempts.FORGET_AFTER_MS)
        counted = store.failures_of(c, tuple(patience))
        if wait := attempts.wait_ms(patience, counted, now):
            raise TooEarly(wait)
        for scope in patience:
            count, _ = counted.get(scope, (0, 0))
            store.set_failures(c, scope, count + 1, now)

    def _wait_from_now(self, c: sa.Connection, patience: dict[str, attempts.Patience]) -> None:
        """Checking a password takes a while; the wait begins when the answer leaves."""
        for scope, (count, _) in store.failures_of(c, tuple(patience)).items():
            store.set_failures(c, scope, count, self._now())

    def _begin(
        self, c: sa.Connection, user: User, by_link: bool, patience: dict[str, attempts.Patience]
    ) -> SignedIn:
        cookie, now = credentials.base62(43), self._now()
        for scope, (count, last_ms) in store.failures_of(c, tuple(patience)).items():
            # An address gets this attempt back only: a good account must not buy guesses at others.
            kept = count - 1 if scope.startswith("address:") else 0
            store.set_failures(c, scope, kept, last_ms)
        store.add_session(c, credentials.digest(cookie), user.id, by_link, now, now + SESSION_MS)
        actor = Principal(user_id=user.id, label=user.email, role=user.role, via="session")
        audit(c, actor, "session.begin", user.id, by="link" if by_link else "password")
        return SignedIn(cookie, SessionInfo(user=user, csrf=credentials.csrf_of(cookie)))

    async def session(self, cookie: str) -> SessionInfo:
        """What the console asks when it loads."""
        session = await self._session(cookie)
        return SessionInfo(user=session.user, csrf=credentials.csrf_of(cookie))

    async def sign_out(self, cookie: str) -> None:
        """End a session; ending one that is over is no error."""
        await self._db.write(lambda c: store.end_session(c, credentials.digest(cookie)))

    async def set_password(self, cookie: str, new: NewPassword) -> User:
        """Set a password, and an address and a name where given; other sessions end."""
        session = await self._session(cookie)
        user_id = session.user.id
        old = await self._db.read(lambda c: store.password_hash_of(c, user_id))
        async with self._hashing:
            fresh_link = session.by_link and self._now() - session.created_ms < _FRESH_MS
            if old is not None and not fresh_link:
                right = await asyncio.to_thread(credentials.password_matches, new.current, old)
                if not right:
                    raise Forbidden("the present password is wrong", hint="stockpot sign-in")
            hashed = await asyncio.to_thread(credentials.hash_password, new.password)
        changes = {
            "password_hash": hashed,
            "email": new.email and new.email.lower(),
            "name": new.name,
        }

        def write(c: sa.Connection) -> User:
            taken = store.credentials_of(c, changes["email"]) if changes["email"] else None
            if taken and taken[0].id != user_id:
                raise InvalidInput(f"somebody else has the address {new.email!r}")
            store.change_user(c, user_id, **{k: v for k, v in changes.items() if v})
            store.end_other_sessions(c, user_id, credentials.digest(cookie))
            actor = Principal(user_id=user_id, label=session.user.email, role="own", via="session")
            audit(c, actor, "user.password", user_id, email=changes["email"] or session.user.email)
            user = store.user_by_id(c, user_id)
            assert user is not None  # its session was found in this very transaction's past
            return user

        return await self._db.write(write)

    # links

    async def ensure_admin(self) -> None:
        """A fresh instance gets its first user, who has no password and signs in by link."""

        def write(c: sa.Connection) -> None:
            if not store.list_users(c):
                store.add_user(c, "admin@localhost", "Admin", "admin", self._now())

        await self._db.write(write)

    async def new_link(self, actor: Principal) -> tuple[str, int]:
        """A one-time sign-in token and its end: for the caller, or from the command line for the
        first admin."""
        token, now = credentials.base62(43), self._now()

        def write(c: sa.Connection) -> tuple[str, int]:
            user = store.user_by_id(c, actor.user_id) or next(
                user for user in store.list_users(c) if user.role == "admin"
            )
            store.add_link(c, credentials.digest(token), user.id, now, now + LINK_MS)
            audit(c, actor, "session.link", user.id)
            return token, now + LINK_MS

        return await self._db.write(write)

    # API tokens

    async def tokens(self, actor: Principal) -> tuple[ApiToken, ...]:
        """The caller's own tokens; an admin sees all."""
        owner = None if allows(actor, "admin") else actor.user_id
        return await self._db.read(lambda c: store.list_tokens(c, owner))

    async def create_token(self, actor: Principal, wanted: ApiTokenRequest) -> NewApiToken:
        """A token that may at most what its maker may."""
        now = self._now()
        if not allows(actor, wanted.role):
            raise Forbidden(f"{actor.role!r} cannot make a token with the role {wanted.role!r}")
        if wanted.expires_ms is not None and wanted.expires_ms <= now:
            raise InvalidInput("'expires_ms' is in the past")
        secret = credentials.TOKEN_PREFIX + credentials.base62(43)
        token = ApiToken(
            id=record_id("tok"),
            name=wanted.name,
            prefix=secret[:10],
            role=wanted.role,
            created_ms=now,
            expires_ms=wanted.expires_ms,
            last_used_ms=None,
        )

        def write(c: sa.Connection) -> None:
            store.add_token(c, token, credentials.digest(secret), actor.user_id)
            audit(c, actor, "token.create", token.id, name=token.name, role=token.role)

        await self._db.write(write)
        return NewApiToken(token=token, secret=secret)

    async def revoke_token(self, actor: Principal, token_id: str) -> None:
        """Own tokens; an admin any."""

        def write(c: sa.Connection) -> None:
            found = store.token_by_id(c, token_id)
            if found is None or (found[1] != actor.user_id and not allows(actor, "admin")):
                raise NotFound(f"no API token {token_id!r}", hint="stockpot tokens list")
            store.delete_token(c, token_id)
            audit(c, actor, "token.revoke", token_id, name=found[0].name)

        await self._db.write(write)

    # people and the audit log

    async def users(self) -> tuple[User, ...]:
        """Everybody."""
        return await self._db.read(store.list_users)

    async def audit_entries(self, limit: int, before: str | None) -> tuple[AuditEntry, ...]:
        """Newest first."""
        return await self._db.read(lambda c: store.list_audit(c, limit, before))


def check_origin(request: Request) -> None:
    """Refuse a write that a page of another site makes. Browsers send at least one of the two."""
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise Forbidden("this request comes from a page of another site")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise Forbidden(f"requests from the origin {origin!r} may not write here")
