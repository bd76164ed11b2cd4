"""One alternative of an answer: pieces as they come, turned into parts. Knows no bytes.

A part begins with its first piece and ends when another kind of piece follows. Tool calls go out
one after the other: pieces of a second one that come before the first is complete JSON wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stockpot.providers.canon import (
    Citation,
    Cited,
    Ended,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
    Reason,
)

if TYPE_CHECKING:
    from stockpot.providers.canon import Event, PartKind

_REASONS: dict[str, Reason] = {
    "stop": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "error": "error",
    "abort": "error",
    "insufficient_system_resource": "error",
}


class Parts:
    """The events of a whole answer, and how many parts have begun."""

    __slots__ = ("count", "events")

    def __init__(self) -> None:
        self.count = 0
        self.events: list[Event] = []

    def taken(self) -> list[Event]:
        out, self.events = self.events, []
        return out


class _Call:
    """A tool call as far as it has come; the first `sent` pieces are out."""

    __slots__ = ("ident", "index", "name", "pieces", "proven", "sent", "signature")

    def __init__(self, index: int, ident: str) -> None:
        self.index = index
        self.ident = ident
        self.name = ""
        self.pieces: list[str] = []
        self.sent = 0
        self.signature = ""
        self.proven = False

    def is_complete(self) -> bool:
        try:
            msgspec.json.decode("".join(self.pieces))
        except msgspec.DecodeError:
            return False
        return True


class Alternative:
    """What one alternative has said so far."""

    __slots__ = (
        "_begins",
        "_calls",
        "_kind",
        "_part",
        "_parts",
        "_reasoned",
        "_refused",
        "_text",
        "_transcript",
        "_turn",
        "ended",
        "number",
    )

    def __init__(self, number: int, parts: Parts) -> None:
        self.number = number
        self.ended = False
        self._parts = parts
        self._kind: PartKind | None = None
        self._part = -1
        self._calls: list[_Call] = []
        self._turn = -1
        """The call that goes out now, or went out last; those behind it wait."""
        self._refused = False
        self._transcript: list[str] = []
        self._reasoned: list[str] = []
        """Of the reasoning that is open."""
        self._text = self._begins = 0
        """Characters of its text, and those before the text part that is open."""

    def say(self, kind: PartKind, text: str) -> None:
        """More text, reasoning, refusal or audio."""
        if self._kind != kind:
            self._begin(PartBegan(index=self._parts.count, kind=kind, choice=self.number))
        if kind == "text":
            self._text += len(text)
        elif kind == "reasoning":
            self._reasoned.append(text)
        self._parts.events.append(PartDelta(self._part, text))

    def _begin(self, began: PartBegan) -> None:
        self._end_all()
        self._open(began)

    def _open(self, began: PartBegan) -> None:
        self._kind = began.kind
        self._part = began.index
        self._parts.count += 1
        self._begins = self._text
        self._reasoned = []
        self._refused = self._refused or began.kind == "refusal"
        self._parts.events.append(began)

    def _end(self) -> None:
        if self._kind is not None:
            self._kind = None
            self._parts.events.append(PartEnded(self._part))

    def _end_all(self) -> None:
        """End the open part; calls that wait go out first."""
        while self._turn + 1 < len(self._calls):
            self._next_call()
        self._end()

    # reasoning, media, citations

    def has_reasoned(self, text: str) -> bool:
        """Whether this is said again of the reasoning that is open, to stand with its proof."""
        return self._kind == "reasoning" and text == "".join(self._reasoned)

    def proof(self, signature: str) -> None:
        """The signature of the reasoning that is open, or of one that is not shown."""
        if self._kind != "reasoning":
            self.say("reasoning", "")
        self._parts.events.append(PartSigned(self._part, signature))

    def hidden(self, data: str, ident: str) -> None:
        count = self._parts.count
        self._begin(
            PartBegan(index=count, kind="reasoning", choice=self.number, hidden=data, ident=ident)
        )
        self._end()

    def image(self, media_type: str, data: str) -> None:
        count = self._parts.count
        self._begin(PartBegan(index=count, kind="image", choice=self.number, media_type=media_type))
        self._parts.events.append(PartDelta(self._part, data))
        self._end()

    def transcript(self, text: str) -> None:
        """The words of the audio; they follow it as a part of their own."""
        self._transcript.append(text)

    def cite(self, citation: Citation) -> None:
        """Offsets count from the begin of the content; here, from that of the part."""
        if self._kind != "text":
            self.say("text", "")
        start, end = citation.start, citation.end
        moved = msgspec.structs.replace(
            citation,
            start=None if start is None else max(0, start - self._begins),
            end=None if end is None else max(0, end - self._begins),
        )
        self._parts.events.append(Cited(self._part, moved))

    # tool calls

    def call(
        self, index: int | None, ident: str, name: str, arguments: str, signature: str
    ) -> bool:
        """More of a tool call; False when it has already ended."""
        place = self._place(index, ident)
        call = self._calls[place]
        call.name = call.name or name
        call.signature = call.signature or signature
        if place < self._turn or (place == self._turn and self._kind != "tool_call"):
            return not arguments
        if arguments:
            call.pieces.append(arguments)
        if self._turn < 0 or self._kind != "tool_call":
            self._end()
            self._next_call()
        self._flush()
        return True

    def _place(self, index: int | None, ident: str) -> int:
        """Which call is meant. Some servers send no index, or the same one for every call."""
        for place in reversed(range(len(self._calls))):
            known = self._calls[place]
            if index is not None and known.index != index:
                continue
            if not ident or known.ident == ident:
                return place
            break
        self._calls.append(_Call(len(self._calls) if index is None else index, ident))
        return len(self._calls) - 1

    def _next_call(self) -> None:
        """End what is open and begin the next call."""
        if self._kind == "tool_call":
            self._send(self._calls[self._turn])
        self._end()
        self._turn += 1
        call = self._calls[self._turn]
        count = self._parts.count
        ident = call.ident or f"call_{count}"
        self._open(
            PartBegan(
                index=count, kind="tool_call", choice=self.number, ident=ident, name=call.name
            )
        )
        self._send(call)

    def _send(self, call: _Call) -> None:
        events = self._parts.events
        for piece in call.pieces[call.sent :]:
            events.append(PartDelta(self._part, piece))
        call.sent = len(call.pieces)
        if call.signature and not call.proven:
            call.proven = True
            events.append(PartSigned(self._part, call.signature))

    def _flush(self) -> None:
        self._send(self._calls[self._turn])
        while self._turn + 1 < len(self._calls) and self._calls[self._turn].is_complete():
            self._next_call()

    # the end

    def finish(self, said: str) -> None:
        if self.ended:
            return
        self.ended = True
        self._end_all()
        if self._transcript:
            self.say("text", "".join(self._transcript))
            self._end()
        reason = _REASONS.get(said, "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        elif reason == "stop" and self._refused:
            reason = "refusal"
        self._parts.events.append(Ended(reason=reason, choice=self.number, said=said))
