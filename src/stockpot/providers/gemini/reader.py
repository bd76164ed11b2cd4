"""Gemini's answers as events. Knows what Gemini answers; knows no client's format.

Sources: the reference of the Gemini API and the types of the google-genai package (November 2026).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from stockpot.providers.canon import (
    Began,
    Cited,
    Ended,
    Event,
    Failed,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
)
from stockpot.providers.gemini.answer import Blob, Candidate, Chunk, Code, Part, UsageMetadata
from stockpot.providers.gemini.citations import found, in_characters
from stockpot.providers.gemini.content import plain_base64
from stockpot.providers.gemini.frames import Frames
from stockpot.providers.gemini.signatures import marked
from stockpot.providers.gemini.usage import billed_searches, usage_of

_chunk = msgspec.json.Decoder(Chunk)
_chunks = msgspec.json.Decoder(list[Chunk])
_FILTERED = frozenset((
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR",
))  # fmt: skip


class _Choice:
    """One candidate so far. `open` is the part that grows, -1 when none does."""

    __slots__ = ("called", "kind", "open", "written")

    def __init__(self) -> None:
        self.open = self.written = -1
        """`written` is the last part of text."""
        self.kind: PartKind = "text"
        self.called = False


class GeminiReader:
    """Reads one answer, whole or streamed. Function calls arrive whole in both."""

    def __init__(self) -> None:
        self.frames = Frames()
        self._began = False
        self._ident = ""
        self._parts = 0
        self._calls = 0
        self._queries: set[str] = set()
        self._said: UsageMetadata | None = None
        self._counted = 0
        self._choices: dict[int, _Choice] = {}
        self._texts: dict[int, list[str]] = {}

    def feed(self, data: bytes) -> Sequence[Event]:
        return self._read(self.frames.feed(data))

    def end(self) -> Sequence[Event]:
        return self._read(self.frames.end())

    def complete(self, body: bytes) -> Sequence[Event]:
        out: list[Event] = []
        many = body.lstrip()[:1] == b"["
        for chunk in _chunks.decode(body) if many else (_chunk.decode(body),):
            self._chunk(chunk, out)
        if not self._began:
            raise ValueError("neither candidates nor an error are in it")
        return out

    def _read(self, objects: list[bytes]) -> list[Event]:
        out: list[Event] = []
        for raw in objects:
            said: list[Event] = []
            try:
                self._chunk(_chunk.decode(raw), said)
            except msgspec.MsgspecError:
                said = [Failed("the upstream sent an event that is not Gemini's", "bad_event")]
            out += said
        return out

    def _chunk(self, chunk: Chunk, out: list[Event]) -> None:
        if chunk.error is not None:
            out.append(Failed(chunk.error.message, chunk.error.status))
            return
        if not self._began and (chunk.candidates or chunk.promptFeedback or chunk.usageMetadata):
            self._began = True
            self._ident = chunk.responseId
            out.append(Began(chunk.responseId, chunk.modelVersion))
        for candidate in chunk.candidates or ():
            self._candidate(candidate, out)
        blocked = chunk.promptFeedback.blockReason if chunk.promptFeedback is not None else ""
        if blocked:
            out.append(Ended(reason="content_filter", said=blocked))
        said = chunk.usageMetadata
        if said is not None and (said != self._said or len(self._queries) != self._counted):
            self._said, self._counted = said, len(self._queries)
            searches = billed_searches(chunk.modelVersion, self._queries)
            out.append(Metered(usage_of(said, searches)))

    def _candidate(self, candidate: Candidate, out: list[Event]) -> None:
        choice = self._choices.setdefault(candidate.index, _Choice())
        parts = (candidate.content.parts if candidate.content is not None else None) or ()
        indexes: list[int] = []
        for number, part in enumerate(parts):
            if number:
                self._close(choice, out)
            self._part(part, choice, candidate.index, out)
            indexes.append(choice.open)
        if candidate.groundingMetadata is not None:
            self._queries.update(candidate.groundingMetadata.webSearchQueries or ())
        if candidate.groundingMetadata is not None or candidate.citationMetadata is not None:
            self._cite(candidate, choice, indexes, out)
        if candidate.finishReason not in ("", "FINISH_REASON_UNSPECIFIED"):
            self._close(choice, out)
            out.append(_ended(candidate, choice))

    def _cite(
        self, candidate: Candidate, choice: _Choice, indexes: list[int], out: list[Event]
    ) -> None:
        """Citations stand before the end of their part, which may be among the events already."""
        for one in found(candidate):
            index = indexes[one.part] if one.part < len(indexes) else choice.written
            if index not in self._texts:
                index = choice.written
            if index not in self._texts:
                continue
            event = Cited(index, in_characters(one, "".join(self._texts[index])))
            if choice.open == index:
                out.append(event)
            elif PartEnded(index) in out:
                out.insert(out.index(PartEnded(index)), event)

    def _part(self, part: Part, choice: _Choice, number: int, out: list[Event]) -> None:
        if part.text is not None:
            self._text(part, choice, number, out)
        elif part.functionCall is not None:
            self._close(choice, out)
            call = part.functionCall
            self._calls += 1
            choice.called = True
            ident = call.id or self._call_id()
            index = self._begin("tool_call", number, out, ident=ident, name=call.name)
            if part.thoughtSignature:
                out.append(PartSigned(index, marked(part.thoughtSignature)))
            # Whole answers are indented, which is not the model's doing.
            args = msgspec.json.format(bytes(call.args), indent=-1)
            out.append(PartDelta(index, args.decode("utf-8")))
            out.append(PartEnded(index))
        elif part.inlineData is not None:
            self._close(choice, out)
            self._blob(part.inlineData, number, out)
        elif part.executableCode is not None or part.codeExecutionResult is not None:
            self._grow("text", _code(part), choice, number, out)

    def _text(self, part: Part, choice: _Choice, number: int, out: list[Event]) -> None:
        text = part.text or ""
        if text:
            kind: PartKind = "reasoning" if part.thought else "text"
            self._grow(kind, text, choice, number, out)
        if not part.thoughtSignature:
            return
        if choice.open < 0 or choice.kind != "reasoning":
            # The proof of a text travels as reasoning without words: texts have none elsewhere.
            self._close(choice, out)
            choice.open = self._begin("reasoning", number, out)
            choice.kind = "reasoning"
        out.append(PartSigned(choice.open, marked(part.thoughtSignature)))
        self._close(choice, out)

    def _grow(
        self, kind: PartKind, text: str, choice: _Choice, number: int, out: list[Event]
    ) -> None:
        if choice.open < 0 or choice.kind != kind:
            self._close(choice, out)
            choice.open = self._begin(kind, number, out)
            choice.kind = kind
            if kind == "text":
                choice.written = choice.open
                self._texts[choice.open] = []
        if kind == "text":
            self._texts[choice.open].append(text)
        out.append(PartDelta(choice.open, text))

    def _blob(self, blob: Blob, number: int, out: list[Event]) -> None:
        kind: PartKind = "audio" if blob.mimeType.startswith("audio/") else "image"
        index = self._begin(kind, number, out, media_type=blob.mimeType)
        out.append(PartDelta(index, plain_base64(blob.data)))
        out.append(PartEnded(index))

    def _begin(
        self,
        kind: PartKind,
        choice: int,
        out: list[Event],
        ident: str = "",
        name: str = "",
        media_type: str = "",
    ) -> int:
        index = self._parts
        self._parts += 1
        out.append(
            PartBegan(
                index=index, kind=kind, choice=choice, ident=ident, name=name, media_type=media_type
            )
        )
        return index

    def _close(self, choice: _Choice, out: list[Event]) -> None:
        if choice.open >= 0:
            out.append(PartEnded(choice.open))
            choice.open = -1

    def _call_id(self) -> str:
        if not self._ident:
            self._ident = os.urandom(9).hex()
        return f"call_{self._ident}_{self._calls}"


def _code(part: Part) -> str:
    code = part.executableCode or part.codeExecutionResult or Code()
    return f"\n```{code.language.lower()}\n{code.code or code.output}\n```\n"


def _ended(candidate: Candidate, choice: _Choice) -> Ended:
    said = candidate.finishReason
    if said == "STOP":
        return Ended(
            reason="tool_calls" if choice.called else "stop", choice=candidate.index, said=said
        )
    if said == "MAX_TOKENS":
        return Ended(reason="length", choice=candidate.index, said=said)
    if said in _FILTERED:
        return Ended(reason="content_filter", choice=candidate.index, said=said)
    return Ended(reason="error", choice=candidate.index, said=said)
