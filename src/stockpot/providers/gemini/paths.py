"""Gemini's paths: the model and the verb of a call are in its path. Knows paths, no body.

    /v1beta/models/MODEL:VERB[?alt=sse]

A model's name may hold slashes and colons of its own; the last colon is the verb's.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote

from stockpot.providers.base import Endpoint

VERBS: dict[str, Endpoint] = {
    "generateContent": "chat",
    "streamGenerateContent": "chat",
    "countTokens": "count_tokens",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}
STREAM = "streamGenerateContent"


class Where(NamedTuple):
    """A path, taken apart. `query` has no question mark."""

    model: str
    verb: str
    query: str

    @property
    def alt(self) -> str:
        """The form of a stream that the client asked for: `sse`, or '' for a JSON array."""
        return parse_qs(self.query).get("alt", [""])[0]


def where(path: bytes, below: bytes = b"/models/") -> Where:
    """`path` may have a query; the model is what stands between `below` and the verb."""
    bare, _, query = path.decode("latin-1").partition("?")
    named = bare.partition(below.decode("ascii"))[2]
    model, _, verb = named.rpartition(":")
    return Where(unquote(model), verb, query)


def resource(model: str) -> str:
    """A model's resource name, ready for a path."""
    given = model.startswith(("models/", "tunedModels/"))
    return quote(model if given else f"models/{model}", safe="/@-._~")
