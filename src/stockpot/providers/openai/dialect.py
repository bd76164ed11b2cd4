"""OpenAI's dialect: what its SDKs send and expect. Knows JSON bodies; knows no vendor, no socket.

Requests are read shallowly; only a translated one is parsed in full.

Source: the API reference and OpenAPI description that OpenAI publishes (read November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stockpot.providers.base import Ask, BadRequest, Endpoint, Headers, Writer
from stockpot.providers.canon import Prompt
from stockpot.providers.openai import media
from stockpot.providers.openai.parse import parse_chat
from stockpot.providers.openai.write import ChatWriter


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _ChatBody(msgspec.Struct):
    model: str
    messages: msgspec.Raw
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    user: str | None = None


class _TextBody(msgspec.Struct):
    model: str
    prompt: msgspec.Raw = msgspec.Raw(b"")
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    n: int | None = None
    user: str | None = None


class _EmbeddingBody(msgspec.Struct):
    model: str
    input: msgspec.Raw
    user: str | None = None


_chat = msgspec.json.Decoder(_ChatBody)
_text = msgspec.json.Decoder(_TextBody)
_embedding = msgspec.json.Decoder(_EmbeddingBody)
_encode = msgspec.json.encode


_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class OpenAIDialect:
    """What OpenAI's SDKs send and expect."""

    name = "openai"
    paths: Mapping[bytes, Endpoint] = {
        b"/v1/chat/completions": "chat",
        b"/v1/completions": "completions",
        b"/v1/embeddings": "embeddings",
        **{b"/v1" + path.encode(): endpoint for endpoint, path in media.PATHS.items()},
    }
    below = b""

    def endpoint(self, path: bytes) -> Endpoint | None:
        return None

    def read(
        self, endpoint: Endpoint, body: bytes, path: bytes = b"", headers: Headers | None = None
    ) -> Ask:
        try:
            if endpoint == "chat":
                return self._read_chat(body)
            if endpoint == "completions":
                return _read_text(body)
            if endpoint == "embeddings":
                return _read_embedding(body)
            return media.read(endpoint, body, (headers or {}).get(b"content-type", b""))
        except msgspec.ValidationError as bad:
            message, _, where = str(bad).partition(" - at `$")
            param = where.strip("`.")
            raise BadRequest(f"{message}{f' at {param!r}' if param else ''}", param) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as bad:
            raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None

    def _read_chat(self, body: bytes) -> Ask:
        head = _chat.decode(body)
        return Ask(
            "openai",
            "chat",
            body,
            head.model,
            head.stream or False,
            head.stream_options is not None and head.stream_options.include_usage,
            len(memoryview(head.messages)) // 4 + 1,
            head.max_completion_tokens or head.max_tokens or 0,
            head.n or 1,
            head.user or "",
            self,
        )

    def parse(self, ask: Ask) -> Prompt:
        return parse_chat(ask.body)

    def writer(self, ask: Ask) -> Writer:
        return ChatWriter(ask)

    def error(self, status: int, message: str, code: str, param: str = "") -> bytes:
        kind = _KINDS.get(status, "api_error")
        body = {"message": message, "type": kind, "param": param or None, "code": code}
        return _encode({"error": body})


def _read_embedding(body: bytes) -> Ask:
    head = _embedding.decode(body)
    tokens = len(memoryview(head.input)) // 4 + 1
    return Ask("openai", "embeddings", body, head.model, False, True, tokens, 0, 1, head.user or "")


def _read_text(body: bytes) -> Ask:
    head = _text.decode(body)
    return Ask(
        "openai",
        "completions",
        body,
        head.model,
        head.stream or False,
        head.stream_options is not None and head.stream_options.include_usage,
        len(memoryview(head.prompt)) // 4 + 1,
        head.max_tokens or 16,
        head.n or 1,
        head.user or "",
    )
