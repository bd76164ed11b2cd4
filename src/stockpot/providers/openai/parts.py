"""Parts of a message's content in OpenAI's chat format, read. Knows no message and no vendor.

Beside OpenAI's own it takes what clients of this format send to other servers: cache marks, video,
thinking blocks, and URLs where a file's data would be.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from stockpot.core.errors import did_you_mean
from stockpot.providers.base import BadRequest
from stockpot.providers.canon import Media, Reasoning, Refusal, Text
from stockpot.providers.fields import Fields, wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.providers.canon import Part

MediaKind = Literal["image", "audio", "video", "document"]
_KINDS: dict[str, MediaKind] = {"image": "image", "audio": "audio", "video": "video"}
_AUDIO_TYPES = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}


def content_parts(message: Fields, extra: dict[str, Any], name: str = "content") -> list[Part]:
    """The parts of a content that is a string, an array of parts, or null."""
    content = message.take(name)
    if type(content) is str:
        return [Text(content)]
    if content is None:
        return []
    if type(content) is not list:
        raise wrong(message.path(name), "a string or an array of parts", content)
    at = message.path(name)
    return [_part(Fields(item, f"{at}[{number}]"), extra) for number, item in enumerate(content)]


def texts(message: Fields, extra: dict[str, Any], name: str = "content") -> tuple[Text, ...]:
    """Content that may hold nothing but text."""
    found = content_parts(message, extra, name)
    for number, part in enumerate(found):
        if type(part) is not Text:
            at = f"{message.path(name)}[{number}]"
            raise BadRequest(f"{at!r} must be text here", at)
    return tuple(part for part in found if type(part) is Text)


def cache_mark(part: Fields) -> str:
    """The lifetime that a cache mark asks for, '' without one."""
    mark = part.inner("cache_control")
    if mark is not None:
        return mark.text("ttl") or "5m"
    mark = part.inner("prompt_cache_breakpoint")
    if mark is None:
        return ""
    return "1h" if mark.text("ttl") else "5m"  # OpenAI's are 30 minutes and 12 hours


def media(kind: MediaKind, url: str, at: str, media_type: str = "", **more: Any) -> Media:
    """What a URL points to; the data of a data URL is taken out of it."""
    if not url.startswith("data:"):
        return Media(kind=kind, url=url, media_type=media_type, **more)
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise BadRequest(f"{at!r} is a data URL without data", at)
    said, *how = head.split(";")
    if "base64" not in how:
        data = b64encode(unquote_to_bytes(data)).decode()
    return Media(kind=kind, data=data, media_type=said or media_type, **more)


def _part(part: Fields, extra: dict[str, Any]) -> Part:
    kind = part.text("type") or ("text" if "text" in part.left else "")
    reader = _READERS.get(kind)
    if reader is None:
        at = part.path("type")
        known = ", ".join(_READERS)
        near = did_you_mean(kind, list(_READERS))
        raise BadRequest(f"no content part of type {kind!r} at {at!r}.{near} There are {known}", at)
    made = reader(part)
    part.leave(extra)
    return made


def _text(part: Fields) -> Text:
    return Text(part.needed("text"), cache_mark(part))


def _refusal(part: Fields) -> Refusal:
    return Refusal(part.needed("refusal"))


def _pointed(part: Fields, name: str) -> tuple[str, Fields]:
    """A URL that stands in an object, or alone."""
    if type(part.left.get(name)) is str:
        return part.needed(name), Fields({})
    inner = part.inner(name)
    if inner is None:
        raise BadRequest(f"{part.path(name)!r} is missing", part.path(name))
    return inner.needed("url"), inner


def _image(part: Fields) -> Media:
    url, inner = _pointed(part, "image_url")
    detail = inner.text("detail") or part.text("detail")
    return media(
        "image",
        url,
        part.path("image_url"),
        media_type=inner.text("format"),
        detail="" if detail == "auto" else detail,
        cache=cache_mark(part),
    )


def _video(part: Fields) -> Media:
    url, inner = _pointed(part, "video_url")
    said = inner.text("format")
    return media("video", url, part.path("video_url"), media_type=said, cache=cache_mark(part))


def _audio(part: Fields) -> Media:
    inner = part.inner("input_audio")
    if inner is None:
        raise BadRequest(f"{part.path('input_audio')!r} is missing", part.path("input_audio"))
    said = inner.text("format")
    media_type = _AUDIO_TYPES.get(said) or (f"audio/{said}" if said else "")
    data = inner.needed("data")
    return Media(kind="audio", media_type=media_type, data=data, cache=cache_mark(part))


def _file(part: Fields) -> Media:
    inner = part.inner("file")
    if inner is None:
        raise BadRequest(f"{part.path('file')!r} is missing", part.path("file"))
    name, said, cache = inner.text("filename"), inner.text("format"), cache_mark(part)
    ident, data = inner.text("file_id"), inner.text("file_data")
    if not data and "://" not in ident:
        if not ident:
            at = inner.path("file_data")
            raise BadRequest(f"{at!r} is missing, and so is 'file_id'", at)
        return Media(kind="document", file_id=ident, name=name, media_type=said, cache=cache)
    where = data or ident
    if not where.startswith("data:") and "://" not in where:
        media_type = said or "application/pdf"
        return Media(kind="document", data=where, name=name, media_type=media_type, cache=cache)
    made = media("document", where, inner.path("file_data"), said, name=name, cache=cache)
    kind = _KINDS.get(made.media_type.partition("/")[0], "document")
    return made if kind == "document" else msgspec.structs.replace(made, kind=kind)


def thinking(part: Fields) -> Reasoning:
    """A thinking block as Anthropic's and some servers of this format hand it out."""
    return Reasoning(text=part.text("thinking"), signature=part.text("signature"))


def hidden_thinking(part: Fields) -> Reasoning:
    return Reasoning(hidden=part.needed("data"))


_READERS: dict[str, Callable[[Fields], Part]] = {
    "text": _text,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
    "refusal": _refusal,
    "video_url": _video,
    "thinking": thinking,
    "redacted_thinking": hidden_thinking,
}
