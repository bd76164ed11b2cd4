"""Which prompt, version or label somebody means, and whether they may see it."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from stockpot.access import Principal, Role, demand
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.prompts.composing import Kept, kept_of
from stockpot.prompts.models import LATEST, PRODUCTION, PromptSummary, PromptVersion
from stockpot.prompts.store import labels, prompts


class Found(NamedTuple):
    """A version as it is kept, and the label that led to it ('' for a number)."""

    prompt: PromptSummary
    version: PromptVersion
    kept: Kept
    label: str


def existing(
    c: sa.Connection, actor: Principal, project: str | None, name: str, role: Role = "viewer"
) -> PromptSummary:
    """The prompt of this name, which the caller sees. Without a project it is looked for in all
    that are open to the caller."""
    if project is None:
        seen = [p for p in prompts.prompts_called(c, name) if actor.may("viewer", p.project)]
        if len(seen) > 1:
            known = ", ".join(repr(p.project) for p in seen)
            raise InvalidInput(f"there is a prompt {name!r} in {known}", hint="say which project")
        found = seen[0] if seen else None
    else:
        found = prompts.prompt_named(c, project, name)
    if found is None:
        raise _absent(c, actor, project, name)
    demand(actor, role, found.project, _absent(c, actor, project, name))
    return found


def _absent(c: sa.Connection, actor: Principal, project: str | None, name: str) -> NotFound:
    wanted = project or "default"
    known = prompts.prompt_names(c, wanted) if actor.may("viewer", wanted) else ()
    where = f" in {project!r}" if project else ""
    return NotFound(
        f"no prompt {name!r}{where}.{did_you_mean(name, known)}", hint="stockpot prompts list"
    )


def numbered(c: sa.Connection, prompt: PromptSummary, number: int, label: str = "") -> Found:
    """One version of a prompt."""
    row = prompts.version_numbered(c, prompt.id, number)
    if row is None:
        raise NotFound(
            f"the prompt {prompt.name!r} has no version {number}; the newest is {prompt.latest}",
            hint=f"stockpot prompts history {prompt.name}",
        )
    return Found(prompt, row.shown, kept_of(row.content), label)


def referred(c: sa.Connection, prompt: PromptSummary, ref: str | int | None) -> Found:
    """The version that a label, a number or `latest` means; production where nothing is said."""
    text = str(ref) if ref not in (None, "") else PRODUCTION
    if text.isascii() and text.isdigit():
        return numbered(c, prompt, int(text))
    if text == LATEST:
        return numbered(c, prompt, prompt.latest, LATEST)
    number = labels.label_at(c, prompt.id, text)
    if number is None:
        known = [label.label for label in prompt.labels]
        have = f" It has {', '.join(known)}." if known else " It has no label yet."
        raise NotFound(
            f"the prompt {prompt.name!r} has no label {text!r}.{did_you_mean(text, known) or have}",
            hint=f"stockpot prompts label {prompt.name} {text} {prompt.latest}",
        )
    return numbered(c, prompt, number, text)
