"""Making and changing prompts, their versions and their comments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, Forbidden, InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.prompts.composing import Kept, examined, hash_of, pinned, refs_of
from stockpot.prompts.models import (
    LabelProtection,
    NewComment,
    NewPrompt,
    NewVersion,
    PromptComment,
    PromptContent,
    PromptDetail,
    PromptFilter,
    PromptSettings,
    PromptSummary,
    PromptVersion,
    PromptVersionDetail,
)
from stockpot.prompts.service.finding import Found, existing, numbered, referred
from stockpot.prompts.store import labels, prompts
from stockpot.templates import Partial

Changed = Callable[[str], Awaitable[None]]
"""Publishes what was changed, and wakes who waits; takes the reason."""

Projects = Callable[[sa.Connection], tuple[str, ...]]
_SHOWN_AT_ONCE = 100
_SEARCHED = 200_000
"""Characters of a prompt that a search looks through."""


class PromptService:
    """Prompts of projects, with their versions."""

    def __init__(self, db: Database, projects: Projects, changed: Changed) -> None:
        self._db = db
        self._projects = projects
        self._changed = changed

    async def all(self, actor: Principal, where: PromptFilter) -> tuple[PromptSummary, ...]:
        """Those of the caller's projects, by project and name."""

        def read(c: sa.Connection) -> tuple[PromptSummary, ...]:
            found = prompts.list_prompts(c, where, actor.projects("viewer"))
            known = labels.list_protections(c)
            return tuple(_with_protection(prompt, known) for prompt in found)

        return await self._db.read(read)

    async def words_of(self, ids: Sequence[str]) -> dict[str, str]:
        """What a search looks through, by the ids of prompts that the caller may see."""
        return await self._db.read(lambda c: prompts.words_of(c, ids))

    async def shown(self, actor: Principal, project: str | None, name: str) -> PromptDetail:
        """A prompt, its newest versions, and what waits for approval."""

        def read(c: sa.Connection) -> PromptDetail:
            prompt = existing(c, actor, project, name)
            known = labels.list_protections(c, prompt.project)
            return PromptDetail(
                prompt=_with_protection(prompt, known),
                versions=prompts.list_versions(c, prompt.id, _SHOWN_AT_ONCE),
                protections=tuple(p for p in known if p.prompt in ("", name)),
                proposals=labels.list_proposals(c, prompt_id=prompt.id, state="open"),
            )

        return await self._db.read(read)

    async def versions(
        self,
        actor: Principal,
        project: str | None,
        name: str,
        limit: int = _SHOWN_AT_ONCE,
        before: int | None = None,
    ) -> tuple[PromptVersion, ...]:
        """Newest first."""
        return await self._db.read(
            lambda c: prompts.list_versions(c, existing(c, actor, project, name).id, limit, before)
        )

    async def found(
        self, actor: Principal, project: str | None, name: str, ref: str | int | None
    ) -> Found:
        """The version that a label, a number or None (production) means."""
        return await self._db.read(lambda c: referred(c, existing(c, actor, project, name), ref))

    async def version(
        self, actor: Principal, project: str | None, name: str, number: int
    ) -> PromptVersionDetail:
        """One version with its content."""
        found = await self._db.read(
            lambda c: numbered(c, existing(c, actor, project, name), number)
        )
        return detail_of(found.version, found.kept)

    # --- making -----------------------------------------------------------------------------------

    async def create(self, actor: Principal, new: NewPrompt) -> PromptDetail:
        """A prompt with its first version."""

        def write(c: sa.Connection) -> None:
            demand_project(actor, "editor", new.project, self._projects(c))
            if prompts.prompt_named(c, new.project, new.name) is not None:
                raise Conflict(
                    f"there is a prompt {new.name!r} in {new.project!r} already",
                    hint=f"stockpot prompts edit {new.name}",
                )
            ident = record_id("prm")
            now = now_ms()
            about = {n: getattr(new, n) for n in ("project", "name", "description", "folder",
                                                  "owner")}  # fmt: skip
            prompts.add_prompt(
                c, id=ident, **about, kind=new.content.kind, tags=list(new.tags), search="",
                created_ms=now, created_by=actor.label, changed_ms=now, archived_ms=0,
            )  # fmt: skip
            made = prompts.prompt_named(c, new.project, new.name)
            assert made is not None
            audit(c, actor, "prompt.create", f"{new.project}/{new.name}", after=made,
                  project=new.project)  # fmt: skip
            _add_version(c, actor, made, new)

        await self._db.write(write)
        await self._changed(f"prompt {new.name} created")
        return await self.shown(actor, new.project, new.name)

    async def create_version(
        self, actor: Principal, project: str | None, name: str, new: NewVersion
    ) -> PromptVersionDetail:
        """The next version. One that says the same as the newest is refused."""

        def write(c: sa.Connection) -> Found:
            prompt = existing(c, actor, project, name, "editor")
            if new.expect is not None and new.expect != prompt.latest:
                raise Conflict(
                    f"{name!r} is at version {prompt.latest} by now, not {new.expect}",
                    hint=f"stockpot prompts diff {name} {new.expect} {prompt.latest}",
                )
            return _add_version(c, actor, prompt, new)

        found = await self._db.write(write)
        await self._changed(f"prompt {name} has version {found.version.number}")
        return detail_of(found.version, found.kept)

    async def draft(
        self, actor: Principal, project: str | None, name: str, content: PromptContent
    ) -> Kept:
        """A content as it would be kept, its partials looked up; nothing is written."""
        return await self._db.read(
            lambda c: _decided(c, existing(c, actor, project, name).project, name, content)
        )

    async def change(
        self, actor: Principal, project: str | None, name: str, wanted: PromptSettings
    ) -> PromptSummary:
        """Change what is given."""

        def write(c: sa.Connection) -> PromptSummary:
            before = existing(c, actor, project, name, "editor")
            given = {k: v for k, v in wanted.model_dump().items() if v is not None}
            values: dict[str, Any] = {**given, "changed_ms": now_ms()}
            if "archived" in values:
                values["archived_ms"] = now_ms() if values.pop("archived") else 0
            if "tags" in values:
                values["tags"] = list(values["tags"])
            prompts.change_prompt(c, before.id, **values)
            _note_words(c, before.id)
            after = prompts.prompt_by_id(c, before.id)
            assert after is not None
            audit(c, actor, "prompt.change", f"{before.project}/{name}", before=before, after=after,
                  project=before.project, fields=sorted(given))  # fmt: skip
            return after

        changed = await self._db.write(write)
        await self._changed(f"prompt {name} changed")
        return changed

    # --- comments ---------------------------------------------------------------------------------

    async def comments(
        self, actor: Principal, project: str | None, name: str
    ) -> tuple[PromptComment, ...]:
        """Oldest first."""
        return await self._db.read(
            lambda c: prompts.list_comments(c, existing(c, actor, project, name).id)
        )

    async def comment(
        self, actor: Principal, project: str | None, name: str, new: NewComment
    ) -> PromptComment:
        """Say something about a prompt, or about one of its versions."""

        def write(c: sa.Connection) -> PromptComment:
            prompt = existing(c, actor, project, name)
            if new.version is not None:
                numbered(c, prompt, new.version)
            made = PromptComment(
                id=record_id("pcm"),
                version=new.version,
                author_id=actor.user_id,
                author=actor.label,
                text=new.text,
                created_ms=now_ms(),
            )
            prompts.add_comment(c, prompt.id, made)
            audit(c, actor, "prompt.comment", f"{prompt.project}/{name}", after=made,
                  project=prompt.project)  # fmt: skip
            return made

        return await self._db.write(write)

    async def remove_comment(
        self, actor: Principal, project: str | None, name: str, comment_id: str
    ) -> None:
        """Its author takes it back, or an admin of the project."""

        def write(c: sa.Connection) -> None:
            prompt = existing(c, actor, project, name)
            known = {made.id: made for made in prompts.list_comments(c, prompt.id)}
            made = known.get(comment_id)
            if made is None:
                raise NotFound(f"no comment {comment_id!r} on {name!r}")
            if not actor.owns(made.author_id) and not actor.may("admin", prompt.project):
                raise Forbidden("only its author or an admin removes a comment")
            prompts.remove_comment(c, comment_id)
            audit(c, actor, "prompt.uncomment", f"{prompt.project}/{name}", before=made,
                  project=prompt.project)  # fmt: skip

        await self._db.write(write)


