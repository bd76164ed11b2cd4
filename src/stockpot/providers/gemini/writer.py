"""Events as an answer of Gemini's: whole, as server-sent events, or as a JSON array. Knows what
Gemini answers; knows no upstream.

A function call goes out whole, as Gemini's do. Reasons and usage go out with the last chunk.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stockpot.prices import Usage
from stockpot.providers.canon import (
    JSON,
    Began,
    Citation,
    Cited,
    Ended,
    Event,
    Failed,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
    Reason,
)
from stockpot.providers.gemini.citations import grounding_of
from stockpot.providers.gemini.errors import BROKEN, status_of
from stockpot.providers.gemini.signatures import pack
from stockpot.providers.gemini.usage import metadata_of

_encode = msgspec.json.encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FINISH: dict[Reason, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "OTHER",
    "error": "OTHER",
}


class _Part:
    """A part that is being written. `pieces` are its deltas; `place` counts parts of a choice."""

    __slots__ = ("began", "pieces", "place", "signature")

    def __init__(self, began: PartBegan, place: int) -> None:
        self.began = began
        self.place = place
        self.pieces: list[str] = []
        self.signature = ""


class GeminiWriter:
    """Writes one answer. `sse` is the form of a stream that the client asked for; `begun` says that
    some of it is out already."""

    def __init__(self, sse: bool, begun: bool = False) -> None:
        self._sse = sse
        self.stream_type = b"text/event-stream" if sse else b"application/json"
        self._model = ""
        self._ident = ""
        self._usage: Usage | None = None
        self._parts: dict[int, _Part] = {}
        self._places: dict[int, int] = {}
        self._cited: dict[int, list[tuple[int, Citation]]] = {}
        self._broken_calls: dict[int, str] = {}
        self._ended: dict[int, Ended] = {}
        self._written = begun

    # streams

    def write(self, events: Sequence[Event]) -> bytes:
        out = []
        for event in events:
            if (written := self._take(event)) is not None:
                choice, part = written
                out.append(self._frame(self._chunk([self._candidate(choice, [part])])))
        return b"".join(out)

    def end(self) -> bytes:
        last = [self._last(choice, [{"text": ""}]) for choice in sorted(self._ended)]
        chunk = self._frame(self._chunk(last, self._usage))
        return chunk if self._sse else chunk + b"]"

    def broken(self, message: str, code: str) -> bytes:
        chunk = self._frame(status_of(BROKEN, message, code))
        return chunk if self._sse else chunk + b"]"

    def _frame(self, chunk: JSON) -> bytes:
        raw = _encode(chunk)
        if self._sse:
            return b"data: %b\r\n\r\n" % raw
        first, self._written = not self._written, True
        return b"[" + raw if first else b",\r\n" + raw

    # whole answers

    def complete(self, events: Sequence[Event]) -> bytes:
        parts: dict[int, list[JSON]] = {}
        for event in events:
            if isinstance(event, PartDelta) and self._parts[event.index].began.kind != "tool_call":
                self._parts[event.index].pieces.append(event.text)
            elif isinstance(event, PartEnded):
                self._whole(self._parts[event.index], parts)
            else:
                self._take(event)
        choices = sorted({*parts, *self._ended})
        candidates = [self._last(choice, parts.get(choice, [])) for choice in choices]
        return _encode(self._chunk(candidates, self._usage))

    def _whole(self, part: _Part, parts: dict[int, list[JSON]]) -> None:
        kind = part.began.kind
        mine = parts.setdefault(part.began.choice, [])
        if kind not in ("text", "refusal", "reasoning"):
            if (ended := self._end_of(part)) is not None:
                mine.append(ended)
            return
        written: JSON = {"text": "".join(part.pieces)}
        if kind == "reasoning":
            written["thought"] = True
            if proof := pack(part.signature, part.began.hidden, part.began.ident):
                written["thoughtSignature"] = proof
        mine.append(written)

    # both

    def _take(self, event: Event) -> tuple[int, JSON] | None:
        """Note an event; the choice and the part of a chunk that it makes at once."""
        if isinstance(event, PartDelta):
            return self._delta(event)
        if isinstance(event, PartBegan):
            place = self._places.get(event.choice, 0)
            self._places[event.choice] = place + 1
            self._parts[event.index] = _Part(event, place)
        elif isinstance(event, PartEnded):
            part = self._parts[event.index]
            ended = self._end_of(part)
            return None if ended is None else (part.began.choice, ended)
        elif isinstance(event, PartSigned):
            self._parts[event.index].signature += event.signature
        else:
            self._note(event)
        return None

    def _note(self, event: Event) -> None:
        if isinstance(event, Began):
            self._ident, self._model = event.ident, event.model
        elif isinstance(event, Cited):
            choice = self._parts[event.index].began.choice
            self._cited.setdefault(choice, []).append((event.index, event.citation))
        elif isinstance(event, Ended):
            self._ended[event.choice] = event
        elif isinstance(event, Metered):
            self._usage = event.usage
        else:
            assert not isinstance(event, Failed), "told by `broken`"

    def _delta(self, delta: PartDelta) -> tuple[int, JSON] | None:
        part = self._parts[delta.index]
        part.pieces.append(delta.text)
        kind = part.began.kind
        if kind == "text" or kind == "refusal":
            return part.began.choice, {"text": delta.text}
        if kind == "reasoning":
            return part.began.choice, {"text": delta.text, "thought": True}
        return None

    def _end_of(self, part: _Part) -> JSON | None:
        """What is written when a part ends: what goes out whole, or a proof."""
        began = part.began
        if began.kind == "tool_call":
            return self._call(part)
        if began.kind in ("image", "audio"):
            data = "".join(part.pieces)
            return {"inlineData": {"mimeType": began.media_type, "data": data}}
        if began.kind == "reasoning" and (proof := pack(part.signature, began.hidden, began.ident)):
            return {"text": "", "thought": True, "thoughtSignature": proof}
        return None

    def _call(self, part: _Part) -> JSON | None:
        arguments = "".join(part.pieces)
        began = part.began
        try:
            args = _object.decode(arguments or "{}")
        except (msgspec.MsgspecError, UnicodeEncodeError):
            self._broken_calls[began.choice] = f"{began.name}({arguments})"
            return None
        written: JSON = {"functionCall": {"id": began.ident, "name": began.name, "args": args}}
        if proof := pack(part.signature):
            written["thoughtSignature"] = proof
        return written

    def _candidate(self, choice: int, parts: list[JSON]) -> JSON:
        return {"content": {"parts": parts, "role": "model"}, "index": choice}

    def _last(self, choice: int, parts: list[JSON]) -> JSON:
        """A candidate with everything that is known at its end."""
        candidate = self._candidate(choice, parts)
        if (ended := self._ended.get(choice)) is not None:
            broken = self._broken_calls.get(choice)
            reason = _FINISH[ended.reason]
            message = ended.said if ended.reason in ("refusal", "pause", "error") else ""
            if broken is not None and reason == "STOP":
                reason, message = "MALFORMED_FUNCTION_CALL", broken
            candidate["finishReason"] = reason
            if message:
                candidate["finishMessage"] = message
        if cited := self._cited.get(choice):
            candidate["groundingMetadata"] = grounding_of(
                [(self._parts[i].place, "".join(self._parts[i].pieces), said) for i, said in cited]
            )
        return candidate

    def _chunk(self, candidates: list[JSON], usage: Usage | None = None) -> JSON:
        chunk: JSON = {"candidates": candidates}
        if usage is not None:
            chunk["usageMetadata"] = metadata_of(usage)
        chunk["modelVersion"] = self._model
        chunk["responseId"] = self._ident
        return chunk
