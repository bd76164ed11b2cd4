"""Events written as a stream in OpenAI's chat format. Knows events; knows no upstream.

An event is put together once per part; what follows is the text between two ready pieces.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import msgspec

from stockpot.providers.canon import (
    Began,
    Cited,
    Ended,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
)
from stockpot.providers.openai import words
from stockpot.providers.openai.whole import completion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpot.prices import Usage
    from stockpot.providers.base import Ask
    from stockpot.providers.canon import Citation, Event

_encode = msgspec.json.encode
_SLOT = "\0"
_ROLE = {"role": "assistant", "content": "", "refusal": None}
_PLAIN_KINDS = {"text": "content", "reasoning": "reasoning_content", "refusal": "refusal"}


class _Choice:
    """What is known of one alternative: `text` counts the characters of its content."""

    __slots__ = ("calls", "citations", "details", "images", "number", "refused", "text")

    def __init__(self, number: int) -> None:
        self.number = number
        self.text = self.calls = self.details = self.images = 0
        self.refused = False
        self.citations: list[tuple[_Part, Citation]] = []


class _Part:
    """What is known of one part: `before` and `after` enclose its text in an event.

    `held` is text that is said again at the end: a picture's, or reasoning's with its proof.
    """

    __slots__ = ("after", "before", "began", "begin", "choice", "end", "held", "keeps", "slot")

    def __init__(self, began: PartBegan, choice: _Choice) -> None:
        self.began = began
        self.choice = choice
        self.slot = 0
        self.before = self.after = b""
        self.begin = self.end = choice.text
        self.keeps = began.kind == "image" or began.kind == "reasoning"
        self.held: list[str] = []


class ChatWriter:
    """Writes one answer; a client that sent `functions` knows `function_call` only."""

    __slots__ = (
        "_choices",
        "_created",
        "_head",
        "_ident",
        "_legacy",
        "_model",
        "_parts",
        "_tail",
        "_usage",
        "_wants_usage",
    )

    stream_type = b"text/event-stream; charset=utf-8"

    def __init__(self, ask: Ask) -> None:
        self._wants_usage = ask.wants_usage
        self._legacy = _is_legacy(ask.body)
        self._created = int(time.time())
        self._ident = ""
        self._model = ask.model
        self._head = b""
        self._tail = b',"usage":null}\n\n' if ask.wants_usage else b"}\n\n"
        self._choices: list[_Choice] = []
        self._parts: dict[int, _Part] = {}
        self._usage: Usage | None = None

    def write(self, events: Sequence[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            if type(event) is PartDelta:
                self._delta(event, out)
            elif type(event) is PartBegan:
                self._begin(event, out)
            elif type(event) is PartEnded:
                self._end_part(self._parts[event.index], out)
            elif type(event) is Ended:
                self._end_choice(event, out)
            elif type(event) is PartSigned:
                self._sign(self._parts[event.index], event.signature, out)
            elif type(event) is Cited:
                part = self._parts[event.index]
                part.choice.citations.append((part, event.citation))
            elif type(event) is Metered:
                self._usage = event.usage
            elif type(event) is Began:
                self._ident = event.ident or self._ident
                self._model = event.model or self._model
        return b"".join(out)

    def end(self) -> bytes:
        if not self._wants_usage or self._usage is None:
            return b"data: [DONE]\n\n"
        body = self._envelope("chat.completion.chunk")
        body["choices"] = []
        body["usage"] = words.usage_of(self._usage)
        return b"data: %b\n\ndata: [DONE]\n\n" % _encode(body)

    def complete(self, events: Sequence[Event]) -> bytes:
        for event in events:
            if type(event) is Metered or type(event) is Began:
                self.write((event,))
        body = self._envelope("chat.completion")
        body["choices"] = completion(events, self._created, self._legacy)
        if self._usage is not None:
            body["usage"] = words.usage_of(self._usage)
        return _encode(body)

    def broken(self, message: str, code: str) -> bytes:
        error = {"message": message, "type": "upstream_error", "param": None, "code": code}
        return b"data: %b\n\n" % _encode({"error": error})

    # the pieces of a stream

    def _envelope(self, kind: str) -> dict[str, Any]:
        self._ident = self._ident or f"chatcmpl-{os.urandom(12).hex()}"
        body: dict[str, Any] = {
            "id": self._ident, "object": kind, "created": self._created, "model": self._model,
        }  # fmt: skip
        if self._usage is not None and self._usage.tier in words.TIERS:
            body["service_tier"] = self._usage.tier
        return body

    def _chunk(self, choice: int, delta: object, finish: bytes = b'"finish_reason":null') -> bytes:
        if not self._head:
            self._head = _encode(self._envelope("chat.completion.chunk"))[:-1]
        return b'data: %b,"choices":[{"index":%d,"delta":%b,"logprobs":null,%b}]%b' % (
            self._head, choice, _encode(delta), finish, self._tail,
        )  # fmt: skip

    def _choice(self, number: int, out: list[bytes]) -> _Choice:
        """Choices begin in their order, as clients that gather them expect."""
        for following in range(len(self._choices), number + 1):
            self._choices.append(_Choice(following))
            out.append(self._chunk(following, _ROLE))
        return self._choices[number]

    def _begin(self, began: PartBegan, out: list[bytes]) -> None:
        choice = self._choice(began.choice, out)
        part = self._parts[began.index] = _Part(began, choice)
        kind = began.kind
        if (name := _PLAIN_KINDS.get(kind)) is not None:
            choice.refused = choice.refused or kind == "refusal"
            self._enclose(part, {name: _SLOT})
        elif kind == "tool_call":
            self._begin_call(part, out)
        elif kind == "audio":
            opening = {"id": began.ident or "audio", "expires_at": self._created}
            out.append(self._chunk(choice.number, {"audio": opening}))
            self._enclose(part, {"audio": {"data": _SLOT}})

    def _begin_call(self, part: _Part, out: list[bytes]) -> None:
        began, choice = part.began, part.choice
        part.slot, choice.calls = choice.calls, choice.calls + 1
        function = {"name": began.name, "arguments": ""}
        if self._legacy:
            delta: object = {"function_call": function}
            inner: object = {"function_call": {"arguments": _SLOT}}
        else:
            call = {"index": part.slot, "id": began.ident, "type": "function"}
            delta = {"tool_calls": [{**call, "function": function}]}
            inner = {"tool_calls": [{"index": part.slot, "function": {"arguments": _SLOT}}]}
        out.append(self._chunk(choice.number, delta))
        self._enclose(part, inner)

    def _enclose(self, part: _Part, delta: object) -> None:
        chunk = self._chunk(part.choice.number, delta)
        part.before, _, part.after = chunk.rpartition(_encode(_SLOT))

    def _delta(self, event: PartDelta, out: list[bytes]) -> None:
        part, text = self._parts[event.index], event.text
        part.end += len(text)
        if part.keeps:
            part.held.append(text)
        if text and part.before:
            out.append(part.before + _encode(text) + part.after)

    def _sign(self, part: _Part, signature: str, out: list[bytes]) -> None:
        if part.began.kind == "reasoning":
            self._detail(part, "".join(part.held), signature, out)
        elif part.began.kind == "tool_call" and not self._legacy:
            # The SDK's stream helper fails on a call without its function.
            call = {"index": part.slot, "function": {}, **words.signed(signature)}
            out.append(self._chunk(part.choice.number, {"tool_calls": [call]}))

    def _detail(self, part: _Part, text: str, signature: str, out: list[bytes]) -> None:
        choice = part.choice
        detail = words.reasoning_detail(part.began, choice.details, text, signature)
        choice.details += 1
        out.append(self._chunk(choice.number, {"reasoning_details": [detail]}))

    def _end_part(self, part: _Part, out: list[bytes]) -> None:
        kind, choice = part.began.kind, part.choice
        if kind == "text":
            choice.text = part.end
        elif kind == "reasoning" and part.began.hidden:
            self._detail(part, "", "", out)
        elif kind == "image":
            image = words.image(part.began, choice.images, "".join(part.held))
            choice.images += 1
            out.append(self._chunk(choice.number, {"images": [image]}))

    def _end_choice(self, ended: Ended, out: list[bytes]) -> None:
        choice = self._choice(ended.choice, out)
        if choice.citations:
            cited = [words.annotation(c, part.begin, part.end) for part, c in choice.citations]
            out.append(self._chunk(choice.number, {"annotations": cited}))
        finish = words.finish(ended, choice.refused, self._legacy)
        out.append(self._chunk(choice.number, {}, _encode(finish)[1:-1]))


def _is_legacy(body: bytes) -> bool:
    if b'"functions"' not in body:
        return False
    return "functions" in msgspec.json.decode(body, type=dict[str, msgspec.Raw])
