"""The tables of revisions and of moved pointers, and all SQL on them.

Functions work inside their caller's transaction. Both tables only grow. `place` is where a revision
stands in the order of releases, None before its release and for ever when that was reverted: one
that is watched for long may be released after a younger one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
import zstandard

from stockpot.revisions.difference import Content, Path, path_text
from stockpot.revisions.models import Move, Revision, Watched

metadata = sa.MetaData()

revisions = sa.Table(
    "definition_revisions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("parent", sa.Integer),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("author", sa.String(400), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("watched", sa.JSON),
    sa.Column("place", sa.Integer),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
moves = sa.Table(
    "pointer_moves",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("section", sa.String(40), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("field", sa.String(40), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Column("actor", sa.String(400), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)


class Stored(NamedTuple):
    """A revision with its state."""

    revision: Revision
    content: Content


_SHOWN = [column for column in revisions.c if column.name not in ("content", "place")]


def _revision(row: sa.RowMapping) -> Revision:
    values = {name: row[name] for name in Revision.model_fields if name != "watched"}
    watched = Watched(**row["watched"]) if row["watched"] else None
    return Revision(**values, watched=watched)


def _stored(row: sa.RowMapping | None) -> Stored | None:
    if row is None:
        return None
    return Stored(_revision(row), json.loads(zstandard.decompress(row["content"])))


def head(c: sa.Connection) -> Stored | None:
    """The newest released revision: what the definitions are."""
    query = sa.select(revisions).where(revisions.c.place.is_not(None))
    newest = query.order_by(revisions.c.place.desc()).limit(1)
    return _stored(c.execute(newest).mappings().first())


def numbered(c: sa.Connection, number: int) -> Stored | None:
    """One revision, whatever became of it."""
    return _stored(
        c.execute(sa.select(revisions).where(revisions.c.number == number)).mappings().first()
    )


def base(c: sa.Connection, told: int) -> int:
    """What a file was made from: the last revision that was applied as a whole, or the one that
    the file tells when that is later; 0 when there is neither."""
    whole = revisions.c.kind.in_(("apply", "start")) | (revisions.c.number == told)
    query = sa.select(revisions.c.number).where(whole, revisions.c.place.is_not(None))
    return c.scalar(query.order_by(revisions.c.place.desc()).limit(1)) or 0


def listed(c: sa.Connection, limit: int, before: int | None) -> tuple[Revision, ...]:
    """Revisions, newest first, older than `before`."""
    query = sa.select(*_SHOWN).order_by(revisions.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(revisions.c.number < before)
    return tuple(_revision(row) for row in c.execute(query).mappings())


def in_state(c: sa.Connection, state: str) -> tuple[Revision, ...]:
    """Revisions whose release is in a state, oldest first."""
    query = sa.select(*_SHOWN).where(revisions.c.state == state).order_by(revisions.c.number)
    return tuple(_revision(row) for row in c.execute(query).mappings())


def settled(c: sa.Connection) -> Iterator[Stored]:
    """Every revision that was released, in that order, then those that were taken back; with what
    each said."""
    query = sa.select(revisions).where(revisions.c.state.in_(("released", "reverted")))
    order = (revisions.c.place.is_(None), revisions.c.place, revisions.c.number)
    for row in c.execute(query.order_by(*order)).mappings():
        if (found := _stored(row)) is not None:
            yield found


def next_number(c: sa.Connection) -> int:
    """Numbers only grow, also past revisions that were reverted."""
    return (c.scalar(sa.select(sa.func.max(revisions.c.number))) or 0) + 1


def add(c: sa.Connection, revision: Revision, content: Content) -> None:
    """Write a revision down."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    values = revision.model_dump(mode="json")
    values["created_ms"] = int(revision.created_ms)
    place = _next_place(c) if revision.state == "released" else None
    kept = zstandard.compress(text.encode())
    c.execute(sa.insert(revisions).values(**values, place=place, content=kept))


def settle(c: sa.Connection, revision: Revision, content: Content | None = None) -> None:
    """What became of a release; `content` is the state that came about in the end."""
    values = revision.model_dump(mode="json", include={"parent", "state", "digest", "watched"})
    if content is not None:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        values |= {"content": zstandard.compress(text.encode()), "place": _next_place(c)}
    same = revisions.c.number == revision.number
    c.execute(sa.update(revisions).where(same).values(**values))


def _next_place(c: sa.Connection) -> int:
    return (c.scalar(sa.select(sa.func.max(revisions.c.place))) or 0) + 1


def add_move(c: sa.Connection, move: Move) -> None:
    """Append to the journal."""
    section, name, field = move.path
    where = {"section": section, "name": name, "field": field}
    kept = move.model_dump(include={"id", "before", "after", "actor", "reason", "revision"})
    c.execute(sa.insert(moves).values(at_ms=int(move.at_ms), **where, **kept))


def list_moves(c: sa.Connection, limit: int, before: str | None) -> tuple[Move, ...]:
    """The journal, newest first, older than the move `before`."""
    query = sa.select(moves).order_by(moves.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(moves.c.id < before)
    return tuple(_move(row) for row in c.execute(query).mappings())


def moves_of(c: sa.Connection, section: str, name: str, limit: int) -> tuple[Move, ...]:
    """The journal of one entry's pointers, newest first."""
    mine = (moves.c.section == section) & (moves.c.name == name)
    query = sa.select(moves).where(mine).order_by(moves.c.id.desc()).limit(limit)
    return tuple(_move(row) for row in c.execute(query).mappings())


def moves_in(c: sa.Connection, section: str, field: str) -> tuple[Move, ...]:
    """The journal of one pointer of every entry of a section, oldest first."""
    mine = (moves.c.section == section) & (moves.c.field == field)
    return tuple(_move(row) for row in c.execute(
        sa.select(moves).where(mine).order_by(moves.c.at_ms, moves.c.id)
    ).mappings())  # fmt: skip


def last_moves(c: sa.Connection) -> dict[Path, Move]:
    """Where each pointer was moved last."""
    pointer = (moves.c.section, moves.c.name, moves.c.field)
    newest = sa.select(sa.func.max(moves.c.id)).group_by(*pointer)
    rows = c.execute(sa.select(moves).where(moves.c.id.in_(newest))).mappings()
    found = (_move(row) for row in rows)
    return {move.path: move for move in sorted(found, key=lambda move: move.id)}


def _move(row: sa.RowMapping) -> Move:
    path: tuple[str, ...] = (row["section"], row["name"], row["field"])
    same: dict[str, Any] = {
        name: row[name]
        for name in ("id", "at_ms", "before", "after", "actor", "reason", "revision")
    }
    return Move(pointer=path_text(path), path=path, **same)
