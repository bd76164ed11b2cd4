"""Routes of labels, their protection, and proposals to move them."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from stockpot.prompts.api.who import Admin, Editor, Label, Name, Project, Viewer
from stockpot.prompts.models import (
    LabelMove,
    LabelProposal,
    LabelProtection,
    LabelTo,
    NewProposal,
    NewProtection,
    Note,
    PromptLabel,
    RollbackTo,
)
from stockpot.prompts.service.labels import LabelService


def label_routes(routes: APIRouter, labels: LabelService) -> None:
    """Move, roll back, look back; protect; propose and decide."""
    _labels(routes, labels)
    _protections(routes, labels)
    _proposals(routes, labels)
    _deciding(routes, labels)


def _labels(routes: APIRouter, labels: LabelService) -> None:
    @routes.put("/prompts/{prompt}/labels/{label}")
    async def move_prompt_label(
        prompt: Name, label: Label, to: LabelTo, principal: Editor, project: Project = None
    ) -> PromptLabel:
        """Let a label point at a version; it is in force everywhere at once. A protected label is
        refused with 403: propose the move."""
        return await labels.move_label(principal, project, prompt, label, to)

    @routes.delete("/prompts/{prompt}/labels/{label}", status_code=204)
    async def remove_prompt_label(
        prompt: Name,
        label: Label,
        principal: Editor,
        project: Project = None,
        reason: Annotated[str, Query(max_length=2000)] = "",
    ) -> None:
        """Take a label away."""
        await labels.remove_label(principal, project, prompt, label, reason)

    @routes.post("/prompts/{prompt}/labels/{label}/rollback")
    async def roll_back_prompt_label(
        prompt: Name, label: Label, to: RollbackTo, principal: Editor, project: Project = None
    ) -> PromptLabel:
        """Back to the version at which the label was before, or to an earlier one. Also for a
        protected label: it was approved there."""
        return await labels.roll_back(principal, project, prompt, label, to)

    @routes.get("/prompts/{prompt}/history")
    async def list_label_moves(
        prompt: Name,
        principal: Viewer,
        project: Project = None,
        label: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> tuple[LabelMove, ...]:
        """Where labels were, who moved them and why; newest first."""
        return await labels.history(principal, project, prompt, label, limit)


def _protections(routes: APIRouter, labels: LabelService) -> None:
    @routes.get("/prompt-protections")
    async def list_label_protections(
        principal: Viewer, project: Project = None
    ) -> tuple[LabelProtection, ...]:
        """Labels that move only when another person approves."""
        return await labels.protections(principal, project)

    @routes.put("/prompt-protections")
    async def protect_label(new: NewProtection, principal: Admin) -> LabelProtection:
        """Protect a label of one prompt, or of all prompts of a project."""
        return await labels.protect(principal, new)

    @routes.delete("/prompt-protections/{label}", status_code=204)
    async def unprotect_label(
        label: Label,
        principal: Admin,
        project: Annotated[str, Query(max_length=63)] = "default",
        prompt: Annotated[str, Query(max_length=100)] = "",
    ) -> None:
        """Let whoever may edit move the label again."""
        await labels.unprotect(principal, project, prompt, label)


def _proposals(routes: APIRouter, labels: LabelService) -> None:
    @routes.get("/prompt-proposals")
    async def list_label_proposals(
        principal: Viewer,
        project: Project = None,
        prompt: Annotated[str | None, Query(max_length=100)] = None,
        state: Literal["open", "approved", "rejected", "withdrawn"] | None = None,
    ) -> tuple[LabelProposal, ...]:
        """Moves that wait for somebody, or did; newest first."""
        return await labels.proposals(principal, project, prompt, state)

    @routes.post("/prompts/{prompt}/proposals", status_code=201)
    async def propose_label(
        prompt: Name, new: NewProposal, principal: Editor, project: Project = None
    ) -> LabelProposal:
        """Ask for a move that somebody else approves."""
        return await labels.propose(principal, project, prompt, new)

    @routes.post("/prompt-proposals/{proposal_id}/withdraw")
    async def withdraw_label_proposal(proposal_id: str, principal: Editor) -> LabelProposal:
        """Take back what one proposed oneself."""
        return await labels.withdraw(principal, proposal_id)


def _deciding(routes: APIRouter, labels: LabelService) -> None:
    @routes.post("/prompt-proposals/{proposal_id}/approve")
    async def approve_label_proposal(
        proposal_id: str, note: Note, principal: Editor
    ) -> LabelProposal:
        """Approve what somebody else proposed: the label moves at once. Where the label asks for a
        passed evaluation and none is known, it is refused with 409."""
        return await labels.approve(principal, proposal_id, note.note)

    @routes.post("/prompt-proposals/{proposal_id}/reject")
    async def reject_label_proposal(
        proposal_id: str, note: Note, principal: Editor
    ) -> LabelProposal:
        """Say no to what somebody else proposed."""
        return await labels.reject(principal, proposal_id, note.note)
