"""The table of public keys and all SQL on it. Functions work inside their caller's transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.feedback.models import PublicKey

metadata = sa.MetaData()

public_keys = sa.Table(
    "public_keys",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("origins", sa.JSON, nullable=False),
    sa.Column("rpm", sa.BigInteger, nullable=False),
    sa.Column("caller_rpm", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
)


def list_keys(c: sa.Connection, *, revoked: bool = False) -> tuple[PublicKey, ...]:
    """All keys, newest first; those that were revoked only when asked for."""
    live = sa.true() if revoked else public_keys.c.state != "revoked"
    return _select(c, live)


def key_by_id(c: sa.Connection, key_id: str) -> PublicKey | None:
    """One key, revoked or not."""
    return next(iter(_select(c, public_keys.c.id == key_id)), None)


def key_shown(c: sa.Connection, key: str) -> PublicKey | None:
    """The key that a caller shows, revoked or not."""
    return next(iter(_select(c, public_keys.c.key == key)), None)


def add_key(c: sa.Connection, key: PublicKey) -> None:
    """Keep a new key."""
    c.execute(sa.insert(public_keys).values(**key.model_dump(mode="json")))


def change_key(c: sa.Connection, key_id: str, **values: Any) -> None:
    """Set columns of a key."""
    c.execute(sa.update(public_keys).where(public_keys.c.id == key_id).values(**values))


def _select(c: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[PublicKey, ...]:
    query = sa.select(public_keys).where(which).order_by(public_keys.c.id.desc())
    return tuple(PublicKey(**row) for row in c.execute(query).mappings())
