"""Which way each entry of a section went: what it said in force, and since when.

Two records tell it together: revisions, and the journal of pointers that were moved without one. A
pointer that stands aside of what is defined stays there until something defines it anew. Works
inside its caller's transaction; knows no definition.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa

from stockpot.revisions import store
from stockpot.revisions.difference import Fields
from stockpot.revisions.models import Move, Revision


class Turn(NamedTuple):
    """What an entry says from `at_ms` on; None: it went. With `tried_s` one worker alone had it,
    for so many seconds, then it was taken back for safety. `revision` is None for a moved
    pointer."""

    name: str
    content: Fields | None
    at_ms: float
    revision: int | None
    tried_s: float | None = None


class _State(NamedTuple):
    """What a revision says of the section from a time on; a tried one beside what it was made
    from."""

    at_ms: float
    revision: Revision
    said: dict[str, Fields]
    before: dict[str, Fields]


def turns(c: sa.Connection, section: str, field: str) -> list[Turn]:
    """Every turn of a section's entries, oldest first; `field` is their pointer. An entry's first
    turn is where it begins."""
    released, tried = _states(c, section)
    journal = store.moves_in(c, section, field)
    timed: Iterable[_State | Move] = heapq.merge(
        released, tried, journal, key=lambda event: event.at_ms
    )
    return list(_walked(timed, field))


def _walked(events: Iterable[_State | Move], field: str) -> Iterator[Turn]:
    defined: dict[str, Fields] = {}
    present: dict[str, Fields] = {}
    for event in events:
        if isinstance(event, Move):
            name = event.path[1]
            present[name] = {**present.get(name, {}), field: event.after}
            yield Turn(name, present[name], event.at_ms, None)
        elif event.revision.state == "reverted":
            yield from _tried(event)
        else:
            yield from _released(event, defined, present, field)
            defined = event.said


def _tried(state: _State) -> Iterator[Turn]:
    seconds = state.revision.watched.seconds if state.revision.watched else 0.0
    for name, said in state.said.items():
        if name in state.before and said != state.before[name]:
            yield Turn(name, said, state.at_ms, state.revision.number, seconds)


def _released(
    state: _State, defined: dict[str, Fields], present: dict[str, Fields], field: str
) -> Iterator[Turn]:
    for name in sorted(defined.keys() | state.said.keys()):
        before, said = defined.get(name), state.said.get(name)
        if before == said:
            continue
        now = said
        if before is not None and said is not None and before.get(field) == said.get(field):
            now = {**said, field: present.get(name, said).get(field)}
        if now == present.get(name):
            continue
        if now is None:
            present.pop(name, None)
        else:
            present[name] = now
        yield Turn(name, now, state.at_ms, state.revision.number)


def _states(c: sa.Connection, section: str) -> tuple[list[_State], list[_State]]:
    """What was released, in its order, and what was tried and taken back for safety."""
    said: dict[int, dict[str, Fields]] = {}
    released: list[_State] = []
    tried: list[_State] = []
    since = 0.0
    for revision, content in store.settled(c):
        number = revision.number
        said[number] = content.get(section, {})
        watched = revision.watched
        if revision.state == "released":
            # In force everywhere after its watch. Clocks may go back, the order may not.
            since = max(since, revision.created_ms + 1000 * (watched.seconds if watched else 0.0))
            released.append(_State(since, revision, said[number], {}))
        elif watched is not None and watched.verdict == "reverted":
            before = said.get(revision.parent or 0, {})
            tried.append(_State(revision.created_ms, revision, said[number], before))
    return released, tried
