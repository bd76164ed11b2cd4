"""Moving labels: by hand, back, or after somebody else approved.

Each move is one line in the journal of moved pointers, under `prompts."PROJECT/NAME".LABEL`, in the
transaction of the move itself. A rollback leads to a version at which the label was before, so it
needs no approval: it was approved then.
"""

from __future__ import annotations

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.prompts.models import (
    LATEST,
    LabelMove,
    LabelProposal,
    LabelProtection,
    LabelTo,
    NewProposal,
    NewProtection,
    PromptLabel,
    PromptSummary,
    RollbackTo,
)
from stockpot.prompts.ports import GateProof
from stockpot.prompts.service.finding import existing, numbered
from stockpot.prompts.service.prompts import Changed
from stockpot.prompts.store import labels, prompts
from stockpot.revisions import moved, moves_of

SECTION = "prompts"
_JOURNAL_READ = 2000


class LabelProtected(Forbidden):
    """A label that nobody moves alone."""

    code = "label_protected"


class NotEvaluated(Conflict):
    """A label that asks for a passed evaluation, and there is none."""

    code = "not_evaluated"


class LabelService:
    """Labels, their history, who guards them, and what waits for approval."""

    def __init__(self, db: Database, changed: Changed, proof: GateProof | None = None) -> None:
        self._db = db
        self._changed = changed
        self.proof = proof

    async def move_label(
        self, actor: Principal, project: str | None, name: str, label: str, to: LabelTo
    ) -> PromptLabel:
        """Let a label point at a version. A protected one is refused: propose the move."""

        def write(c: sa.Connection) -> PromptLabel:
            prompt = existing(c, actor, project, name, "editor")
            _refuse_protected(c, prompt, label, to.version)
            return _move(c, actor, prompt, label, to.version, to.reason)

        made = await self._db.write(write)
        await self._changed(f"label {label} of prompt {name} moved to {to.version}")
        return made

    async def remove_label(
        self, actor: Principal, project: str | None, name: str, label: str, reason: str
    ) -> None:
        """Take a label away."""

        def write(c: sa.Connection) -> None:
            prompt = existing(c, actor, project, name, "editor")
            _refuse_protected(c, prompt, label, None)
            if labels.label_at(c, prompt.id, label) is None:
                raise NotFound(f"the prompt {name!r} has no label {label!r}")
            _move(c, actor, prompt, label, None, reason)

        await self._db.write(write)
        await self._changed(f"label {label} of prompt {name} removed")

    async def roll_back(
        self, actor: Principal, project: str | None, name: str, label: str, to: RollbackTo
    ) -> PromptLabel:
        """Back to where the label was before; also for a protected one."""

        def write(c: sa.Connection) -> PromptLabel:
            prompt = existing(c, actor, project, name, "editor")
            target = _target(c, prompt, label, to.version)
            return _move(c, actor, prompt, label, target, to.reason or "rolled back")

        made = await self._db.write(write)
        await self._changed(f"label {label} of prompt {name} rolled back")
        return made

    async def history(
        self, actor: Principal, project: str | None, name: str, label: str | None, limit: int
    ) -> tuple[LabelMove, ...]:
        """Where labels were, newest first."""

        def read(c: sa.Connection) -> tuple[LabelMove, ...]:
            prompt = existing(c, actor, project, name)
            found = _history(c, prompt, _JOURNAL_READ)
            return tuple(move for move in found if label in (None, move.label))[:limit]

        return await self._db.read(read)

    # --- protection -------------------------------------------------------------------------------

    async def protections(
        self, actor: Principal, project: str | None
    ) -> tuple[LabelProtection, ...]:
        """Protected labels of the caller's projects."""
        found = await self._db.read(lambda c: labels.list_protections(c, project))
        return tuple(p for p in found if actor.may("viewer", p.project))

    async def protect(self, actor: Principal, new: NewProtection) -> LabelProtection:
        """From now on somebody else approves each move of a label."""

        def write(c: sa.Connection) -> LabelProtection:
            demand_project(actor, "admin", new.project)
            if new.prompt:
                existing(c, actor, new.project, new.prompt)
            made = LabelProtection(
                project=new.project,
                prompt=new.prompt or "",
                label=new.label,
                role=new.role,
                evaluation=new.evaluation,
                created_ms=now_ms(),
                created_by=actor.label,
            )
            labels.put_protection(c, made)
            audit(c, actor, "prompt.protect", _subject(made), after=made, project=new.project,
                  role=new.role, evaluation=new.evaluation)  # fmt: skip
            return made

        return await self._db.write(write)

    async def unprotect(self, actor: Principal, project: str, prompt: str, label: str) -> None:
        """Anybody who may edit moves the label again."""

        def write(c: sa.Connection) -> None:
            absent = NotFound(f"no protected label {label!r} in {project!r}")
            demand(actor, "admin", project, absent)
            if not labels.remove_protection(c, project, prompt, label):
                raise absent
            gone = LabelProtection(project=project, prompt=prompt, label=label)
            audit(c, actor, "prompt.unprotect", _subject(gone), before=gone, project=project)

        await self._db.write(write)

    # --- proposals --------------------------------------------------------------------------------

    async def proposals(
        self, actor: Principal, project: str | None, name: str | None, state: str | None
    ) -> tuple[LabelProposal, ...]:
        """Newest first, of the caller's projects or of one prompt."""

        def read(c: sa.Connection) -> tuple[LabelProposal, ...]:
            ident = existing(c, actor, project, name).id if name else None
            seen = actor.projects("viewer")
            found = labels.list_proposals(c, seen=seen, prompt_id=ident, state=state)
            return tuple(p for p in found if project in (None, p.project))

        return await self._db.read(read)

    async def propose(
        self, actor: Principal, project: str | None, name: str, new: NewProposal
    ) -> LabelProposal:
        """Ask for a move that somebody else approves."""

        def write(c: sa.Connection) -> LabelProposal:
            prompt = existing(c, actor, project, name, "editor")
            _check_label(new.label)
            numbered(c, prompt, new.version)
            before = labels.label_at(c, prompt.id, new.label)
            if before == new.version:
                raise Conflict(f"{new.label!r} of {name!r} is at version {before} already")
            made = LabelProposal(
                id=record_id("ppl"),
                project=prompt.project,
                prompt=name,
                label=new.label,
                version=new.version,
                before=before,
                reason=new.reason,
                asked_by=actor.user_id,
                asked_label=actor.label,
                created_ms=now_ms(),
                state="open",
            )
            labels.add_proposal(c, prompt.id, made)
            audit(c, actor, "prompt.propose", f"{prompt.project}/{name}", after=made,
                  project=prompt.project, label=new.label, version=new.version)  # fmt: skip
            return made

        return await self._db.write(write)

    async def approve(self, actor: Principal, proposal_id: str, note: str) -> LabelProposal:
        """Somebody else than who asked: the label moves at once."""
        known = await self._db.read(lambda c: _open(c, actor, proposal_id))
        proof = self.proof
        run = (
            await proof.passed(known.project, known.prompt, known.version)
            if proof is not None
            else None
        )

        def write(c: sa.Connection) -> LabelProposal:
            proposal = _open(c, actor, proposal_id)
            guard = labels.protection_of(c, proposal.project, proposal.prompt, proposal.label)
            _check_approver(actor, proposal, guard)
            if guard is not None and guard.evaluation and run is None:
                raise _not_evaluated(proposal)
            prompt = existing(c, actor, proposal.project, proposal.prompt)
            present = labels.label_at(c, prompt.id, proposal.label)
            if present != proposal.before:
                raise Conflict(
                    f"{proposal.label!r} was moved to version {present} since this was proposed",
                    hint="propose it again",
                )
            why = f"{proposal.reason} (proposed by {proposal.asked_label})".strip()
            _move(c, actor, prompt, proposal.label, proposal.version, why)
            return _settle(c, actor, proposal, "approved", note, run or "")

        done = await self._db.write(write)
        await self._changed(f"label {done.label} of prompt {done.prompt} approved")
        return done

    async def reject(self, actor: Principal, proposal_id: str, note: str) -> LabelProposal:
        """Somebody else says no."""

        def write(c: sa.Connection) -> LabelProposal:
            proposal = _open(c, actor, proposal_id)
            guard = labels.protection_of(c, proposal.project, proposal.prompt, proposal.label)
            _check_approver(actor, proposal, guard)
            return _settle(c, actor, proposal, "rejected", note)

        return await self._db.write(write)

    async def withdraw(self, actor: Principal, proposal_id: str) -> LabelProposal:
        """Who asked takes it back."""

        def write(c: sa.Connection) -> LabelProposal:
            proposal = _open(c, actor, proposal_id)
            if actor.user_id != proposal.asked_by:
                raise Forbidden("only who proposed it takes it back")
            return _settle(c, actor, proposal, "withdrawn", "")

        return await self._db.write(write)


