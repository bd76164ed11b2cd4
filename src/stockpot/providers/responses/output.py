"""The output of a response as it grows: items, their parts, and the events that tell of them.

A message holds all texts and refusals that follow each other; reasoning is told as its summary; a
tool call is an item. Media other than images have no item in this dialect and are never asked for.

Source: the types of the `openai` package (`openai.types.responses`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from stockpot.providers.canon import Citation, PartBegan
from stockpot.providers.responses.proof import wrapped

JSON = dict[str, Any]
Emit = Callable[[str, JSON], None]
_encode = msgspec.json.encode
_DELTAS = {
    "text": "response.output_text.delta",
    "refusal": "response.refusal.delta",
    "reasoning": "response.reasoning_summary_text.delta",
    "tool_call": "response.function_call_arguments.delta",
}


class Open:
    """A part under way: its item, what its events repeat, and its text so far."""

    __slots__ = ("at", "began", "held", "item", "prefix", "signature", "told")

    def __init__(self, began: PartBegan, item: JSON, at: JSON) -> None:
        self.began = began
        self.item = item
        self.at = at
        self.held: list[str] = []
        self.signature = ""
        self.told = False
        self.prefix = b""

    @property
    def text(self) -> str:
        return "".join(self.held)


class Output:
    """`items` are the output; `emit` is told each event without its number."""

    def __init__(self, ident: str, emit: Emit) -> None:
        self.items: list[JSON] = []
        self._ident = ident
        self._emit = emit
        self._open: dict[int, Open] = {}
        self._message: JSON | None = None
        self._message_index = 0

    def begin(self, began: PartBegan) -> None:
        kind = began.kind
        if kind in ("text", "refusal"):
            self._begin_text(began)
            return
        self._end_message()
        if kind == "reasoning":
            item: JSON = {"type": "reasoning", "summary": []}
            at = self._add("rs", item, {"summary_index": 0})
        elif kind == "tool_call":
            item = {
                "type": "function_call",
                "status": "in_progress",
                "call_id": began.ident,
                "name": began.name,
                "arguments": "",
            }
            at = self._add("fc", item, {})
        elif kind == "image":
            item = {"type": "image_generation_call", "status": "in_progress", "result": None}
            at = self._add("ig", item, {})
        else:
            return
        self._open[began.index] = Open(began, item, at)

    def _add(self, letters: str, item: JSON, more: JSON) -> JSON:
        number = len(self.items)
        item["id"] = f"{letters}_{self._ident}_{number}"
        self.items.append(item)
        self._emit("response.output_item.added", {"output_index": number, "item": item})
        return {"item_id": item["id"], "output_index": number, **more}

    def _begin_text(self, began: PartBegan) -> None:
        if self._message is None:
            self._message = {
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
            self._message_index = len(self.items)
            self._add("msg", self._message, {})
        content = self._message["content"]
        at = {
            "item_id": self._message["id"],
            "output_index": self._message_index,
            "content_index": len(content),
        }
        part: JSON = (
            {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            if began.kind == "text"
            else {"type": "refusal", "refusal": ""}
        )
        content.append(part)
        self._open[began.index] = Open(began, part, at)
        self._emit("response.content_part.added", {**at, "part": part})

    def add(self, index: int, text: str) -> tuple[bytes, bytes] | None:
        """More of a part. Returns the event that tells it, cut open where its number goes."""
        part = self._open.get(index)
        if part is None or not text:
            return None
        part.held.append(text)
        if not part.prefix:
            if part.began.kind == "reasoning" and not part.told:
                self._begin_summary(part)
            part.prefix = _prefix(part)
        if part.began.kind == "image":
            return None
        return part.prefix + _encode(text) + b',"sequence_number":', b"}\n\n"

    def _begin_summary(self, part: Open) -> None:
        part.told = True
        said = {"type": "summary_text", "text": ""}
        self._emit("response.reasoning_summary_part.added", {**part.at, "part": said})

    def sign(self, index: int, signature: str) -> None:
        if index in self._open:
            self._open[index].signature = signature

    def cite(self, index: int, citation: Citation) -> None:
        part = self._open.get(index)
        if part is None or part.began.kind != "text":
            return
        note = _annotation(citation, len(part.text))
        notes = part.item["annotations"]
        notes.append(note)
        said = {**part.at, "annotation_index": len(notes) - 1, "annotation": note}
        self._emit("response.output_text.annotation.added", said)

    def end(self, index: int) -> None:
        part = self._open.pop(index, None)
        if part is None:
            return
        kind, text = part.began.kind, part.text
        if kind in ("text", "refusal"):
            self._end_text(part, text)
        elif kind == "reasoning":
            self._end_reasoning(part, text)
        elif kind == "tool_call":
            self._end_call(part, text)
        else:
            part.item.update(status="completed", result=text)
            self._done(part)

    def _end_text(self, part: Open, text: str) -> None:
        name = "text" if part.began.kind == "text" else "refusal"
        part.item[name] = text
        said = {**part.at, name: text}
        if name == "text":
            self._emit("response.output_text.done", {**said, "logprobs": []})
        else:
            self._emit("response.refusal.done", said)
        self._emit("response.content_part.done", {**part.at, "part": part.item})

    def _end_reasoning(self, part: Open, text: str) -> None:
        if text:
            said = {"type": "summary_text", "text": text}
            part.item["summary"].append(said)
            self._emit("response.reasoning_summary_text.done", {**part.at, "text": text})
            self._emit("response.reasoning_summary_part.done", {**part.at, "part": said})
        if part.began.hidden:
            part.item["encrypted_content"] = wrapped("hidden", part.began.hidden)
        elif part.signature:
            part.item["encrypted_content"] = wrapped("signed", part.signature)
        self._done(part)

    def _end_call(self, part: Open, text: str) -> None:
        part.item.update(status="completed", arguments=text)
        self._emit("response.function_call_arguments.done", {**part.at, "arguments": text})
        self._done(part)
        if part.signature:
            proof = wrapped("call", part.signature, part.began.ident)
            item: JSON = {"type": "reasoning", "summary": [], "encrypted_content": proof}
            at = self._add("rs", item, {})
            said = {"output_index": at["output_index"], "item": item}
            self._emit("response.output_item.done", said)

    def _done(self, part: Open) -> None:
        said = {"output_index": part.at["output_index"], "item": part.item}
        self._emit("response.output_item.done", said)

    def _end_message(self, status: str = "completed") -> None:
        if self._message is None:
            return
        for index in [i for i, p in self._open.items() if p.began.kind in ("text", "refusal")]:
            self.end(index)
        self._message["status"] = status
        said = {"output_index": self._message_index, "item": self._message}
        self._emit("response.output_item.done", said)
        self._message = None

    def close(self, status: str) -> None:
        """No more comes. `status` is that of the message that the answer ended in."""
        self._end_message("completed" if status == "completed" else "incomplete")
        for index in list(self._open):
            self.end(index)


def _prefix(part: Open) -> bytes:
    """An event of a delta up to its text."""
    kind = _DELTAS.get(part.began.kind, "")
    said: JSON = {"type": kind, **part.at}
    if part.began.kind == "text":
        said["logprobs"] = []
    return b"event: " + kind.encode() + b"\ndata: " + _encode(said)[:-1] + b',"delta":'


def _annotation(citation: Citation, length: int) -> JSON:
    if citation.url:
        return {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": citation.start or 0,
            "end_index": length if citation.end is None else citation.end,
        }
    name = citation.title or citation.source
    return {
        "type": "file_citation", "file_id": citation.source, "filename": name, "index": length,
    }  # fmt: skip
