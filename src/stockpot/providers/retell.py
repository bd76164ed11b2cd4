"""An answer told again in the other form of its own dialect: a stream as one body, and the reverse.

Knows events; knows no cache and no upstream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpot.providers.anthropic.read import AnthropicReader
from stockpot.providers.base import BadRequest, CannotExpress
from stockpot.providers.canon import Ended, Failed, Metered, ServerTool
from stockpot.providers.gemini.reader import GeminiReader
from stockpot.providers.openai.read import ChatReader
from stockpot.providers.responses.again import stream_of, whole_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stockpot.prices import Usage
    from stockpot.providers.base import Ask, Reader
    from stockpot.providers.canon import Event

_READERS: dict[str, Callable[[], Reader]] = {
    "openai": ChatReader, "anthropic": AnthropicReader, "gemini": GeminiReader,
}  # fmt: skip


def retold(ask: Ask, body: bytes, streamed: bool, usage: Usage) -> tuple[bytes, bytes] | None:
    """The bytes and the content type of what this request gets, out of a whole answer (or, with
    `streamed`, a stream) that the same request got in another form; `usage` is told where that one
    did not tell it. None where something would be lost on the way."""
    if ask.spoken is not None and ask.dialect == "responses":
        return _responses(ask, body, streamed)
    if ask.spoken is None or ask.dialect not in _READERS:
        return None
    try:
        if not _bears_it(ask):
            return None
        events = _heard(_READERS[ask.dialect](), body, streamed)
    except (ValueError, BadRequest, CannotExpress):
        return None
    kinds = {type(event) for event in events}
    if Failed in kinds or Ended not in kinds:
        return None
    if Metered not in kinds:
        events.append(Metered(usage))
    writer = ask.spoken.writer(ask)
    if ask.stream:
        return writer.write(events) + writer.end(), writer.stream_type
    return writer.complete(events), b"application/json"


def _responses(ask: Ask, body: bytes, streamed: bool) -> tuple[bytes, bytes] | None:
    if ask.stream == streamed:
        return None
    try:
        made = stream_of(body) if ask.stream else whole_of(body)
    except ValueError:
        return None
    if made is None:
        return None
    return made, b"text/event-stream; charset=utf-8" if ask.stream else b"application/json"


def _bears_it(ask: Ask) -> bool:
    """Whether all that an answer to this may hold is an event."""
    prompt = ask.prompt
    plain = prompt.logprobs is None and not prompt.modalities
    return plain and not any(type(tool) is ServerTool for tool in prompt.tools)


def _heard(reader: Reader, body: bytes, streamed: bool) -> list[Event]:
    said: Sequence[Event] = reader.feed(body) if streamed else reader.complete(body)
    return [*said, *reader.end()] if streamed else list(said)
