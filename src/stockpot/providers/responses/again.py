"""A Responses answer told again in the other form. Knows its objects and events; knows no cache.

A stream ends in the whole answer, so that one is lifted out as it stands. A whole answer is told as
the events by which it could have come, each text in one piece, and ends in itself.

Source: the types of the `openai` package (`openai.types.responses`, November 2026).
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.canon import JSON
from stockpot.providers.sse import Splitter

_ENDS = ("completed", "incomplete")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class _Last(msgspec.Struct):
    type: str
    response: msgspec.Raw = msgspec.Raw(b"")


def whole_of(stream: bytes) -> bytes | None:
    """The answer that a stream ends in; None where it ended otherwise. Raises ValueError."""
    splitter = Splitter()
    events = [*splitter.feed(stream), *splitter.end()]
    if not events:
        return None
    last = msgspec.json.decode(events[-1].data, type=_Last)
    if last.type.removeprefix("response.") not in _ENDS:
        return None
    return bytes(last.response) or None


def stream_of(body: bytes) -> bytes | None:
    """The events of a whole answer; None where it holds what is not known here (tools that the
    vendor runs have events of their own). Raises ValueError."""
    response = _decode(body)
    status, output = response.get("status"), response.get("output")
    if status not in _ENDS or not isinstance(output, list):
        return None
    events = _Events()
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    begun["incomplete_details"] = None
    events.add("created", {"response": begun})
    events.add("in_progress", {"response": begun})
    try:
        known = all(events.item(index, item) for index, item in enumerate(output))
    except (KeyError, TypeError, AttributeError):
        return None
    if not known:
        return None
    events.add(status, {"response": msgspec.Raw(body)})
    return b"".join(events.out)


class _Events:
    def __init__(self) -> None:
        self.out: list[bytes] = []

    def add(self, kind: str, said: JSON) -> None:
        name = f"response.{kind}"
        body = _encode({"type": name, **said, "sequence_number": len(self.out)})
        self.out.append(b"event: " + name.encode() + b"\ndata: " + body + b"\n\n")

    def item(self, index: int, item: JSON) -> bool:
        """Whether the item is one whose events are known."""
        kind, at = item["type"], {"item_id": item["id"], "output_index": index}
        if kind == "message":
            told, empty = self._message, {"status": "in_progress", "content": []}
        elif kind == "function_call":
            told, empty = self._call, {"status": "in_progress", "arguments": ""}
        elif kind == "reasoning":
            told, empty = self._reasoning, {"summary": []}
            if item.get("content"):
                empty["content"] = []
        else:
            return False
        self.add("output_item.added", {"output_index": index, "item": {**item, **empty}})
        if not told(at, item):
            return False
        self.add("output_item.done", {"output_index": index, "item": item})
        return True

    def _message(self, at: JSON, item: JSON) -> bool:
        for number, part in enumerate(item["content"]):
            here = {**at, "content_index": number}
            if part["type"] == "output_text":
                self._text(here, part)
            elif part["type"] == "refusal":
                self.add("content_part.added", {**here, "part": {**part, "refusal": ""}})
                self.add("refusal.delta", {**here, "delta": part["refusal"]})
                self.add("refusal.done", {**here, "refusal": part["refusal"]})
            else:
                return False
            self.add("content_part.done", {**here, "part": part})
        return True

    def _text(self, here: JSON, part: JSON) -> None:
        text, likely = part["text"], part.get("logprobs") or []
        empty = {**part, "text": "", "annotations": [], "logprobs": []}
        self.add("content_part.added", {**here, "part": empty})
        if text:
            self.add("output_text.delta", {**here, "delta": text, "logprobs": likely})
        for number, note in enumerate(part.get("annotations") or ()):
            said = {**here, "annotation_index": number, "annotation": note}
            self.add("output_text.annotation.added", said)
        self.add("output_text.done", {**here, "text": text, "logprobs": likely})

    def _call(self, at: JSON, item: JSON) -> bool:
        said = item["arguments"]
        self.add("function_call_arguments.delta", {**at, "delta": said})
        done = {**at, "name": item["name"], "arguments": said}
        self.add("function_call_arguments.done", done)
        return True

    def _reasoning(self, at: JSON, item: JSON) -> bool:
        for number, part in enumerate(item["summary"]):
            here = {**at, "summary_index": number}
            self.add("reasoning_summary_part.added", {**here, "part": {**part, "text": ""}})
            self.add("reasoning_summary_text.delta", {**here, "delta": part["text"]})
            self.add("reasoning_summary_text.done", {**here, "text": part["text"]})
            self.add("reasoning_summary_part.done", {**here, "part": part})
        for number, part in enumerate(item.get("content") or ()):
            here = {**at, "content_index": number}
            self.add("content_part.added", {**here, "part": {**part, "text": ""}})
            self.add("reasoning_text.delta", {**here, "delta": part["text"]})
            self.add("reasoning_text.done", {**here, "text": part["text"]})
            self.add("content_part.done", {**here, "part": part})
        return True
