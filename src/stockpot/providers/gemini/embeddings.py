"""OpenAI's embeddings asked of Gemini. Knows both bodies; knows no prompt.

Embeddings have no canonical form: only OpenAI's clients and servers and Gemini's know them here.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Literal

import msgspec

from stockpot.prices import Usage
from stockpot.providers.base import Ask, BadRequest, CannotExpress
from stockpot.providers.canon import JSON, Loss
from stockpot.providers.gemini.answer import UsageMetadata
from stockpot.providers.gemini.errors import BROKEN, status_of


class _Asked(msgspec.Struct, kw_only=True):
    input: str | list[str | int | list[int]]
    model: str
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class _Vector(msgspec.Struct):
    values: list[float]


class _Answer(msgspec.Struct):
    embeddings: list[_Vector]
    usageMetadata: UsageMetadata | None = None  # noqa: N815 - Google's name


_decode = msgspec.json.Decoder(_Asked).decode
_answer = msgspec.json.Decoder(_Answer)
_any_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def compose(body: bytes, model: str) -> tuple[bytes, tuple[Loss, ...]]:
    """The body of `batchEmbedContents`. `model` is a resource name."""
    try:
        asked = _decode(body)
    except msgspec.ValidationError as bad:
        message, _, place = str(bad).partition(" - at `$")
        raise BadRequest(message, place.strip("`.")) from None
    given = [asked.input] if isinstance(asked.input, str) else asked.input
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) != len(given):
        raise CannotExpress("Gemini embeds texts, not lists of tokens")
    each: JSON = {"model": model}
    if asked.dimensions is not None:
        each["outputDimensionality"] = asked.dimensions
    requests = [{**each, "content": {"parts": [{"text": text}]}} for text in texts]
    return msgspec.json.encode({"requests": requests}), tuple(_losses(body))


def _losses(body: bytes) -> list[Loss]:
    known = _Asked.__struct_fields__
    unknown = [name for name in _any_fields.decode(body) if name not in known or name == "user"]
    return [Loss(name, "Gemini has nothing like it") for name in unknown]


class Embedded:
    """Gemini's embeddings as an answer of OpenAI's."""

    def __init__(self, ask: Ask, model: str) -> None:
        self.content_type = b"application/json"
        self.usage: Usage | None = None
        self.finish_reason = self.response_id = self.failure = ""
        self.model = model
        self.started = self.ended = False
        self.pieces = 0
        self._base64 = _decode(ask.body).encoding_format == "base64"

    def feed(self, data: bytes) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""

    def complete(self, body: bytes) -> bytes:
        """Raises ValueError when it is no answer of `batchEmbedContents`."""
        answer = _answer.decode(body)
        self.started = self.ended = True
        tokens = answer.usageMetadata.promptTokenCount if answer.usageMetadata else 0
        if answer.usageMetadata is not None:
            self.usage = Usage(input=tokens)
        data = [
            {"object": "embedding", "index": index, "embedding": self._written(vector.values)}
            for index, vector in enumerate(answer.embeddings)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        whole = {"object": "list", "data": data, "model": self.model, "usage": usage}
        return msgspec.json.encode(whole)

    def _written(self, values: list[float]) -> list[float] | str:
        if not self._base64:
            return values
        return b64encode(struct.pack(f"<{len(values)}f", *values)).decode("ascii")

    def broken(self, message: str, code: str) -> bytes:
        return msgspec.json.encode(status_of(BROKEN, message, code))
