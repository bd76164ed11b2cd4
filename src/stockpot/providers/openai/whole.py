"""Events put together as the choices of a whole answer in OpenAI's chat format. Knows no stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpot.providers.canon import Cited, Ended, PartBegan, PartDelta, PartSigned
from stockpot.providers.openai import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpot.providers.canon import Citation, Event

JSON = dict[str, Any]


class _Part:
    """One part, put together."""

    __slots__ = ("began", "citations", "pieces", "signature")

    def __init__(self, began: PartBegan) -> None:
        self.began = began
        self.pieces: list[str] = []
        self.signature = ""
        self.citations: list[Citation] = []


def completion(events: Sequence[Event], created: int, legacy: bool) -> list[JSON]:
    """The choices. `legacy` is for a client that knows `function_call` only."""
    parts: dict[int, _Part] = {}
    ends: dict[int, Ended] = {}
    for event in events:
        if type(event) is PartDelta:
            parts[event.index].pieces.append(event.text)
        elif type(event) is PartBegan:
            parts[event.index] = _Part(event)
        elif type(event) is PartSigned:
            parts[event.index].signature = event.signature
        elif type(event) is Cited:
            parts[event.index].citations.append(event.citation)
        elif type(event) is Ended:
            ends[event.choice] = event
    return [
        _choice(ended, [p for p in parts.values() if p.began.choice == number], created, legacy)
        for number, ended in sorted(ends.items())
    ]


def _choice(ended: Ended, parts: list[_Part], created: int, legacy: bool) -> JSON:
    message: JSON = {"role": "assistant", "content": None, "refusal": None}
    for part in parts:
        _add(message, part, created, legacy)
    kinds = {part.began.kind for part in parts}
    if message["content"] is None and not kinds & {"tool_call", "refusal", "audio"}:
        message["content"] = ""
    finish = words.finish(ended, "refusal" in kinds, legacy)
    return {"index": ended.choice, "message": message, "logprobs": None, **finish}


def _add(message: JSON, part: _Part, created: int, legacy: bool) -> None:
    began, text = part.began, "".join(part.pieces)
    kind = began.kind
    if kind == "text":
        before = message["content"] or ""
        message["content"] = before + text
        cited = [words.annotation(c, len(before), len(before) + len(text)) for c in part.citations]
        if cited:
            message["annotations"] = message.get("annotations", []) + cited
    elif kind == "reasoning":
        _add_reasoning(message, part, text)
    elif kind == "refusal":
        message["refusal"] = (message["refusal"] or "") + text
    elif kind == "tool_call":
        _add_call(message, part, text, legacy)
    elif kind == "image":
        images = message.setdefault("images", [])
        images.append(words.image(began, len(images), text))
    elif kind == "audio":
        audio = {"id": began.ident or "audio", "expires_at": created, "transcript": ""}
        message["audio"] = {**audio, "data": text}


def _add_reasoning(message: JSON, part: _Part, text: str) -> None:
    if text:
        message["reasoning_content"] = message.get("reasoning_content", "") + text
    if part.signature or part.began.hidden:
        details = message.setdefault("reasoning_details", [])
        details.append(words.reasoning_detail(part.began, len(details), text, part.signature))


def _add_call(message: JSON, part: _Part, text: str, legacy: bool) -> None:
    function = {"name": part.began.name, "arguments": text}
    if legacy:
        message["function_call"] = function
        return
    call: JSON = {"id": part.began.ident, "type": "function", "function": function}
    if part.signature:
        call.update(words.signed(part.signature))
    message.setdefault("tool_calls", []).append(call)