def detail_of(version: PromptVersion, kept: Kept) -> PromptVersionDetail:
    return PromptVersionDetail(
        **dict(version), content=kept.content, variables=kept.variables, partials=pinned(kept)
    )


def _with_protection(prompt: PromptSummary, known: tuple[LabelProtection, ...]) -> PromptSummary:
    mine = {p.label for p in known if p.project == prompt.project and p.prompt in ("", prompt.name)}
    if not mine:
        return prompt
    shown = tuple(
        label.model_copy(update={"protected": label.label in mine}) for label in prompt.labels
    )
    return prompt.model_copy(update={"labels": shown})


def _add_version(
    c: sa.Connection, actor: Principal, prompt: PromptSummary, new: NewVersion
) -> Found:
    if new.content.kind != prompt.kind:
        raise InvalidInput(f"{prompt.name!r} is a {prompt.kind} prompt and stays one")
    if new.parent is not None:
        numbered(c, prompt, new.parent)
    kept = _decided(c, prompt.project, prompt.name, new.content)
    digest = hash_of(kept)
    if prompt.latest:
        newest = numbered(c, prompt, prompt.latest)
        if newest.version.content_hash == digest:
            raise Conflict(f"version {prompt.latest} of {prompt.name!r} says the same")
    number = prompt.latest + 1
    prompts.add_version(
        c, prompt_id=prompt.id, number=number, parent=new.parent or prompt.latest or None,
        content_hash=digest, content=kept.plain(), message=new.message, author_id=actor.user_id,
        author=f"{actor.label} ({actor.via})", created_ms=now_ms(),
    )  # fmt: skip
    prompts.change_prompt(c, prompt.id, changed_ms=now_ms())
    _note_words(c, prompt.id)
    audit(c, actor, "prompt.version", f"{prompt.project}/{prompt.name}", project=prompt.project,
          version=number, hash=digest, message=new.message)  # fmt: skip
    return numbered(c, prompt.model_copy(update={"latest": number}), number)


