"""Gemini's dialect: what its SDKs send and expect. Knows paths and bodies; no vendor, no socket.

Requests are read shallowly; only a translated one is parsed in full.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stockpot.providers.base import Ask, BadRequest, Endpoint, Headers, Writer
from stockpot.providers.canon import Prompt
from stockpot.providers.counting import CountWriter
from stockpot.providers.gemini.errors import status_of
from stockpot.providers.gemini.parse import parse
from stockpot.providers.gemini.paths import STREAM, VERBS, Where, where
from stockpot.providers.gemini.writer import GeminiWriter

_FORMS = ("", "json", "sse")


class _Config(msgspec.Struct):
    """Google's JSON takes each field in two spellings."""

    maxOutputTokens: int | None = None  # noqa: N815
    max_output_tokens: int | None = None
    candidateCount: int | None = None  # noqa: N815
    candidate_count: int | None = None


class _Body(msgspec.Struct):
    generationConfig: _Config | None = None  # noqa: N815
    generation_config: _Config | None = None


_body = msgspec.json.Decoder(_Body)


class GeminiDialect:
    """What Google's Gen AI SDKs send to one version of the API."""

    name = "gemini"
    paths: Mapping[bytes, Endpoint] = {}

    def __init__(self, version: str = "v1beta") -> None:
        self.below = f"/{version}/models/".encode("ascii")

    def endpoint(self, path: bytes) -> Endpoint | None:
        return VERBS.get(where(path, self.below).verb)

    def read(
        self, endpoint: Endpoint, body: bytes, path: bytes = b"", headers: Headers | None = None
    ) -> Ask:
        asked = where(path, self.below)
        config = _config(body)
        ask = Ask(
            "gemini",
            endpoint,
            body,
            asked.model,
            _streams(asked),
            True,
            len(body) // 4 + 1,
            config.maxOutputTokens or config.max_output_tokens or 0,
            config.candidateCount or config.candidate_count or 1,
            "",
            self,
            path,
            headers,
        )
        if endpoint != "chat":
            ask.max_output = 1  # nothing is generated
        return ask

    def parse(self, ask: Ask) -> Prompt:
        return parse(ask)

    def writer(self, ask: Ask) -> Writer:
        if ask.endpoint == "count_tokens":
            return CountWriter("totalTokens")
        return GeminiWriter(sse=where(ask.path, self.below).alt == "sse")

    def error(self, status: int, message: str, code: str, param: str = "") -> bytes:
        return msgspec.json.encode(status_of(status, message, code, param))


def _streams(asked: Where) -> bool:
    if asked.verb == STREAM and asked.alt not in _FORMS:
        message = f"a stream in the form alt={asked.alt!r} is not known here; use alt=sse"
        raise BadRequest(message, "alt")
    return asked.verb == STREAM


def _config(body: bytes) -> _Config:
    try:
        head = _body.decode(body)
    except msgspec.ValidationError as bad:
        message, _, place = str(bad).partition(" - at `$")
        param = place.strip("`.")
        raise BadRequest(f"{message}{f' at {param!r}' if param else ''}", param) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as bad:
        raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None
    return head.generationConfig or head.generation_config or _Config()
