"""Events written as an answer in Anthropic's dialect, whole or streamed. Knows its blocks only.

Anthropic's blocks follow each other; where parts run side by side, those that are not the first to
be open wait for their turn.

Source: `Message` and `RawMessageStreamEvent` of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stockpot.core import ids
from stockpot.prices import Usage
from stockpot.providers.anthropic.errors import error_event
from stockpot.providers.anthropic.proofs import of_call
from stockpot.providers.anthropic.usage import stated
from stockpot.providers.canon import (
    Began,
    Citation,
    Cited,
    Ended,
    Event,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
    Reason,
)

_encode = msgspec.json.encode
Block = dict[str, Any]

_REASONS: dict[Reason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "error": "end_turn",
}


class AnthropicWriter:
    """Writes one answer. `model` is what the client asked for, until the upstream says its own."""

    stream_type = b"text/event-stream; charset=utf-8"

    __slots__ = (
        "_blocks", "_current", "_ended", "_head", "_ident", "_model", "_parts",
        "_proof", "_refused", "_said_block", "_usage", "_waiting",
    )  # fmt: skip

    def __init__(self, model: str) -> None:
        self._ident = ""
        self._model = model
        self._head = False
        self._usage = Usage()
        self._ended: Ended | None = None
        self._refused = False
        self._parts: dict[int, PartBegan] = {}
        self._current: int | None = None
        """The part whose block is open, or would be if it had anything to say."""
        self._said_block = False
        self._blocks = 0
        self._waiting: list[Event] = []
        self._proof = ""
        """Of the call whose block is open."""

    # streamed answers

    def write(self, events: Sequence[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            self._take(event, out)
        return b"".join(out)

    def end(self) -> bytes:
        out: list[bytes] = []
        while self._current is not None:
            self._close(out)
        self._begin(out)
        reason, stop = self._stop()
        delta = {"stop_reason": reason, "stop_sequence": stop}
        usage = stated(self._usage, whole=False)
        out.append(_event("message_delta", {"delta": delta, "usage": usage}))
        out.append(_event("message_stop", {}))
        return b"".join(out)

    def broken(self, message: str, code: str) -> bytes:
        return error_event(message, code)

    def _take(self, event: Event, out: list[bytes]) -> None:
        kind = type(event)
        if kind is PartDelta or kind is PartSigned or kind is Cited or kind is PartEnded:
            self._of_part(event, out)
        elif isinstance(event, PartBegan):
            if event.choice == 0:
                self._parts[event.index] = event
                self._begin(out)
                if self._current is None:
                    self._open(event.index, out)
                else:
                    self._waiting.append(event)
        elif isinstance(event, Began):
            self._ident, self._model = event.ident, event.model or self._model
        elif isinstance(event, Metered):
            self._usage = event.usage
        elif isinstance(event, Ended) and event.choice == 0:
            self._ended = event

    def _begin(self, out: list[bytes]) -> None:
        if not self._head:
            self._head = True
            message = self._message([], None, None)
            out.append(_event("message_start", {"message": message}))

    def _of_part(self, event: Any, out: list[bytes]) -> None:
        index: int = event.index
        if index not in self._parts:
            return
        if index != self._current:
            self._waiting.append(event)
        elif type(event) is PartDelta:
            self._delta(event.text, out)
        elif type(event) is PartEnded:
            self._close(out)
        elif type(event) is PartSigned:
            self._signed(self._parts[index], event.signature, out)
        else:
            cited = {"type": "citations_delta", "citation": _citation(event.citation)}
            self._piece(cited, out)

    def _signed(self, part: PartBegan, signature: str, out: list[bytes]) -> None:
        if part.kind == "reasoning":
            self._piece({"type": "signature_delta", "signature": signature}, out)
        elif part.kind == "tool_call":
            self._proof = of_call(part.ident, signature)

    def _open(self, index: int, out: list[bytes]) -> None:
        part = self._parts[index]
        self._current = index
        self._said_block = False
        self._refused = self._refused or part.kind == "refusal"
        if part.hidden:
            self._start({"type": "redacted_thinking", "data": part.hidden}, out)
            self._stop_block(out)
        elif part.kind in ("image", "audio"):
            self._start({"type": "text", "text": ""}, out)
            self._piece({"type": "text_delta", "text": _unheld(part)}, out)
        else:
            self._start(_empty(part), out)

    def _start(self, block: Block, out: list[bytes]) -> None:
        self._said_block = True
        out.append(_event("content_block_start", {"index": self._blocks, "content_block": block}))

    def _stop_block(self, out: list[bytes]) -> None:
        out.append(_event("content_block_stop", {"index": self._blocks}))
        self._blocks += 1
        self._said_block = False

    def _delta(self, text: str, out: list[bytes]) -> None:
        assert self._current is not None
        kind = self._parts[self._current].kind
        if kind == "tool_call":
            self._piece({"type": "input_json_delta", "partial_json": text}, out)
        elif kind == "reasoning":
            self._piece({"type": "thinking_delta", "thinking": text}, out)
        elif kind in ("text", "refusal"):
            self._piece({"type": "text_delta", "text": text}, out)

    def _piece(self, delta: Block, out: list[bytes]) -> None:
        if not self._said_block:  # what was hidden has a text beside it
            self._start({"type": "thinking", "thinking": "", "signature": ""}, out)
        out.append(_event("content_block_delta", {"index": self._blocks, "delta": delta}))

    def _close(self, out: list[bytes]) -> None:
        """End the open block; the next part that waits has its turn."""
        if self._said_block:
            self._stop_block(out)
        if self._proof:
            self._start({"type": "redacted_thinking", "data": self._proof}, out)
            self._stop_block(out)
            self._proof = ""
        self._current = None
        waiting, self._waiting = self._waiting, []
        for i, event in enumerate(waiting):
            if isinstance(event, PartBegan):
                self._open(event.index, out)
                rest = waiting[:i] + waiting[i + 1 :]
                mine = [e for e in rest if getattr(e, "index", -1) == event.index]
                self._waiting = [e for e in rest if getattr(e, "index", -1) != event.index]
                for one in mine:
                    self._of_part(one, out)
                return

    # whole answers

    def complete(self, events: Sequence[Event]) -> bytes:
        blocks: dict[int, list[Block]] = {}
        texts: dict[int, list[str]] = {}
        for event in events:
            if isinstance(event, PartBegan):
                if event.choice == 0:
                    self._parts[event.index] = event
                    self._refused = self._refused or event.kind == "refusal"
                    blocks[event.index] = _whole(event)
                    texts[event.index] = []
            elif isinstance(event, PartDelta):
                texts.get(event.index, []).append(event.text)
            elif isinstance(event, PartSigned) and event.index in blocks:
                _sign(self._parts[event.index], blocks[event.index], event.signature)
            elif isinstance(event, Cited) and event.index in blocks:
                block = blocks[event.index][0]
                block["citations"] = [*(block.get("citations") or ()), _citation(event.citation)]
            else:
                self._take(event, [])
        for index, made in blocks.items():
            _fill(self._parts[index], made, "".join(texts[index]))
        content = [block for made in blocks.values() for block in made]
        return _encode(self._message(content, *self._stop()))

    def _stop(self) -> tuple[str, str | None]:
        ended = self._ended
        if ended is None:
            return "end_turn", None
        if ended.stop:
            return "stop_sequence", ended.stop
        if self._refused or ended.reason == "refusal":
            return "refusal", None
        if ended.said == "model_context_window_exceeded":
            return ended.said, None
        return _REASONS[ended.reason], None

    def _message(self, content: list[Block], reason: str | None, stop: str | None) -> Block:
        self._ident = self._ident or f"msg_{ids.trace_id().hex()}"
        return {
            "id": self._ident,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": stop,
            "usage": stated(self._usage, whole=True),
        }


def _event(name: str, body: Block) -> bytes:
    data = _encode({"type": name, **body})
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _empty(part: PartBegan) -> Block:
    if part.kind == "tool_call":
        return {"type": "tool_use", "id": part.ident, "name": part.name, "input": {}}
    if part.kind == "reasoning":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def _whole(part: PartBegan) -> list[Block]:
    if part.hidden:
        return [{"type": "redacted_thinking", "data": part.hidden}]
    return [_empty(part)]


def _sign(part: PartBegan, made: list[Block], signature: str) -> None:
    if made[0]["type"] == "thinking":
        made[0]["signature"] = signature
    elif part.kind == "tool_call":
        made.append({"type": "redacted_thinking", "data": of_call(part.ident, signature)})


def _fill(part: PartBegan, made: list[Block], text: str) -> None:
    block = made[0]
    if part.kind in ("image", "audio"):
        block["text"] = _unheld(part)
    elif block["type"] == "redacted_thinking":
        if text:
            made.append({"type": "thinking", "thinking": text, "signature": ""})
    elif block["type"] == "tool_use":
        block["input"] = _input(text)
    else:
        block["thinking" if block["type"] == "thinking" else "text"] = text


def _input(arguments: str) -> object:
    """What the model wrote, if it is an object; else its text in one field."""
    if not arguments.strip():
        return {}
    try:
        given = msgspec.json.decode(arguments)
    except msgspec.MsgspecError:
        given = None
    return given if isinstance(given, dict) else {"arguments": arguments}


def _unheld(part: PartBegan) -> str:
    return f"[{part.media_type or part.kind}: Anthropic's format has no block for it]"


def _citation(found: Citation) -> Block:
    """The one kind of Anthropic's citations that needs no place inside a document."""
    return {
        "type": "web_search_result_location",
        "cited_text": found.quote,
        "encrypted_index": "",
        "title": found.title or None,
        "url": found.url or found.source,
    }
