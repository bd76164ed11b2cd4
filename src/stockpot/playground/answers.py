"""Reading what a model answered, whole or streamed, into one shape, and comparing two of them.

Knows OpenAI's form of an answer; other dialects are turned into it by `recorded`. Pure.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from stockpot.playground.models import Answer, Called, Difference, Said

_COMPARED = ("text", "reasoning", "refusal", "tool_calls", "media", "finish")


def read_answer(body: str) -> Answer:
    """An answer in OpenAI's form. What is no answer at all reads as an error."""
    if body.lstrip().startswith(("data:", "event:", ":")):
        return _streamed(body)
    try:
        found = json.loads(body)
    except ValueError:
        return Answer(error=f"no JSON: {body[:200]}")
    if not isinstance(found, dict):
        return Answer(error="no answer of a model")
    if error := _error(found):
        return Answer(error=error)
    choices = found.get("choices")
    if not isinstance(choices, list):
        return Answer(error="no answer of a model")
    said = tuple(_whole(choice) for choice in choices if isinstance(choice, dict))
    return Answer(choices=said, model=_str(found.get("model")), **_usage(found))


def digest(answer: Answer) -> str:
    """SHA-256 of everything that the model said: not of ids and times around it."""
    told = [_comparable(said) for said in answer.choices]
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Answer, after: Answer) -> tuple[Difference, ...]:
    """Field by field; empty when every byte that the model said is the same."""
    found: list[Difference] = []
    if before.error != after.error:
        found.append(_difference("error", before.error, after.error))
    if len(before.choices) != len(after.choices):
        count = (str(len(before.choices)), str(len(after.choices)))
        found.append(_difference("choices", *count))
    for number, (one, other) in enumerate(zip(before.choices, after.choices, strict=False)):
        prefix = f"choices[{number}]." if len(before.choices) > 1 else ""
        left, right = _comparable(one), _comparable(other)
        found += [
            _difference(prefix + name, _shown(left[name]), _shown(right[name]))
            for name in _COMPARED
            # A tracer that tells no reason for the end says nothing about it.
            if left[name] != right[name] and (name != "finish" or left[name])
        ]
    return tuple(found)


def told(answer: Answer) -> str:
    """What the model said as text, for a reader."""
    pieces: list[str] = []
    for said in answer.choices:
        pieces += [said.text, said.refusal]
        pieces += [f"{call.name}({call.arguments})" for call in said.tool_calls]
    return "\n".join(piece for piece in (*pieces, answer.error) if piece)


def message_of(said: Said) -> dict[str, Any]:
    """An answer as the message of the assistant that a later request holds."""
    message: dict[str, Any] = {"role": "assistant", "content": said.text or said.refusal or None}
    if said.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in said.tool_calls
        ]
    return message


def _comparable(said: Said) -> dict[str, Any]:
    """Ids of tool calls are drawn anew each time, like those of answers."""
    calls = [{"name": c.name, "arguments": c.arguments} for c in said.tool_calls]
    return {**said.model_dump(), "tool_calls": calls, "media": list(said.media)}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _difference(field: str, before: str, after: str) -> Difference:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "recorded", "replayed", lineterm="", n=2
    )
    return Difference(field=field, before=before, after=after, diff="\n".join(lines))


# --- OpenAI's form ------------------------------------------------------------------------------


def _whole(choice: dict[str, Any]) -> Said:
    message = choice.get("message")
    if not isinstance(message, dict):
        return Said(text=_str(choice.get("text")), finish=_str(choice.get("finish_reason")))
    return Said(
        text=_text(message.get("content")),
        reasoning=_reasoning(message),
        refusal=_str(message.get("refusal")),
        tool_calls=tuple(_called(call) for call in _list(message.get("tool_calls"))),
        media=(*("image" for _ in _list(message.get("images"))),
               *(("audio",) if message.get("audio") else ())),
        finish=_str(choice.get("finish_reason")),
    )  # fmt: skip


def _called(call: Any) -> Called:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return Called()
    return Called(
        id=_str(call.get("id")),
        name=_str(function.get("name")),
        arguments=_str(function.get("arguments")),
    )


class _Growing:
    """One choice of a stream."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {"text": [], "reasoning": [], "refusal": []}
        self.calls: dict[int, list[str]] = {}
        self.media: list[str] = []
        self.finish = ""

    def take(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta")
        given = delta if isinstance(delta, dict) else {}
        self.texts["text"].append(_text(given.get("content")) or _str(choice.get("text")))
        self.texts["reasoning"].append(_reasoning(given))
        self.texts["refusal"].append(_str(given.get("refusal")))
        for call in _list(given.get("tool_calls")):
            self._take_call(call)
        self.media += ["image" for _ in _list(given.get("images"))]
        if given.get("audio") and "audio" not in self.media:
            self.media.append("audio")
        self.finish = _str(choice.get("finish_reason")) or self.finish

    def _take_call(self, call: Any) -> None:
        piece = _called(call)
        index = call.get("index") if isinstance(call, dict) else None
        at = index if isinstance(index, int) else len(self.calls)
        whole = self.calls.setdefault(at, ["", "", ""])
        whole[0] = whole[0] or piece.id or (_str(call.get("id")) if isinstance(call, dict) else "")
        whole[1] += piece.name
        whole[2] += piece.arguments

    def said(self) -> Said:
        texts = {name: "".join(pieces) for name, pieces in self.texts.items()}
        calls = tuple(
            Called(id=ident, name=name, arguments=arguments)
            for _, (ident, name, arguments) in sorted(self.calls.items())
        )
        return Said(**texts, tool_calls=calls, media=tuple(self.media), finish=self.finish)


def _streamed(body: str) -> Answer:
    choices: dict[int, _Growing] = {}
    model = error = ""
    usage: dict[str, int | None] = {}
    for event in _events(body):
        error = error or _error(event)
        model = model or _str(event.get("model"))
        usage = _usage(event) or usage
        for choice in _list(event.get("choices")):
            if isinstance(choice, dict):
                at = choice.get("index")
                choices.setdefault(at if isinstance(at, int) else 0, _Growing()).take(choice)
    said = tuple(choices[at].said() for at in sorted(choices))
    if not error and not any(one.finish for one in said):
        error = "the stream ended before the model said that it was done"
    return Answer(choices=said, model=model, error=error, **usage)


def _events(body: str) -> Iterator[dict[str, Any]]:
    for line in body.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            event = json.loads(line[5:])
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _usage(body: dict[str, Any]) -> dict[str, Any]:
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return {}
    into, out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return {
        "input_tokens": into if isinstance(into, int) else None,
        "output_tokens": out if isinstance(out, int) else None,
    }


def _error(body: dict[str, Any]) -> str:
    error = body.get("error")
    if not error:
        return ""
    if isinstance(error, dict):
        return _str(error.get("message")) or json.dumps(error)
    return str(error)


def _reasoning(message: dict[str, Any]) -> str:
    return _str(message.get("reasoning_content")) or _str(message.get("reasoning"))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(_str(part.get("text")) for part in _list(content) if isinstance(part, dict))


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
