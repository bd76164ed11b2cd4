"""The Gemini wire: Google's Gemini API. Knows bodies and paths, no socket.

Answers to Gemini clients pass byte for byte; of their requests only the model in the path changes,
and where a body names the model again, there too.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stockpot.prices import Usage
from stockpot.providers.base import Answer, Ask, CannotExpress, Outgoing, UpstreamTarget
from stockpot.providers.counting import Counted
from stockpot.providers.gemini import embeddings
from stockpot.providers.gemini.compose import Composed, compose
from stockpot.providers.gemini.errors import problem_of, retry_after_s
from stockpot.providers.gemini.foreign import LOSSES, holds_foreign, without_foreign
from stockpot.providers.gemini.listen import CountReader, Passing
from stockpot.providers.gemini.paths import resource, where
from stockpot.providers.gemini.reader import GeminiReader
from stockpot.providers.translate import Translated

_encode = msgspec.json.encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_requests = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_STREAMED = (b"text/event-stream", b"application/json")
"""A stream that was not asked for as events is a JSON array."""


class GeminiWire:
    """Google's Gemini API."""

    name = "gemini"
    dialect = "gemini"

    def passes(self, ask: Ask, target: UpstreamTarget) -> bool:
        return ask.dialect == "gemini"

    def is_stream(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return any(k == b"content-type" and v.startswith(_STREAMED) for k, v in headers)

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if ask.dialect == "gemini":
            return self._passed(ask, target)
        if ask.endpoint == "embeddings" and ask.dialect == "openai":
            return self._embedding(ask, target)
        if ask.endpoint not in ("chat", "count_tokens") or ask.spoken is None:
            raise CannotExpress(f"Gemini's API has nothing like {ask.endpoint}")
        made = self.compose(ask, target)
        if ask.endpoint == "count_tokens":
            return self._count(made, target)
        verb = "streamGenerateContent" if ask.stream else "generateContent"
        path = self.path(target, verb) + ("?alt=sse" if ask.stream else "")
        return Outgoing(path, self.headers(target), _encode(made.body), made.losses)

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer:
        if ask.dialect == "gemini":
            passing = Passing(sse=where(ask.path).alt == "sse")
            if ask.endpoint == "count_tokens":
                passing.usage = Usage()
            return passing
        if ask.endpoint == "embeddings":
            return self._embedded(ask, target)
        assert ask.spoken is not None
        writer = ask.spoken.writer(ask)
        if ask.endpoint == "count_tokens":
            return Counted(CountReader(), writer, stream=False)
        return Translated(GeminiReader(), writer, ask.stream)

    def error_message(self, body: bytes) -> str:
        problem = problem_of(body)
        return problem.message if problem is not None else body[:300].decode("utf-8", "replace")

    def retry_after_s(self, body: bytes) -> float:
        """Seconds to wait that an error answer says in its body."""
        return retry_after_s(body)

    # where Vertex differs

    def path(self, target: UpstreamTarget, verb: str) -> str:
        return f"/{resource(target.model)}:{verb}"

    def headers(self, target: UpstreamTarget) -> tuple[tuple[str, str], ...]:
        return ()

    def compose(self, ask: Ask, target: UpstreamTarget) -> Composed:
        return compose(ask.prompt, target.model)

    def _passed(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        asked = where(ask.path)
        query = f"?{asked.query}" if asked.query else ""
        path = self.path(target, asked.verb) + query
        body = _renamed(ask.body, resource(target.model))
        if not holds_foreign(body):
            return Outgoing(path, self.headers(target), body)
        return Outgoing(path, self.headers(target), without_foreign(body), LOSSES)

    def _count(self, made: Composed, target: UpstreamTarget) -> Outgoing:
        request = {"model": resource(target.model), **made.body}
        body = _encode({"generateContentRequest": request})
        return Outgoing(self.path(target, "countTokens"), self.headers(target), body, made.losses)

    def _embedded(self, ask: Ask, target: UpstreamTarget) -> Answer:
        return embeddings.embedded(ask, target.model)

    def _embedding(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        body, losses = embeddings.compose(ask.body, resource(target.model))
        path = self.path(target, "batchEmbedContents")
        return Outgoing(path, self.headers(target), body, losses)


def _renamed(body: bytes, model: str) -> bytes:
    """The body as it is, unless it names the model too. `model` is a resource name."""
    if b'"model"' not in body:
        return body
    named = msgspec.Raw(_encode(model))
    fields = _fields.decode(body)
    changed = "model" in fields
    if changed:
        fields["model"] = named
    if (inner := fields.get("generateContentRequest")) is not None:
        request = _fields.decode(inner)
        fields["generateContentRequest"] = msgspec.Raw(_encode({**request, "model": named}))
        changed = True
    if (many := fields.get("requests")) is not None:
        requests = [{**one, "model": named} for one in _requests.decode(many)]
        fields["requests"] = msgspec.Raw(_encode(requests))
        changed = True
    return _encode(fields) if changed else body
