"""Reading prompts in use: resolved for a program, rendered, compared; and waiting for a change."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from stockpot import templates
from stockpot.access import Principal
from stockpot.prompts.composing import Kept, version_of
from stockpot.prompts.files import PromptFile, write
from stockpot.prompts.models import (
    PromptDifference,
    RenderedPrompt,
    RenderRequest,
    ResolvedPrompt,
)
from stockpot.prompts.service.finding import Found
from stockpot.prompts.service.prompts import PromptService
from stockpot.templates import Version

LOOK_EVERY_S = 1.0
"""A change that another process made is seen after so long."""


class News:
    """Wakes who waits for a change of any prompt."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._stopping = False

    async def tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def wait(self, timeout_s: float) -> bool:
        """Until something changed, or a while; False when it is no use to wait on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait()
        return not self._stopping

    async def stop(self) -> None:
        """Answer everybody who waits: this process ends."""
        self._stopping = True
        await self.tell()


class ReadingService:
    """What programs ask: the text of now, and the next one as soon as it is there."""

    def __init__(self, prompts: PromptService, news: News) -> None:
        self._prompts = prompts
        self._news = news

    async def get(
        self, actor: Principal, project: str | None, name: str, ref: str | int | None = None
    ) -> Version:
        """The version to render that a label, a number or None (production) means."""
        return _version(await self._prompts.found(actor, project, name, ref))

    async def resolved(
        self,
        actor: Principal,
        project: str | None,
        name: str,
        ref: str | None,
        seen: str = "",
        wait_s: float = 0.0,
    ) -> ResolvedPrompt:
        """What a label means now. With `seen`, the tag of an answer that is known already, it waits
        up to `wait_s` for another one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            found = _resolved(await self._prompts.found(actor, project, name, ref))
            left = until - loop.time()
            if found.tag != seen or left <= 0:
                return found
            if not await self._news.wait(min(left, LOOK_EVERY_S)):
                return found

    async def render(
        self, actor: Principal, project: str | None, name: str, asked: RenderRequest
    ) -> RenderedPrompt:
        """A version, or a draft that is not kept, with variables filled in."""
        if asked.content is not None:
            kept = await self._prompts.draft(actor, project, name, asked.content)
            return _rendered(version_of(name, 0, kept, ""), kept, asked.variables)
        found = await self._prompts.found(actor, project, name, asked.ref)
        return _rendered(_version(found), found.kept, asked.variables)

    async def difference(
        self, actor: Principal, project: str | None, name: str, before: str, after: str
    ) -> PromptDifference:
        """Two versions, by label or number, as files side by side."""
        one = await self._prompts.found(actor, project, name, before)
        other = await self._prompts.found(actor, project, name, after)
        texts = [write(PromptFile(found.kept.content)) for found in (one, other)]
        names = [f"{name}@{found.version.number}" for found in (one, other)]
        lines = difflib.unified_diff(
            texts[0].splitlines(keepends=True),
            texts[1].splitlines(keepends=True),
            names[0],
            names[1],
        )
        return PromptDifference(
            before=one.version.number,
            after=other.version.number,
            text="".join(lines),
            before_text=texts[0],
            after_text=texts[1],
        )


def _version(found: Found) -> Version:
    version = found.version
    return version_of(found.prompt.name, version.number, found.kept, version.content_hash)


def _resolved(found: Found) -> ResolvedPrompt:
    told = msgspec.to_builtins(_version(found))
    return ResolvedPrompt(project=found.prompt.project, label=found.label, **told)


def _rendered(version: Version, kept: Kept, variables: Mapping[str, Any]) -> RenderedPrompt:
    made = msgspec.to_builtins(templates.render(version, variables))
    made.pop("content_hash", None)
    return RenderedPrompt(**made, variables=kept.variables)
