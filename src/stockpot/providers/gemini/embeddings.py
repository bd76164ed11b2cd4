"""OpenAI's embeddings asked of Gemini, and of the same models on Vertex AI. Knows the vendors'
bodies; knows no prompt.

Sources: Gemini API reference (batchEmbedContents); Vertex AI REST reference (text embeddings,
predict). Read November 2026.
"""

from __future__ import annotations

import msgspec

from stockpot.providers.base import Ask
from stockpot.providers.canon import JSON, Loss
from stockpot.providers.embedding import Embedded, Vectors, as_openai, asked
from stockpot.providers.gemini.answer import UsageMetadata
from stockpot.providers.gemini.errors import BROKEN, status_of


class _Vector(msgspec.Struct):
    values: list[float]


class _Answer(msgspec.Struct):
    embeddings: list[_Vector]
    usageMetadata: UsageMetadata | None = None  # noqa: N815 - Google's name


class _Statistics(msgspec.Struct):
    token_count: float | None = None


class _Counted(_Vector):
    statistics: _Statistics | None = None


class _Prediction(msgspec.Struct):
    embeddings: _Counted


class _Predicted(msgspec.Struct):
    predictions: list[_Prediction]


_answer = msgspec.json.Decoder(_Answer)
_predicted = msgspec.json.Decoder(_Predicted)


def compose(body: bytes, model: str) -> tuple[bytes, tuple[Loss, ...]]:
    """The body of `batchEmbedContents`. `model` is a resource name."""
    said = asked(body, "Gemini")
    each: JSON = {"model": model}
    if said.dimensions is not None:
        each["outputDimensionality"] = said.dimensions
    requests = [{**each, "content": {"parts": [{"text": text}]}} for text in said.texts]
    return msgspec.json.encode({"requests": requests}), said.losses


def compose_predict(body: bytes) -> tuple[bytes, tuple[Loss, ...]]:
    """The body of Vertex AI's `predict`."""
    said = asked(body, "Vertex AI")
    made: JSON = {"instances": [{"content": text} for text in said.texts]}
    if said.dimensions is not None:
        made["parameters"] = {"outputDimensionality": said.dimensions}
    return msgspec.json.encode(made), said.losses


def embedded(ask: Ask, model: str) -> Embedded:
    """The answer to `batchEmbedContents`."""
    return Embedded(model, _read, broken, as_openai(ask, model))


def predicted(ask: Ask, model: str) -> Embedded:
    """The answer to `predict`."""
    return Embedded(model, read_predicted, broken, as_openai(ask, model))


def _read(body: bytes) -> Vectors:
    answer = _answer.decode(body)
    tokens = answer.usageMetadata.promptTokenCount if answer.usageMetadata else None
    return Vectors([vector.values for vector in answer.embeddings], tokens)


def read_predicted(body: bytes) -> Vectors:
    """The vectors in an answer to `predict`."""
    found = [one.embeddings for one in _predicted.decode(body).predictions]
    counts = [one.statistics.token_count if one.statistics else None for one in found]
    told = [count for count in counts if count is not None]
    tokens = int(sum(told)) if len(told) == len(counts) else None
    return Vectors([one.values for one in found], tokens)


def broken(message: str, code: str) -> bytes:
    """An error in Google's words."""
    return msgspec.json.encode(status_of(BROKEN, message, code))
