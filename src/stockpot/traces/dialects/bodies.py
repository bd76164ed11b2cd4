"""What was said, in the form of a chat request and its answer: for people, search and replay.

Knows messages; knows no dialect. A span that is no conversation shows its input and output as they
were told.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.traces.dialects.fields import Message, Side, as_text, parsed
from stockpot.traces.dialects.normalise import MODEL_KINDS, Normal, normalise
from stockpot.traces.otlp.incoming import Incoming

_encode = msgspec.json.Encoder().encode


def bodies(span: Incoming) -> tuple[bytes | None, bytes | None]:
    """Request and response of a span; None where it tells nothing."""
    normal = normalise(span)
    return request_body(normal), response_body(normal)


def request_body(normal: Normal) -> bytes | None:
    asked = normal.said.input
    if asked is None:
        return None
    if isinstance(asked, str):
        return asked.encode("utf-8", "replace")
    body: dict[str, Any] = {
        "model": as_text(normal.found.get("request_model")),
        "messages": [_shown(one) for one in asked],
        **normal.params,
    }
    if normal.said.tools:
        body["tools"] = normal.said.tools
    return _encoded(body)


def response_body(normal: Normal) -> bytes | None:
    answered = normal.said.output
    if answered is None:
        return None
    if isinstance(answered, str):
        return answered.encode("utf-8", "replace")
    if normal.kind not in MODEL_KINDS:
        return _encoded([_shown(one) for one in answered])
    found = normal.found
    choices = [
        {"index": n, "message": _shown(one), "finish_reason": as_text(found.get("finish_reasons"))}
        for n, one in enumerate(answered)
    ]
    model = as_text(found.get("response_model") or found.get("request_model"))
    return _encoded({"model": model, "choices": choices})


def _encoded(value: Any) -> bytes:
    try:
        return _encode(value)
    except (TypeError, ValueError, UnicodeError):
        return str(value).encode("utf-8", "replace")


def _shown(one: Message) -> dict[str, Any]:
    """A message in OpenAI's form."""
    text: Any = one.text
    if one.parts:
        text = [*([{"type": "text", "text": one.text}] if one.text else []), *one.parts]
    shown: dict[str, Any] = {"role": one.role, "content": text}
    if one.reasoning:
        shown["reasoning_content"] = one.reasoning
    if one.calls:
        shown["tool_calls"] = [
            {"id": c.id, "type": "function",
             "function": {"name": c.name, "arguments": c.arguments}}
            for c in one.calls
        ]  # fmt: skip
    if one.call_id:
        shown["tool_call_id"] = one.call_id
    return shown


def conversation_text(side: Side | None) -> tuple[str, str]:
    """All text of one side, and what is worth a preview: what the user said last."""
    if side is None:
        return "", ""
    if isinstance(side, str):
        text = _plain(side)
        return text, text
    texts = [_text(one) for one in side]
    last = next(
        (text for one, text in zip(reversed(side), reversed(texts), strict=True)
         if one.role == "user" and text),
        texts[-1] if texts else "",
    )  # fmt: skip
    return "\n".join(texts), last


def _text(one: Message) -> str:
    if not (one.reasoning or one.calls):
        return one.text
    pieces = [one.reasoning, one.text, *(f"{c.name}({c.arguments})" for c in one.calls)]
    return "\n".join(piece for piece in pieces if piece)


def _plain(text: str) -> str:
    """The words of a JSON value without its punctuation, and other text as it is."""
    if not text.startswith(("{", "[", '"')):
        return text
    value = parsed(text)
    return text if value is text else "\n".join(_strings(value, 0))


def _strings(value: Any, depth: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if depth > 12 or not isinstance(value, dict | list):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [text for one in inner for text in _strings(one, depth + 1)]
