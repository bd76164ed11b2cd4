"""Sessions, one-time links, and failed attempts to sign in."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access.models import User
from stockpot.access.store.people import user_of
from stockpot.access.store.tables import sessions, sign_in_failures, sign_in_links, users


class Session(NamedTuple):
    """A live session with its user."""

    user: User
    by_link: bool
    created_ms: int
    expires_ms: int


# --- sessions -------------------------------------------------------------------------------------


def add_session(
    c: sa.Connection, digest: bytes, user_id: str, by_link: bool, now_ms: int, expires_ms: int
) -> None:
    """Begin a session, and forget those that ended."""
    c.execute(sa.delete(sessions).where(sessions.c.expires_ms <= now_ms))
    values = {"digest": digest, "user_id": user_id, "by_link": by_link}
    c.execute(sa.insert(sessions).values(**values, created_ms=now_ms, expires_ms=expires_ms))


def session_by_digest(c: sa.Connection, digest: bytes, now_ms: int) -> Session | None:
    """The live session behind a cookie, when its user is active."""
    begun = sessions.c.created_ms.label("begun_ms")
    joined = sa.select(users, sessions.c.by_link, begun, sessions.c.expires_ms)
    live = joined.join_from(sessions, users).where(
        sessions.c.digest == digest, sessions.c.expires_ms > now_ms, users.c.active
    )
    row = c.execute(live).mappings().first()
    if row is None:
        return None
    return Session(user_of(row), row["by_link"], row["begun_ms"], row["expires_ms"])


def extend_session(c: sa.Connection, digest: bytes, expires_ms: int) -> None:
    """Slide the end of a session."""
    c.execute(sa.update(sessions).where(sessions.c.digest == digest).values(expires_ms=expires_ms))


def end_session(c: sa.Connection, digest: bytes) -> None:
    """Sign out."""
    c.execute(sa.delete(sessions).where(sessions.c.digest == digest))


def end_sessions_of(c: sa.Connection, user_id: str, keep: bytes = b"") -> None:
    """Sign a user out everywhere, but for the session to `keep`."""
    others = sa.delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != keep)
    c.execute(others)


# --- links ----------------------------------------------------------------------------------------


def add_link(c: sa.Connection, digest: bytes, user_id: str, now_ms: int, expires_ms: int) -> None:
    """A one-time sign-in link, and forget those that ended."""
    c.execute(sa.delete(sign_in_links).where(sign_in_links.c.expires_ms <= now_ms))
    values = {"digest": digest, "user_id": user_id, "expires_ms": expires_ms}
    c.execute(sa.insert(sign_in_links).values(**values))


def use_link(c: sa.Connection, digest: bytes, now_ms: int) -> str | None:
    """The user of a link that was never used; from now on it was."""
    same = sign_in_links.c.digest == digest
    row = c.execute(sa.select(sign_in_links).where(same)).mappings().first()
    c.execute(sa.delete(sign_in_links).where(same))
    return row["user_id"] if row and row["expires_ms"] > now_ms else None


def drop_links_of(c: sa.Connection, user_id: str) -> None:
    """No link signs this user in any more."""
    c.execute(sa.delete(sign_in_links).where(sign_in_links.c.user_id == user_id))


# --- failed attempts ------------------------------------------------------------------------------


def failures_of(c: sa.Connection, scopes: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Failures and the time of the last one, by scope."""
    query = sa.select(sign_in_failures).where(sign_in_failures.c.scope.in_(scopes))
    return {r["scope"]: (r["failures"], r["last_ms"]) for r in c.execute(query).mappings()}


def set_failures(c: sa.Connection, scope: str, failures: int, now_ms: int) -> None:
    """Remember failures of a scope."""
    c.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.scope == scope))
    c.execute(sa.insert(sign_in_failures).values(scope=scope, failures=failures, last_ms=now_ms))


def forget_failures(c: sa.Connection, scopes: tuple[str, ...], before_ms: int) -> None:
    """Drop some scopes, and all whose last failure is long ago."""
    stale = sign_in_failures.c.last_ms < before_ms
    c.execute(sa.delete(sign_in_failures).where(stale | sign_in_failures.c.scope.in_(scopes)))
