"""The texts of a stream's events, in every dialect. Knows events' shapes; knows no rail.

`read` says of one decoded event which pieces of texts it holds, which texts end with it, and which
texts it repeats as a whole. `more` makes an event that holds nothing but a piece of a text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stockpot.gateway.guard.said import item_texts
from stockpot.gateway.guard.slots import Slot, objects
from stockpot.rails import Where

JSON = dict[str, Any]
Place = tuple[Any, ...]
"""Which text of an answer: the choice or block, and the field."""


class Piece(NamedTuple):
    """A piece of the text at a place: `holder[key]`."""

    place: Place
    holder: Any
    key: str
    where: Where


class Read(NamedTuple):
    """What one event says. `ended` are the beginnings of places that end, () being all."""

    pieces: list[Piece]
    ended: list[Place]
    whole: list[tuple[Place, Slot]]


def read(dialect: str, value: Any) -> Read:
    """The texts of an event; of what is no object, nothing."""
    found = Read([], [], [])
    if isinstance(value, dict) and (reader := _READ.get(dialect)) is not None:
        reader(value, found)
    return found


def _piece(found: Read, place: Place, holder: Any, key: str, where: Where = "output") -> None:
    if isinstance(holder, dict) and isinstance(holder.get(key), str) and holder[key]:
        found.pieces.append(Piece(place, holder, key, where))


# --- OpenAI -------------------------------------------------------------------------------------


def _openai(value: JSON, found: Read) -> None:
    for choice in objects(value, "choices"):
        index = choice.get("index", 0)
        choice.pop("logprobs", None)
        _piece(found, (index, "text"), choice, "text")
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for key in ("content", "refusal", "reasoning_content", "reasoning"):
                _piece(found, (index, key), delta, key)
            for call in objects(delta, "tool_calls"):
                place = (index, "tool", call.get("index", 0))
                _piece(found, place, call.get("function"), "arguments", "tool_call")
            _piece(found, (index, "function"), delta.get("function_call"), "arguments", "tool_call")
        if choice.get("finish_reason"):
            found.ended.append((index,))


def _openai_more(place: Place, text: str, last: JSON) -> JSON:
    index, kind = place[0], place[1]
    made = {key: item for key, item in last.items() if key not in ("usage", "choices")}
    if kind == "text":
        return {**made, "choices": [{"index": index, "text": text, "finish_reason": None}]}
    delta: JSON = {kind: text}
    if kind == "tool":
        delta = {"tool_calls": [{"index": place[2], "function": {"arguments": text}}]}
    elif kind == "function":
        delta = {"function_call": {"arguments": text}}
    return {**made, "choices": [{"index": index, "delta": delta, "finish_reason": None}]}


# --- Anthropic ----------------------------------------------------------------------------------

_ANTHROPIC: tuple[tuple[str, Where], ...] = (
    ("text", "output"), ("thinking", "output"), ("partial_json", "tool_call"),
)  # fmt: skip
_KIND = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}


def _anthropic(value: JSON, found: Read) -> None:
    kind, index = value.get("type"), value.get("index", 0)
    if kind == "content_block_delta":
        for key, where in _ANTHROPIC:
            _piece(found, (index, key), value.get("delta"), key, where)
    elif kind == "content_block_start":
        for key in ("text", "thinking"):
            _piece(found, (index, key), value.get("content_block"), key)
    elif kind == "content_block_stop":
        found.ended.append((index,))
    elif kind in ("message_delta", "message_stop"):
        found.ended.append(())


def _anthropic_more(place: Place, text: str, last: JSON) -> JSON:
    index, key = place
    delta = {"type": _KIND[key], key: text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


# --- Responses ----------------------------------------------------------------------------------

_RESPONSES: dict[str, tuple[str, Where]] = {
    "response.output_text": ("text", "output"),
    "response.refusal": ("refusal", "output"),
    "response.reasoning_text": ("text", "output"),
    "response.reasoning_summary_text": ("text", "output"),
    "response.custom_tool_call_input": ("input", "output"),
    "response.function_call_arguments": ("arguments", "tool_call"),
    "response.mcp_call_arguments": ("arguments", "tool_call"),
}


def _responses(value: JSON, found: Read) -> None:
    value.pop("logprobs", None)
    kind = str(value.get("type", ""))
    stem, _, step = kind.rpartition(".")
    index = value.get("output_index", 0)
    inner = value.get("content_index", value.get("summary_index", 0))
    if stem in _RESPONSES:
        key, where = _RESPONSES[stem]
        place = (index, inner, key)
        if step == "delta":
            _piece(found, place, value, "delta", where)
        elif step == "done":
            found.ended.append(place)
            if isinstance(value.get(key), str):
                found.whole.append((place, Slot(value, key, where)))
    elif kind.endswith("_part.done"):
        _part(found, index, inner, value.get("part"))
    elif kind == "response.output_item.done":
        _item(found, index, value.get("item"))
    elif kind in ("response.completed", "response.incomplete", "response.failed"):
        found.ended.append(())
        for number, item in enumerate(objects(value.get("response"), "output")):
            _item(found, number, item)


def _part(found: Read, index: Any, inner: Any, part: Any) -> None:
    if isinstance(part, dict):
        part.pop("logprobs", None)
        for key in ("text", "refusal"):
            if isinstance(part.get(key), str):
                found.whole.append(((index, inner, key), Slot(part, key, "output")))


def _item(found: Read, index: Any, item: Any) -> None:
    if not isinstance(item, dict):
        return
    for key in ("content", "summary"):
        for inner, part in enumerate(objects(item, key)):
            _part(found, index, inner, part)
    for slot in item_texts(item):
        if slot.holder is item:
            found.whole.append(((index, 0, slot.key), slot))


def _responses_more(place: Place, text: str, last: JSON) -> JSON:
    return {**last, "delta": text}


# --- Gemini -------------------------------------------------------------------------------------


def _gemini(value: JSON, found: Read) -> None:
    for candidate in objects(value, "candidates"):
        index = candidate.get("index", 0)
        candidate.pop("logprobsResult", None)
        for part in objects(candidate.get("content"), "parts"):
            kind = "thought" if part.get("thought") else "text"
            _piece(found, (index, kind), part, "text")
            call = part.get("functionCall")
            if isinstance(call, dict) and isinstance(call.get("args"), dict):
                slot = Slot(call, "args", "tool_call", document=True)
                found.whole.append(((index, "call", id(call)), slot))
        if candidate.get("finishReason"):
            found.ended.append((index,))


def _gemini_more(place: Place, text: str, last: JSON) -> JSON:
    index, kind = place
    part: JSON = {"text": text, "thought": True} if kind == "thought" else {"text": text}
    made = {key: item for key, item in last.items() if key not in ("usageMetadata", "candidates")}
    candidate = {"index": index, "content": {"role": "model", "parts": [part]}}
    return {**made, "candidates": [candidate]}


_READ: dict[str, Callable[[JSON, Read], None]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "responses": _responses,
    "gemini": _gemini,
}
_MORE: dict[str, Callable[[Place, str, JSON], JSON]] = {
    "openai": _openai_more,
    "anthropic": _anthropic_more,
    "responses": _responses_more,
    "gemini": _gemini_more,
}


def more(dialect: str, place: Place, text: str, last: JSON) -> JSON:
    """An event that says a piece of a text; `last` is the event that said the piece before."""
    return _MORE[dialect](place, text, last)
