"""All SQL of access: users, sessions, links, tokens, failed attempts, the audit log.

Every function takes a connection inside somebody's transaction, so that a change and its audit
entry are committed together or not at all. Secrets arrive here as SHA-256 digests only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access.models import ApiToken, AuditEntry, Role, User
from stockpot.core.ids import record_id

metadata = sa.MetaData()

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("email", sa.String(320), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.String(300)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("by_link", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
)
sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
)
api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("user_id", sa.String(40), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("prefix", sa.String(20), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("last_used_ms", sa.BigInteger),
)
sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("scope", sa.String(400), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
)
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.String(400), nullable=False),
    sa.Column("action", sa.String(100), nullable=False),
    sa.Column("subject", sa.String(400), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)


class Session(NamedTuple):
    """A live session with its user."""

    user: User
    by_link: bool
    created_ms: int
    expires_ms: int


# --- users ------------------------------------------------------------------------------------


def _user(row: sa.RowMapping) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        created_ms=row["created_ms"],
        has_password=row["password_hash"] is not None,
    )


def list_users(c: sa.Connection) -> tuple[User, ...]:
    """Everybody, oldest first."""
    return tuple(_user(r) for r in c.execute(sa.select(users).order_by(users.c.id)).mappings())


def user_by_id(c: sa.Connection, user_id: str) -> User | None:
    """One user."""
    row = c.execute(sa.select(users).where(users.c.id == user_id)).mappings().first()
    return _user(row) if row else None


def credentials_of(c: sa.Connection, email: str) -> tuple[User, str | None] | None:
    """The user with this address and the hash of their password."""
    row = c.execute(sa.select(users).where(users.c.email == email)).mappings().first()
    return (_user(row), row["password_hash"]) if row else None


def password_hash_of(c: sa.Connection, user_id: str) -> str | None:
    """The hash of a user's password, None when none was set."""
    return c.scalar(sa.select(users.c.password_hash).where(users.c.id == user_id))


def add_user(c: sa.Connection, email: str, name: str, role: Role, now_ms: int) -> str:
    """A user without a password; returns the id."""
    values = {"id": record_id("usr"), "email": email, "name": name, "role": role}
    c.execute(sa.insert(users).values(**values, created_ms=now_ms))
    return values["id"]


def change_user(c: sa.Connection, user_id: str, **values: Any) -> None:
    """Set columns of one user."""
    c.execute(sa.update(users).where(users.c.id == user_id).values(**values))


# --- sessions and links -------------------------------------------------------------------------


def add_session(
    c: sa.Connection, digest: bytes, user_id: str, by_link: bool, now_ms: int, expires_ms: int
) -> None:
    """Begin a session, and forget those that ended."""
    c.execute(sa.delete(sessions).where(sessions.c.expires_ms <= now_ms))
    values = {"digest": digest, "user_id": user_id, "by_link": by_link}
    c.execute(sa.insert(sessions).values(**values, created_ms=now_ms, expires_ms=expires_ms))


def session_by_digest(c: sa.Connection, digest: bytes, now_ms: int) -> Session | None:
    """The live session behind a cookie."""
    begun = sessions.c.created_ms.label("begun_ms")
    joined = sa.select(users, sessions.c.by_link, begun, sessions.c.expires_ms)
    live = joined.join_from(sessions, users).where(
        sessions.c.digest == digest, sessions.c.expires_ms > now_ms
    )
    row = c.execute(live).mappings().first()
    if row is None:
        return None
    return Session(_user(row), row["by_link"], row["begun_ms"], row["expires_ms"])


def extend_session(c: sa.Connection, digest: bytes, expires_ms: int) -> None:
    """Slide the end of a session."""
    c.execute(sa.update(sessions).where(sessions.c.digest == digest).values(expires_ms=expires_ms))


def end_session(c: sa.Connection, digest: bytes) -> None:
    """Sign out."""
    c.execute(sa.delete(sessions).where(sessions.c.digest == digest))


def end_other_sessions(c: sa.Connection, user_id: str, keep: bytes) -> None:
    """Sign a user out everywhere else."""
    others = sa.delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != keep)
    c.execute(others)


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


# --- API tokens -----------------------------------------------------------------------------------


def _token(row: sa.RowMapping) -> ApiToken:
    return ApiToken(**{name: row[name] for name in ApiToken.model_fields})


def list_tokens(c: sa.Connection, user_id: str | None) -> tuple[ApiToken, ...]:
    """Tokens of one user, or of all, newest first."""
    query = sa.select(api_tokens).order_by(api_tokens.c.id.desc())
    if user_id is not None:
        query = query.where(api_tokens.c.user_id == user_id)
    return tuple(_token(row) for row in c.execute(query).mappings())


def add_token(c: sa.Connection, token: ApiToken, digest: bytes, user_id: str) -> None:
    """Keep a new token by its digest."""
    c.execute(sa.insert(api_tokens).values(**token.model_dump(), digest=digest, user_id=user_id))


def token_by_digest(c: sa.Connection, digest: bytes) -> tuple[ApiToken, str] | None:
    """A token and its owner's id."""
    query = sa.select(api_tokens).where(api_tokens.c.digest == digest)
    row = c.execute(query).mappings().first()
    return (_token(row), row["user_id"]) if row else None


def token_by_id(c: sa.Connection, token_id: str) -> tuple[ApiToken, str] | None:
    """A token and its owner's id."""
    row = c.execute(sa.select(api_tokens).where(api_tokens.c.id == token_id)).mappings().first()
    return (_token(row), row["user_id"]) if row else None


def touch_token(c: sa.Connection, token_id: str, now_ms: int) -> None:
    """Note that a token was used."""
    c.execute(sa.update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_ms=now_ms))


def delete_token(c: sa.Connection, token_id: str) -> None:
    """Revoke."""
    c.execute(sa.delete(api_tokens).where(api_tokens.c.id == token_id))


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


# --- the audit log ------------------------------------------------------------------------------


def add_audit(c: sa.Connection, entry: AuditEntry) -> None:
    """Append an entry."""
    c.execute(sa.insert(audit_log).values(**entry.model_dump()))


def latest_audit_id(c: sa.Connection) -> str | None:
    """The id of the newest entry; ids sort by age."""
    newest: str | None = c.scalar(sa.select(sa.func.max(audit_log.c.id)))
    return newest


def list_audit(c: sa.Connection, limit: int, before: str | None) -> tuple[AuditEntry, ...]:
    """Entries, newest first, older than the entry `before`."""
    query = sa.select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_log.c.id < before)
    return tuple(AuditEntry(**row) for row in c.execute(query).mappings())
