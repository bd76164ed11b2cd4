"""Writing revisions and moved pointers down, in the transaction of the change itself.

Knows which moves still stand: a pointer that a person moved keeps its old value in the revisions
that others make meanwhile, until somebody defines it anew.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal
from stockpot.core.errors import Conflict
from stockpot.core.ids import record_id
from stockpot.revisions import store
from stockpot.revisions.difference import Content, Path, at, difference, digest_of, path_text
from stockpot.revisions.difference import replaced as with_value
from stockpot.revisions.models import Change, Kind, Move, Revision, State

HOLD_SECTION, HOLD_FIELD = "revisions", "hold"
"""Where the journal keeps safety rollbacks: `revisions.rollback-12.hold`."""


class Held(Conflict):
    """A change that an automatic rollback stands against."""

    code, status = "safety_rollback", 409


def begin(c: sa.Connection, actor: Principal, content: Content) -> None:
    """The first revision: what an instance had before it kept any."""
    if store.head(c) is None:
        add(c, actor, content, kind="start", message="what was there at first")


def record(
    c: sa.Connection,
    actor: Principal,
    message: str,
    content: Content,
    *,
    settles: Collection[Path] = (),
) -> Revision | None:
    """A new revision, when the definitions differ from the newest one. `settles` are pointers that
    this change defines itself. Raises Held when a safety rollback stands against it."""
    head = store.head(c)
    if head is not None:
        for path in standing(c, head.content, content):
            if path not in settles:
                content = with_value(content, path, at(head.content, path))
        if digest_of(content) == head.revision.digest:
            return None
        refuse_held(c, difference(head.content, content))
    return add(c, actor, content, kind="edit", message=message)


def add(
    c: sa.Connection,
    actor: Principal,
    content: Content,
    *,
    kind: Kind,
    message: str,
    state: State = "released",
) -> Revision:
    """Write a state down, below the newest released one."""
    head = store.head(c)
    made = Revision(
        number=store.next_number(c),
        parent=head.revision.number if head else None,
        kind=kind,
        state=state,
        author=f"{actor.label} ({actor.via})",
        message=message,
        digest=digest_of(content),
        created_ms=time.time_ns() // 1_000_000,
    )
    store.add(c, made, content)
    return made


def moved(
    c: sa.Connection, actor: Principal, path: Path, before: Any, after: Any, reason: str
) -> Move:
    """Append to the journal of pointers."""
    head = store.head(c)
    move = Move(
        id=record_id("mov"),
        at_ms=time.time_ns() // 1_000_000,
        pointer=path_text(path),
        path=path,
        before=before,
        after=after,
        actor=f"{actor.label} ({actor.via})",
        reason=reason,
        revision=head.revision.number if head else 0,
    )
    store.add_move(c, move)
    return move


def returned(
    c: sa.Connection, actor: Principal, path: Path, before: Any, after: Any, reason: str
) -> None:
    """Journal a pointer that a change puts back to what the newest revision says already: the
    revision of the change, if there is one, shows nothing of it. To be told before that one is
    written down."""
    head = store.head(c)
    if before != after and head is not None and at(head.content, path) == after:
        moved(c, actor, path, before, after, reason)


def standing(c: sa.Connection, defined: Content, present: Content) -> dict[Path, Move]:
    """Pointers that somebody moved away from what is defined, with their last move."""
    return {
        path: move
        for path, move in store.last_moves(c).items()
        if at(defined, path[:2]) is not None
        and at(present, path[:2]) is not None
        and at(defined, path) != at(present, path)
    }


def holds(c: sa.Connection) -> dict[str, tuple[Change, ...]]:
    """Safety rollbacks that stand, by name, with the changes that they stand against."""
    found = {}
    for path, move in store.last_moves(c).items():
        if path[0] != HOLD_SECTION or move.after != "held":
            continue
        reverted = store.numbered(c, number_of(path[1]))
        parent = reverted and reverted.revision.parent
        before = store.numbered(c, parent) if parent else None
        if reverted is not None:
            found[path[1]] = difference(before.content if before else {}, reverted.content)
    return found


def number_of(name: str) -> int:
    """The revision that a safety rollback is about; 0 when it is no such name."""
    number = name.removeprefix("rollback-")
    return int(number) if number.isdigit() else 0


def held_by(c: sa.Connection, changes: Collection[Change]) -> dict[str, tuple[Change, ...]]:
    """Of some changes, those that a standing safety rollback had undone, by its name."""
    found = {}
    for name, undone in holds(c).items():
        again = tuple(change for change in changes if any(_repeats(change, u) for u in undone))
        if again:
            found[name] = again
    return found


def _repeats(change: Change, undone: Change) -> bool:
    """Whether a change brings about what another one did."""
    return change.path == undone.path and change.after == undone.after


def refuse_held(c: sa.Connection, changes: Collection[Change]) -> None:
    """Raises Held for the first safety rollback that stands against these changes."""
    for name, again in held_by(c, changes).items():
        raise Held(
            f"{again[0].name} was rolled back for safety in revision {number_of(name)}",
            hint=f"stockpot revisions lift {name} --reason '...'",
        )
