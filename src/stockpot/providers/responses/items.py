"""The input of a Responses request, item by item, as turns. Knows items; knows no other field.

Items of one side that follow each other are one turn. An item that only a server with a memory or
with tools of its own can read is refused, so that another target may be tried.

Source: the types of the `openai` package (`openai.types.responses`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from stockpot.core.errors import did_you_mean
from stockpot.providers.base import BadRequest, CannotExpress
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
from stockpot.providers.fields import Fields, wrong
from stockpot.providers.responses.proof import unwrapped

_ROLES: dict[str, Literal["user", "assistant", "system"]] = {
    "user": "user", "assistant": "assistant", "system": "system", "developer": "system",
}  # fmt: skip


class Items:
    """Gathers turns; `system` are the messages before the first of them."""

    def __init__(self, extra: dict[str, Any]) -> None:
        self.system: list[Text] = []
        self.turns: list[Turn] = []
        self._extra = extra
        self._signatures: dict[str, str] = {}

    def read(self, value: Any) -> None:
        """The whole `input`: a text or a list of items."""
        if type(value) is str:
            self.turns.append(Turn("user", (Text(value),)))
            return
        if type(value) is not list:
            raise wrong("input", "a string or an array of items", value)
        for number, item in enumerate(value):
            self._item(Fields(item, f"input[{number}]"))
        if self._signatures:
            self.turns = [self._signed(turn) for turn in self.turns]

    def _item(self, item: Fields) -> None:
        kind = item.text("type") or ("message" if "role" in item.left else "")
        if kind == "message":
            self._message(item)
        elif kind == "function_call":
            self._add("assistant", _call(item))
        elif kind == "function_call_output":
            self._add("user", self._output(item))
        elif kind == "reasoning":
            self._reasoning(item)
        elif not kind:
            raise BadRequest(f"{item.path('type')!r} is missing", item.path("type"))
        else:
            raise CannotExpress(
                f"{item.at!r} is of type {kind!r}, which only OpenAI's API can read"
            )
        item.leave(self._extra)

    def _add(self, role: Literal["user", "assistant", "system"], *parts: Part) -> None:
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == role:
            self.turns[-1] = msgspec.structs.replace(last, parts=(*last.parts, *parts))
        else:
            self.turns.append(Turn(role, parts))

    def _message(self, item: Fields) -> None:
        said = item.needed("role")
        if said not in _ROLES:
            at = item.path("role")
            near = did_you_mean(said, list(_ROLES))
            raise BadRequest(f"{at!r} must be {', '.join(_ROLES)}, not {said!r}.{near}", at)
        for name in ("id", "status"):
            item.take(name)
        parts = content_parts(item, "content", self._extra)
        role = _ROLES[said]
        if role != "system":
            self._add(role, *parts)
            return
        texts = [part for part in parts if isinstance(part, Text)]
        if len(texts) != len(parts):
            raise BadRequest(f"{item.path('content')!r} must be text here", item.path("content"))
        if self.turns:
            self._add("system", *texts)
        else:
            self.system += texts

    def _output(self, item: Fields) -> ToolResult:
        for name in ("id", "status"):
            item.take(name)
        ident = item.needed("call_id")
        parts = content_parts(item, "output", self._extra)
        good = tuple(part for part in parts if isinstance(part, Text | Media))
        if len(good) != len(parts):
            raise BadRequest(f"{item.path('output')!r} must be text or media", item.path("output"))
        return ToolResult(ident=ident, parts=good)

    def _reasoning(self, item: Fields) -> None:
        item.take("status")
        ident = item.text("id")
        said = [*item.items("content"), *item.items("summary")]
        texts = [Fields(each, f"{item.at}.summary").needed("text") for each in said]
        proof = unwrapped(item.text("encrypted_content"))
        if proof.kind == "call":
            self._signatures[proof.call] = proof.text
            return
        signature = proof.text if proof.kind == "signed" else ""
        hidden = proof.text if proof.kind == "hidden" else ""
        part = Reasoning(text="\n\n".join(texts), signature=signature, hidden=hidden, ident=ident)
        if part.text or part.signature or part.hidden:
            self._add("assistant", part)
        elif ident:
            raise CannotExpress(
                f"{item.at!r} names reasoning that is kept elsewhere; ask for "
                "'reasoning.encrypted_content' in 'include' and hand it back"
            )

    def _signed(self, turn: Turn) -> Turn:
        parts = tuple(
            msgspec.structs.replace(part, signature=self._signatures[part.ident])
            if isinstance(part, ToolCall) and part.ident in self._signatures
            else part
            for part in turn.parts
        )
        return msgspec.structs.replace(turn, parts=parts)


def _call(item: Fields) -> ToolCall:
    for name in ("id", "status"):
        item.take(name)
    return ToolCall(
        ident=item.needed("call_id"), name=item.needed("name"), arguments=item.needed("arguments")
    )


def content_parts(item: Fields, name: str, extra: dict[str, Any]) -> list[Part]:
    """Content that is a text or a list of parts."""
    content = item.take(name)
    if type(content) is str:
        return [Text(content)]
    at = item.path(name)
    if type(content) is not list:
        raise wrong(at, "a string or an array of parts", content)
    found = []
    for number, each in enumerate(content):
        part = Fields(each, f"{at}[{number}]")
        kind = part.needed("type")
        reader = _READERS.get(kind)
        if reader is None:
            near = did_you_mean(kind, list(_READERS))
            there = part.path("type")
            raise BadRequest(f"no content part of type {kind!r} at {there!r}.{near}", there)
        found.append(reader(part))
        part.leave(extra)
    return found


def _cache(part: Fields) -> str:
    mark = part.inner("prompt_cache_breakpoint")
    if mark is None:
        return ""
    return "1h" if mark.text("ttl") else "5m"  # OpenAI's are 30 minutes and 12 hours


def _text(part: Fields) -> Part:
    return Text(part.needed("text"), _cache(part))


def _output_text(part: Fields) -> Part:
    part.take("logprobs")
    text = part.needed("text")
    cited = [Fields(each, part.path("annotations")) for each in part.items("annotations")]
    return Text(text, "", tuple(_citation(each) for each in cited))


def _citation(each: Fields) -> Citation:
    return Citation(
        url=each.text("url"),
        title=each.text("title") or each.text("filename"),
        start=each.whole("start_index"),
        end=each.whole("end_index"),
        source=each.text("file_id"),
    )


def _refusal(part: Fields) -> Part:
    return Refusal(part.needed("refusal"))


def _image(part: Fields) -> Part:
    detail = part.text("detail")
    shown = "" if detail == "auto" else detail
    ident, cache = part.text("file_id"), _cache(part)
    if ident:
        return Media(kind="image", file_id=ident, detail=shown, cache=cache)
    media_type, data, url = _unpacked(part.needed("image_url"), part.path("image_url"))
    return Media(kind="image", media_type=media_type, data=data, url=url, detail=shown, cache=cache)


def _file(part: Fields) -> Part:
    name, ident, cache = part.text("filename"), part.text("file_id"), _cache(part)
    if part.text("detail") not in ("", "auto"):
        part.left["detail"] = "set"
    data, where = part.text("file_data"), part.text("file_url")
    if ident:
        return Media(kind="document", file_id=ident, name=name, cache=cache)
    if where:
        return Media(kind="document", url=where, name=name, cache=cache)
    if not data:
        at = part.path("file_data")
        raise BadRequest(f"{at!r} is missing, and so are 'file_url' and 'file_id'", at)
    media_type, data, _ = _unpacked(data, part.path("file_data"), "application/pdf")
    return Media(kind="document", media_type=media_type, data=data, name=name, cache=cache)


def _audio(part: Fields) -> Part:
    inner = part.inner("input_audio")
    if inner is None:
        raise BadRequest(f"{part.path('input_audio')!r} is missing", part.path("input_audio"))
    said = inner.needed("format")
    media_type = "audio/mpeg" if said == "mp3" else f"audio/{said}"
    return Media(kind="audio", media_type=media_type, data=inner.needed("data"))


def _unpacked(where: str, at: str, plain: str = "") -> tuple[str, str, str]:
    """Media type, base64 data and URL; `plain` is the type of data that is not in a data URL."""
    if not where.startswith("data:"):
        return (plain, where, "") if plain and "://" not in where else ("", "", where)
    head, comma, data = where[5:].partition(",")
    if not comma:
        raise BadRequest(f"{at!r} is a data URL without data", at)
    media_type, *how = head.split(";")
    if "base64" not in how:
        data = b64encode(unquote_to_bytes(data)).decode()
    return media_type or plain, data, ""


_READERS: dict[str, Callable[[Fields], Part]] = {
    "input_text": _text,
    "output_text": _output_text,
    "text": _text,
    "summary_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
