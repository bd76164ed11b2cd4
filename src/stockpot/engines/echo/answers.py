"""What the test model says. Pure functions and the requests they take; knows no HTTP.

A chat is answered with its last user message, a completion with its prompt, a text with a vector of
its hashed words. The same request has the same answer everywhere and for ever.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from typing import Annotated, Any, Literal

import msgspec

DIMENSIONS = 256

_TOKEN = re.compile(r"\s*\S+")

Count = Annotated[int, msgspec.Meta(ge=1, le=128)]
Tokens = Annotated[int, msgspec.Meta(ge=1)]


class Part(msgspec.Struct):
    type: str
    text: str = ""


class Message(msgspec.Struct):
    role: str
    content: str | list[Part] | None = None


class StreamOptions(msgspec.Struct):
    include_usage: bool = False


class Sampling(msgspec.Struct, kw_only=True):
    """What chats and completions have in common; the parameters that change nothing here (such as
    the temperature) are accepted and ignored."""

    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Count | None = None
    stop: str | list[str] | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None


class ChatRequest(Sampling, kw_only=True):
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]


class CompletionRequest(Sampling, kw_only=True):
    prompt: str | list[Any] = ""


class EmbeddingRequest(msgspec.Struct, kw_only=True):
    model: str
    input: str | Annotated[list[Any], msgspec.Meta(min_length=1)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] = DIMENSIONS


class Answer(msgspec.Struct, frozen=True):
    """Tokens to say in turn, why they end, and how long the question was."""

    tokens: tuple[str, ...]
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def count(text: str) -> int:
    """Tokens of a text: its words."""
    return len(text.split())


def chat(request: ChatRequest) -> Answer:
    """The last user message again; without one, the last message."""
    texts = [_text(message.content) for message in request.messages]
    roles = [message.role for message in request.messages]
    last = len(roles) - 1 - roles[::-1].index("user") if "user" in roles else -1
    return _say(texts[last], sum(map(count, texts)), request)


def completion(request: CompletionRequest, prompt: str) -> Answer:
    """The prompt again."""
    return _say(prompt, count(prompt), request)


def texts(given: str | list[Any]) -> list[str]:
    """The texts of a `prompt` or `input`: one, several, or token ids in one or several lists.
    Raises ValueError for anything else."""
    if isinstance(given, str):
        return [given]
    if all(isinstance(item, str) for item in given):
        return list(given)
    if all(isinstance(item, int) for item in given):
        return [" ".join(map(str, given))]
    if all(isinstance(item, list) and all(isinstance(t, int) for t in item) for item in given):
        return [" ".join(map(str, item)) for item in given]
    raise ValueError("a text, a list of texts, or lists of token ids")


def vector(text: str, dimensions: int) -> list[float]:
    """Each word adds or subtracts one at a place given by its hash; then the length becomes one.
    Texts with common words are near each other."""
    values = [0.0] * dimensions
    for word in text.lower().split():
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        place = int.from_bytes(digest[:7], "little") % dimensions
        values[place] += 1.0 if digest[7] & 1 else -1.0
    length = math.hypot(*values)
    if length == 0.0:  # no word, or words that cancel out
        return [1.0, *values[1:]]
    return [value / length for value in values]


def packed(values: list[float]) -> str:
    """A vector as the OpenAI dialect's base64: little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode("ascii")


def _text(content: str | list[Part] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part.text if part.type == "text" else f"[{part.type}]" for part in content)
    return content or ""


def _say(text: str, prompt_tokens: int, request: Sampling) -> Answer:
    stops = [request.stop] if isinstance(request.stop, str) else request.stop or []
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    tokens = _tokens(text[: min(ends)] if ends else text)
    limit = request.max_completion_tokens or request.max_tokens or len(tokens)
    reason: Literal["stop", "length"] = "length" if len(tokens) > limit else "stop"
    return Answer(tuple(tokens[:limit]), reason, prompt_tokens)


def _tokens(text: str) -> list[str]:
    """Words with the white space before them, so that together they are the text."""
    tokens = _TOKEN.findall(text)
    rest = text[sum(map(len, tokens)) :]
    if rest and tokens:
        tokens[-1] += rest
    return tokens
