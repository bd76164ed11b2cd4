"""The texts of a whole answer, in every dialect. Knows bodies; knows no rail.

What a model says is `output`, its reasoning and refusals included; what it wants a tool to be
called with is `tool_call`, as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stockpot.gateway.guard.slots import Slot, Slots, content, objects

Body = dict[str, Any]


def texts_of(dialect: str, endpoint: str, body: Any) -> list[Slot]:
    """Every text of an answer. Log-probabilities, which repeat it, are taken out."""
    if not isinstance(body, dict):
        return []
    if endpoint == "transcriptions" or endpoint == "translations":
        return list(content(body, "text", "output"))
    read = _READ.get(dialect)
    return list(read(body)) if read is not None else []


def _text(holder: Any, key: str) -> Slots:
    if isinstance(holder, dict) and isinstance(holder.get(key), str):
        yield Slot(holder, key, "output")


def _arguments(holder: Any) -> Slots:
    if isinstance(holder, dict) and isinstance(holder.get("arguments"), str):
        yield Slot(holder, "arguments", "tool_call")


def _openai(body: Body) -> Slots:
    for choice in objects(body, "choices"):
        choice.pop("logprobs", None)
        yield from _text(choice, "text")
        message = choice.get("message")
        if not isinstance(message, dict):
            continue
        for key in ("content", "refusal", "reasoning_content", "reasoning"):
            yield from _text(message, key)
        for call in objects(message, "tool_calls"):
            yield from _arguments(call.get("function"))
        yield from _arguments(message.get("function_call"))


def _anthropic(body: Body) -> Slots:
    for block in objects(body, "content"):
        yield from _text(block, "text")
        yield from _text(block, "thinking")
        if block.get("type") == "tool_use" and isinstance(block.get("input"), dict):
            yield Slot(block, "input", "tool_call", document=True)


def item_texts(item: Body) -> Slots:
    """Texts of one item of a Responses answer."""
    for part in (*objects(item, "content"), *objects(item, "summary")):
        part.pop("logprobs", None)
        yield from _text(part, "text")
        yield from _text(part, "refusal")
    yield from _arguments(item)
    if item.get("type") == "custom_tool_call" and isinstance(item.get("input"), str):
        yield Slot(item, "input", "output")


def _responses(body: Body) -> Slots:
    for item in objects(body, "output"):
        yield from item_texts(item)


def _gemini(body: Body) -> Slots:
    for candidate in objects(body, "candidates"):
        candidate.pop("logprobsResult", None)
        for part in objects(candidate.get("content"), "parts"):
            yield from _text(part, "text")
            call = part.get("functionCall")
            if isinstance(call, dict) and isinstance(call.get("args"), dict):
                yield Slot(call, "args", "tool_call", document=True)


_READ: dict[str, Callable[[Body], Slots]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "responses": _responses,
    "gemini": _gemini,
}
