"""Listening to an answer of typed events that passes byte for byte: Responses, sound and images.

Each event is an object that names its `type`; the last one holds usage. Only the first event, the
last and errors are decoded. Knows events; knows no socket.

Source: the types of the `openai` package (responses, audio, images).
"""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec

from stockpot.prices import Usage
from stockpot.providers.heard import HELD_LIMIT, Heard

_LAST = {
    "response.completed", "response.incomplete", "response.failed",
    "transcript.text.done", "speech.audio.done",
    "image_generation.completed", "image_edit.completed",
}  # fmt: skip
_MARKS = (b'.completed"', b'.incomplete"', b'.failed"', b'xt.done"', b'io.done"', b'"error"')
"""Parts of what `_LAST` and errors look like; generated text has its quotes escaped."""
_DELTA = b'.delta"'
_SEQUENCE = re.compile(rb'"sequence_number": ?(\d++)(?!\Z)')
"""At the very end a number may be cut off in the middle."""


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class UsageBody(msgspec.Struct):
    """Usage as these answers report it; a `duration` holds seconds of sound and no tokens."""

    seconds: float | None = None
    type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    input_token_details: _InputDetails | None = None
    """What a transcript calls it."""
    output_tokens_details: _OutputDetails | None = None

    def usage(self) -> Usage | None:
        """None where nothing is counted."""
        if self.input_tokens is None and self.total_tokens is None:
            return None if self.seconds is None else _heard(self.seconds)
        into = self.input_tokens_details or self.input_token_details or _InputDetails()
        out = self.output_tokens_details or _OutputDetails()
        output = self.output_tokens or 0
        return Usage(
            (self.total_tokens or 0) - output if self.input_tokens is None else self.input_tokens,
            output,
            into.cached_tokens or 0,
            into.cache_write_tokens or 0,
            out.reasoning_tokens or 0,
            audio_input=into.audio_tokens or 0,
            audio_output=out.audio_tokens or 0,
            image_input=into.image_tokens or 0,
            image_output=out.image_tokens or 0,
        )


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None


class _Details(msgspec.Struct):
    reason: str | None = None


class _Action(msgspec.Struct):
    type: str | None = None


class _Item(msgspec.Struct):
    type: str | None = None
    action: _Action | None = None

    @property
    def searched(self) -> bool:
        """Whether it is a web search that is billed; opening a page is none."""
        kind = self.action.type if self.action is not None else None
        return self.type == "web_search_call" and kind in (None, "search")


class AnswerBody(msgspec.Struct):
    """The part of a whole answer, or of a response inside an event, that is listened to."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    service_tier: str | None = None
    output: list[_Item] | None = None
    usage: UsageBody | None = None
    duration: float | str | None = None
    """Seconds, of a transcript in full."""
    error: _Error | None = None
    incomplete_details: _Details | None = None


class _Event(msgspec.Struct):
    type: str = ""
    response: AnswerBody | None = None
    usage: UsageBody | None = None
    message: str | None = None
    error: _Error | str | None = None


_LONGEST_S = 1e9
_ORDINARY = ("default", "auto", "standard")
_answer = msgspec.json.Decoder(AnswerBody)
_event = msgspec.json.Decoder(_Event)


def _heard(seconds: float) -> Usage | None:
    """So much sound; None for what is no length."""
    return Usage(audio_ms=round(seconds * 1000)) if 0 <= seconds <= _LONGEST_S else None


def error_event(message: str, code: str, sequence: int) -> bytes:
    """The dialect's error event."""
    body = {
        "type": "error",
        "code": code,
        "message": message,
        "param": None,
        "sequence_number": sequence,
    }
    return b"event: error\ndata: " + msgspec.json.encode(body) + b"\n\n"


class TypedAnswer(Heard):
    """Listens to one such answer."""

    __slots__ = ("_held", "_passed")

    def __init__(self) -> None:
        super().__init__()
        self._held = b""
        self._passed = b""
        """The events that passed last, for the number of the next."""

    def complete(self, body: bytes) -> bytes:
        with suppress(msgspec.MsgspecError):  # text and sound are whole answers too
            self._hear(_answer.decode(body))
        self.started = self.ended = True
        return body

    def feed(self, data: bytes) -> bytes:
        whole = self._held + data if self._held else data
        cut = max(whole.rfind(b"\n\n") + 2, whole.rfind(b"\r\n\r\n") + 4)
        if cut < 4:
            self._held = whole if len(whole) < HELD_LIMIT * 16 else b""
            return data
        events, self._held = (whole, b"") if cut == len(whole) else (whole[:cut], whole[cut:])
        self._listen(events)
        return data

    def end(self) -> bytes:
        held, self._held = self._held, b""
        if held:
            self._listen(held)
        return b""

    def broken(self, message: str, code: str) -> bytes:
        torn = b"\n\n" if self._held else b""
        numbers = _SEQUENCE.findall(self._passed + self._held)
        self._held = b""
        return torn + error_event(message, code, int(numbers[-1]) + 1 if numbers else 0)

    def _listen(self, events: bytes) -> None:
        self._passed = events
        if found := events.count(_DELTA):
            self.pieces += found
            self.started = True
        first = not self.response_id and b'"response":' in events
        if first or any(mark in events for mark in _MARKS):
            self._read(events)

    def _read(self, events: bytes) -> None:
        for line in events.splitlines():
            if not line.startswith(b"data:"):
                continue
            try:
                event = _event.decode(line[5:])
            except msgspec.MsgspecError:
                continue
            if event.response is not None:
                self._hear(event.response)
            elif event.usage is not None and event.type in _LAST:
                self.usage = event.usage.usage()
            if event.type == "error" or (not event.type and event.error):
                error = event.error
                said = error if isinstance(error, str) else error.message if error else None
                self.failure = event.message or said or "the upstream reported an error"
                self.ended = True
            elif event.type in _LAST:
                self.finish_reason = self.finish_reason or event.type.rpartition(".")[2]
                self.started = True
                # Several images are several last events.
                self.ended = self.ended or event.type.startswith("response.")

    def _hear(self, body: AnswerBody) -> None:
        self.response_id = body.id or self.response_id
        self.model = body.model or self.model
        if body.usage is not None:
            usage = body.usage.usage()
            tier = "" if body.service_tier in _ORDINARY else body.service_tier or ""
            searches = sum(item.searched for item in body.output or ())
            if usage is not None and (tier or searches):
                usage = msgspec.structs.replace(usage, tier=tier, searches=searches)
            self.usage = usage
        elif body.duration is not None:
            with suppress(ValueError):
                self.usage = _heard(float(body.duration))
        if body.error is not None:
            self.failure = body.error.message or "the upstream reported an error"
        if body.status not in (None, "in_progress", "queued"):
            details = body.incomplete_details
            self.finish_reason = (details.reason if details else None) or body.status or ""
