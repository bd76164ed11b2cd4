"""What a dialect tells, in one vocabulary. Knows no dialect and no span log.

A dialect is a table from its attributes to these fields, plus what a table cannot say: where its
messages are. A field that two dialects fill is taken from the one that stands first in `ORDER`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from stockpot.traces.otlp.incoming import Incoming

FIELDS = frozenset((
    "operation", "provider", "request_model", "response_model", "response_id", "finish_reasons",
    "input_tokens", "output_tokens", "total_tokens", "cache_read", "cache_write", "reasoning",
    "audio_input", "audio_output", "image_input", "image_output", "usage", "cost_usd",
    "cost_details", "ttft_s", "ttft_ms", "first_token_at", "user", "session", "tags",
    "trace_name", "environment", "release", "service", "prompt_name", "prompt_version",
    "prompt_label", "experiment", "variant", "unit", "dataset_run", "dataset_item", "agent", "tool",
    "error", "stream", "status_code", "params", "service_tier", "sample_weight", "attempt",
    "level", "model", "root",
))  # fmt: skip
"""Everything that a table may point to, besides `param:NAME`: a parameter of the request."""


class Call(msgspec.Struct, gc=False):
    """A tool that a model asks for."""

    name: str
    arguments: str
    id: str = ""


class Message(msgspec.Struct, gc=False):
    """One message of a conversation. `parts` are what is no text, in OpenAI's form."""

    role: str
    text: str = ""
    reasoning: str = ""
    calls: list[Call] = []
    call_id: str = ""
    parts: list[Any] = []


Side = list[Message] | str
"""What went in or came out: messages, or the text (often JSON) of what is no conversation."""


class Said(NamedTuple):
    """What went into a span and what came out; None where the dialect does not say."""

    input: Side | None = None
    output: Side | None = None
    tools: Any = None


NOTHING_SAID = Said()
Found = dict[str, Any]


class Dialect(NamedTuple):
    """One way of telling spans.

    `marks` are beginnings of attributes that nobody else uses; `kinds` says, by attribute, what
    kind of span a value means; `said` finds messages, and `mend` puts right what a table cannot.
    """

    name: str
    marks: tuple[str, ...]
    fields: Mapping[str, str]
    kinds: Mapping[str, Mapping[str, str]]
    said: Callable[[Incoming], Said] | None = None
    mend: Callable[[Incoming, Found], None] | None = None


# --- reading values -------------------------------------------------------------------------------

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def as_text(value: Any) -> str:
    """A value as the text of a column; of a list its first."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        return as_text(value[0]) if value else ""
    return str(value) if isinstance(value, int | float) else as_json(value)


def as_int(value: Any) -> int:
    """A count; 0 for what is none."""
    if isinstance(value, int):
        return value
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0


def as_float(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if found == found and abs(found) < 1e15 else None


def as_json(value: Any) -> str:
    """A value as JSON, or as it is when it is text already."""
    if isinstance(value, str):
        return value
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, UnicodeError, RecursionError):
        return str(value)


def parsed(value: Any) -> Any:
    """What a text holds as JSON; the value itself when it is no JSON."""
    if not isinstance(value, str):
        return value
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value


def parsed_object(value: Any) -> dict[str, Any]:
    found = parsed(value)
    return found if isinstance(found, dict) else {}


def as_list(value: Any) -> list[str]:
    """Words out of a list, a JSON list, or text with commas."""
    if isinstance(value, str):
        found = parsed(value) if value.startswith("[") else None
        value = found if isinstance(found, list) else [v.strip() for v in value.split(",")]
    if not isinstance(value, list):
        return []
    return [as_text(one) for one in value if one not in (None, "")]


# --- messages -------------------------------------------------------------------------------------


def messages(value: Any, role: str = "user") -> Side | None:
    """Messages out of what a dialect wrote: a list in OpenAI's or in OpenTelemetry's form, as JSON
    or not; other text stays text."""
    found = parsed(value)
    if isinstance(found, dict):
        inner = found.get("messages")
        found = inner if isinstance(inner, list) else [found] if "role" in found else None
    if isinstance(found, list) and found and all(_is_message(one) for one in found):
        return [message(one, role) for one in found]
    if value is None or value == "":
        return None
    return as_json(value)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and ("role" in value or "parts" in value)


def message(told: dict[str, Any], role: str = "user") -> Message:
    """One message, in OpenAI's form (`content`, `tool_calls`) or in OpenTelemetry's (`parts`)."""
    out = Message(as_text(told.get("role")) or role, calls=[], parts=[])
    content = told.get("parts", told.get("content"))
    if isinstance(content, str):
        out.text = content
    elif isinstance(content, list):
        for part in content:
            _take_part(out, part)
    elif content is not None:
        out.text = as_json(content)
    calls = told.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            out.calls.append(_call(call))
    out.reasoning = out.reasoning or as_text(told.get("reasoning_content"))
    out.call_id = out.call_id or as_text(told.get("tool_call_id") or told.get("id"))
    return out


def _call(told: dict[str, Any]) -> Call:
    function = told.get("function")
    inner = function if isinstance(function, dict) else told
    name = inner.get("name", inner.get("toolName"))
    arguments = inner.get("arguments", inner.get("args", inner.get("input", "")))
    ident = told.get("id", told.get("toolCallId", told.get("tool_call_id")))
    return Call(as_text(name), as_json(arguments), as_text(ident))


_TEXTS = ("content", "text", "output_text", "input_text")


def _take_part(out: Message, part: Any) -> None:
    if isinstance(part, str):
        out.text = f"{out.text}\n{part}" if out.text else part
        return
    if not isinstance(part, dict):
        return
    kind = part.get("type", "text")
    if kind in ("tool_call", "tool-call", "tool_use"):
        out.calls.append(_call(part))
    elif kind in ("tool_call_response", "tool-result", "tool_result"):
        answer = part.get("response", part.get("result", part.get("output", part.get("content"))))
        out.role = "tool"
        out.call_id = as_text(part.get("id", part.get("toolCallId", part.get("tool_use_id"))))
        out.text = f"{out.text}\n{as_json(answer)}" if out.text else as_json(answer)
    elif kind in ("reasoning", "thinking"):
        text = next((part[n] for n in ("content", "text", "thinking") if n in part), "")
        out.reasoning += as_text(text)
    elif (
        text := next((part[n] for n in _TEXTS if isinstance(part.get(n), str)), None)
    ) is not None:
        if kind in ("blob", "file", "image", "uri"):
            out.parts.append(part)
        else:
            out.text = f"{out.text}\n{text}" if out.text else text
    else:
        out.parts.append(part)


def indexed(attributes: dict[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Attributes `prefix.N.rest` as one flat dictionary per N, in order."""
    groups: dict[int, dict[str, Any]] = {}
    start = len(prefix)
    for name, value in attributes.items():
        if name.startswith(prefix):
            number, _, rest = name[start:].partition(".")
            if number.isdigit():
                groups.setdefault(int(number), {})[rest] = value
    return [groups[number] for number in sorted(groups)]
