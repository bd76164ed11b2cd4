"""An answer of Anthropic's, whole or streamed, as events. Knows its blocks; knows no client.

What a tool of the vendor's own did (`server_tool_use` and its results) has no part in the canonical
form: the text that came of it and its citations go on, and the searches are counted.

Source: `Message` and `RawMessageStreamEvent` of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stockpot.providers.anthropic.blocks import citation
from stockpot.providers.anthropic.compose import JSON_TOOL
from stockpot.providers.anthropic.usage import UsageBody, counted, merged
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
    Reason,
)
from stockpot.providers.sse import ServerEvent, Splitter

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.encode

_REASONS: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
}
_KINDS: dict[str, PartKind] = {
    "text": "text",
    "thinking": "reasoning",
    "redacted_thinking": "reasoning",
    "tool_use": "tool_call",
}
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class AnthropicReader:
    """Reads one answer. `unwrap` makes text of the call that a JSON object was asked for with."""

    __slots__ = ("_arguments", "_count", "_counts", "_open", "_splitter", "_unwrap")

    def __init__(self, unwrap: bool = False) -> None:
        self._unwrap = unwrap
        self._splitter = Splitter()
        self._counts: UsageBody | None = None
        self._count = 0
        self._open: dict[int, int] = {}
        """Parts that are under way, by the number of their block."""
        self._arguments: set[int] = set()
        """Tool calls of which no argument came yet."""

    def feed(self, data: bytes) -> Sequence[Event]:
        return self._all(self._splitter.feed(data))

    def end(self) -> Sequence[Event]:
        return self._all(self._splitter.end())

    def complete(self, body: bytes) -> Sequence[Event]:
        """Raises ValueError when the body is no message."""
        message = _decode(body)
        if message.get("type") != "message" or not isinstance(message.get("content"), list):
            raise ValueError("it is no message of Anthropic's")
        events: list[Event] = [Began(message.get("id") or "", message.get("model") or "")]
        for i, block in enumerate(message["content"]):
            events += self._whole(i, block)
        events += self._ended(message)
        events += self._metered(message.get("usage"))
        return events

    def _all(self, found: list[ServerEvent]) -> list[Event]:
        events: list[Event] = []
        for one in found:
            try:
                said = _decode(one.data)
                events += self._event(said)
            except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as bad:
                events.append(Failed(f"the upstream sent an event that cannot be read: {bad!r}"))
        return events

    def _event(self, said: dict[str, Any]) -> list[Event]:
        match said["type"]:
            case "content_block_delta":
                return self._delta(said["index"], said["delta"])
            case "content_block_start":
                return self._began(said["index"], said["content_block"])
            case "content_block_stop":
                return self._stopped(said["index"])
            case "message_start":
                message = said["message"]
                began = Began(message.get("id") or "", message.get("model") or "")
                return [began, *self._metered(message.get("usage"))]
            case "message_delta":
                return [*self._ended(said["delta"]), *self._metered(said.get("usage"))]
            case "error":
                error = said.get("error") or {}
                return [Failed(error.get("message") or "", error.get("type") or "")]
            case _:  # ping, message_stop, and what Anthropic may add
                return []

    # Blocks.

    def _began(self, number: int, block: dict[str, Any]) -> list[Event]:
        kind = _KINDS.get(block["type"])
        if kind is None:
            return []
        index = self._open[number] = self._count
        self._count += 1
        if kind == "tool_call":
            if self._unwrap and block["name"] == JSON_TOOL:
                return [PartBegan(index=index, kind="text")]
            self._arguments.add(index)
            return [PartBegan(index=index, kind=kind, ident=block["id"], name=block["name"])]
        events: list[Event] = [PartBegan(index=index, kind=kind, hidden=block.get("data") or "")]
        text = block.get("text") or block.get("thinking")
        if text:
            events.append(PartDelta(index, text))
        return events

    def _delta(self, number: int, delta: dict[str, Any]) -> list[Event]:
        index = self._open.get(number)
        if index is None:
            return []
        kind = delta["type"]
        if kind in _TEXTS:
            text = delta[_TEXTS[kind]]
            if not text:
                return []
            self._arguments.discard(index)
            return [PartDelta(index, text)]
        if kind == "signature_delta":
            return [PartSigned(index, delta["signature"])]
        if kind == "citations_delta":
            return [Cited(index, citation(delta["citation"]))]
        return []

    def _stopped(self, number: int) -> list[Event]:
        index = self._open.pop(number, None)
        if index is None:
            return []
        if index in self._arguments:  # a call without arguments comes without a delta
            self._arguments.discard(index)
            return [PartDelta(index, "{}"), PartEnded(index)]
        return [PartEnded(index)]

    def _whole(self, number: int, block: dict[str, Any]) -> list[Event]:
        try:
            events = self._began(number, block)
            if not events:
                return []
            index = self._open[number]
            if block["type"] == "tool_use":
                self._arguments.discard(index)
                events.append(PartDelta(index, _encode(block.get("input") or {}).decode()))
            for one in block.get("citations") or ():
                events.append(Cited(index, citation(one)))
            if block.get("signature"):
                events.append(PartSigned(index, block["signature"]))
        except (KeyError, TypeError, AttributeError) as bad:
            raise ValueError(f"a block cannot be read: {bad!r}") from None
        return [*events, *self._stopped(number)]

    # The end.

    def _ended(self, said: dict[str, Any]) -> list[Event]:
        why = said.get("stop_reason")
        if not why:
            return []
        reason = _REASONS.get(why, "stop")
        if reason == "tool_calls" and self._unwrap:
            reason, why = "stop", "end_turn"
        details = said.get("stop_details") or {}
        events: list[Event] = []
        if reason == "refusal" and details.get("explanation"):
            index, self._count = self._count, self._count + 1
            events += [
                PartBegan(index=index, kind="refusal"),
                PartDelta(index, details["explanation"]),
                PartEnded(index),
            ]
        return [*events, Ended(reason=reason, stop=said.get("stop_sequence") or "", said=why)]

    def _metered(self, body: object) -> list[Event]:
        if body is None:
            return []
        self._counts = merged(self._counts, msgspec.convert(body, UsageBody))
        return [Metered(counted(self._counts))]
