"""From what is kept of a version to what is rendered, and the hash that tells two contents apart.

Pure. Knows the records of prompts and the templates; knows no table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from stockpot import templates
from stockpot.core.errors import InvalidInput
from stockpot.prompts.models import PinnedPartial, PromptContent
from stockpot.templates import Message, Partial, TemplateFault, Version


class Kept(NamedTuple):
    """What the store has of a version: what its author wrote, and what was decided for it."""

    content: PromptContent
    pins: dict[str, str]
    partials: dict[str, Partial]
    variables: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        return {
            "content": plain(self.content),
            "pins": self.pins,
            "partials": {key: _plain_partial(p) for key, p in sorted(self.partials.items())},
            "variables": list(self.variables),
        }


def kept_of(stored: Mapping[str, Any]) -> Kept:
    """Out of the store's JSON."""
    return Kept(
        PromptContent(**stored["content"]),
        dict(stored["pins"]),
        {key: Partial(**p) for key, p in stored["partials"].items()},
        tuple(stored["variables"]),
    )


def plain(content: PromptContent) -> dict[str, Any]:
    """Without what says nothing, so that a field which a later version adds changes no hash."""
    return content.model_dump(mode="json", exclude_defaults=True) | {"kind": content.kind}


def _plain_partial(partial: Partial) -> dict[str, Any]:
    return {"name": partial.name, "number": partial.number, "body": partial.body,
            "pins": partial.pins}  # fmt: skip


def hash_of(kept: Kept) -> str:
    """The SHA-256 of everything that decides what comes out."""
    told = kept.plain()
    told.pop("variables")
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def version_of(name: str, number: int, kept: Kept, content_hash: str) -> Version:
    """What is rendered."""
    content = kept.content
    return Version(
        name=name,
        number=number,
        kind=content.kind,
        syntax=content.syntax,
        body=content.body,
        messages=tuple(Message(m.role or "", m.content, m.insert) for m in content.messages),
        variables_schema=content.variables_schema,
        partials=kept.partials,
        pins=kept.pins,
        tools=content.tools,
        response_schema=content.response_schema,
        model=content.model,
        params=content.params,
        content_hash=content_hash,
    )


def refs_of(content: PromptContent) -> tuple[str, ...]:
    """The partials that a content names, as it names them."""
    draft = version_of("draft", 0, Kept(content, {}, {}, ()), "")
    found: dict[str, None] = {}
    for source, where in templates.sources(draft):
        found |= dict.fromkeys(templates.named_partials(content.syntax, source, where))
    return tuple(found)


def examined(content: PromptContent, pins: dict[str, str], partials: dict[str, Partial]) -> Kept:
    """A content that can be rendered, with the variables that it reads. Raises TemplateFault."""
    _check_parameters(content)
    draft = Kept(content, pins, partials, ())
    found = templates.examine(version_of("draft", 0, draft, ""))
    return draft._replace(variables=found.variables)


def pinned(kept: Kept) -> tuple[PinnedPartial, ...]:
    """Its partials as people read them."""
    return tuple(
        PinnedPartial(ref=ref, name=kept.partials[key].name, version=kept.partials[key].number)
        for ref, key in sorted(kept.pins.items())
    )


_OURS = frozenset(("model", "messages", "tools", "response_format", "stream", "prompt_variables"))


def _check_parameters(content: PromptContent) -> None:
    if taken := sorted(_OURS & set(content.params)):
        raise InvalidInput(
            f"{taken[0]!r} is no parameter of a prompt",
            hint="model, tools and response_schema have fields of their own",
        )
    for number, tool in enumerate(content.tools):
        function = tool.get("function", tool)
        if not (isinstance(function, dict) and isinstance(function.get("name"), str)):
            raise TemplateFault(f"tools[{number}] is no function with a 'name'")
