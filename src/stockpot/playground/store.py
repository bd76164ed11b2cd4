"""The table of shared set-ups, and all SQL on it. Functions work inside their caller's
transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from stockpot.playground.models import Share

metadata = sa.MetaData()

shares = sa.Table(
    "playground_shares",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False, index=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("author", sa.String(400), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.JSON, nullable=False),
)


def add_share(c: sa.Connection, share: Share) -> None:
    """Keep a set-up."""
    values = share.model_dump()
    c.execute(sa.insert(shares).values(**{**values, "created_ms": int(share.created_ms)}))


def share_by_id(c: sa.Connection, share_id: str) -> Share | None:
    """One set-up, or None."""
    row = c.execute(sa.select(shares).where(shares.c.id == share_id)).mappings().first()
    return None if row is None else Share(**row)


def forget_shares(c: sa.Connection, project: str, traces: Sequence[str]) -> int:
    """Remove set-ups of a project that name one of some traces; gives how many."""
    query = sa.select(shares.c.id, shares.c.state).where(shares.c.project == project)
    gone = []
    for share_id, state in c.execute(query).all():
        text = json.dumps(state).lower()
        if any(trace in text for trace in traces):
            gone.append(share_id)
    for share_id in gone:
        c.execute(sa.delete(shares).where(shares.c.id == share_id))
    return len(gone)
