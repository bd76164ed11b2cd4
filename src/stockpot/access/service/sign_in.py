"""Signing in and out: by password, by a one-time link, or for a provider that vouches.

Knows users, sessions and how patient to be with guesses; knows no protocol of any provider.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access import attempts, credentials
from stockpot.access.audit_log import SYSTEM, audit
from stockpot.access.models import NewPassword, Principal, SessionInfo, SignIn, User
from stockpot.access.service.gate import SESSION_MS, Clock, GateService
from stockpot.access.store import people, sessions
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Forbidden, InvalidInput, NotSignedIn, TooManyAttempts

LINK_MS = 24 * 3600 * 1000
_FRESH_MS = 15 * 60 * 1000
"""So long a session that a link began may set a password without knowing the old one."""


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


class SignInService:
    """Sessions begin and end here."""

    def __init__(
        self, db: Database, gate: GateService, *, passwords: bool = True, clock: Clock = now_ms
    ) -> None:
        self.passwords = passwords
        self._db = db
        self._gate = gate
        self._now = clock
        self._hashing = asyncio.Semaphore(2)  # 64 MiB each: a flood of guesses must not fill memory

    async def sign_in(self, how: SignIn, address: str) -> SignedIn:
        """By password or by a one-time link. Raises TooEarly after failures."""
        if bool(how.token) == bool(how.email or how.password):
            raise InvalidInput("sign in with an e-mail address and a password, or with a token")
        if not how.token and not self.passwords:
            raise Forbidden(
                "passwords are switched off here", hint="sign in with your organisation's account"
            )
        account = "link" if how.token else how.email.strip().lower()
        patience = attempts.scopes(account, address)
        await self._db.write(lambda c: self._count_attempt(c, patience))
        user = await (self._by_link(how.token) if how.token else self._by_password(account, how))
        if user is None or not user.active:
            await self._db.write(lambda c: self._wait_from_now(c, patience))
            if how.token:
                raise NotSignedIn(
                    "this sign-in link was used or has expired", hint="stockpot sign-in"
                )
            raise NotSignedIn("the e-mail address or the password is wrong")
        return await self._db.write(lambda c: self._let_in(c, user, how, address, patience))

    async def _by_password(self, email: str, how: SignIn) -> User | None:
        found = await self._db.read(lambda c: people.credentials_of(c, email))
        user, hashed = found if found else (None, None)
        async with self._hashing:
            right = await asyncio.to_thread(credentials.password_matches, how.password, hashed)
        return user if right else None

    async def _by_link(self, token: str) -> User | None:
        def use(c: sa.Connection) -> User | None:
            user_id = sessions.use_link(c, credentials.digest(token), self._now())
            return people.user_by_id(c, user_id) if user_id else None

        return await self._db.write(use)

    def _count_attempt(self, c: sa.Connection, patience: dict[str, attempts.Patience]) -> None:
        """Every attempt counts as failed until it succeeds, so that haste gains nothing."""
        now = self._now()
        sessions.forget_failures(c, (), now - attempts.FORGET_AFTER_MS)
        counted = sessions.failures_of(c, tuple(patience))
        if wait := attempts.wait_ms(patience, counted, now):
            raise TooEarly(wait)
        for scope in patience:
            count, _ = counted.get(scope, (0, 0))
            sessions.set_failures(c, scope, count + 1, now)

    def _wait_from_now(self, c: sa.Connection, patience: dict[str, attempts.Patience]) -> None:
        """Checking a password takes a while; the wait begins when the answer leaves."""
        for scope, (count, _) in sessions.failures_of(c, tuple(patience)).items():
            sessions.set_failures(c, scope, count, self._now())

    def _let_in(
        self,
        c: sa.Connection,
        user: User,
        how: SignIn,
        address: str,
        patience: dict[str, attempts.Patience],
    ) -> SignedIn:
        for scope, (count, last_ms) in sessions.failures_of(c, tuple(patience)).items():
            # An address gets this attempt back only: a good account must not buy guesses at others.
            kept = count - 1 if scope.startswith("address:") else 0
            sessions.set_failures(c, scope, kept, last_ms)
        return self.begin(c, user, "link" if how.token else "password", address)

    def begin(self, c: sa.Connection, user: User, by: str, address: str) -> SignedIn:
        """A session for somebody who has proved who they are, in the caller's transaction."""
        cookie, now = credentials.base62(43), self._now()
        digest, end = credentials.digest(cookie), now + SESSION_MS
        sessions.add_session(c, digest, user.id, by == "link", now, end)
        audit(c, _person(user, address), "session.begin", user.id, by=by)
        grants = people.grants_of(c, user.id)
        info = SessionInfo(user=user, csrf=credentials.csrf_of(cookie), projects=grants)
        return SignedIn(cookie, info)

    async def session(self, cookie: str) -> SessionInfo:
        """What the console asks when it loads."""
        session, grants = await self._gate.session(cookie)
        csrf = credentials.csrf_of(cookie)
        return SessionInfo(user=session.user, csrf=csrf, projects=grants)

    async def sign_out(self, actor: Principal, cookie: str) -> None:
        """End a session."""

        def write(c: sa.Connection) -> None:
            sessions.end_session(c, credentials.digest(cookie))
            audit(c, actor, "session.end", actor.user_id)

        await self._db.write(write)
        self._gate.forget()

    async def set_password(self, cookie: str, new: NewPassword, address: str) -> User:
        """Set or change the password; every other session of the user ends."""
        session, _ = await self._gate.session(cookie)
        user = session.user
        await self._check_old_password(session, new)
        async with self._hashing:
            hashed = await asyncio.to_thread(credentials.hash_password, new.password)
        email = new.email.strip().lower() if new.email else user.email
        name = new.name.strip() if new.name else user.name
        if email != user.email and user.role != "admin":
            raise Forbidden("only an admin may take another e-mail address")

        def write(c: sa.Connection) -> User:
            taken = people.user_by_email(c, email)
            if taken is not None and taken.id != user.id:
                raise InvalidInput(f"the address {email!r} belongs to somebody else")
            people.change_user(c, user.id, password_hash=hashed, email=email, name=name)
            sessions.end_sessions_of(c, user.id, credentials.digest(cookie))
            sessions.drop_links_of(c, user.id)
            changed = people.user_by_id(c, user.id)
            assert changed is not None  # its session was found in this very transaction's past
            actor = _person(user, address)
            audit(c, actor, "user.password", user.id, before=user, after=changed, email=email)
            return changed

        changed = await self._db.write(write)
        self._gate.forget()
        return changed

    async def _check_old_password(self, session: sessions.Session, new: NewPassword) -> None:
        if not self.passwords:
            raise Forbidden("passwords are switched off here")
        user = session.user
        if not user.has_password:
            return
        if session.by_link and self._now() - session.created_ms < _FRESH_MS:
            return
        hashed = await self._db.read(lambda c: people.password_hash_of(c, user.id))
        async with self._hashing:
            right = await asyncio.to_thread(credentials.password_matches, new.current, hashed)
        if not right:
            raise Forbidden("the current password is wrong", hint="stockpot sign-in makes a link")

    async def ensure_admin(self) -> None:
        """A fresh instance gets its first user, who has no password and signs in by link."""

        def write(c: sa.Connection) -> None:
            if not people.list_users(c):
                user = people.add_user(c, "admin@localhost", "Admin", "admin", self._now())
                audit(c, SYSTEM, "user.create", user.id, after=user, email=user.email)

        await self._db.write(write)

    async def new_link(self, actor: Principal, user_id: str | None = None) -> tuple[str, int]:
        """A one-time sign-in token and its end: for a user, for the caller, or from the command
        line for the first admin."""

        def write(c: sa.Connection) -> tuple[str, int]:
            wanted = user_id or actor.user_id
            user = people.user_by_id(c, wanted) or people.user_by_email(c, wanted.lower())
            if user is None or not user.active:
                admins = people.active_admins(c)
                if user_id is not None or not admins:
                    raise InvalidInput(f"no active user {wanted!r}", hint="stockpot users list")
                user = people.user_by_id(c, admins[0])
                assert user is not None
            return add_link(c, actor, user, self._now(), LINK_MS)

        return await self._db.write(write)


def add_link(
    c: sa.Connection, actor: Principal, user: User, now: int, valid_ms: int
) -> tuple[str, int]:
    """A one-time sign-in token for a user, and its end."""
    token = credentials.base62(43)
    sessions.add_link(c, credentials.digest(token), user.id, now, now + valid_ms)
    audit(c, actor, "session.link", user.id)
    return token, now + valid_ms


def _person(user: User, address: str) -> Principal:
    return Principal(
        user_id=user.id, label=user.email, role=user.role, via="session", address=address
    )
