"""The OpenAI wire: any server that speaks OpenAI's dialect. Knows bodies and paths, no socket.

Same-dialect answers pass byte for byte, with one stated exception: when the client did not ask for
usage and the target is marked `inject`, the request gets `stream_options.include_usage` and the
extra event that it causes is taken out again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stockpot.providers.base import Ask, CannotExpress, Endpoint, Outgoing, UpstreamTarget
from stockpot.providers.openai.listen import OpenAIAnswer, error_text

PATHS: dict[Endpoint, str] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
}


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


class OpenAIWire:
    """Any server that speaks OpenAI's dialect."""

    name = "openai"
    dialect = "openai"

    def passes(self, ask: Ask, target: UpstreamTarget) -> bool:
        return ask.dialect == "openai"

    def is_stream(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return any(k == b"content-type" and v.startswith(b"text/event-stream") for k, v in headers)

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if ask.endpoint not in PATHS:
            raise CannotExpress(f"OpenAI's API has nothing like {ask.endpoint}")
        body = ask.body
        inject = ask.stream and not ask.wants_usage and target.stream_usage == "inject"
        if ask.model != target.model or inject:
            body = _patched(body, target.model, inject)
        return Outgoing(PATHS[ask.endpoint], (), body)

    def answer(self, ask: Ask, target: UpstreamTarget) -> OpenAIAnswer:
        return OpenAIAnswer(
            strip_usage=ask.stream and not ask.wants_usage and target.stream_usage == "inject"
        )

    def error_message(self, body: bytes) -> str:
        return error_text(body)


def _patched(body: bytes, model: str, include_usage: bool) -> bytes:
    """The body with another model name; every other value keeps its bytes."""
    if not include_usage:
        begin, end = _model_value(body)
        if end:
            return b"%b%b%b" % (body[:begin], _encode(model), body[end:])
    fields = _fields.decode(body)
    fields["model"] = msgspec.Raw(_encode(model))
    if include_usage:
        options: dict[str, msgspec.Raw] = {}
        if (given := fields.get("stream_options")) is not None and bytes(given) != b"null":
            options = _fields.decode(given)
        options["include_usage"] = msgspec.Raw(b"true")
        fields["stream_options"] = msgspec.Raw(_encode(options))
    return _encode(fields)


_MODEL = b'"model":"'


def _model_value(body: bytes) -> tuple[int, int]:
    """Where the model's name stands, quotes included, if that is plain to see; else two zeros.

    It is when the name comes first, or when nothing but plain values stands behind it: a quote in a
    string is escaped, so the mark is a key, and no object is open but the outermost.
    """
    at = 1 if body.startswith(b"{" + _MODEL) else body.rfind(_MODEL)
    if at < 0:
        return 0, 0
    begin = at + len(_MODEL)
    end = body.find(b'"', begin) + 1
    if b"\\" in body[begin:end]:
        return 0, 0
    if at > 1:
        rest = body[end:]
        if b"{" in rest or rest.count(b"}") != 1:
            return 0, 0
    return begin - 1, end
