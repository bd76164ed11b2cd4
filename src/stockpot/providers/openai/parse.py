"""A chat request in OpenAI's format, read in full. Knows no vendor.

A field that the canonical form does not hold is kept by its name, for the wire to refuse or to
leave out aloud. Source: the API reference and OpenAPI description of OpenAI; for `reasoning`,
`thinking`, `top_k` and cache marks the documentation of OpenRouter, LiteLLM and vLLM.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    Format,
    Prompt,
    ServerTool,
    Thinking,
    Tool,
    ToolChoice,
)
from stockpot.providers.fields import Fields, wrong
from stockpot.providers.openai.messages import read_messages
from stockpot.providers.openai.parts import cache_mark

_decode = msgspec.json.Decoder().decode
WEB_SEARCH = "web_search_options"


def parse_chat(body: bytes) -> Prompt:
    """Raises BadRequest naming the field at fault."""
    try:
        fields = Fields(_decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as bad:
        raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None
    items = fields.items("messages")
    if not items:
        raise BadRequest("'messages' must hold at least one message", "messages")
    extra: dict[str, Any] = {}
    system, turns = read_messages(items, extra)
    choice, allowed = _tool_choice(fields)
    tools = tuple(tool for tool in _tools(fields, extra) if not allowed or tool.name in allowed)
    fast, most = fields.whole("max_completion_tokens"), fields.whole("max_tokens")
    user, safety = fields.text("user"), fields.text("safety_identifier")
    prompt = Prompt(
        system=system,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        parallel_tools=fields.flag("parallel_tool_calls"),
        format=_format(fields, extra),
        thinking=_thinking(fields, extra),
        max_output=most if fast is None else fast,
        **_sampling(fields),
        user=user or safety,
        service_tier=fields.text("service_tier"),
        modalities=_modalities(fields),
        extra=extra,
    )
    _forget(fields)
    fields.leave(extra)
    return prompt


def _sampling(fields: Fields) -> dict[str, Any]:
    wants, alternatives = fields.flag("logprobs"), fields.whole("top_logprobs")
    choices = fields.whole("n")
    if choices is not None and choices < 1:
        raise BadRequest("'n' must be at least 1", "n")
    return {
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "top_k": fields.whole("top_k"),
        "stop": fields.strings("stop"),
        "seed": fields.whole("seed"),
        "presence_penalty": fields.number("presence_penalty"),
        "frequency_penalty": fields.number("frequency_penalty"),
        "choices": choices or 1,
        "logprobs": (alternatives or 0) if wants else None,
    }


def _forget(fields: Fields) -> None:
    """What says nothing, or was read with the head."""
    for name in ("model", "stream", "stream_options"):
        fields.left.pop(name, None)
    if fields.left.get("store") is False:
        del fields.left["store"]


def _modalities(fields: Fields) -> tuple[str, ...]:
    said = fields.strings("modalities")
    return () if said == ("text",) else said


def _thinking(fields: Fields, extra: dict[str, Any]) -> Thinking | None:
    effort = fields.text("reasoning_effort")
    reasoning, thinking = fields.inner("reasoning"), fields.inner("thinking")
    if reasoning is not None:  # OpenRouter's
        effort = effort or reasoning.text("effort")
        budget, hide = reasoning.whole("max_tokens"), reasoning.flag("exclude")
        if reasoning.flag("enabled") is False:
            budget = 0
        reasoning.leave(extra)
        return Thinking(effort=effort, budget=budget, show=None if hide is None else not hide)
    if thinking is not None:  # Anthropic's and LiteLLM's
        kind, budget = thinking.text("type"), thinking.whole("budget_tokens")
        off, free = kind == "disabled", kind == "adaptive"
        return Thinking(effort=effort, budget=0 if off else -1 if free else budget)
    return Thinking(effort=effort) if effort else None


# --- tools --------------------------------------------------------------------------------------


def _tools(fields: Fields, extra: dict[str, Any]) -> list[Tool | ServerTool]:
    found: list[Tool | ServerTool] = []
    for number, item in enumerate(fields.items("tools")):
        found.append(_tool(item, f"tools[{number}]", extra))
    for number, item in enumerate(fields.items("functions")):
        found.append(_function(Fields(item, f"functions[{number}]"), extra))
    search = fields.whatever(WEB_SEARCH)
    if search is not None:
        found.append(ServerTool("openai", WEB_SEARCH, search))
    return found


def _tool(item: Any, at: str, extra: dict[str, Any]) -> Tool | ServerTool:
    tool = Fields(item, at)
    kind = tool.left.get("type", "function")
    if kind != "function":
        if type(kind) is not str:
            raise wrong(f"{at}.type", "a string", kind)
        custom = item.get("custom")
        name = custom.get("name") if type(custom) is dict else None
        return ServerTool("openai", name if type(name) is str else kind, item)
    tool.take("type")
    function = tool.inner("function")
    if function is None:
        raise BadRequest(f"{at + '.function'!r} is missing", f"{at}.function")
    made = _function(function, extra, cache_mark(tool))
    tool.leave(extra)
    return made


def _function(function: Fields, extra: dict[str, Any], cache: str = "") -> Tool:
    made = Tool(
        name=function.needed("name"),
        description=function.text("description"),
        schema=function.whatever("parameters"),
        strict=function.flag("strict"),
        cache=cache or cache_mark(function),
    )
    function.leave(extra)
    return made


def _tool_choice(fields: Fields) -> tuple[ToolChoice | None, frozenset[str]]:
    """The choice, and the names it is restricted to (empty is all)."""
    name = "tool_choice" if fields.left.get("tool_choice") is not None else "function_call"
    said = fields.take(name)
    if said is None:
        return None, frozenset()
    if said == "auto" or said == "none" or said == "required":
        return ToolChoice(said), frozenset()
    if type(said) is str:
        raise BadRequest(f"{name!r} must be auto, none, required or a tool, not {said!r}", name)
    choice = Fields(said, name)
    if name == "function_call":
        return ToolChoice("named", choice.needed("name")), frozenset()
    kind = choice.text("type")
    if kind == "allowed_tools":
        return _allowed(choice)
    inner = choice.inner("custom" if kind == "custom" else "function")
    if inner is None:
        raise BadRequest("'tool_choice.function' is missing", "tool_choice.function")
    return ToolChoice("named", inner.needed("name")), frozenset()


def _allowed(choice: Fields) -> tuple[ToolChoice, frozenset[str]]:
    """Some of the tools: the others need not be told to the model at all."""
    inner = choice.inner("allowed_tools") or Fields({}, "tool_choice.allowed_tools")
    names = set()
    for number, item in enumerate(inner.items("tools")):
        tool = Fields(item, f"{inner.path('tools')}[{number}]")
        function = tool.inner("function") or tool.inner("custom") or tool
        names.add(function.needed("name"))
    mode = inner.text("mode")
    return ToolChoice("required" if mode == "required" else "auto"), frozenset(names)


# --- the form of the answer ---------------------------------------------------------------------


def _format(fields: Fields, extra: dict[str, Any]) -> Format | None:
    said = fields.inner("response_format")
    if said is None:
        return None
    kind = said.text("type")
    if kind == "text":
        return None
    if kind == "json_object":
        schema = said.whatever("schema")  # llama.cpp's
        return Format(kind="schema" if schema else "json", schema=schema)
    if kind != "json_schema":
        at = "response_format.type"
        raise BadRequest(f"{at!r} must be text, json_object or json_schema, not {kind!r}", at)
    inner = said.inner("json_schema")
    if inner is None:
        at = "response_format.json_schema"
        raise BadRequest(f"{at!r} is missing", at)
    made = Format(
        kind="schema",
        schema=inner.whatever("schema"),
        name=inner.text("name"),
        description=inner.text("description"),
        strict=inner.flag("strict"),
    )
    inner.leave(extra)
    return made
