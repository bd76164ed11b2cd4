"""Listening to an answer in OpenAI's dialect that passes byte for byte. Knows events, no socket.

The listener takes usage, finish reason and ids from a tee of the bytes and decodes only the events
that hold one of them.
"""

from __future__ import annotations

import msgspec

from stockpot.providers.heard import HELD_LIMIT, Relayed
from stockpot.providers.openai.answer_body import UsageBody, usage_of


class _Error(msgspec.Struct):
    message: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error | str


def error_text(body: bytes) -> str:
    """The vendor's message in an error answer, or the beginning of what it said instead."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody).error
    except msgspec.MsgspecError:
        return body[:300].decode("utf-8", "replace")
    return error if isinstance(error, str) else (error.message or "")


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _AnswerBody(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: UsageBody | None = None
    choices: list[_Choice] | None = None
    service_tier: str | None = None


_answer = msgspec.json.Decoder(_AnswerBody)


def _error_event(message: str, code: str) -> bytes:
    error = {"message": message, "type": "upstream_error", "param": None, "code": code}
    return b"data: " + msgspec.json.encode({"error": error}) + b"\n\n"


class OpenAIAnswer(Relayed):
    """Listens to one answer in OpenAI's dialect."""

    __slots__ = ("_separator", "_strip")

    def __init__(self, strip_usage: bool = False) -> None:
        super().__init__()
        self._strip = strip_usage
        self._separator = b"\n\n"

    # whole answers

    def complete(self, body: bytes) -> bytes:
        try:
            head = _answer.decode(body)
        except msgspec.MsgspecError:
            return body
        self.response_id = head.id or ""
        self.model = head.model or ""
        if head.usage is not None:
            self.usage = usage_of(head.usage, head.service_tier or "")
        if head.choices:
            self.finish_reason = head.choices[0].finish_reason or ""
        self.started = self.ended = True
        return body

    # streamed answers

    def _listen_to(self, data: bytes) -> bytes:
        if self._held:
            whole = self._held + data
        else:
            whole = data
            if not self.response_id and b"\r\n\r\n" in data:
                self._separator = b"\r\n\r\n"
        if whole.endswith(self._separator):
            events, self._held = whole, b""
        else:
            cut = whole.rfind(self._separator)
            cut = cut + len(self._separator) if cut >= 0 else 0
            events, self._held = whole[:cut], whole[cut:]
            if len(self._held) > HELD_LIMIT and not self._strip:
                self._held = b""
        if events:
            self._listen(events)
        if not self._strip:
            return data
        return self._without_usage(events) if self.usage is not None else events

    def end(self) -> bytes:
        held, self._held = self._held, b""
        if held:
            self._listen(held)
        return held if self._strip else b""

    def broken(self, message: str, code: str) -> bytes:
        # A half-sent event must be ended first, or the error would be read as part of it.
        torn = self._separator if self._held and not self._strip else b""
        self._held = b""
        return torn + _error_event(message, code)

    def _listen(self, events: bytes) -> None:
        found = events.count(b"\ndata:") + events.startswith(b"data:")
        self.pieces += found
        if not self.response_id:
            self._first(events)
        if not self.started:
            self.started = _carries_content(events)
        if b'"usage":{' in events or b'"usage": {' in events:
            self._read_usage(events)
        if not self.finish_reason and (
            b'"finish_reason":"' in events or b'"finish_reason": "' in events
        ):
            self._read_finish(events)
        if b"[DONE]" in events and _starts_a_line(events, b"data: [DONE]", b"data:[DONE]"):
            self.ended = True
        if b'{"error"' in events and _starts_a_line(events, b'data: {"error"', b'data:{"error"'):
            self._read_error(events)
        elif found == 1 and self.started and not self._held:
            self._learn(events)

    def _learn(self, event: bytes) -> None:
        """Take this event as the usual one, if it holds text and nothing that is read here."""
        if self.usage is not None or self.finish_reason or self.ended:
            self._usual = b""
        elif event.startswith(b"data:") and event.endswith(self._separator):
            begin, end = _longest_text(event)
            if b"\\" not in event[begin:end]:
                self._usual, self._usual_end = event[:begin], event[end:]
                self._least = len(event) - (end - begin)

    def _payloads(self, events: bytes) -> list[bytes]:
        lines = events.splitlines()
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]

    def _decoded(self, events: bytes) -> list[_AnswerBody]:
        found = []
        for payload in self._payloads(events):
            try:
                found.append(_answer.decode(payload))
            except msgspec.MsgspecError:
                continue
        return found

    def _first(self, events: bytes) -> None:
        for body in self._decoded(events):
            if body.id or body.choices:  # Azure's first event tells of its filters only
                self.response_id = body.id or "-"
                self.model = body.model or ""
                return

    def _read_usage(self, events: bytes) -> None:
        for body in self._decoded(events):
            if body.usage is not None:
                self.usage = usage_of(body.usage, body.service_tier or "")

    def _read_finish(self, events: bytes) -> None:
        for body in self._decoded(events):
            if body.choices and body.choices[0].finish_reason:
                self.finish_reason = body.choices[0].finish_reason

    def _read_error(self, events: bytes) -> None:
        for payload in self._payloads(events):
            if payload.startswith(b'{"error"'):
                self.failure = error_text(payload) or "the upstream reported an error"

    def _without_usage(self, events: bytes) -> bytes:
        kept = []
        for event in events.split(self._separator):
            if b'"usage"' in event and event.startswith(b"data:"):
                try:
                    body = _answer.decode(event[5:])
                except msgspec.MsgspecError:
                    body = None
                if body is not None and body.usage is not None and not body.choices:
                    continue
            kept.append(event)
        return self._separator.join(kept)


def _starts_a_line(events: bytes, *marks: bytes) -> bool:
    """Generated text may hold a mark too, but there its line breaks are escaped."""
    return any(events.startswith(mark) or b"\n" + mark in events for mark in marks)


_CONTENT = (b'"content":', b'"text":', b'"reasoning_content":', b'"arguments":', b'"refusal":')


def _longest_text(event: bytes) -> tuple[int, int]:
    """Begin and end of the longest generated text in an event; two zeros without any."""
    longest = (0, 0)
    for mark in _CONTENT:
        begin = event.find(mark + b'"') + len(mark) + 1
        end = event.find(b'"', begin)
        if begin > len(mark) and end - begin > longest[1] - longest[0]:
            longest = begin, end
    return longest


def _carries_content(events: bytes) -> bool:
    """Whether some event holds a non-empty string of generated content."""
    if b'"tool_calls"' in events or b'"function_call"' in events:
        return True
    for mark in _CONTENT:
        at = events.find(mark)
        while at >= 0:
            rest = events[at + len(mark) : at + len(mark) + 3].lstrip(b" ")
            if rest[:1] == b'"' and rest[1:2] != b'"':
                return True
            at = events.find(mark, at + 1)
    return False
