"""A Gemini request, read in full. Knows the fields of `generateContent`; knows no other format.

What the canonical form cannot hold is kept in `Prompt.extra` under its place in the body.

Source: the reference of the Gemini API and the types of the google-genai package (November 2026).
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.base import Ask, BadRequest
from stockpot.providers.canon import (
    Format,
    Prompt,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolChoice,
)
from stockpot.providers.gemini.content import Contents
from stockpot.providers.gemini.fields import Fields, camel
from stockpot.providers.gemini.schema import json_schema

_decode = msgspec.json.decode
_CHOICE = "toolConfig.functionCallingConfig"
_TEXT = ("", "text/plain")


def parse(ask: Ask) -> Prompt:
    """Raises BadRequest naming the field at fault."""
    body = Fields(_decode(ask.body))
    if ask.endpoint == "count_tokens" and "generateContentRequest" in body.left:
        body = Fields(body.take("generateContentRequest"), "generateContentRequest")
    return prompt_of(body)


def prompt_of(body: Fields) -> Prompt:
    if body.take("cachedContent"):
        message = "cachedContent names a cache at Google, which the model asked for cannot read"
        raise BadRequest(message, "cachedContent")
    body.take("model")
    extra: dict[str, Any] = {}
    tools = _tools(body.objects("tools"), extra)
    choice, allowed = _choice(body.object("toolConfig"), extra)
    if allowed:
        tools = tuple(t for t in tools if isinstance(t, ServerTool) or t.name in allowed)
    system = _system(body)
    turns = Contents(extra).turns(body.objects("contents"))
    tier = body.text("serviceTier")
    config = body.object("generationConfig") or Fields({}, "generationConfig")
    said = _settings(config, extra)
    return Prompt(
        system=system,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        service_tier="" if tier == "unspecified" else tier,
        extra={**body.left, **extra},
        **said,
    )


def _system(body: Fields) -> tuple[Text, ...]:
    given = body.take("systemInstruction")
    if given is None:
        return ()
    if isinstance(given, str):
        return (Text(given),)
    content = Fields(given, "systemInstruction")
    return tuple(Text(part.text("text")) for part in content.objects("parts"))


def _tools(given: list[Fields], extra: dict[str, Any]) -> tuple[Tool | ServerTool, ...]:
    tools: list[Tool | ServerTool] = []
    for tool in given:
        for function in tool.objects("functionDeclarations"):
            tools.append(_function(function))
            extra.update({function.at(name): value for name, value in function.left.items()})
        for name, raw in tool.left.items():
            tools.append(ServerTool("gemini", camel(name), raw if isinstance(raw, dict) else {}))
    return tuple(tools)


def _function(function: Fields) -> Tool:
    own = function.object("parameters")
    given = function.object("parametersJsonSchema")
    schema = json_schema(own.left) if own is not None else None
    return Tool(
        name=function.text("name"),
        description=function.text("description"),
        schema=given.left if given is not None else schema,
    )


def _choice(
    config: Fields | None, extra: dict[str, Any]
) -> tuple[ToolChoice | None, frozenset[str]]:
    """The choice, and the names that it allows where they are several."""
    calling = config.object("functionCallingConfig") if config is not None else None
    if config is not None:
        extra.update({config.at(name): value for name, value in config.left.items()})
    if calling is None:
        return None, frozenset()
    mode = calling.text("mode").upper()
    names = [str(name) for name in calling.items("allowedFunctionNames")]
    extra.update({calling.at(name): value for name, value in calling.left.items()})
    if mode == "NONE":
        return ToolChoice("none"), frozenset()
    if mode == "ANY":
        choice = ToolChoice("named", names[0]) if len(names) == 1 else ToolChoice("required")
        return choice, frozenset(names if len(names) > 1 else ())
    if mode == "VALIDATED":
        extra[f"{_CHOICE}.mode"] = mode
    elif mode not in ("AUTO", "", "MODE_UNSPECIFIED"):
        raise BadRequest(f"{_CHOICE}.mode is {mode!r}, which is not known", f"{_CHOICE}.mode")
    return ToolChoice("auto"), frozenset(names)


def _settings(config: Fields, extra: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Prompt that `generationConfig` says."""
    logprobs, wanted = config.whole("logprobs"), config.flag("responseLogprobs")
    count = config.whole("candidateCount")
    said = {
        "max_output": config.whole("maxOutputTokens"),
        "temperature": config.number("temperature"),
        "top_p": config.number("topP"),
        "top_k": config.whole("topK"),
        "stop": tuple(str(word) for word in config.items("stopSequences")),
        "seed": config.whole("seed"),
        "presence_penalty": config.number("presencePenalty"),
        "frequency_penalty": config.number("frequencyPenalty"),
        "choices": 1 if count is None else count,
        "logprobs": (logprobs or 0) if wanted else None,
        "modalities": _modalities(config),
        "thinking": _thinking(config.object("thinkingConfig"), extra),
        "format": _format(config, extra),
    }
    extra.update({config.at(name): value for name, value in config.left.items()})
    return said


def _modalities(config: Fields) -> tuple[str, ...]:
    given = tuple(str(name).lower() for name in config.items("responseModalities"))
    return () if given == ("text",) else given


def _thinking(config: Fields | None, extra: dict[str, Any]) -> Thinking | None:
    if config is None:
        return None
    level = config.text("thinkingLevel").lower()
    thinking = Thinking(
        effort="" if level == "thinking_level_unspecified" else level,
        budget=config.whole("thinkingBudget"),
        show=config.flag("includeThoughts"),
    )
    extra.update({config.at(name): value for name, value in config.left.items()})
    return thinking


def _format(config: Fields, extra: dict[str, Any]) -> Format | None:
    kind = config.text("responseMimeType")
    own = config.object("responseSchema")
    schema = config.take("responseJsonSchema")
    if isinstance(schema, dict):
        return Format(kind="schema", schema=schema)
    if own is not None and kind != "text/x.enum":
        return Format(kind="schema", schema=json_schema(own.left))
    if own is not None:
        extra[own.where] = own.left
    if kind == "application/json":
        return Format(kind="json")
    if kind not in _TEXT:
        extra[config.at("responseMimeType")] = kind
    return None
