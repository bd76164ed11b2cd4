"""The snapshot's part `prompts`: what workers render without asking anybody.

A worker gets every version that has a label, and the newest ones of each prompt; an older number is
asked of the API, or given a label.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec
import sqlalchemy as sa

from stockpot.prompts.composing import kept_of, version_of
from stockpot.prompts.models import PromptFilter
from stockpot.prompts.store import prompts
from stockpot.templates import (
    PROMPTS_PART,
    PROMPTS_PART_VERSION,
    PromptsPart,
    Published,
    Version,
)

NEWEST = 10
"""Versions of each prompt that workers have without a label."""


class PromptsSource:
    """Gives the publisher this part; see `stockpot.catalog.PartSource`."""

    name = PROMPTS_PART
    version = PROMPTS_PART_VERSION

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Version] = {}

    def part(self, c: sa.Connection) -> bytes:
        """b"" when there is no prompt, so that workers have nothing to look at."""
        found = prompts.list_prompts(c, PromptFilter(), None)
        if not found:
            return b""
        by_prompt: dict[str, list[Version]] = defaultdict(list)
        names = {prompt.id: prompt.name for prompt in found}
        known: dict[tuple[str, int], Version] = {}
        for ident, number, digest, content in prompts.served_versions(c, names, NEWEST):
            version = self._known.get((ident, number))
            if version is None:  # versions never change
                version = version_of(names[ident], number, kept_of(content), digest)
            known[ident, number] = version
            by_prompt[ident].append(version)
        self._known = known
        part = PromptsPart(
            tuple(
                Published(
                    prompt.project,
                    prompt.name,
                    {label.label: label.version for label in prompt.labels},
                    tuple(by_prompt[prompt.id]),
                )
                for prompt in found
            )
        )
        return msgspec.msgpack.encode(part)
