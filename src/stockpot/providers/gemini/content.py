"""Gemini's contents as canonical turns. Knows parts; knows nothing of tools and settings.

Ids of function calls are optional here and needed elsewhere: a call without one gets its number in
the conversation, which stays the same as the conversation grows, and a response without one belongs
to the earliest call of its name that has no response yet.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any, Literal

import msgspec

from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    Media,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from stockpot.providers.gemini.fields import Fields
from stockpot.providers.gemini.signatures import unpack

_KINDS: dict[str, Literal["image", "audio", "video"]] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
}
_ROLES: dict[str, Literal["user", "assistant"]] = {
    "": "user",
    "user": "user",
    "function": "user",
    "tool": "user",
    "model": "assistant",
}
_DETAILS = {
    "MEDIA_RESOLUTION_LOW": "low",
    "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "high",
}
OWN_FILES = ("https://generativelanguage.googleapis.com/", "gs://", "files/")
"""Beginnings of the names of files that only Google can read."""


class Contents:
    """Reads a list of contents. `extra` gathers what a canonical part cannot hold."""

    def __init__(self, extra: dict[str, Any]) -> None:
        self.extra = extra
        self._calls = 0
        self._open: list[tuple[str, str]] = []

    def turns(self, contents: list[Fields]) -> tuple[Turn, ...]:
        turns: list[Turn] = []
        for content in contents:
            given = content.text("role")
            role = _ROLES.get(given)
            if role is None:
                known = "'user' or 'model'"
                raise BadRequest(f"{content.at('role')} is {given!r}; it is {known}", "contents")
            parts: list[Part] = []
            for part in content.objects("parts"):
                parts += self._part(part)
            self._keep(content)
            if role == "assistant" and turns and turns[-1].role == role:
                turns[-1] = Turn(role, _joined([*turns[-1].parts, *parts]))
            elif parts:
                turns.append(Turn(role, _joined(parts) if role == "assistant" else tuple(parts)))
        return tuple(turns)

    def _keep(self, fields: Fields) -> None:
        for name, value in fields.left.items():
            self.extra[fields.at(name)] = value

    def _part(self, part: Fields) -> list[Part]:
        signature = part.text("thoughtSignature")
        thought = part.flag("thought")
        text = part.take("text")
        if text is not None:
            parts = _texts(part, text, thought or False, signature)
        elif (call := part.object("functionCall")) is not None:
            parts = [self._call(call, signature)]
        elif (response := part.object("functionResponse")) is not None:
            parts = [self._response(response)]
        else:
            found = _media(part)
            parts = [found] if found is not None else _said_by_tools(part)
            if signature:
                parts.append(unpack(signature))
        self._keep(part)
        return parts

    def _call(self, call: Fields, signature: str) -> ToolCall:
        self._calls += 1
        name = call.text("name")
        ident = call.text("id") or f"call_{self._calls}"
        self._open.append((name, ident))
        args = call.take("args")
        if args is not None and not isinstance(args, dict):
            raise BadRequest(f"{call.at('args')} must be an object", call.at("args"))
        self._keep(call)
        proof = unpack(signature).signature if signature else ""
        arguments = msgspec.json.encode(args or {}).decode("utf-8")
        return ToolCall(ident=ident, name=name, arguments=arguments, signature=proof)

    def _response(self, response: Fields) -> ToolResult:
        name = response.text("name")
        ident = response.text("id") or self._answered(name, response)
        self._open = [pair for pair in self._open if pair[1] != ident]
        text, failed = _result(response.take("response"))
        parts: list[Text | Media] = [Text(text)]
        parts += [m for part in response.objects("parts") if (m := _media(part)) is not None]
        self._keep(response)
        return ToolResult(ident=ident, parts=tuple(parts), name=name, failed=failed)

    def _answered(self, name: str, response: Fields) -> str:
        for called, ident in self._open:
            if called == name:
                return ident
        message = f"{response.where} ({name!r}) answers no function call that came before it"
        raise BadRequest(message, response.where)


def _texts(part: Fields, text: Any, thought: bool, signature: str) -> list[Part]:
    if not isinstance(text, str):
        raise BadRequest(f"{part.at('text')} must be a string", part.at("text"))
    proof = unpack(signature) if signature else Reasoning()
    if thought:
        return [msgspec.structs.replace(proof, text=text)]
    parts: list[Part] = [Text(text)] if text or not signature else []
    return [*parts, proof] if signature else parts


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """Pieces of one text, or of one thought, that a client kept as they were streamed."""
    out: list[Part] = []
    for part in parts:
        last = out[-1] if out else None
        if isinstance(part, Text) and isinstance(last, Text):
            out[-1] = Text(last.text + part.text)
        elif isinstance(part, Reasoning) and isinstance(last, Reasoning) and not _proved(last):
            out[-1] = msgspec.structs.replace(part, text=last.text + part.text)
        else:
            out.append(part)
    return tuple(part for part in out if part not in (Text(""), Reasoning()))


def _proved(part: Reasoning) -> bool:
    return bool(part.signature or part.hidden or part.ident)


def _media(part: Fields) -> Media | None:
    blob, file = part.object("inlineData"), part.object("fileData")
    source = blob or file
    if source is None:
        return None
    level = part.object("mediaResolution")
    detail = _DETAILS.get(level.text("level"), "") if level is not None else ""
    kind = source.text("mimeType")
    name = source.text("displayName")
    general = _KINDS.get(kind.partition("/")[0])
    if blob is not None:
        data = plain_base64(blob.text("data"))
        if kind == "text/plain" and (text := _text_of(data)) is not None:
            return Media(kind="document", media_type=kind, text=text, name=name)
        return Media(
            kind=general or "document", media_type=kind, data=data, name=name, detail=detail
        )
    uri = source.text("fileUri")
    own = uri.startswith(OWN_FILES)
    return Media(
        kind=general or "document",
        media_type=kind,
        file_id=uri if own else "",
        url="" if own else uri,
        name=name,
        detail=detail,
    )


def plain_base64(data: str) -> str:
    """Google's SDKs write the URL-safe alphabet, which other vendors refuse."""
    data = data.replace("-", "+").replace("_", "/")
    return data + "=" * (-len(data) % 4)


def _text_of(data: str) -> str | None:
    try:
        return b64decode(data).decode("utf-8")
    except ValueError:
        return None


def _said_by_tools(part: Fields) -> list[Part]:
    """What Google's code tool wrote, as text: other vendors have no place for it."""
    code, result = part.object("executableCode"), part.object("codeExecutionResult")
    if code is not None:
        return [Text(f"\n```{code.text('language').lower()}\n{code.text('code')}\n```\n")]
    if result is not None:
        return [Text(f"\n```\n{result.text('output')}\n```\n")]
    return []


def _result(response: Any) -> tuple[str, bool]:
    """The text of a function's response, and whether it failed.

    Google's reference names two keys, `output` and `error`; any other object is the output itself.
    """
    if isinstance(response, dict) and len(response) == 1:
        for key, failed in (("output", False), ("error", True)):
            if key in response:
                value = response[key]
                return value if isinstance(value, str) else _json(value), failed
    return _json(response if response is not None else {}), False


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
