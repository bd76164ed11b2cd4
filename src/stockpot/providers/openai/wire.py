"""The OpenAI wire: any server that speaks OpenAI's dialect. Knows bodies and paths, no socket.

Same-dialect answers pass byte for byte, with one stated exception: when the client did not ask for
usage and the target is marked `inject`, the request gets `stream_options.include_usage` and the
extra event that it causes is taken out again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stockpot.providers.base import (
    Answer,
    Ask,
    CannotExpress,
    Endpoint,
    Outgoing,
    UpstreamTarget,
)
from stockpot.providers.canon import Loss
from stockpot.providers.model_name import named
from stockpot.providers.openai import media
from stockpot.providers.openai.compose import compose_chat
from stockpot.providers.openai.listen import OpenAIAnswer, error_text
from stockpot.providers.openai.native import NATIVE
from stockpot.providers.openai.read import ChatReader
from stockpot.providers.translate import Translated

PATHS: dict[Endpoint, str] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
}

_STREAMED = (b"text/event-stream", b"audio/", b"application/octet-stream")
"""Beginnings of content types; sound is passed on as it comes, like events."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


class OpenAIWire:
    """Any server that speaks OpenAI's dialect."""

    name = "openai"
    dialect = "openai"
    newest = False
    """Whether every server of this wire knows the newest names of fields, as OpenAI's own does."""

    def passes(self, ask: Ask, target: UpstreamTarget) -> bool:
        return ask.dialect == "openai" or (ask.dialect in target.native and ask.dialect in NATIVE)

    def is_stream(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return any(k == b"content-type" and v.startswith(_STREAMED) for k, v in headers)

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if ask.dialect in target.native and ask.dialect in NATIVE:
            return NATIVE[ask.dialect].outgoing(ask, target)
        if ask.endpoint in media.PATHS:
            return media.outgoing(ask, target)
        if ask.endpoint not in PATHS:
            raise CannotExpress(f"OpenAI's API has nothing like {ask.endpoint}")
        if not self.passes(ask, target):
            newest = self.newest or "//api.openai.com" in target.base_url
            return _composed(ask, target, newest)
        if "refuses" in target.options:
            return _without(ask, target)
        inject = ask.stream and not ask.wants_usage and target.stream_usage == "inject"
        return Outgoing(PATHS[ask.endpoint], (), _patched(ask, target.model, inject))

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer:
        if ask.dialect in target.native and ask.dialect in NATIVE:
            return NATIVE[ask.dialect].answer(ask, target)
        if ask.endpoint in media.PATHS:
            return media.answer(ask)
        if not self.passes(ask, target):
            assert ask.spoken is not None
            return Translated(ChatReader(), ask.spoken.writer(ask), ask.stream)
        return OpenAIAnswer(
            strip_usage=ask.stream and not ask.wants_usage and target.stream_usage == "inject"
        )

    def error_message(self, body: bytes) -> str:
        return error_text(body)


def _composed(ask: Ask, target: UpstreamTarget, newest: bool) -> Outgoing:
    if ask.endpoint != "chat":
        raise CannotExpress(f"{ask.endpoint} of {ask.dialect}'s format cannot be told to OpenAI's")
    body, losses = compose_chat(ask.prompt, target, ask.stream, ask.dialect, newest)
    return Outgoing(PATHS["chat"], (), _encode(body), losses)


def _without(ask: Ask, target: UpstreamTarget) -> Outgoing:
    """For a server that takes some fields for an error: they are left out aloud."""
    inject = ask.stream and not ask.wants_usage and target.stream_usage == "inject"
    fields = _fields.decode(_patched(ask, target.model, inject))
    losses = tuple(
        Loss(name, "this server takes it for an error")
        for name in target.options["refuses"].split(",")
        if fields.pop(name, None) is not None
    )
    return Outgoing(PATHS[ask.endpoint], (), _encode(fields), losses)


def _patched(ask: Ask, model: str, include_usage: bool) -> bytes:
    """The body with the target's model name; every other value keeps its bytes."""
    body = named(ask.body, ask.model, model)
    if not include_usage:
        return body
    fields = _fields.decode(body)
    options: dict[str, msgspec.Raw] = {}
    if (given := fields.get("stream_options")) is not None and bytes(given) != b"null":
        options = _fields.decode(given)
    options["include_usage"] = msgspec.Raw(b"true")
    fields["stream_options"] = msgspec.Raw(_encode(options))
    return _encode(fields)
