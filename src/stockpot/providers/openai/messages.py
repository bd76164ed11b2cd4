"""The messages of a chat request in OpenAI's format, read into turns. Knows no other field.

Beside OpenAI's own it takes back what servers of this format hand out: reasoning (as plain text,
as thinking blocks, or with its signature in `reasoning_details`), pictures and signed tool calls.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.core.errors import did_you_mean
from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    Citation,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from stockpot.providers.fields import Fields
from stockpot.providers.openai.parts import (
    cache_mark,
    content_parts,
    hidden_thinking,
    media,
    texts,
    thinking,
)

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_encode = msgspec.json.encode

Extra = dict[str, Any]


def read_messages(items: list[Any], extra: Extra) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """The system's text before the first other message, and the turns from there."""
    system: list[Text] = []
    turns: list[Turn] = []
    results: list[Part] = []
    called = ""
    for number, item in enumerate(items):
        message = Fields(item, f"messages[{number}]")
        role = message.text("role")
        if role == "tool" or role == "function":
            results.append(_result(message, called, extra))
        else:
            if results:
                turns.append(Turn("user", tuple(results)))
                results = []
            turn = _turn(message, role, extra)
            if turn.role == "system" and not turns:
                system += [part for part in turn.parts if type(part) is Text]
                if turn.name:
                    extra.setdefault("messages[].name", turn.name)
            else:
                turns.append(turn)
            if role == "assistant":
                called = _last_call(turn)
        message.leave(extra)
    if results:
        turns.append(Turn("user", tuple(results)))
    return tuple(system), tuple(turns)


def _turn(message: Fields, role: str, extra: Extra) -> Turn:
    if role == "user":
        return Turn("user", _marked(message, content_parts(message, extra)), message.text("name"))
    if role == "assistant":
        return Turn("assistant", _assistant(message, extra), message.text("name"))
    if role == "system" or role == "developer":
        parts = _marked(message, list(texts(message, extra)))
        return Turn("system", parts, message.text("name"))
    near = did_you_mean(role, _ROLES)
    at = message.path("role")
    raise BadRequest(f"no role {role!r} at {at!r}.{near} There are {', '.join(_ROLES)}", at)


def _marked(message: Fields, parts: list[Part]) -> tuple[Part, ...]:
    """A cache mark of the whole message stands behind its last part."""
    if parts and "cache_control" in message.left:
        mark = cache_mark(message)
        last = parts[-1]
        if isinstance(last, Text | Media | ToolResult):
            parts[-1] = msgspec.structs.replace(last, cache=mark)
    return tuple(parts)


# --- what an assistant said ---------------------------------------------------------------------


def _assistant(message: Fields, extra: Extra) -> tuple[Part, ...]:
    parts = _reasoning(message)
    said = [p for p in content_parts(message, extra) if type(p) is not Text or p.text]
    cited = _citations(message)
    if cited and said and type(said[-1]) is Text:
        said[-1] = msgspec.structs.replace(said[-1], citations=cited)
    parts += said
    if refusal := message.text("refusal"):
        parts.append(Refusal(refusal))
    audio = message.inner("audio")
    if audio is not None:
        parts.append(Media(kind="audio", file_id=audio.needed("id")))
    for number, item in enumerate(message.items("images")):
        image = Fields(item, f"{message.path('images')}[{number}]")
        inner = image.inner("image_url")
        if inner is not None:
            parts.append(media("image", inner.needed("url"), inner.path("url")))
    parts += _calls(message, extra)
    return _marked(message, parts)


def _reasoning(message: Fields) -> list[Part]:
    """The richest form wins: others say the same again."""
    plain = message.text("reasoning_content")
    plain = plain or message.text("reasoning")
    message.left.pop("reasoning", None)
    blocks = message.items("thinking_blocks")
    details = message.items("reasoning_details")
    if blocks:
        at = message.path("thinking_blocks")
        return [_block(Fields(b, f"{at}[{n}]")) for n, b in enumerate(blocks)]
    if details:
        at = message.path("reasoning_details")
        found = [_detail(Fields(d, f"{at}[{n}]")) for n, d in enumerate(details)]
        if len(found) == 1 and not found[0].text and not found[0].hidden and plain:
            return [msgspec.structs.replace(found[0], text=plain)]
        return [part for part in found if part.text or part.hidden or part.signature]
    return [Reasoning(text=plain)] if plain else []


def _block(block: Fields) -> Part:
    return hidden_thinking(block) if block.text("type") == "redacted_thinking" else thinking(block)


def _detail(detail: Fields) -> Reasoning:
    text = detail.text("text") or detail.text("summary")
    return Reasoning(
        text=text,
        signature=detail.text("signature"),
        hidden=detail.text("data"),
        ident=detail.text("id"),
    )


def _citations(message: Fields) -> tuple[Citation, ...]:
    found = []
    for number, item in enumerate(message.items("annotations")):
        annotation = Fields(item, f"{message.path('annotations')}[{number}]")
        cited = annotation.inner("url_citation")
        if cited is not None:
            found.append(
                Citation(
                    url=cited.text("url"),
                    title=cited.text("title"),
                    quote=cited.text("quote"),
                    start=cited.whole("start_index"),
                    end=cited.whole("end_index"),
                    source=cited.text("source"),
                )
            )
    return tuple(found)


def _calls(message: Fields, extra: Extra) -> list[Part]:
    found: list[Part] = []
    for number, item in enumerate(message.items("tool_calls")):
        call = Fields(item, f"{message.path('tool_calls')}[{number}]")
        found.append(_call(call))
        call.left.pop("index", None)  # left over where a client put a stream together
        call.leave(extra)
    function = message.inner("function_call")
    if function is not None:
        name, arguments = function.needed("name"), function.text("arguments")
        found.append(ToolCall(ident=f"call_{message.at[9:-1]}", name=name, arguments=arguments))
    return found


def _call(call: Fields) -> ToolCall:
    ident = call.needed("id")
    if call.text("type") == "custom":
        custom = call.inner("custom") or Fields({}, call.path("custom"))
        arguments = _encode({"input": custom.needed("input")}).decode()
        return ToolCall(ident=ident, name=custom.needed("name"), arguments=arguments)
    function = call.inner("function") or Fields({}, call.path("function"))
    return ToolCall(
        ident=ident,
        name=function.needed("name"),
        arguments=function.text("arguments"),
        signature=_signature(call),
        cache=cache_mark(call),
    )


def _signature(call: Fields) -> str:
    """Where Google's endpoint for this format keeps the proof of a tool call."""
    for part in ("extra_content", "google"):
        inner = call.inner(part)
        if inner is None:
            return ""
        call = inner
    return call.text("thought_signature")


# --- what tools answered ------------------------------------------------------------------------


def _last_call(turn: Turn) -> str:
    calls = [part.ident for part in turn.parts if type(part) is ToolCall]
    return calls[-1] if calls else ""


def _result(message: Fields, called: str, extra: Extra) -> ToolResult:
    """A message of the older role `function` answers the call before it."""
    ident = message.text("tool_call_id")
    name = message.text("name")
    if not ident and (not called or not name):
        at = message.path("tool_call_id")
        raise BadRequest(f"{at!r} is missing", at)
    said = content_parts(message, extra)
    parts = tuple(part for part in said if isinstance(part, Text | Media))
    if len(parts) < len(said):
        at = message.path("content")
        raise BadRequest(f"{at!r} may hold text and media only", at)
    return ToolResult(ident=ident or called, parts=parts, name=name, cache=cache_mark(message))
