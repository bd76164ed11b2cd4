"""The texts of a request, in every dialect. Knows bodies; knows no rail.

What the user, the system and the developer say is `input`. What tools answered is `tool_result`.
`retrieved` are Anthropic's documents and search results, and in every dialect what stands between
`<retrieved>` and `</retrieved>` in a text (attributes allowed; the marks stay: models heed them).
What the assistant said before is history. Images, sound and files are not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from stockpot.gateway.guard.slots import Slot, Slots, content, objects, strings
from stockpot.rails import Where

Body = dict[str, Any]

MARK = "<retrieved"
_MARKED = frozenset({"input", "tool_result"})
_RETRIEVED = re.compile(r"(<retrieved\b[^>]*>)(.*?)(</retrieved>|\Z)", re.DOTALL)

_BY_ENDPOINT: dict[str, tuple[tuple[str, Where], ...]] = {
    "completions": (("prompt", "input"), ("suffix", "input")),
    "embeddings": (("input", "input"),),
    "speech": (("input", "input"), ("instructions", "input")),
    "images": (("prompt", "input"),),
    "moderations": (("input", "input"),),
    "rerank": (("query", "input"), ("documents", "retrieved")),
}


def texts_of(dialect: str, endpoint: str, body: Body) -> list[Slot]:
    """Every text of a request, in the order in which it stands there."""
    if endpoint in _BY_ENDPOINT and dialect != "gemini":
        return [slot for key, where in _BY_ENDPOINT[endpoint] for slot in content(body, key, where)]
    read = _READ.get(dialect)
    return list(read(body)) if read is not None else []


def _openai(body: Body) -> Slots:
    for message in objects(body, "messages"):
        role = message.get("role")
        if role in ("tool", "function"):
            yield from content(message, "content", "tool_result")
        elif role == "assistant":
            yield from content(message, "content", "input", history=True)
            for call in objects(message, "tool_calls"):
                function = call.get("function")
                if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                    yield Slot(function, "arguments", "input", history=True)
        else:
            yield from content(message, "content", "input")


def _responses(body: Body) -> Slots:
    yield from content(body, "instructions", "input")
    if isinstance(body.get("input"), str):
        yield Slot(body, "input", "input")
    for item in objects(body, "input"):
        kind = item.get("type", "message")
        if kind == "message":
            yield from content(item, "content", "input", history=item.get("role") == "assistant")
        elif kind.endswith("_call_output"):
            yield from content(item, "output", "tool_result")
        elif kind == "function_call" and isinstance(item.get("arguments"), str):
            yield Slot(item, "arguments", "input", history=True)


def _anthropic(body: Body) -> Slots:
    yield from content(body, "system", "input")
    for message in objects(body, "messages"):
        said = message.get("role") == "assistant"
        if isinstance(message.get("content"), str):
            yield Slot(message, "content", "input", history=said)
        for block in objects(message, "content"):
            yield from _block(block, said)


def _block(block: Body, said: bool) -> Slots:
    kind = block.get("type")
    if kind == "text":
        yield from _text(block, said)
    elif kind == "tool_result":
        if isinstance(block.get("content"), str):
            yield Slot(block, "content", "tool_result")
        for part in objects(block, "content"):
            if part.get("type") == "text":
                yield from content({"parts": [part]}, "parts", "tool_result")
            else:
                yield from _block(part, said)
    elif kind == "tool_use" and isinstance(block.get("input"), dict):
        yield from strings(block["input"], "input", history=True)
    elif kind == "search_result":
        yield from content(block, "content", "retrieved")
    elif kind == "document" and isinstance(block.get("source"), dict):
        source = block["source"]
        if source.get("type") == "text" and isinstance(source.get("data"), str):
            yield Slot(source, "data", "retrieved")
        elif source.get("type") == "content":
            yield from content(source, "content", "retrieved")


def _text(block: Body, said: bool) -> Slots:
    if isinstance(block.get("text"), str):
        yield Slot(block, "text", "input", history=said)


def _gemini(body: Body) -> Slots:
    for key in ("systemInstruction", "system_instruction"):
        for part in objects(body.get(key), "parts"):
            yield from _part(part, said=False)
    whole = [body] if "content" in body else []
    whole += objects(body, "requests")
    for one in whole:  # embeddings
        for part in objects(one.get("content"), "parts"):
            yield from _part(part, said=False)
    for turn in objects(body, "contents"):
        for part in objects(turn, "parts"):
            yield from _part(part, said=turn.get("role") == "model")


def _part(part: Body, said: bool) -> Slots:
    if isinstance(part.get("text"), str):
        yield Slot(part, "text", "input", history=said)
    for key in ("functionResponse", "function_response"):
        answer = part.get(key)
        if isinstance(answer, dict) and isinstance(answer.get("response"), dict):
            yield from strings(answer["response"], "tool_result")
    for key in ("functionCall", "function_call"):
        call = part.get(key)
        if isinstance(call, dict) and isinstance(call.get("args"), dict):
            yield from strings(call["args"], "input", history=True)


_READ: dict[str, Callable[[Body], Slots]] = {
    "openai": _openai,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}


def pieces(slot: Slot) -> list[tuple[Where, str]]:
    """A text by where its stretches come from; joined again they are the text."""
    text = slot.text
    if "<" not in text or slot.history or MARK not in text or slot.where not in _MARKED:
        return [(slot.where, text)]
    found: list[tuple[Where, str]] = []
    at = 0
    for mark in _RETRIEVED.finditer(text):
        found.append((slot.where, text[at : mark.start(2)]))
        found.append(("retrieved", mark[2]))
        at = mark.end(2)
    found.append((slot.where, text[at:]))
    return [(where, part) for where, part in found if part]