def _subject(protection: LabelProtection) -> str:
    return f"{protection.project}/{protection.prompt or '*'}@{protection.label}"


def _entry(prompt: PromptSummary) -> str:
    return f"{prompt.project}/{prompt.name}"


def _check_label(label: str) -> None:
    if label == LATEST:
        raise InvalidInput(f"{LATEST!r} always means the newest version and cannot be moved")


def _refuse_protected(
    c: sa.Connection, prompt: PromptSummary, label: str, version: int | None
) -> None:
    if labels.protection_of(c, prompt.project, prompt.name, label) is not None:
        to = version or "VERSION"
        raise LabelProtected(
            f"the label {label!r} of {prompt.name!r} is protected: somebody else approves a move",
            hint=f"stockpot prompts propose {prompt.name} {label} {to} --reason '...'",
        )


def _move(
    c: sa.Connection,
    actor: Principal,
    prompt: PromptSummary,
    label: str,
    number: int | None,
    reason: str,
) -> PromptLabel:
    _check_label(label)
    before = labels.label_at(c, prompt.id, label)
    now = now_ms()
    if before == number:
        raise Conflict(f"{label!r} of {prompt.name!r} is at version {number} already")
    if number is None:
        labels.remove_label(c, prompt.id, label)
    else:
        numbered(c, prompt, number)
        labels.put_label(c, prompt.id, label, number, now, actor.label)
    moved(c, actor, (SECTION, _entry(prompt), label), before, number, reason)
    prompts.change_prompt(c, prompt.id, changed_ms=now)
    audit(c, actor, "prompt.label", _entry(prompt), project=prompt.project, label=label,
          before_version=before, after_version=number, reason=reason)  # fmt: skip
    return PromptLabel(label=label, version=number or 0, moved_ms=now, moved_by=actor.label)


