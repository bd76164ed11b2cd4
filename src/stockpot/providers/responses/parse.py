"""A Responses request, read in full. Knows no vendor and keeps no state.

What asks for a memory (`previous_response_id`, `conversation`, a stored prompt, `background`) is
refused as something this target cannot do: a target that speaks Responses itself may.

Source: the types of the `openai` package (`openai.types.responses`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.base import BadRequest, CannotExpress
from stockpot.providers.canon import (
    Format,
    Prompt,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolChoice,
)
from stockpot.providers.fields import Fields, wrong
from stockpot.providers.responses.items import Items

_decode = msgspec.json.Decoder().decode
_MEMORY = {
    "previous_response_id": "send the whole conversation in 'input'",
    "conversation": "send the whole conversation in 'input'",
    "prompt": "send its text in 'instructions' and 'input'",
}
_ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"


def parse_responses(body: bytes) -> Prompt:
    """Raises BadRequest naming the field at fault, and CannotExpress for what needs a memory."""
    try:
        fields = Fields(_decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as bad:
        raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None
    _refuse_memory(fields)
    extra: dict[str, Any] = {}
    items = Items(extra)
    if instructions := fields.text("instructions"):
        items.system.append(Text(instructions))
    items.read(fields.take("input"))
    if not items.turns:
        raise BadRequest("'input' must hold at least one message", "input")
    choice, allowed = _tool_choice(fields)
    tools = _tools(fields, extra)
    form = _format(fields, extra)
    user, safety = fields.text("user"), fields.text("safety_identifier")
    prompt = Prompt(
        system=tuple(items.system),
        turns=tuple(items.turns),
        tools=tuple(tool for tool in tools if not allowed or tool.name in allowed),
        tool_choice=choice,
        parallel_tools=fields.flag("parallel_tool_calls"),
        format=form,
        thinking=_thinking(fields, extra),
        max_output=fields.whole("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=_logprobs(fields, extra),
        user=user or safety,
        service_tier=fields.text("service_tier"),
        extra=extra,
    )
    _forget(fields)
    fields.leave(extra)
    return prompt


def _refuse_memory(fields: Fields) -> None:
    for name, instead in _MEMORY.items():
        if fields.take(name) is not None:
            raise CannotExpress(f"{name!r} needs a server that keeps responses; {instead}")
    if fields.flag("background"):
        raise CannotExpress("'background' needs a server that keeps responses")


def _forget(fields: Fields) -> None:
    """What says nothing, is answered by the writer, or was read with the head."""
    for name in ("model", "stream", "stream_options", "metadata"):
        fields.left.pop(name, None)
    for name, nothing in (("store", False), ("truncation", "disabled")):
        if fields.left.get(name) == nothing:
            del fields.left[name]


def _logprobs(fields: Fields, extra: dict[str, Any]) -> int | None:
    most = fields.whole("top_logprobs")
    include = fields.strings("include")
    others = [name for name in include if name not in (_ENCRYPTED, _LOGPROBS)]
    if others:
        extra["include"] = others
    return (most or 0) if most or _LOGPROBS in include else None


def _thinking(fields: Fields, extra: dict[str, Any]) -> Thinking | None:
    said = fields.inner("reasoning")
    if said is None:
        return None
    effort = said.text("effort")
    summary = said.text("summary") or said.text("generate_summary")
    said.take("generate_summary")
    said.leave(extra)
    if not effort and not summary:
        return None
    return Thinking(effort=effort, show=True if summary else None)


def _tools(fields: Fields, extra: dict[str, Any]) -> list[Tool | ServerTool]:
    found: list[Tool | ServerTool] = []
    for number, item in enumerate(fields.items("tools")):
        at = f"tools[{number}]"
        kind = item.get("type") if type(item) is dict else None
        if type(kind) is str and kind != "function":
            name = item.get("name")
            found.append(ServerTool("responses", name if type(name) is str else kind, item))
            continue
        tool = Fields(item, at)
        tool.take("type")
        found.append(
            Tool(
                name=tool.needed("name"),
                description=tool.text("description"),
                schema=tool.whatever("parameters"),
                strict=tool.flag("strict"),
            )
        )
        tool.leave(extra)
    return found


def _tool_choice(fields: Fields) -> tuple[ToolChoice | None, frozenset[str]]:
    """The choice, and the names it is restricted to (empty is all)."""
    said = fields.take("tool_choice")
    if said is None:
        return None, frozenset()
    if said == "auto" or said == "none" or said == "required":
        return ToolChoice(said), frozenset()
    if type(said) is not dict:
        raise wrong("tool_choice", "auto, none, required or an object", said)
    choice = Fields(said, "tool_choice")
    kind = choice.text("type")
    if kind == "function":
        return ToolChoice("named", choice.needed("name")), frozenset()
    if kind == "allowed_tools":
        mode = choice.text("mode")
        tools = [Fields(item, "tool_choice.tools") for item in choice.items("tools")]
        names = frozenset(tool.text("name") or tool.needed("type") for tool in tools)
        return ToolChoice("required" if mode == "required" else "auto"), names
    raise CannotExpress(f"'tool_choice' asks for {kind!r}, a tool that OpenAI runs")


def _format(fields: Fields, extra: dict[str, Any]) -> Format | None:
    text = fields.inner("text")
    if text is None:
        return None
    said = text.inner("format")
    text.leave(extra)
    kind = said.text("type") if said is not None else "text"
    if said is None or kind == "text":
        return None
    if kind == "json_object":
        return Format(kind="json")
    if kind != "json_schema":
        at = "text.format.type"
        raise BadRequest(f"{at!r} must be text, json_object or json_schema, not {kind!r}", at)
    made = Format(
        kind="schema",
        schema=said.whatever("schema"),
        name=said.text("name"),
        description=said.text("description"),
        strict=said.flag("strict"),
    )
    said.leave(extra)
    return made
