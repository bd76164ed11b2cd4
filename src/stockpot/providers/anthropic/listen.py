"""Listening to an answer in Anthropic's dialect that passes byte for byte. Knows events, no socket.

Usage, stop reason and ids are taken from a tee of the bytes. Of the many events that only carry a
piece of text none is decoded.
"""

from __future__ import annotations

import msgspec

from stockpot.prices import Usage
from stockpot.providers.anthropic.errors import error_event
from stockpot.providers.anthropic.usage import UsageBody, counted, merged
from stockpot.providers.heard import HELD_LIMIT, Relayed


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: UsageBody | None = None


class _Error(msgspec.Struct):
    message: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    delta: _Message | None = None
    usage: UsageBody | None = None
    error: _Error | None = None


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)


class AnthropicAnswer(Relayed):
    """Listens to one answer in Anthropic's dialect."""

    __slots__ = ("_counts", "_free", "separator")

    def __init__(self, free: bool = False) -> None:
        super().__init__()
        self.separator = b"\n\n"
        self._free = free
        """Counting tokens is not billed."""
        self._counts: UsageBody | None = None

    # whole answers

    def complete(self, body: bytes) -> bytes:
        self.started = self.ended = True
        if self._free:
            self.usage = Usage()
            return body
        try:
            head = _message.decode(body)
        except msgspec.MsgspecError:
            return body
        self._read(head)
        return body

    # streamed answers

    def _listen_to(self, data: bytes) -> bytes:
        self._hear(data)
        return data

    def _hear(self, data: bytes) -> None:
        whole = self._held + data if self._held else data
        if not self.response_id and b"\r\n\r\n" in whole:
            self.separator = b"\r\n\r\n"
        if whole.endswith(self.separator):
            self._held = b""
            self._listen(whole)
            return
        cut = whole.rfind(self.separator)
        cut = cut + len(self.separator) if cut >= 0 else 0
        self._held = whole[cut:]
        if cut:
            self._listen(whole[:cut])
        if len(self._held) > HELD_LIMIT:
            self._held = b""

    def end(self) -> bytes:
        held, self._held = self._held, b""
        if held:
            self._listen(held)
        return b""

    def broken(self, message: str, code: str) -> bytes:
        # A half-sent event must be ended first, or the error would be read as part of it.
        torn = self.separator if self._held else b""
        self._held = b""
        return torn + error_event(message, code)

    def _listen(self, events: bytes) -> None:
        found = events.count(b"event: content_block_delta")
        self.pieces += found
        if not self.started:
            self.started = _carries_content(events)
        if found == 1 and events.count(b"\ndata:") == 1:
            self._learn(events)
        elif _tells(events):
            for line in events.splitlines():
                if line.startswith(b"data:"):
                    self._decode(line[5:])

    def _learn(self, event: bytes) -> None:
        """Take this event as the usual one, if it is alone and holds text."""
        if self._held or not event.startswith(b"event: content_block_delta"):
            return
        begin, end = _longest_text(event)
        if end and event.endswith(self.separator) and b"\\" not in event[begin:end]:
            self._usual, self._usual_end = event[:begin], event[end:]
            self._least = len(event) - (end - begin)

    def _decode(self, payload: bytes) -> None:
        if not any(mark in payload for mark in _TELLING):
            return
        try:
            event = _event.decode(payload)
        except msgspec.MsgspecError:
            return
        if event.type == "message_start" and event.message is not None:
            self._read(event.message)
        elif event.type == "message_delta":
            if event.delta is not None:
                self.finish_reason = event.delta.stop_reason or self.finish_reason
            self._count(event.usage)
        elif event.type == "message_stop":
            self.ended = True
        elif event.type == "error":
            said = event.error.message if event.error else ""
            self.failure = said or "the upstream reported an error"

    def _read(self, message: _Message) -> None:
        self.response_id = message.id or "-"
        self.model = message.model or ""
        self.finish_reason = message.stop_reason or ""
        self._count(message.usage)

    def _count(self, body: UsageBody | None) -> None:
        if body is not None:
            self._counts = merged(self._counts, body)
            self.usage = counted(self._counts)


_TELLING = (b"message_start", b"message_delta", b"message_stop", b"error")
"""Words of the events that are looked into; text may hold one too, which costs a decoding."""


def _tells(events: bytes) -> bool:
    return any(mark in events for mark in _TELLING)


_CONTENT = (b'"text":"', b'"thinking":"', b'"partial_json":"')


def _longest_text(event: bytes) -> tuple[int, int]:
    """Begin and end of the longest generated text in an event; two zeros without any."""
    longest = (0, 0)
    for mark in _CONTENT:
        begin = event.find(mark) + len(mark)
        end = event.find(b'"', begin)
        if begin >= len(mark) and end - begin > longest[1] - longest[0]:
            longest = begin, end
    return longest


def _carries_content(events: bytes) -> bool:
    """Whether some event holds generated content, or begins a tool call."""
    if b'"tool_use"' in events or b'"redacted_thinking"' in events:
        return True
    for mark in _CONTENT:
        at = events.find(mark)
        while at >= 0:
            if events[at + len(mark) : at + len(mark) + 1] != b'"':
                return True
            at = events.find(mark, at + 1)
    return False
