"""Gemini's own embeddings (`embedContent`, `batchEmbedContents`) asked of Vertex AI, which has
`predict` instead. Knows both bodies; knows no path.

Sources: Gemini API reference (embedContent, batchEmbedContents); Vertex AI REST reference (text
embeddings, predict). Read November 2026.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.base import Ask, BadRequest, CannotExpress
from stockpot.providers.canon import JSON, Loss
from stockpot.providers.embedding import Embedded, Vectors
from stockpot.providers.gemini.embeddings import broken, read_predicted
from stockpot.providers.gemini.paths import where

_SPELT = {"output_dimensionality": "outputDimensionality", "task_type": "taskType"}
"""Google's JSON takes each field in two spellings."""
_KNOWN = frozenset(("content", "model", "title", "taskType", "outputDimensionality"))
_objects = msgspec.json.Decoder(dict[str, Any])


def compose(ask: Ask) -> tuple[bytes, tuple[Loss, ...]]:
    """The body of `predict`. Raises BadRequest for what is no such request, and CannotExpress for
    contents that are not one text each and for dimensions that differ within a batch."""
    requests, losses = _requests(ask)
    sizes = {_size(request) for request in requests}
    if len(sizes) > 1:
        raise CannotExpress("Vertex AI gives all embeddings of a call as many dimensions")
    made: JSON = {"instances": [_instance(request) for request in requests]}
    if (size := sizes.pop()) is not None:
        made["parameters"] = {"outputDimensionality": size}
    lost = sorted({name for request in requests for name in request.keys() - _KNOWN})
    losses += [Loss(name, "Vertex AI has nothing like it") for name in lost]
    return msgspec.json.encode(made), tuple(losses)


def answer(ask: Ask, model: str) -> Embedded:
    """The answer to `predict`, as the client's method has it."""
    batch = _batched(ask)

    def write(found: Vectors) -> bytes:
        vectors = [{"values": values} for values in found.vectors]
        said: JSON = {"embeddings": vectors} if batch else {"embedding": vectors[0]}
        if found.tokens is not None:
            count = {"promptTokenCount": found.tokens, "totalTokenCount": found.tokens}
            said["usageMetadata"] = count
        return msgspec.json.encode(said)

    def read(body: bytes) -> Vectors:
        found = read_predicted(body)
        if not found.vectors:
            raise ValueError("no embedding is in it")
        return found

    return Embedded(model, read, broken, write)


def _batched(ask: Ask) -> bool:
    return where(ask.path).verb == "batchEmbedContents"


def _requests(ask: Ask) -> tuple[list[JSON], list[Loss]]:
    body = _objects.decode(ask.body)
    if not _batched(ask):
        return [_spelt(body)], []
    requests = body.pop("requests", None)
    if not isinstance(requests, list) or not requests:
        raise BadRequest("a batch needs a list of requests", "requests")
    losses = [Loss(name, "Vertex AI has nothing like it") for name in sorted(body)]
    for number, request in enumerate(requests):
        if not isinstance(request, dict):
            raise BadRequest("a request is an object", f"requests[{number}]")
    return [_spelt(request) for request in requests], losses


def _spelt(request: JSON) -> JSON:
    return {_SPELT.get(name, name): value for name, value in request.items()}


def _size(request: JSON) -> int | None:
    size = request.get("outputDimensionality")
    if size is not None and type(size) is not int:
        raise BadRequest("so many dimensions are a whole number", "outputDimensionality")
    return size


def _instance(request: JSON) -> JSON:
    content = request.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts:
        raise BadRequest("what is to be embedded is missing: content.parts", "content")
    text = parts[0].get("text") if isinstance(parts[0], dict) else None
    if len(parts) != 1 or not isinstance(text, str):
        raise CannotExpress("Vertex AI embeds one text per content")
    made: JSON = {"content": text}
    for name, theirs in (("taskType", "task_type"), ("title", "title")):
        if request.get(name):
            made[theirs] = request[name]
    return made
