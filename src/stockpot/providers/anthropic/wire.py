"""The Anthropic wire: the Messages API and who else speaks it. Knows bodies and paths, no socket.

Calls of Anthropic's own dialect pass byte for byte but for the model's name, with the client's
`anthropic-version` and `anthropic-beta`; those of other dialects are translated.

A JSON Schema for the answer becomes `output_config.format`, which is what the published types of
the anthropic package hold for it; any JSON object is asked for with a tool that must be called.
"""

from __future__ import annotations

from collections.abc import Sequence

from stockpot.providers.anthropic.compose import compose, json_by_tool
from stockpot.providers.anthropic.errors import error_text
from stockpot.providers.anthropic.listen import AnthropicAnswer
from stockpot.providers.anthropic.proofs import may_hold_foreign, without_foreign
from stockpot.providers.anthropic.read import AnthropicReader
from stockpot.providers.anthropic.traits import OLD_VERSION, traits_of
from stockpot.providers.base import (
    Answer,
    Ask,
    CannotExpress,
    Endpoint,
    Outgoing,
    UpstreamTarget,
)
from stockpot.providers.canon import Loss
from stockpot.providers.model_name import named
from stockpot.providers.translate import Translated

PATHS: dict[Endpoint, str] = {"chat": "/messages", "count_tokens": "/messages/count_tokens"}
_FOREIGN = (Loss("reasoning", "Anthropic takes back only reasoning that it signed"),)
_PASSED = (b"anthropic-version", b"anthropic-beta")


class AnthropicWire:
    """Any server that speaks Anthropic's Messages API."""

    name = "anthropic"
    dialect = "anthropic"

    def passes(self, ask: Ask, target: UpstreamTarget) -> bool:
        return ask.dialect == "anthropic"

    def is_stream(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return any(k == b"content-type" and v.startswith(b"text/event-stream") for k, v in headers)

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if ask.dialect == "anthropic":
            return _passed(ask, target)
        if ask.endpoint != "chat":
            raise CannotExpress(f"Anthropic's API has nothing like {ask.endpoint}")
        traits = traits_of(target.model, target.options)
        made = compose(ask.prompt, target.model, traits, stream=ask.stream, native=False)
        headers = (("anthropic-version", made.version),)
        return Outgoing(PATHS["chat"], headers, made.body, made.losses)

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer:
        if ask.dialect == "anthropic":
            return AnthropicAnswer(free=ask.endpoint == "count_tokens")
        assert ask.spoken is not None
        reader = AnthropicReader(unwrap=json_by_tool(ask.prompt))
        return Translated(reader, ask.spoken.writer(ask), ask.stream)

    def error_message(self, body: bytes) -> str:
        return error_text(body)


def _passed(ask: Ask, target: UpstreamTarget) -> Outgoing:
    """The client's bytes; reasoning that another vendor gave it on this route stays behind."""
    body = ask.body
    losses: tuple[Loss, ...] = ()
    if may_hold_foreign(body) and "claude" in target.model:
        body = without_foreign(body)
        losses = () if body is ask.body else _FOREIGN
    body = named(body, ask.model, target.model)
    return Outgoing(PATHS[ask.endpoint], _headers(ask), body, losses)


def _headers(ask: Ask) -> tuple[tuple[str, str], ...]:
    """The client's own; a version must be there."""
    sent = tuple(
        (name.decode(), value.decode("latin-1"))
        for name in _PASSED
        if (value := ask.headers.get(name)) is not None
    )
    if ask.headers.get(b"anthropic-version") is None:
        return (("anthropic-version", OLD_VERSION), *sent)
    return sent
