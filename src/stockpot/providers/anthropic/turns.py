"""Turns of a `Prompt` as Anthropic's messages. Knows the order that Anthropic wants; no request.

Turns of one role that follow each other become one message; in a user's message the results of
tools come first. What no block can hold is left out and stated.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from stockpot.providers.anthropic.proofs import is_own
from stockpot.providers.canon import (
    Loss,
    Media,
    Part,
    Prompt,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)

Block = dict[str, Any]

_IMAGES = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp"))
_ODD = re.compile(r"[^a-zA-Z0-9_-]")


def marked(block: Block, cache: str) -> Block:
    """With a cache mark, where there is one."""
    if cache:
        mark = {"type": "ephemeral"}
        block["cache_control"] = {**mark, "ttl": "1h"} if cache == "1h" else mark
    return block


class Turns:
    """Composes messages and remembers which tool call waits for its result."""

    def __init__(self, losses: list[Loss], *, system_turns: bool, native: bool) -> None:
        self._losses = losses
        self._system_turns = system_turns
        self._native = native
        self._made = 0
        self._waiting: list[tuple[str, str]] = []

    def composed(self, prompt: Prompt) -> tuple[list[Block], list[Block]]:
        """Messages, and the blocks of the system's text."""
        system = [
            marked({"type": "text", "text": t.text}, t.cache) for t in prompt.system if t.text
        ]
        messages: list[Block] = []
        for turn in prompt.turns:
            self._add(messages, turn)
        if not messages and system:
            self._lose("messages", "Anthropic wants a user's turn; the system's text became one")
            return [{"role": "user", "content": system}], []
        if messages and messages[0]["role"] != "user":
            self._lose("messages", "Anthropic's first turn is the user's; one was put before")
            messages.insert(0, {"role": "user", "content": [_text("(The conversation begins.)")]})
        _finish(messages)
        return messages, system

    def _lose(self, field: str, why: str) -> None:
        self._losses.append(Loss(field, why))

    def _miss(self, field: str, why: str) -> None:
        self._losses.append(Loss(field, why, "content"))

    def _add(self, messages: list[Block], turn: Turn) -> None:
        if turn.name:
            self._lose("name", "Anthropic's turns have no names")
        blocks = [block for part in turn.parts for block in self._blocks(part, turn.role)]
        if not blocks:
            return
        role: str = turn.role
        if role == "system" and not (
            self._system_turns and messages and messages[-1]["role"] == "user"
        ):
            why = "here Anthropic takes a system's text only as the user's"
            self._lose("messages.system", why)
            role = "user"
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})

    def _blocks(self, part: Part, role: str) -> list[Block]:
        if isinstance(part, Text):
            if part.citations:
                self._lose("citations", "Anthropic takes back only citations of its own")
            return [marked(_text(part.text), part.cache)] if part.text else []
        if isinstance(part, Media):
            if part.kind == "document" and role == "assistant":
                self._miss("document", "Anthropic takes documents from the user only")
                return []
            return self._media(part)
        if isinstance(part, ToolCall):
            return [self._call(part)]
        if isinstance(part, ToolResult):
            return [self._result(part)]
        if isinstance(part, Refusal):
            return [_text(part.text)] if part.text else []
        return self._reasoning(part)

    def _reasoning(self, part: Reasoning) -> list[Block]:
        if part.ident or not is_own(part.hidden or part.signature):
            self._lose("reasoning", "Anthropic takes back only reasoning that it signed")
            return []
        if part.hidden:
            return [{"type": "redacted_thinking", "data": part.hidden}]
        return [{"type": "thinking", "thinking": part.text, "signature": part.signature}]

    # Tools.

    def _call(self, part: ToolCall) -> Block:
        if part.signature:
            self._lose("tool_call.signature", "not Anthropic's")
        ident = _ODD.sub("_", part.ident)
        if not ident:
            self._made += 1
            ident = f"toolu_{self._made}"
        self._waiting.append((part.name, ident))
        made = {
            "type": "tool_use",
            "id": ident,
            "name": part.name,
            "input": self._input(part.arguments),
        }
        return marked(made, part.cache)

    def _input(self, arguments: str) -> object:
        if not arguments.strip():
            return {}
        try:
            given = msgspec.json.decode(arguments)
        except msgspec.MsgspecError:
            given = None
        if isinstance(given, dict):
            return given
        self._lose("tool_call.arguments", "no JSON object; handed on as the text of one field")
        return {"arguments": arguments}

    def _result(self, part: ToolResult) -> Block:
        blocks = [block for one in part.parts for block in self._blocks(one, "user")]
        made: Block = {"type": "tool_result", "tool_use_id": self._ident_of(part)}
        if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
            made["content"] = blocks[0]["text"]
        elif blocks:
            made["content"] = blocks
        if part.failed:
            made["is_error"] = True
        return marked(made, part.cache)

    def _ident_of(self, part: ToolResult) -> str:
        """Of the call that a result answers; without an id, the first that waits by that name."""
        ident = _ODD.sub("_", part.ident)
        for waiting in self._waiting:
            if ident == waiting[1] or (not ident and part.name in ("", waiting[0])):
                self._waiting.remove(waiting)
                return waiting[1]
        return ident or "toolu_unknown"

    # Media.

    def _media(self, part: Media) -> list[Block]:
        if part.kind not in ("image", "document"):
            self._miss(part.kind, f"Anthropic takes no {part.kind}")
            return []
        if part.detail:
            self._lose("detail", "Anthropic chooses the resolution itself")
        source = self._image(part) if part.kind == "image" else self._document(part)
        if source is None:
            return []
        made: Block = {"type": part.kind, "source": source}
        if part.kind == "document":
            if part.name:
                made["title"] = part.name
            if part.cite:
                made["citations"] = {"enabled": True}
        return [marked(made, part.cache)]

    def _image(self, part: Media) -> Block | None:
        if part.url:
            return {"type": "url", "url": part.url}
        if part.file_id:
            return self._file(part)
        if part.media_type not in _IMAGES:
            self._miss("image", f"Anthropic takes no {part.media_type or 'unnamed kind'}")
            return None
        return {"type": "base64", "media_type": part.media_type, "data": part.data}

    def _document(self, part: Media) -> Block | None:
        if part.text:
            return {"type": "text", "media_type": "text/plain", "data": part.text}
        if part.url:
            return {"type": "url", "url": part.url}
        if part.file_id:
            return self._file(part)
        if part.media_type in ("application/pdf", ""):
            return {"type": "base64", "media_type": "application/pdf", "data": part.data}
        text = _plain(part) if _is_text(part.media_type) else None
        if text is None:
            self._miss("document", f"Anthropic takes no {part.media_type}")
            return None
        return {"type": "text", "media_type": "text/plain", "data": text}

    def _file(self, part: Media) -> Block | None:
        if not self._native:
            self._miss("file_id", "the file lies at another vendor")
            return None
        return {"type": "file", "file_id": part.file_id}


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in ("application/json", "application/xml")


def _plain(part: Media) -> str | None:
    try:
        return base64.b64decode(part.data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _finish(messages: list[Block]) -> None:
    """Results of tools first, no blanks at the end of a last turn that the model goes on with, and
    a lone plain text as a string."""
    for message in messages:
        blocks = message["content"]
        if message["role"] == "user" and len(blocks) > 1:
            blocks.sort(key=lambda block: block["type"] != "tool_result")
    if messages and messages[-1]["role"] == "assistant":
        last = messages[-1]["content"][-1]
        if last["type"] == "text" and last["text"].rstrip():
            last["text"] = last["text"].rstrip()
    for message in messages:
        blocks = message["content"]
        if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
            message["content"] = blocks[0]["text"]
