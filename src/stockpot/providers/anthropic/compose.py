"""A `Prompt` as a request to Anthropic's Messages API. Knows what that API takes; knows no socket.

What it cannot take is left out and stated as a `Loss`. The turns are composed in `turns`, thinking
in `think`.

Source: `MessageCreateParams` of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from stockpot.providers.anthropic.schema import enforceable
from stockpot.providers.anthropic.think import thinking_of
from stockpot.providers.anthropic.traits import NEW_VERSION, OLD_VERSION, Traits
from stockpot.providers.anthropic.turns import Turns, marked
from stockpot.providers.canon import Loss, Prompt, ServerTool, Tool

JSON_TOOL = "json_object"
"""The tool that a model must call where any JSON object is asked for; its input is the answer."""


class Composed(NamedTuple):
    """A request: its body, the API version that takes it, and what was left out."""

    body: bytes
    version: str
    losses: tuple[Loss, ...]


def compose(prompt: Prompt, model: str, traits: Traits, *, stream: bool, native: bool) -> Composed:
    """`native` says that ids of files and tools of the vendor's are Anthropic's own."""
    losses: list[Loss] = []
    turns = Turns(losses, system_turns=traits.system_turns, native=native)
    messages, system = turns.composed(prompt)
    body: dict[str, Any] = {"model": model, "messages": messages}
    if system:
        body["system"] = system
    if stream:
        body["stream"] = True
    _tools(prompt, body, losses)
    _form(prompt, body, losses)
    body["max_tokens"] = prompt.max_output or traits.max_output
    thinking_of(prompt, traits, body, losses)
    sampled = _sampling(prompt, traits, body, losses)
    _bounds(prompt, body, losses)
    _unsaid(prompt, losses)
    version = OLD_VERSION if sampled else NEW_VERSION
    return Composed(msgspec.json.encode(body), version, tuple(losses))


# --- tools --------------------------------------------------------------------------------------


def _tools(prompt: Prompt, body: dict[str, Any], losses: list[Loss]) -> None:
    tools = []
    for tool in prompt.tools:
        if isinstance(tool, Tool):
            tools.append(_tool(tool))
        elif tool.dialect == "anthropic":
            tools.append(tool.raw)
        else:
            losses.append(_foreign(tool))
    if not tools:
        return
    body["tools"] = tools
    choice = _choice(prompt)
    if choice is not None:
        body["tool_choice"] = choice


def _foreign(tool: ServerTool) -> Loss:
    why = f"{tool.name!r} is a tool that the vendor of the {tool.dialect} dialect runs"
    return Loss("tools", why, "content")


def _tool(tool: Tool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": tool.name,
        "input_schema": tool.schema or {"type": "object", "properties": {}},
    }
    if tool.description:
        made["description"] = tool.description
    if tool.strict:
        made["strict"] = True
        made["input_schema"] = enforceable(made["input_schema"])[0]
    return marked(made, tool.cache)


_MODES = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}


def _choice(prompt: Prompt) -> dict[str, Any] | None:
    asked, parallel = prompt.tool_choice, prompt.parallel_tools
    if asked is None and parallel is None:
        return None
    made: dict[str, Any] = {"type": _MODES[asked.mode] if asked else "auto"}
    if asked is not None and asked.mode == "named":
        made["name"] = asked.name
    if parallel is not None and made["type"] != "none":
        made["disable_parallel_tool_use"] = not parallel
    return made


# --- the form of the answer ---------------------------------------------------------------------


def json_by_tool(prompt: Prompt) -> bool:
    """Whether any JSON object is asked for in a way that a forced tool can serve."""
    asked = prompt.format
    return asked is not None and asked.kind == "json" and not prompt.tools


def _form(prompt: Prompt, body: dict[str, Any], losses: list[Loss]) -> None:
    asked = prompt.format
    if asked is None:
        return
    if json_by_tool(prompt):
        about = "Gives the answer, as one JSON object."
        schema = {"type": "object", "additionalProperties": True}
        body["tools"] = [{"name": JSON_TOOL, "description": about, "input_schema": schema}]
        body["tool_choice"] = {"type": "tool", "name": JSON_TOOL}
    elif asked.kind == "json":
        text = "Answer with one JSON object and nothing else: no words around it, no code fence."
        body["system"] = [*body.get("system", ()), {"type": "text", "text": text}]
        why = "beside tools, any JSON object can only be asked for in words"
        losses.append(Loss("response_format", why))
    else:
        schema, whole = enforceable(asked.schema or {"type": "object"})
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if not whole:
            why = "some rules of the schema are told to the model, but not enforced"
            losses.append(Loss("response_format", why))


# --- sampling and bounds ------------------------------------------------------------------------


def _sampling(prompt: Prompt, traits: Traits, body: dict[str, Any], losses: list[Loss]) -> bool:
    """Whether the body holds a parameter of sampling."""
    asked = {"temperature": prompt.temperature, "top_p": prompt.top_p, "top_k": prompt.top_k}
    asked = {name: value for name, value in asked.items() if value is not None}
    if not asked:
        return False
    if not traits.sampling:
        losses.extend(Loss(name, "this model takes no parameter of sampling") for name in asked)
        return False
    if "thinking" in body and body["thinking"]["type"] != "disabled":
        losses.extend(Loss(name, "not while the model thinks") for name in asked)
        return False
    if "temperature" in asked and "top_p" in asked:
        del asked["top_p"]
        losses.append(Loss("top_p", "Anthropic takes it only without a temperature"))
    if (asked.get("temperature") or 0) > 1:
        asked["temperature"] = 1.0
        losses.append(Loss("temperature", "Anthropic takes at most 1"))
    body.update(asked)
    return True


_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def _bounds(prompt: Prompt, body: dict[str, Any], losses: list[Loss]) -> None:
    stops = [stop for stop in prompt.stop if stop.strip()]
    if len(stops) < len(prompt.stop):
        losses.append(Loss("stop", "Anthropic stops at no sequence of blanks alone"))
    if stops:
        body["stop_sequences"] = stops
    if prompt.user:
        body["metadata"] = {"user_id": prompt.user}
    if prompt.service_tier in _TIERS:
        body["service_tier"] = _TIERS[prompt.service_tier]
    elif prompt.service_tier:
        losses.append(Loss("service_tier", f"Anthropic has no tier {prompt.service_tier!r}"))


def _unsaid(prompt: Prompt, losses: list[Loss]) -> None:
    """What Anthropic has nothing like."""
    if prompt.choices > 1:
        losses.append(Loss("n", "Anthropic gives one answer to a request", "content"))
    if prompt.logprobs is not None:
        losses.append(Loss("logprobs", "Anthropic does not tell probabilities", "content"))
    if any(kind != "text" for kind in prompt.modalities):
        losses.append(Loss("modalities", "Anthropic answers with text only", "content"))
    for name in ("seed", "presence_penalty", "frequency_penalty"):
        if getattr(prompt, name) is not None:
            losses.append(Loss(name, "Anthropic has nothing like it"))
    for name in prompt.extra:
        losses.append(Loss(name, "Anthropic has nothing like it"))
