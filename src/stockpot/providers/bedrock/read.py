"""Reading Converse's answers into events, whole and streamed. Knows its shapes; knows no dialect.

What a tool of Bedrock's own asked and was told inside an answer is not passed on: the client could
take it for a call of its tools.

Source: the service model of Bedrock Runtime in botocore (2023-09-30).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stockpot.prices import Usage
from stockpot.providers.bedrock.frames import Message, Messages
from stockpot.providers.canon import (
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
    PartKind,
    PartSigned,
    Reason,
)

_REASONS: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


class _Shape(msgspec.Struct, rename="camel"):
    """Fields are named as in the service model."""


class _ToolUse(_Shape):
    tool_use_id: str = ""
    name: str = ""
    input: Any = None
    type: str | None = None


class _ReasoningText(_Shape):
    text: str = ""
    signature: str | None = None


class _Reasoning(_Shape):
    """Of a whole answer (`reasoning_text`) and of a piece."""

    reasoning_text: _ReasoningText | None = None
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class _Said(_Shape):
    text: str | None = None


class _Web(_Shape):
    url: str | None = None


class _Place(_Shape):
    document_index: int | None = None


class _Location(_Shape):
    web: _Web | None = None
    document_char: _Place | None = None
    document_page: _Place | None = None
    document_chunk: _Place | None = None


class _Citation(_Shape):
    title: str | None = None
    source: str | None = None
    source_content: list[_Said] = []
    location: _Location | None = None

    def canonical(self, end: int | None = None) -> Citation:
        where = self.location or _Location()
        place = where.document_char or where.document_page or where.document_chunk or _Place()
        index = place.document_index
        return Citation(
            url=(where.web.url if where.web else None) or "",
            title=self.title or "",
            quote="".join(said.text or "" for said in self.source_content),
            start=None if end is None else 0,
            end=end,
            source=self.source or ("" if index is None else str(index)),
        )


class _Cited(_Shape):
    content: list[_Said] = []
    citations: list[_Citation] = []


class _Source(_Shape):
    bytes: str | None = None


class _Image(_Shape):
    format: str = ""
    source: _Source | None = None


class _Block(_Shape):
    """A block of a whole answer, and what is said when a streamed one begins or goes on."""

    text: str | None = None
    tool_use: _ToolUse | None = None
    reasoning_content: _Reasoning | None = None
    citations_content: _Cited | None = None
    citation: _Citation | None = None
    image: _Image | None = None


class _CacheDetail(_Shape):
    ttl: str = ""
    input_tokens: int = 0


class _Usage(_Shape):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    cache_details: list[_CacheDetail] | None = None

    def metered(self, tier: str) -> Metered:
        """Bedrock's `inputTokens` are those beside the cache."""
        read, written = self.cache_read_input_tokens or 0, self.cache_write_input_tokens or 0
        long = sum(d.input_tokens for d in self.cache_details or () if d.ttl == "1h")
        into = self.input_tokens + read + written
        usage = Usage(into, self.output_tokens, read, written, cache_write_1h=long, tier=tier)
        return Metered(usage)


class _Tier(_Shape):
    type: str = ""


class _Message(_Shape):
    content: list[_Block] = []


class _Output(_Shape):
    message: _Message


class _Answer(_Shape):
    output: _Output
    stop_reason: str
    usage: _Usage | None = None
    service_tier: _Tier | None = None


class _Event(_Shape):
    """The payload of any event of a stream."""

    content_block_index: int = 0
    start: _Block | None = None
    delta: _Block | None = None
    stop_reason: str = ""
    usage: _Usage | None = None
    service_tier: _Tier | None = None
    message: str = ""


_answer = msgspec.json.Decoder(_Answer)
_event = msgspec.json.Decoder(_Event)


def _tier(tier: _Tier | None) -> str:
    return tier.type if tier is not None and tier.type != "default" else ""


class _Open(msgspec.Struct):
    """A part that is under way; `hidden` gathers what was redacted."""

    index: int
    kind: PartKind
    empty: bool = True
    hidden: str = ""