def _decided(c: sa.Connection, project: str, name: str, content: PromptContent) -> Kept:
    """A content with its partials pinned to the versions that they have now."""
    pins: dict[str, str] = {}
    partials: dict[str, Partial] = {}
    for ref in refs_of(content):
        partial_name, _, wanted = ref.partition("@")
        other = prompts.prompt_named(c, project, partial_name)
        if other is None or partial_name == name:
            known = [n for n in prompts.prompt_names(c, project) if n != name]
            raise NotFound(
                f"there is no partial {partial_name!r} in {project!r}."
                f"{did_you_mean(partial_name, known)}",
                hint=f"stockpot prompts create {partial_name}",
            )
        found = _partial(c, other, wanted)
        if (other.kind, found.kept.content.syntax) != ("text", content.syntax):
            raise InvalidInput(
                f"a partial is a text prompt in the same language; {partial_name!r} is a "
                f"{other.kind} prompt in {found.kept.content.syntax}"
            )
        key = f"{partial_name}@{found.version.number}"
        pins[ref] = key
        partials |= found.kept.partials
        partials[key] = Partial(
            partial_name, found.version.number, found.kept.content.body, found.kept.pins
        )
    return examined(content, pins, partials)


def _partial(c: sa.Connection, prompt: PromptSummary, wanted: str) -> Found:
    """Where nothing is said: what is in production, else the newest."""
    if wanted or any(label.label == "production" for label in prompt.labels):
        return referred(c, prompt, wanted)
    return numbered(c, prompt, prompt.latest)


def _note_words(c: sa.Connection, prompt_id: str) -> None:
    """What a search looks through: the newest version's words, and what is said of the prompt."""
    prompt = prompts.prompt_by_id(c, prompt_id)
    assert prompt is not None
    words = [prompt.name, prompt.description, prompt.folder, prompt.owner, *prompt.tags]
    if prompt.latest:
        content = numbered(c, prompt, prompt.latest).kept.content
        words += [content.body, content.model, *(m.content for m in content.messages)]
    prompts.change_prompt(c, prompt_id, search="\n".join(words).lower()[:_SEARCHED])
