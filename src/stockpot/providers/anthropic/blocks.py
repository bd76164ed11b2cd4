"""Content blocks of Anthropic's dialect, read into parts. Knows blocks; knows no request's head.

A block of a kind that has no part, such as the result of a search that Anthropic ran, goes into
`extra`; so do the fields that a part has no place for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    Citation,
    Media,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from stockpot.providers.fields import Fields, wrong

_encode = msgspec.json.encode

Extra = dict[str, Any]
_Reader = Callable[[Fields, Extra], "tuple[Part, ...]"]


def parts_of(content: object, at: str, extra: Extra) -> tuple[Part, ...]:
    """Parts of a string or a list of blocks."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, list):
        raise wrong(at, "a string or an array of blocks", content)
    found: list[Part] = []
    for i, each in enumerate(content):
        block = Fields(each, f"{at}[{i}]")
        kind = block.needed("type")
        read = _READERS.get(kind)
        if read is None:
            extra[f"messages[].content[].{kind}"] = block.left
        else:
            found.extend(read(block, extra))
            if block.left:
                block.leave(extra)
    return tuple(found)


def cache_of(block: Fields, extra: Extra) -> str:
    """The lifetime of a cache mark, '' without one."""
    mark = block.inner("cache_control")
    if mark is None:
        return ""
    mark.take("type")
    life = mark.text("ttl") or "5m"
    mark.leave(extra)
    return life


def _text(block: Fields, extra: Extra) -> tuple[Part, ...]:
    cited = tuple(citation(one) for one in block.items("citations") if isinstance(one, dict))
    return (Text(block.needed("text"), cache_of(block, extra), cited),)


def citation(found: Mapping[str, Any]) -> Citation:
    """One citation. Anthropic points into the cited document, which the form has no place for."""
    source = found.get("document_index", found.get("source"))
    return Citation(
        url=str(found.get("url") or ""),
        title=str(found.get("document_title") or found.get("title") or ""),
        quote=str(found.get("cited_text") or ""),
        source="" if source is None else str(source),
    )


def _source(block: Fields) -> tuple[Fields, str]:
    source = block.inner("source")
    if source is None:
        raise BadRequest(f"{block.path('source')!r} is missing", block.path("source"))
    return source, source.needed("type")


def _image(block: Fields, extra: Extra) -> tuple[Part, ...]:
    source, kind = _source(block)
    cache = cache_of(block, extra)
    if kind == "base64":
        media_type, data = source.needed("media_type"), source.needed("data")
        made = Media(kind="image", media_type=media_type, data=data, cache=cache)
    elif kind == "url":
        made = Media(kind="image", url=source.needed("url"), cache=cache)
    elif kind == "file":
        made = Media(kind="image", file_id=source.needed("file_id"), cache=cache)
    else:
        at = source.path("type")
        raise BadRequest(f"{at!r} must be one of base64, url, file, not {kind!r}", at)
    source.leave(extra)
    return (made,)


def _cited(block: Fields, extra: Extra) -> bool:
    config = block.inner("citations")
    if config is None:
        return False
    wanted = config.flag("enabled") or False
    config.leave(extra)
    return wanted


def _document(block: Fields, extra: Extra) -> tuple[Part, ...]:
    source, kind = _source(block)
    plain: dict[str, Any] = {
        "kind": "document",
        "name": block.text("title"),
        "cite": _cited(block, extra),
        "cache": cache_of(block, extra),
    }
    more: tuple[Part, ...] = ()
    if kind == "base64":
        plain |= {"media_type": source.needed("media_type"), "data": source.needed("data")}
    elif kind == "text":
        plain |= {"media_type": "text/plain", "text": source.needed("data")}
        source.take("media_type")
    elif kind == "url":
        plain |= {"media_type": "application/pdf", "url": source.needed("url")}
    elif kind == "file":
        plain |= {"file_id": source.needed("file_id")}
    elif kind == "content":
        text, more = _own_content(source, extra)
        plain |= {"media_type": "text/plain", "text": text}
    else:
        at = source.path("type")
        raise BadRequest(f"{at!r} is none of base64, text, url, file, content", at)
    source.leave(extra)
    return (Media(**plain), *more)


def _own_content(source: Fields, extra: Extra) -> tuple[str, tuple[Part, ...]]:
    """A document of blocks: its texts become one, its pictures follow it."""
    at = source.path("content")
    parts = parts_of(source.take("content"), at, extra)
    if len(parts) > 1:
        extra["messages[].content[].source.content"] = f"{len(parts)} blocks that were one document"
    texts = [part.text for part in parts if isinstance(part, Text)]
    return "\n\n".join(texts), tuple(part for part in parts if isinstance(part, Media))


def _search_result(block: Fields, extra: Extra) -> tuple[Part, ...]:
    found = parts_of(block.take("content"), block.path("content"), extra)
    return (
        Media(
            kind="document",
            media_type="text/plain",
            text="\n\n".join(part.text for part in found if isinstance(part, Text)),
            name=block.text("title"),
            cite=_cited(block, extra),
            cache=cache_of(block, extra),
        ),
    )


def _tool_use(block: Fields, extra: Extra) -> tuple[Part, ...]:
    if block.left.get("caller") == {"type": "direct"}:  # as answers say where only the model called
        block.take("caller")
    made = ToolCall(
        ident=block.needed("id"),
        name=block.needed("name"),
        arguments=_encode(block.whatever("input") or {}).decode(),
        cache=cache_of(block, extra),
    )
    return (made,)


def _tool_result(block: Fields, extra: Extra) -> tuple[Part, ...]:
    content, at = block.take("content"), block.path("content")
    parts = parts_of(content, at, extra) if content is not None else ()
    made = ToolResult(
        ident=block.needed("tool_use_id"),
        parts=tuple(part for part in parts if isinstance(part, (Text, Media))),
        failed=block.flag("is_error") or False,
        cache=cache_of(block, extra),
    )
    return (made,)


def _thinking(block: Fields, extra: Extra) -> tuple[Part, ...]:
    return (Reasoning(text=block.needed("thinking"), signature=block.text("signature")),)


def _redacted(block: Fields, extra: Extra) -> tuple[Part, ...]:
    return (Reasoning(hidden=block.needed("data")),)


_READERS: dict[str, _Reader] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
