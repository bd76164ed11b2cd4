"""Parts of a prompt as Converse's content blocks. Knows the block types; knows no other field.

Source: the service model of Bedrock Runtime in botocore (2023-09-30).
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import msgspec

from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    Loss,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

JSON = dict[str, Any]

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif",
           "image/webp": "webp"}  # fmt: skip
_DOCUMENTS = {
    "application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc", "text/html": "html",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls", "text/plain": "txt", "text/markdown": "md",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}  # fmt: skip
_VIDEOS = {
    "video/x-matroska": "mkv", "video/quicktime": "mov", "video/mp4": "mp4", "video/webm": "webm",
    "video/x-flv": "flv", "video/mpeg": "mpeg", "video/x-ms-wmv": "wmv", "video/3gpp": "three_gp",
}  # fmt: skip
_SOUNDS = {
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav",
    "audio/opus": "opus", "audio/aac": "aac", "audio/flac": "flac", "audio/mp4": "mp4",
    "audio/ogg": "ogg", "audio/webm": "webm", "audio/x-m4a": "m4a",
}  # fmt: skip
_FORMATS = {"image": _IMAGES, "document": _DOCUMENTS, "video": _VIDEOS, "audio": _SOUNDS}
_IN_RESULTS = ("image", "document", "video")
_IDENT = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9\-()\[\] ]+")


def cache_point(lifetime: str) -> JSON:
    """A vendor's cache mark; Bedrock's own default is five minutes."""
    point = {"type": "default"}
    if lifetime == "1h":
        point["ttl"] = lifetime
    return {"cachePoint": point}


def tool_ident(ident: str) -> str:
    """The same id wherever it occurs, in the letters that Converse takes."""
    if _IDENT.fullmatch(ident):
        return ident
    return "call_" + hashlib.sha256(ident.encode("utf-8", "replace")).hexdigest()[:40]


class Blocks:
    """Makes blocks; `losses` gathers what they could not say."""

    def __init__(self, losses: list[Loss], keeps_unsigned: bool) -> None:
        self._losses = losses
        self._keeps_unsigned = keeps_unsigned
        """Whether reasoning that nobody signed may go back to the model."""
        self._documents = 0

    def of(self, part: Part) -> list[JSON]:
        """The block of a part, and the cache mark behind it."""
        if isinstance(part, Text):
            if part.citations:
                self._hint("citations", "a quoted answer goes back to Bedrock as plain text")
            blocks = [{"text": part.text}] if part.text else []
        elif isinstance(part, Media):
            blocks = self._media(part)
        elif isinstance(part, ToolCall):
            blocks = [self._call(part)]
        elif isinstance(part, ToolResult):
            blocks = [self._result(part)]
        elif isinstance(part, Reasoning):
            return self._reasoning(part)
        else:
            assert isinstance(part, Refusal)
            return [{"text": part.text}] if part.text else []
        if part.cache and blocks:
            blocks.append(cache_point(part.cache))
        return blocks

    def _hint(self, field: str, why: str) -> None:
        self._losses.append(Loss(field, why))

    def _content(self, field: str, why: str) -> list[JSON]:
        self._losses.append(Loss(field, why, "content"))
        return []

    def _media(self, media: Media) -> list[JSON]:
        kind = media.kind
        if kind == "document" and media.text:
            return [self._document(media, "txt", {"text": media.text})]
        source = _source(media)
        if source is None:
            why = "Bedrock takes it by its bytes or from S3, by no other address and no file id"
            return self._content(kind, why)
        form = _FORMATS[kind].get(media.media_type.partition(";")[0].strip().lower(), "")
        if not form and "s3Location" in source:
            form = _FORMATS[kind].get(_guessed(media.url), "")
        if not form:
            return self._content(kind, f"Bedrock takes no {media.media_type or 'untyped'!r}")
        if media.detail and media.detail != "auto":
            self._hint("detail", "Bedrock has one resolution for all images")
        if kind == "document":
            return [self._document(media, form, source)]
        return [{kind: {"format": form, "source": source}}]

    def _document(self, media: Media, form: str, source: JSON) -> JSON:
        self._documents += 1
        name = " ".join(_NOT_IN_NAMES.sub(" ", media.name).split())[:200]
        block: JSON = {
            "format": form,
            "name": name or f"document {self._documents}",
            "source": source,
        }
        if media.cite:
            block["citations"] = {"enabled": True}
        return {"document": block}

    def _call(self, call: ToolCall) -> JSON:
        try:
            value = msgspec.json.decode(call.arguments) if call.arguments.strip() else {}
        except msgspec.DecodeError as bad:
            raise BadRequest(
                f"the arguments of the tool call {call.ident!r} are not JSON: {bad}", "arguments"
            ) from None
        if call.signature:
            self._hint("signature", "Bedrock has no signatures of tool calls")
        ident = tool_ident(call.ident)
        return {"toolUse": {"toolUseId": ident, "name": call.name, "input": value}}

    def _result(self, result: ToolResult) -> JSON:
        content: list[JSON] = []
        for part in result.parts:
            if isinstance(part, Media) and part.kind not in _IN_RESULTS:
                self._content(part.kind, "Bedrock takes none in the result of a tool")
            else:
                content += self.of(part)
        said: JSON = {
            "toolUseId": tool_ident(result.ident),
            "content": content or [{"text": ""}],
        }
        if result.failed:
            said["status"] = "error"
        return {"toolResult": said}

    def _reasoning(self, part: Reasoning) -> list[JSON]:
        if part.hidden:
            return [{"reasoningContent": {"redactedContent": _base64(part.hidden)}}]
        # A proof with a colon is another vendor's: those of Bedrock's models are base64.
        foreign = ":" in part.signature
        if foreign or (not part.signature and not self._keeps_unsigned):
            self._hint("reasoning", "this model takes back only reasoning that it signed")
            return []
        said = {"text": part.text}
        if part.signature:
            said["signature"] = part.signature
        return [{"reasoningContent": {"reasoningText": said}}]


def _source(media: Media) -> JSON | None:
    if media.data:
        return {"bytes": media.data}
    if media.url.startswith("s3://"):
        return {"s3Location": {"uri": media.url}}
    return None


def _guessed(url: str) -> str:
    """The media type that the name of an object in S3 tells."""
    ending = url.rpartition(".")[2].lower()
    for types in _FORMATS.values():
        for kind, form in types.items():
            if ending in (form, kind.rpartition("/")[2]):
                return kind
    return ""


def _base64(hidden: str) -> str:
    """What was redacted, as it came; another vendor's secret is wrapped to be base64 at all."""
    try:
        base64.b64decode(hidden, validate=True)
    except ValueError:
        return base64.b64encode(hidden.encode()).decode()
    return hidden
