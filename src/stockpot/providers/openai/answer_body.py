"""Bodies of answers in OpenAI's chat format, as far as they are read. Knows JSON; knows no stream.

Fields of other servers of the format are read too: reasoning as DeepSeek, OpenRouter and Mistral
send it, pictures as OpenRouter does, the proof of a tool call as Google does, cached tokens as
DeepSeek counts them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.prices import Usage

JSON = dict[str, Any]


class InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class UsageBody(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: int | None = None


_NO_INPUT, _NO_OUTPUT = InputDetails(), OutputDetails()


def usage_of(body: UsageBody, tier: str = "") -> Usage:
    into = body.prompt_tokens_details or _NO_INPUT
    out = body.completion_tokens_details or _NO_OUTPUT
    return Usage(
        input=body.prompt_tokens or 0,
        output=body.completion_tokens or 0,
        cache_read=into.cached_tokens or body.prompt_cache_hit_tokens or 0,
        cache_write=into.cache_write_tokens or 0,
        reasoning=out.reasoning_tokens or 0,
        audio_input=into.audio_tokens or 0,
        audio_output=out.audio_tokens or 0,
        image_input=into.image_tokens or 0,
        image_output=out.image_tokens or 0,
        tier="" if tier in ("auto", "default", "standard") else tier,
    )


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | JSON | None = None


class Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None
    extra_content: Any = None


class Audio(msgspec.Struct):
    id: str | None = None
    data: str | None = None
    transcript: str | None = None


class UrlCitation(msgspec.Struct):
    url: str | None = None
    title: str | None = None
    quote: str | None = None
    source: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Annotation(msgspec.Struct):
    url_citation: UrlCitation | None = None


class Detail(msgspec.Struct):
    """Of reasoning: its text, the proof of it, or what stands for it encrypted."""

    text: str | None = None
    summary: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None


class Address(msgspec.Struct):
    url: str = ""


class Image(msgspec.Struct):
    image_url: Address | None = None


class Piece(msgspec.Struct):
    """Of a content that is an array: text, or thinking that is an array in its turn."""

    type: str = ""
    text: str | None = None
    thinking: str | list[Piece] | None = None


class Message(msgspec.Struct):
    """A message, or what a chunk adds to one."""

    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None
    annotations: list[Annotation] | None = None
    audio: Audio | None = None
    images: list[Image] | None = None


class Choice(msgspec.Struct):
    index: int = 0
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None


class Body(msgspec.Struct):
    """A whole answer or one event of a stream."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: UsageBody | None = None
    service_tier: str | None = None
    error: Any = None


_body = msgspec.json.Decoder(Body)


def decode(data: bytes) -> Body:
    """Raises ValueError when it is not what the format says."""
    try:
        return _body.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as bad:
        raise ValueError(str(bad)) from None


def error_of(error: Any) -> tuple[str, str]:
    """Message and code of an error inside an answer."""
    if not isinstance(error, dict):
        return str(error), ""
    code = error.get("code") or error.get("type") or ""
    return str(error.get("message") or "the upstream reported an error"), str(code)
