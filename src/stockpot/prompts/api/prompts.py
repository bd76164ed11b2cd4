"""Routes of prompts, versions and comments."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated

from fastapi import APIRouter, Query

from stockpot.prompts.api.who import Editor, Name, Number, Project, Viewer
from stockpot.prompts.models import (
    NewComment,
    NewPrompt,
    NewVersion,
    PromptComment,
    PromptDetail,
    PromptFilter,
    PromptSearch,
    PromptSettings,
    PromptSummary,
    PromptVersion,
    PromptVersionDetail,
)
from stockpot.prompts.service.meaning import MeaningSearch
from stockpot.prompts.service.prompts import PromptService


def prompt_routes(routes: APIRouter, prompts: PromptService, meaning: MeaningSearch) -> None:
    """List, show, create, change; versions; comments."""

    @routes.get("/prompts")
    async def list_prompts(
        principal: Viewer, where: Annotated[PromptFilter, Query()]
    ) -> tuple[PromptSummary, ...]:
        """Prompts of the caller's projects, by name."""
        return await prompts.all(principal, where)

    @routes.get("/prompt-search")
    async def search_prompts(
        principal: Viewer,
        q: Annotated[str, Query(min_length=1, max_length=400)],
        project: Project = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> PromptSearch:
        """Prompts that mean most nearly what is asked: by embeddings where a model serves them,
        else by words; `by` says which it was."""
        return await meaning.find(principal, q, project, limit)

    @routes.post("/prompts", status_code=201)
    async def create_prompt(new: NewPrompt, principal: Editor) -> PromptDetail:
        """A prompt with its first version."""
        return await prompts.create(principal, new)

    @routes.get("/prompts/{prompt}")
    async def get_prompt(prompt: Name, principal: Viewer, project: Project = None) -> PromptDetail:
        """A prompt with its labels, its newest versions and what waits for approval."""
        return await prompts.shown(principal, project, prompt)

    @routes.patch("/prompts/{prompt}")
    async def change_prompt(
        prompt: Name, wanted: PromptSettings, principal: Editor, project: Project = None
    ) -> PromptSummary:
        """Change description, folder, owner, tags, or archive it; null keeps."""
        return await prompts.change(principal, project, prompt, wanted)

    @routes.get("/prompts/{prompt}/versions")
    async def list_prompt_versions(
        prompt: Name,
        principal: Viewer,
        project: Project = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    ) -> tuple[PromptVersion, ...]:
        """Versions, newest first; `before` is the last number seen."""
        return await prompts.versions(principal, project, prompt, limit, before)

    @routes.post("/prompts/{prompt}/versions", status_code=201)
    async def create_prompt_version(
        prompt: Name, new: NewVersion, principal: Editor, project: Project = None
    ) -> PromptVersionDetail:
        """The next version. Versions never change."""
        return await prompts.create_version(principal, project, prompt, new)

    @routes.get("/prompts/{prompt}/versions/{number}")
    async def get_prompt_version(
        prompt: Name, number: Number, principal: Viewer, project: Project = None
    ) -> PromptVersionDetail:
        """One version with its content."""
        return await prompts.version(principal, project, prompt, number)

    _comments(routes, prompts)


def _comments(routes: APIRouter, prompts: PromptService) -> None:
    @routes.get("/prompts/{prompt}/comments")
    async def list_prompt_comments(
        prompt: Name, principal: Viewer, project: Project = None
    ) -> tuple[PromptComment, ...]:
        """What was said about a prompt and its versions, oldest first."""
        return await prompts.comments(principal, project, prompt)

    @routes.post("/prompts/{prompt}/comments", status_code=201)
    async def comment_on_prompt(
        prompt: Name, new: NewComment, principal: Viewer, project: Project = None
    ) -> PromptComment:
        """Say something about a prompt, or about one of its versions."""
        return await prompts.comment(principal, project, prompt, new)

    @routes.delete("/prompts/{prompt}/comments/{comment_id}", status_code=204)
    async def remove_prompt_comment(
        prompt: Name, comment_id: str, principal: Viewer, project: Project = None
    ) -> None:
        """Take a comment back."""
        await prompts.remove_comment(principal, project, prompt, comment_id)
