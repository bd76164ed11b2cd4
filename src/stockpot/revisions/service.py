"""The verbs of revisions: plan, apply, roll back, lift, list, show, compare, export, move.

Knows the journal and whoever keeps the definitions; knows no definition. One release is under way
at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal, audit
from stockpot.core.db import Database
from stockpot.core.errors import Conflict as Refused
from stockpot.core.errors import InvalidInput, NotFound
from stockpot.revisions import planning, recording, store
from stockpot.revisions.difference import Content, Path, at, difference, digest_of
from stockpot.revisions.difference import replaced as with_value
from stockpot.revisions.keeper import Keeper
from stockpot.revisions.models import (
    Applied,
    ApplyRequest,
    Change,
    Conflict,
    Difference,
    Exported,
    Kind,
    LiftRequest,
    Move,
    NewMove,
    NewSecret,
    Plan,
    PlanRequest,
    Rehearsal,
    Revision,
    RevisionDetail,
    RollbackRequest,
    Wanted,
    Watched,
)
from stockpot.revisions.rehearsal import Judge, rehearse
from stockpot.revisions.release import Terms, Watch
from stockpot.revisions.store import Stored
from stockpot.revisions.toml_text import written
from stockpot.traces import SpanLog

Spent = Callable[[sa.Connection], dict[str, int]]
"""What each budget has spent in its present period, by its id."""


class _Draft(NamedTuple):
    """A plan before it is told."""

    base: int
    head: int
    present: Content
    target: Content
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]


class _Ready(NamedTuple):
    """A release that was written down, and the secrets of the keys that it makes."""

    actor: Principal
    draft: _Draft
    revision: Revision
    secrets: tuple[NewSecret, ...]


class RevisionService:
    """Plans and releases over one keeper of definitions."""

    def __init__(self, db: Database, keeper: Keeper, spans: SpanLog, spent: Spent) -> None:
        self._db = db
        self._keeper = keeper
        self._spans = spans
        self._spent = spent
        self._watch: Watch | None = None
        self._releasing = asyncio.Lock()

    # --- looking ----------------------------------------------------------------------------------

    async def listed(self, limit: int, before: int | None) -> tuple[Revision, ...]:
        """Newest first. The one that is being watched shows its figures so far."""
        found = await self._db.read(lambda c: store.listed(c, limit, before))
        return tuple(self._live(revision) for revision in found)

    async def shown(self, number: int) -> RevisionDetail:
        """One revision, its state, and what it changed."""
        found, before = await self._db.read(lambda c: _with_parent(c, number))
        changes = difference(before.content if before else {}, found.content)
        return RevisionDetail(
            revision=self._live(found.revision), content=found.content, changes=changes
        )

    def _live(self, revision: Revision) -> Revision:
        watch = self._watch
        if watch is None or watch.revision.number != revision.number:
            return revision
        return revision.model_copy(update={"watched": watch.watched()})

    async def difference(self, before: int, after: int) -> Difference:
        """What turns one revision into another."""

        def read(c: sa.Connection) -> tuple[Stored, Stored]:
            return _existing(c, before), _existing(c, after)

        one, other = await self._db.read(read)
        changes = difference(one.content, other.content)
        return Difference(
            before=before, after=after, changes=changes, text=planning.text_of(changes)
        )

    async def moves(self, limit: int, before: str | None) -> tuple[Move, ...]:
        """The journal of pointers, newest first."""

        def read(c: sa.Connection) -> tuple[Move, ...]:
            standing = {move.id for move in self._standing(c, self._keeper.present(c)).values()}
            found = store.list_moves(c, limit, before)
            return tuple(m.model_copy(update={"standing": m.id in standing}) for m in found)

        return await self._db.read(read)

    async def exported(self) -> Exported:
        """The present state as a file."""

        def read(c: sa.Connection) -> tuple[int, Content]:
            head = store.head(c)
            return head.revision.number if head else 0, self._keeper.present(c)

        number, present = await self._db.read(read)
        shown = self._keeper.for_people(present)
        tables = {section: shown.get(section, {}) for section in self._keeper.sections}
        return Exported(revision=number, toml=written(tables, base=number))

    # --- planning ---------------------------------------------------------------------------------

    async def plan(self, wanted: PlanRequest) -> Plan:
        """What applying would do, and how recorded calls would have fared."""
        back = wanted.rollback
        draft = await (self._draft(wanted) if back is None else self._going_back(back))
        rehearsal = await self._rehearsed(draft.changes, wanted.calls) if wanted.calls else None
        return Plan(
            base=draft.base,
            head=draft.head,
            digest=digest_of(draft.target),
            changes=draft.changes,
            conflicts=draft.conflicts,
            notes=draft.notes,
            rehearsal=rehearsal,
            text=planning.text_of(draft.changes, draft.conflicts, draft.notes, rehearsal),
        )

    async def _draft(self, wanted: Wanted) -> _Draft:
        given, told = planning.read(wanted, self._keeper)
        present = await self._db.read(self._keeper.present)
        content = planning.merged(given, present, partial=wanted.partial)
        told = wanted.base if wanted.base is not None else told
        return await self._drafted(content, present, told)

    async def _going_back(self, number: int) -> _Draft:
        """To a revision's state. A pointer that somebody moved stays where it is, unless the two
        revisions differ in it: going back for another reason must not start a stopped key."""

        def read(c: sa.Connection) -> tuple[Content, Content]:
            present = self._keeper.present(c)
            content, head = _existing(c, number).content, store.head(c)
            defined = head.content if head else {}
            for path in recording.standing(c, defined, present):
                if at(content, path[:2]) is not None and at(content, path) == at(defined, path):
                    content = with_value(content, path, at(present, path))
            return content, present

        return await self._drafted(*await self._db.read(read), None)

    async def _drafted(self, wanted: Content, present: Content, told: int | None) -> _Draft:
        """`told` is the base that the file names; None: it was made from the newest revision."""
        target = await self._keeper.target(wanted, present)
        changes = difference(present, target.content)

        def read(c: sa.Connection) -> tuple[int, int, tuple[Conflict, ...]]:
            head = store.head(c)
            number = head.revision.number if head else 0
            base = number if told is None else store.base(c, told)
            from_ = store.numbered(c, base)
            defined = head.content if head else {}
            since = difference(from_.content, defined) if from_ else ()
            held = recording.held_by(c, changes)
            standing = self._standing(c, present)
            found = planning.conflicts(changes, present, target.content, standing, since, held)
            return base, number, found

        base, head, found = await self._db.read(read)
        return _Draft(base, head, present, target.content, changes, found, target.notes)

    def _standing(self, c: sa.Connection, present: Content) -> dict[Path, Move]:
        head = store.head(c)
        return recording.standing(c, head.content if head else {}, present)

    async def _rehearsed(self, changes: Sequence[Change], calls: int) -> Rehearsal:
        now, planned = await self._keeper.parts(changes)
        spent = await self._db.read(self._spent)
        at_ms = time.time() * 1000

        def work() -> Rehearsal:
            judges = (Judge(now, at_ms, spent), Judge(planned, at_ms, spent))
            return rehearse(self._spans.recent(calls), *judges)

        return await asyncio.to_thread(work)

    # --- releasing --------------------------------------------------------------------------------

    async def apply(self, actor: Principal, wanted: ApplyRequest) -> Applied:
        """Release a state: to one worker first, unless `now` says otherwise."""
        draft = await self._draft(wanted)
        if wanted.expect is not None and wanted.expect != digest_of(draft.target):
            raise Refused("it changed since it was planned", hint="stockpot plan")
        terms = Terms(wanted.now, wanted.watch_s, wanted.min_calls, wanted.lift)
        planning.refuse_unsettled(draft.conflicts, wanted.overrule, wanted.lift)
        return await self._release(actor, draft, "apply", wanted.message or "applied", terms)

    async def roll_back(self, actor: Principal, wanted: RollbackRequest) -> Applied:
        """Release the state of an earlier revision."""
        number = await self._db.read(lambda c: _earlier(c, wanted.revision))
        draft = await self._going_back(number)
        planning.refuse_unsettled(draft.conflicts, wanted.overrule, wanted.lift)
        terms = Terms(wanted.now, wanted.watch_s, wanted.min_calls, wanted.lift)
        message = wanted.message or f"rolled back to revision {number}"
        return await self._release(actor, draft, "rollback", message, terms)

    async def _release(
        self, actor: Principal, draft: _Draft, kind: Kind, message: str, terms: Terms
    ) -> Applied:
        if not draft.changes:
            found = await self._db.read(lambda c: _existing(c, draft.head))
            return Applied(revision=found.revision, changes=())
        async with self._releasing:
            if self._watch is not None:
                number = self._watch.revision.number
                raise Refused(
                    f"revision {number} is being watched on its first worker",
                    hint=f"stockpot revisions show {number}",
                )
            revision = await self._begun(actor, draft, kind, message, terms)
            ready = _Ready(actor, draft, revision, self._keeper.new_secrets(draft.changes))
            tried = None if terms.now else await self._keeper.try_on(draft.changes)
            if tried is not None:
                self._watch = Watch(self._keeper, revision, draft.changes, terms, *tried)
                self._watch.start(lambda watched: self._decided(ready, watched))
                told = self._live(revision)
                return Applied(revision=told, changes=draft.changes, keys=ready.secrets)
            why = "released to all workers at once" if terms.now else "no worker was running"
            watched = Watched(worker="", verdict="not watched", reason=why, window_s=0, min_calls=0)
            done = await self._spread(ready, watched)
            return Applied(revision=done, changes=draft.changes, keys=ready.secrets)

    async def _begun(
        self, actor: Principal, draft: _Draft, kind: Kind, message: str, terms: Terms
    ) -> Revision:
        def write(c: sa.Connection) -> Revision:
            for name in terms.lift:
                _lift(c, actor, name, f"named with {message!r}")
            recording.refuse_held(c, draft.changes)
            made = recording.add(
                c, actor, draft.target, kind=kind, message=message, state="watching"
            )
            audit(c, actor, f"revision.{kind}", str(made.number), message=message)
            return made

        return await self._db.write(write)

    async def _spread(self, ready: _Ready, watched: Watched) -> Revision:
        """To all workers; what others changed meanwhile stays."""
        changes, revision = ready.draft.changes, ready.revision

        def settle(c: sa.Connection) -> Revision:
            head = store.head(c)
            content = self._keeper.present(c)
            for one in changes:
                if one.path in store.last_moves(c):
                    was, why = one.before, revision.message
                    recording.returned(c, ready.actor, one.path, was, at(content, one.path), why)
            for path in self._standing(c, content):
                said = at(ready.draft.target, path) == at(content, path)
                if not said and not any(path[: len(one.path)] == one.path for one in changes):
                    content = with_value(content, path, at(head.content if head else {}, path))
            done = revision.model_copy(
                update={
                    "state": "released",
                    "parent": head.revision.number if head else None,
                    "digest": digest_of(content),
                    "watched": watched,
                }
            )
            store.settle(c, done, content)
            return done

        try:
            return await self._keeper.release(ready.actor, changes, ready.secrets, settle)
        except Exception as failed:
            gone = watched.model_copy(update={"verdict": "stopped", "reason": str(failed)})
            done = revision.model_copy(update={"state": "reverted", "watched": gone})
            await self._db.write(lambda c: store.settle(c, done))
            raise

    async def _decided(self, ready: _Ready, watched: Watched) -> None:
        """The watch has ended: spread, or take back, and tell."""
        self._watch, revision = None, ready.revision
        subject, data = f"revision:{revision.number}", watched.model_dump(mode="json")
        if watched.verdict == "spread":
            try:
                await self._spread(ready, watched)
            except Exception as failed:
                told = f"revision {revision.number} could not be released: {failed}"
                await self._keeper.tell("error", subject, told, data)
                raise
            told = f"revision {revision.number} went to all workers: {watched.reason}"
            await self._keeper.tell("info", subject, told, data)
            return
        await self._revert(revision, watched)
        told = f"revision {revision.number} was taken back: {watched.reason}"
        await self._keeper.tell("error", subject, told, data)

    async def _revert(self, revision: Revision, watched: Watched) -> None:
        def write(c: sa.Connection) -> None:
            done = revision.model_copy(update={"state": "reverted", "watched": watched})
            store.settle(c, done)
            if watched.verdict != "reverted":
                return  # nothing was found against it
            name = f"rollback-{revision.number}"
            path = (recording.HOLD_SECTION, name, recording.HOLD_FIELD)
            recording.moved(c, SYSTEM, path, None, "held", watched.reason)

        await self._db.write(write)
        await self._keeper.end_trial()

    async def lift(self, actor: Principal, wanted: LiftRequest) -> None:
        """Let the changes of a safety rollback be made again."""
        await self._db.write(lambda c: _lift(c, actor, wanted.name, wanted.reason))

    async def move(self, actor: Principal, wanted: NewMove) -> Move:
        """Move a pointer now, by hand; the definitions stay."""
        await self._keeper.move(actor, wanted.path, wanted.value, wanted.reason)
        last = await self._db.read(store.last_moves)
        if wanted.path not in last:
            raise InvalidInput("the pointer is there already")
        return last[wanted.path]

    # --- beginning and end ------------------------------------------------------------------------

    async def recover(self) -> None:
        """A release that was being watched when the control plane ended was never spread."""

        def write(c: sa.Connection) -> None:
            for revision in store.in_state(c, "watching"):
                watched = Watched(
                    worker="",
                    verdict="stopped",
                    reason="the control plane ended during the watch",
                    window_s=0,
                    min_calls=0,
                )
                store.settle(
                    c, revision.model_copy(update={"state": "reverted", "watched": watched})
                )

        await self._db.write(write)

    async def close(self) -> None:
        """End the watch; the release is taken back."""
        if self._watch is not None:
            await self._watch.cancel()


def _existing(c: sa.Connection, number: int) -> Stored:
    found = store.numbered(c, number)
    if found is None:
        raise NotFound(f"no revision {number}", hint="stockpot revisions list")
    return found


def _with_parent(c: sa.Connection, number: int) -> tuple[Stored, Stored | None]:
    found = _existing(c, number)
    parent = found.revision.parent
    return found, store.numbered(c, parent) if parent else None


def _earlier(c: sa.Connection, number: int | None) -> int:
    head = store.head(c)
    number = number or (head.revision.parent if head else None)
    if number is None:
        raise InvalidInput("there is no earlier revision", hint="stockpot revisions list")
    return number


def _lift(c: sa.Connection, actor: Principal, name: str, reason: str) -> None:
    if name not in recording.holds(c):
        known = ", ".join(recording.holds(c)) or "none stands"
        raise NotFound(f"no safety rollback {name!r} stands: {known}")
    path = (recording.HOLD_SECTION, name, recording.HOLD_FIELD)
    recording.moved(c, actor, path, "held", "lifted", reason)
    audit(c, actor, "revision.lift", name, reason=reason)