def _history(c: sa.Connection, prompt: PromptSummary, limit: int) -> tuple[LabelMove, ...]:
    return tuple(
        LabelMove(
            id=move.id,
            at_ms=move.at_ms,
            label=move.path[2],
            before=move.before,
            after=move.after,
            actor=move.actor,
            reason=move.reason,
        )
        for move in moves_of(c, SECTION, _entry(prompt), limit)
    )


def _target(c: sa.Connection, prompt: PromptSummary, label: str, wanted: int | None) -> int:
    """Where a rollback leads. Going back is remembered: the next one goes further back."""
    path: list[int] = []
    been: set[int] = set()
    for move in reversed(_history(c, prompt, _JOURNAL_READ)):
        if move.label != label or move.after is None:
            continue
        been.add(move.after)
        if move.after in path:
            del path[path.index(move.after) + 1 :]
        else:
            path.append(move.after)
    if wanted is not None:
        if wanted not in been:
            raise Conflict(
                f"{label!r} of {prompt.name!r} was never at version {wanted}",
                hint=f"stockpot prompts history {prompt.name}",
            )
        return wanted
    if len(path) < 2:
        raise Conflict(f"{label!r} of {prompt.name!r} was nowhere before")
    return path[-2]


def _open(c: sa.Connection, actor: Principal, proposal_id: str) -> LabelProposal:
    proposal = labels.proposal_by_id(c, proposal_id)
    absent = NotFound(f"no proposal {proposal_id!r}", hint="stockpot prompts proposals")
    if proposal is None:
        raise absent
    demand(actor, "viewer", proposal.project, absent)
    if proposal.state != "open":
        raise Conflict(f"the proposal {proposal_id!r} was {proposal.state} already")
    return proposal


def _check_approver(
    actor: Principal, proposal: LabelProposal, guard: LabelProtection | None
) -> None:
    if actor.user_id == proposal.asked_by:
        raise Forbidden("nobody approves what they proposed themselves")
    absent = NotFound(f"no proposal {proposal.id!r}", hint="stockpot prompts proposals")
    demand(actor, guard.role if guard is not None else "editor", proposal.project, absent)


def _not_evaluated(proposal: LabelProposal) -> NotEvaluated:
    return NotEvaluated(
        f"no passed evaluation of {proposal.prompt!r} version {proposal.version} is known, and "
        f"{proposal.label!r} asks for one",
        hint=f"stockpot eval run --gate, with {proposal.prompt}@{proposal.version} as its target",
    )


def _settle(
    c: sa.Connection,
    actor: Principal,
    proposal: LabelProposal,
    state: str,
    note: str,
    evaluation: str = "",
) -> LabelProposal:
    update = {"state": state, "decided_by": actor.label, "decided_ms": now_ms(), "note": note,
              "evaluation": evaluation}  # fmt: skip
    settled = proposal.model_copy(update=update)
    labels.settle_proposal(c, settled)
    audit(c, actor, f"prompt.proposal.{state}", f"{proposal.project}/{proposal.prompt}",
          before=proposal, after=settled, project=proposal.project)  # fmt: skip
    return settled
