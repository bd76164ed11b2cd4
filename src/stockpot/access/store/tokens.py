"""API tokens, by the digest of their secret."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access.models import ApiToken, User
from stockpot.access.store.people import user_of
from stockpot.access.store.tables import api_tokens, users


class OwnedToken(NamedTuple):
    """A token, its owner's id, and the owner where it is a user."""

    token: ApiToken
    owner_id: str
    owner: User | None = None


def _token(row: sa.RowMapping) -> ApiToken:
    return ApiToken(**{name: row[name] for name in ApiToken.model_fields})


def list_tokens(c: sa.Connection, user_id: str | None, project: str | None) -> tuple[ApiToken, ...]:
    """Tokens of one user, or of all; tied to one project, or any; newest first."""
    query = sa.select(api_tokens).order_by(api_tokens.c.id.desc())
    if user_id is not None:
        query = query.where(api_tokens.c.user_id == user_id)
    if project is not None:
        query = query.where(api_tokens.c.project == project)
    return tuple(_token(row) for row in c.execute(query).mappings())


def add_token(c: sa.Connection, token: ApiToken, digest: bytes, user_id: str) -> None:
    """Keep a new token by its digest."""
    values = token.model_dump(mode="json")
    c.execute(sa.insert(api_tokens).values(**values, digest=digest, user_id=user_id))


def token_by_digest(c: sa.Connection, digest: bytes) -> OwnedToken | None:
    """A token and its owner."""
    names = [column.label(f"token_{column.name}") for column in api_tokens.c]
    query = sa.select(*names, users).where(api_tokens.c.digest == digest)
    query = query.join_from(api_tokens, users, users.c.id == api_tokens.c.user_id, isouter=True)
    row = c.execute(query).mappings().first()
    if row is None:
        return None
    token = ApiToken(**{name: row[f"token_{name}"] for name in ApiToken.model_fields})
    owner = user_of(row) if row["id"] is not None else None
    return OwnedToken(token, row["token_user_id"], owner)


def token_by_id(c: sa.Connection, token_id: str) -> OwnedToken | None:
    """A token and its owner's id."""
    row = c.execute(sa.select(api_tokens).where(api_tokens.c.id == token_id)).mappings().first()
    return OwnedToken(_token(row), row["user_id"]) if row else None


def touch_token(c: sa.Connection, token_id: str, now_ms: int) -> None:
    """Note that a token was used."""
    c.execute(sa.update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_ms=now_ms))


def delete_token(c: sa.Connection, token_id: str) -> None:
    """Revoke."""
    c.execute(sa.delete(api_tokens).where(api_tokens.c.id == token_id))


def delete_tokens_of(c: sa.Connection, user_id: str) -> int:
    """Revoke everything that a user made; returns how many."""
    return c.execute(sa.delete(api_tokens).where(api_tokens.c.user_id == user_id)).rowcount
