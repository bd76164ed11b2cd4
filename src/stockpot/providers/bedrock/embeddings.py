"""OpenAI's embeddings asked of Titan and Cohere on Bedrock (InvokeModel). Knows their bodies; knows
no path and no signature.

Cohere wants to know what for: a document of a collection, unless the target's option `input_type`
says otherwise. Sources: Amazon Bedrock user guide, "Amazon Titan Text Embeddings models" and
"Cohere Embed models". Read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stockpot.providers.base import Ask, CannotExpress
from stockpot.providers.canon import JSON, Loss
from stockpot.providers.embedding import Embedded, Vectors, as_openai, asked


class _Titan(msgspec.Struct):
    embedding: list[float]
    inputTextTokenCount: int | None = None  # noqa: N815 - Amazon's name


class _Cohere(msgspec.Struct):
    embeddings: list[list[float]]


_titan = msgspec.json.Decoder(_Titan)
_cohere = msgspec.json.Decoder(_Cohere)


def compose(body: bytes, model: str, options: Mapping[str, str]) -> tuple[bytes, tuple[Loss, ...]]:
    """The body of InvokeModel."""
    said = asked(body, "Bedrock")
    made: JSON
    if _is_cohere(model):
        kind = options.get("input_type", "search_document")
        made = {"texts": said.texts, "input_type": kind}
        if said.dimensions is not None:
            made["output_dimension"] = said.dimensions
    else:
        if len(said.texts) != 1:
            raise CannotExpress("Titan on Bedrock embeds one text a call")
        made = {"inputText": said.texts[0]}
        if said.dimensions is not None:
            made["dimensions"] = said.dimensions
    return msgspec.json.encode(made), said.losses


def embedded(ask: Ask, model: str) -> Embedded:
    read = _read_cohere if _is_cohere(model) else _read_titan
    return Embedded(model, read, lambda message, code: b"", as_openai(ask, model))


def serves(model: str) -> bool:
    """Whether a model's name tells that its bodies are known here."""
    return _is_cohere(model) or "titan-embed" in model


def _is_cohere(model: str) -> bool:
    return "cohere.embed" in model


def _read_titan(body: bytes) -> Vectors:
    answer = _titan.decode(body)
    return Vectors([answer.embedding], answer.inputTextTokenCount)


def _read_cohere(body: bytes) -> Vectors:
    return Vectors(_cohere.decode(body).embeddings, None)
