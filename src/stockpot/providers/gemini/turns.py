"""Canonical turns as Gemini's contents. Knows parts and what they cannot say; knows no settings.

Sources: the Gemini API's pages on function calling, thought signatures and file input, and the
types of the google-genai package (read November 2026).
"""

from __future__ import annotations

from base64 import b64encode
from mimetypes import guess_type
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    JSON,
    Loss,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from stockpot.providers.gemini.content import OWN_FILES
from stockpot.providers.gemini.signatures import unmarked

_Role = Literal["user", "model"]
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
UNPROVED = "skip_thought_signature_validator"
"""What Google documents for function calls that no model of its own made: Gemini 3 and later refuse
a step whose first function call has no signature."""


class Losses:
    """What could not be said, each field once."""

    def __init__(self) -> None:
        self._found: dict[str, Loss] = {}

    def add(self, field: str, why: str, kind: Literal["hint", "content"] = "hint") -> None:
        self._found.setdefault(field, Loss(field, why, kind))

    @property
    def all(self) -> tuple[Loss, ...]:
        return tuple(self._found.values())


class Turns:
    """Writes the turns of one prompt. `recent` says that the model is Gemini 3 or later."""

    def __init__(self, losses: Losses, recent: bool, names_files: bool) -> None:
        self._losses = losses
        self._recent = recent
        self._names_files = names_files
        self._called: dict[str, str] = {}

    def contents(self, turns: tuple[Turn, ...]) -> list[JSON]:
        out: list[JSON] = []
        for role, parts in self._runs(turns):
            if role == "model":
                written = self._model(parts)
                if written:
                    out.append({"role": "model", "parts": written})
                continue
            # Responses must follow their calls at once, all of them in one content.
            results = [self._result(p) for p in parts if isinstance(p, ToolResult)]
            rest = [w for p in parts if not isinstance(p, ToolResult) for w in self._one(p)]
            out += [{"role": "user", "parts": found} for found in (results, rest) if found]
        return out

    def _runs(self, turns: tuple[Turn, ...]) -> list[tuple[_Role, list[Part]]]:
        """Turns of one role that follow each other are one."""
        runs: list[tuple[_Role, list[Part]]] = []
        for turn in turns:
            role: _Role = "model" if turn.role == "assistant" else "user"
            if turn.role == "system":
                why = "Gemini takes system instructions at the beginning only; sent as a user's"
                self._losses.add("system", why)
            if turn.name:
                self._losses.add("name", "Gemini's contents have no author's name")
            if runs and runs[-1][0] == role:
                runs[-1][1].extend(turn.parts)
            else:
                runs.append((role, list(turn.parts)))
        return runs

    def _model(self, parts: list[Part]) -> list[JSON]:
        written = [one for part in parts for one in self._one(part)]
        first = next((one for one in written if "functionCall" in one), None)
        if self._recent and first is not None and "thoughtSignature" not in first:
            first["thoughtSignature"] = UNPROVED
        return written

    def _one(self, part: Part) -> list[JSON]:
        if isinstance(part, Text):
            return self._text(part)
        if isinstance(part, Refusal):
            return [{"text": part.text}]
        if isinstance(part, Media):
            return [found] if (found := self._media(part)) else []
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        if isinstance(part, ToolCall):
            return [self._call(part)]
        return [self._result(part)]

    def text(self, text: Text) -> JSON:
        """A part of text, marks and citations apart."""
        if text.cache:
            self._losses.add("cache_control", "Gemini caches prompts by itself, without marks")
        if text.citations:
            self._losses.add("citations", "Gemini takes no citations back")
        return {"text": text.text}

    def _text(self, text: Text) -> list[JSON]:
        written = self.text(text)
        return [written] if text.text else []

    def _reasoning(self, part: Reasoning) -> list[JSON]:
        own = unmarked(part.signature)
        if (part.signature and not own) or part.hidden:
            why = "its proof is another vendor's, which Gemini cannot read"
            self._losses.add("reasoning.signature", why)
        if part.text:
            thought: JSON = {"text": part.text, "thought": True}
            return [{**thought, "thoughtSignature": own} if own else thought]
        return [{"text": "", "thoughtSignature": own}] if own else []

    def _call(self, call: ToolCall) -> JSON:
        self._called[call.ident] = call.name
        try:
            args: Any = _object.decode(call.arguments or "{}")
        except (msgspec.MsgspecError, UnicodeEncodeError):
            why = "these are no JSON object, so they are handed back as text"
            self._losses.add("tool_calls.arguments", why)
            args = {"arguments": call.arguments}
        written: JSON = {"functionCall": {"id": call.ident, "name": call.name, "args": args}}
        if own := unmarked(call.signature):
            written["thoughtSignature"] = own
        if call.cache:
            self._losses.add("cache_control", "Gemini caches prompts by itself, without marks")
        return written

    def _result(self, result: ToolResult) -> JSON:
        name = result.name or self._called.get(result.ident, "")
        if not name:
            message = f"the tool result {result.ident!r} answers no tool call that came before it"
            raise BadRequest(message, "messages")
        text = "".join(part.text for part in result.parts if isinstance(part, Text))
        media = [self._media(part) for part in result.parts if isinstance(part, Media)]
        response: JSON = {"id": result.ident, "name": name, "response": _response(text, result)}
        if found := [part for part in media if part]:
            response["parts"] = found
        if result.cache or any(part.cache for part in result.parts):
            self._losses.add("cache_control", "Gemini caches prompts by itself, without marks")
        return {"functionResponse": response}

    # media

    def _media(self, media: Media) -> JSON | None:
        if media.cite:
            self._losses.add("citations", "Gemini does not cite documents of the request")
        if media.cache:
            self._losses.add("cache_control", "Gemini caches prompts by itself, without marks")
        written = self._source(media)
        if written is None:
            return None
        if media.name:
            self._name(media.name, written)
        if media.detail:
            self._detail(media.detail, written)
        return written

    def _source(self, media: Media) -> JSON | None:
        if media.text:
            data = b64encode(media.text.encode("utf-8")).decode("ascii")
            return {"inlineData": {"mimeType": media.media_type or "text/plain", "data": data}}
        kind = media.media_type
        if media.data:
            if kind:
                return {"inlineData": {"mimeType": kind, "data": media.data}}
            return self._lost(media, "its media type is not said")
        where = media.url or media.file_id
        if media.file_id and not media.file_id.startswith(OWN_FILES):
            return self._lost(media, "this file is kept by another vendor")
        kind = kind or guess_type(urlsplit(where).path)[0] or ""
        if not kind and media.url:
            return self._lost(media, f"the media type of {where!r} is not said")
        return {"fileData": {"fileUri": where, **({"mimeType": kind} if kind else {})}}

    def _lost(self, media: Media, why: str) -> JSON | None:
        self._losses.add(media.kind, why, "content")
        return None

    def _name(self, name: str, written: JSON) -> None:
        if self._names_files:
            next(iter(written.values()))["displayName"] = name
        else:
            self._losses.add("filename", "the Gemini API has no name for a file")

    def _detail(self, detail: str, written: JSON) -> None:
        if detail == "auto":
            return
        if self._recent:
            written["mediaResolution"] = {"level": f"MEDIA_RESOLUTION_{detail.upper()}"}
        else:
            self._losses.add("detail", "models before Gemini 3 have no resolution for one part")


def _response(text: str, result: ToolResult) -> Any:
    """Google's reference names two keys, `output` and `error`; any other object is the output."""
    if result.failed:
        return {"error": text}
    try:
        given = _object.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return {"output": text}
    return {"output": text} if given.keys() & {"output", "error"} else given