class ConverseReader:
    """Reads one answer."""

    def __init__(self) -> None:
        self._messages = Messages()
        self._open: dict[int, _Open | None] = {}
        self._parts = 0
        self._failed = False

    def feed(self, data: bytes) -> Sequence[Event]:
        events: list[Event] = []
        for message in self._messages.feed(data):
            if not self._failed:
                self._read(message, events)
        return self._with_fault(events)

    def end(self) -> Sequence[Event]:
        self._messages.end()
        return self._with_fault([])

    def _with_fault(self, events: list[Event]) -> list[Event]:
        if self._messages.fault and not self._failed:
            self._failed = True
            events.append(Failed(self._messages.fault, "damaged_stream"))
        return events

    def _read(self, message: Message, events: list[Event]) -> None:
        headers = message.headers
        if headers.get(":message-type") == "error":
            self._failed = True
            code = headers.get(":error-code", "")
            events.append(Failed(headers.get(":error-message", "") or code, code))
            return
        try:
            event = _event.decode(message.payload or b"{}")
        except msgspec.MsgspecError as bad:
            self._failed = True
            events.append(Failed(f"an event of the stream cannot be read: {bad}", "damaged_stream"))
            return
        if headers.get(":message-type") == "exception":
            self._failed = True
            code = headers.get(":exception-type", "")
            events.append(Failed(event.message or code, code))
            return
        self._take(headers.get(":event-type", ""), event, events)

    def _take(self, kind: str, event: _Event, events: list[Event]) -> None:
        number = event.content_block_index
        if kind == "contentBlockDelta" and event.delta is not None:
            self._more(number, event.delta, events)
        elif kind == "contentBlockStart" and event.start is not None:
            self._start(number, event.start, events)
        elif kind == "contentBlockStop":
            self._stop(number, events)
        elif kind == "messageStart":
            events.append(Began("", ""))
        elif kind == "messageStop":
            for still in list(self._open):
                self._stop(still, events)
            reason = _REASONS.get(event.stop_reason, "stop")
            events.append(Ended(reason=reason, said=event.stop_reason))
        elif kind == "metadata" and event.usage is not None:
            events.append(event.usage.metered(_tier(event.service_tier)))

    def _begin(
        self, number: int, events: list[Event], kind: PartKind, tool: _ToolUse | None = None,
        media_type: str = "", hidden: str = "",
    ) -> _Open:  # fmt: skip
        part = self._open[number] = _Open(self._parts, kind)
        self._parts += 1
        ident, name = (tool.tool_use_id, tool.name) if tool else ("", "")
        began = PartBegan(index=part.index, kind=kind, ident=ident, name=name,
                          media_type=media_type, hidden=hidden)  # fmt: skip
        events.append(began)
        return part

    def _start(self, number: int, block: _Block, events: list[Event]) -> None:
        tool = block.tool_use
        if tool is not None and tool.type != "server_tool_use":
            self._begin(number, events, "tool_call", tool)
        elif block.image is not None:
            kind = f"image/{block.image.format}"
            self._begin(number, events, "image", media_type=kind)
        else:
            self._open[number] = None  # a tool of Bedrock's own

    def _more(self, number: int, delta: _Block, events: list[Event]) -> None:
        part = self._open.get(number)
        if part is None and number in self._open:
            return
        if delta.reasoning_content is not None:
            self._reason(number, part, delta.reasoning_content, events)
            return
        said = delta.text
        if delta.tool_use is not None:
            said = str(delta.tool_use.input or "")
        elif delta.image is not None and delta.image.source is not None:
            said = delta.image.source.bytes
        if part is None:
            part = self._begin(number, events, "text")
        if said:
            part.empty = False
            events.append(PartDelta(part.index, said))
        if delta.citation is not None:
            events.append(Cited(part.index, delta.citation.canonical()))

    def _reason(
        self, number: int, part: _Open | None, said: _Reasoning, events: list[Event]
    ) -> None:
        if said.redacted_content is not None:
            if part is None:
                part = self._open[number] = _Open(-1, "reasoning")
            part.hidden += said.redacted_content
            return
        part = part or self._begin(number, events, "reasoning")
        if said.text:
            part.empty = False
            events.append(PartDelta(part.index, said.text))
        if said.signature:
            events.append(PartSigned(part.index, said.signature))

    def _stop(self, number: int, events: list[Event]) -> None:
        part = self._open.pop(number, None)
        if part is None:
            return
        if part.hidden:
            began = self._begin(number, events, "reasoning", hidden=part.hidden)
            self._open.pop(number)
            events.append(PartEnded(began.index))
            if part.index < 0:
                return
        if part.kind == "tool_call" and part.empty:
            events.append(PartDelta(part.index, "{}"))
        events.append(PartEnded(part.index))

    def complete(self, body: bytes) -> Sequence[Event]:
        try:
            answer = _answer.decode(body)
        except msgspec.MsgspecError as bad:
            raise ValueError(str(bad)) from None
        events: list[Event] = [Began("", "")]
        for block in answer.output.message.content:
            self._whole(block, events)
        reason = _REASONS.get(answer.stop_reason, "stop")
        events.append(Ended(reason=reason, said=answer.stop_reason))
        if answer.usage is not None:
            events.append(answer.usage.metered(_tier(answer.service_tier)))
        return events

    def _whole(self, block: _Block, events: list[Event]) -> None:
        tool, cited, reasoning = block.tool_use, block.citations_content, block.reasoning_content
        if tool is not None and tool.type != "server_tool_use":
            self._begin(0, events, "tool_call", tool)
            said = msgspec.json.encode({} if tool.input is None else tool.input).decode()
            self._more(0, _Block(tool_use=_ToolUse(input=said)), events)
        elif block.text is not None:
            self._more(0, _Block(text=block.text), events)
        elif cited is not None:
            words = "".join(said.text or "" for said in cited.content)
            self._more(0, _Block(text=words), events)
            index = self._parts - 1
            events += [Cited(index, each.canonical(len(words))) for each in cited.citations]
        elif reasoning is not None:
            if (thought := reasoning.reasoning_text) is not None:
                piece = _Reasoning(text=thought.text, signature=thought.signature)
                self._more(0, _Block(reasoning_content=piece), events)
            else:
                self._more(0, block, events)
        elif block.image is not None:
            self._start(0, block, events)
            self._more(0, block, events)
        self._stop(0, events)
