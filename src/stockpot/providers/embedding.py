"""OpenAI's embeddings asked of other formats. Knows what is common to them; knows no vendor's body.

Embeddings have no canonical form: OpenAI's clients are translated to all, Gemini's to Vertex AI.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from stockpot.prices import Usage
from stockpot.providers.base import Ask, BadRequest, CannotExpress
from stockpot.providers.canon import Loss


class _Asked(msgspec.Struct, kw_only=True):
    input: str | list[str | int | list[int]]
    model: str
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


_decode = msgspec.json.Decoder(_Asked).decode
_any_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Texts(NamedTuple):
    """What is to be embedded; `losses` are the fields that `vendor` has no words for."""

    texts: tuple[str, ...]
    dimensions: int | None
    losses: tuple[Loss, ...]


class Vectors(NamedTuple):
    """An answer; `tokens` None where the vendor does not count them."""

    vectors: list[list[float]]
    tokens: int | None


def asked(body: bytes, vendor: str) -> Texts:
    """Raises BadRequest, and CannotExpress for lists of tokens."""
    try:
        said = _decode(body)
    except msgspec.ValidationError as bad:
        message, _, place = str(bad).partition(" - at `$")
        raise BadRequest(message, place.strip("`.")) from None
    given = [said.input] if isinstance(said.input, str) else said.input
    texts = tuple(text for text in given if isinstance(text, str))
    if len(texts) != len(given):
        raise CannotExpress(f"{vendor} embeds texts, not lists of tokens")
    known = _Asked.__struct_fields__
    unknown = [name for name in _any_fields.decode(body) if name not in known or name == "user"]
    losses = tuple(Loss(name, f"{vendor} has nothing like it") for name in unknown)
    return Texts(texts, said.dimensions, losses)


def as_openai(ask: Ask, model: str) -> Callable[[Vectors], bytes]:
    """Writes vectors as OpenAI's answer to this request."""
    base64 = _decode(ask.body).encoding_format == "base64"

    def write(found: Vectors) -> bytes:
        tokens = found.tokens or 0
        data = [
            {"object": "embedding", "index": index, "embedding": _written(vector, base64)}
            for index, vector in enumerate(found.vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        whole = {"object": "list", "data": data, "model": model, "usage": usage}
        return msgspec.json.encode(whole)

    return write


def _written(values: list[float], base64: bool) -> list[float] | str:
    if not base64:
        return values
    return b64encode(struct.pack(f"<{len(values)}f", *values)).decode("ascii")


class Embedded:
    """A vendor's embeddings as an answer of the client's format. `read` raises ValueError for what
    is none, `refuse` writes an error, `write` the answer."""

    def __init__(
        self, model: str, read: Callable[[bytes], Vectors],
        refuse: Callable[[str, str], bytes], write: Callable[[Vectors], bytes],
    ) -> None:  # fmt: skip
        self.content_type = b"application/json"
        self.usage: Usage | None = None
        self.finish_reason = self.response_id = self.failure = ""
        self.model = model
        self.started = self.ended = False
        self.pieces = 0
        self._read = read
        self._refuse = refuse
        self._write = write

    def feed(self, data: bytes) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""

    def complete(self, body: bytes) -> bytes:
        found = self._read(body)
        self.started = self.ended = True
        if found.tokens is not None:
            self.usage = Usage(input=found.tokens)
        return self._write(found)

    def broken(self, message: str, code: str) -> bytes:
        return self._refuse(message, code)
