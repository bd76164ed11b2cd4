"""A request for Converse, composed from a prompt. Knows Converse's fields and its model families.

`guardrailConfig` and prompts that Bedrock keeps have no place in a prompt and are not said.

Sources: the service model of Bedrock Runtime in botocore (2023-09-30); for the fields of single
models Amazon's user guides of Bedrock and Nova (read November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from stockpot.providers.anthropic.think import thinking_of
from stockpot.providers.anthropic.traits import Traits, traits_of
from stockpot.providers.bedrock.blocks import Blocks, cache_point
from stockpot.providers.canon import (
    Format,
    Loss,
    Prompt,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)

JSON = dict[str, Any]
Family = Literal["claude", "nova", "gpt-oss", "cohere", "mistral", ""]

_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("claude", "claude"), ("anthropic.", "claude"), ("nova", "nova"), ("gpt-oss", "gpt-oss"),
    ("cohere.", "cohere"), ("mistral.", "mistral"),
)  # fmt: skip
_NOT_SAID = "Bedrock's Converse has nothing like it"


def family_of(model: str, options: Mapping[str, str]) -> Family:
    """Whose fields a model takes; the option `family` names it where an ARN does not tell."""
    name = options.get("family") or model
    return next((family for mark, family in _FAMILIES if mark in name.lower()), "")


def composed(prompt: Prompt, model: str, options: Mapping[str, str]) -> tuple[JSON, list[Loss]]:
    """The body, and what it could not say."""
    losses: list[Loss] = []
    family = family_of(model, options)
    traits = traits_of(options.get("family") or model, options)
    body: JSON = {}
    messages = _Messages(prompt, losses, family, family == "claude" and traits.system_turns)
    body["messages"] = messages.made
    if messages.system:
        body["system"] = messages.system
    tools = _tools(prompt, losses)
    if tools is not None:
        body["toolConfig"] = tools
    _sampling(prompt, body, losses)
    _more(prompt, family, traits, body, losses)
    if prompt.format is not None:
        _form(prompt.format, body, losses)
    _tier(prompt, body, losses)
    _unsaid(prompt, losses)
    return body, losses


class _Messages:
    """Turns as messages; turns of one role that follow each other become one."""

    def __init__(
        self, prompt: Prompt, losses: list[Loss], family: Family, system_turns: bool
    ) -> None:
        self.system: list[JSON] = []
        self.made: list[JSON] = []
        self._losses = losses
        self._system_turns = system_turns
        self._blocks = Blocks(losses, keeps_unsigned=family not in ("claude", "nova"))
        for text in prompt.system:
            self.system += self._blocks.of(text)
        for turn in prompt.turns:
            self._add(turn)

    def _add(self, turn: Turn) -> None:
        blocks = [block for part in turn.parts for block in self._blocks.of(part)]
        if turn.name:
            self._losses.append(Loss("name", "Bedrock's messages have no names"))
        if turn.role == "system" and not self._system_turns:
            why = "a system message between turns was moved to the system prompt"
            self._losses.append(Loss("messages", why))
            self.system += blocks
        elif self.made and self.made[-1]["role"] == turn.role:
            self.made[-1]["content"] += blocks
        elif blocks:
            self.made.append({"role": turn.role, "content": blocks})


def _tools(prompt: Prompt, losses: list[Loss]) -> JSON | None:
    made: list[JSON] = []
    for tool in prompt.tools:
        if isinstance(tool, Tool):
            made += _tool(tool)
        else:
            why = f"Bedrock cannot run {tool.name!r}, a tool of {tool.dialect}"
            losses.append(Loss("tools", why, "content"))
    if not made:
        return None
    choice = prompt.tool_choice
    if choice is not None and choice.mode == "none":
        if not _used_tools(prompt):
            return None
        why = "Bedrock cannot forbid tools once some were used"
        losses.append(Loss("tool_choice", why, "content"))
    if prompt.parallel_tools is False:
        losses.append(Loss("parallel_tool_calls", _NOT_SAID))
    config: JSON = {"tools": made}
    if choice is not None and choice.mode == "required":
        config["toolChoice"] = {"any": {}}
    elif choice is not None and choice.mode == "named":
        config["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice is not None and choice.mode == "auto":
        config["toolChoice"] = {"auto": {}}
    return config


def _tool(tool: Tool) -> list[JSON]:
    spec: JSON = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": tool.schema or {"type": "object", "properties": {}}}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return [{"toolSpec": spec}, *([cache_point(tool.cache)] if tool.cache else [])]


def _used_tools(prompt: Prompt) -> bool:
    parts = (part for turn in prompt.turns for part in turn.parts)
    return any(isinstance(part, ToolCall | ToolResult) for part in parts)


def _sampling(prompt: Prompt, body: JSON, losses: list[Loss]) -> None:
    config: JSON = {}
    if prompt.max_output is not None:
        config["maxTokens"] = prompt.max_output
    if prompt.temperature is not None:
        config["temperature"] = min(prompt.temperature, 1.0)
        if prompt.temperature > 1:
            losses.append(Loss("temperature", "Bedrock takes at most 1"))
    if prompt.top_p is not None:
        config["topP"] = prompt.top_p
    if prompt.stop:
        config["stopSequences"] = list(prompt.stop)
    if config:
        body["inferenceConfig"] = config


def _more(prompt: Prompt, family: Family, traits: Traits, body: JSON, losses: list[Loss]) -> None:
    """What only some models take, in their own words."""
    fields: JSON = {}
    if prompt.top_k is not None:
        if family == "nova":
            fields["inferenceConfig"] = {"topK": prompt.top_k}
        elif family in ("claude", "mistral"):
            fields["top_k"] = prompt.top_k
        elif family == "cohere":
            fields["k"] = prompt.top_k
        else:
            losses.append(Loss("top_k", "it is not known how this model takes it"))
    if family == "claude":
        _claude(prompt, traits, body, fields, losses)
    elif prompt.thinking is not None:
        _effort(prompt, family, fields, losses)
    if fields:
        body["additionalModelRequestFields"] = fields


def _claude(prompt: Prompt, traits: Traits, body: JSON, fields: JSON, losses: list[Loss]) -> None:
    config = body.get("inferenceConfig", {})
    choice = "any" if {"any", "tool"} & set(_choice(body)) else "auto"
    asked = {
        "max_tokens": config.get("maxTokens", traits.max_output),
        "tool_choice": {"type": choice},
    }
    thinking_of(prompt, traits, asked, losses)
    if "thinking" in asked:
        fields["thinking"] = asked["thinking"]
        if "output_config" in asked:
            fields["output_config"] = asked["output_config"]
        config["maxTokens"] = asked["max_tokens"]
        body["inferenceConfig"] = config
    on = asked.get("thinking", {}).get("type", "disabled") != "disabled"
    if traits.sampling and not on:
        return
    why = "not while the model thinks" if on else "this model takes no parameter of sampling"
    for name, said, there in (
        ("temperature", "temperature", config), ("top_p", "topP", config),
        ("top_k", "top_k", fields),
    ):  # fmt: skip
        if there.pop(said, None) is not None:
            losses.append(Loss(name, why))
    if not config:
        body.pop("inferenceConfig", None)


def _choice(body: JSON) -> JSON:
    choice: JSON = body.get("toolConfig", {}).get("toolChoice", {})
    return choice


def _effort(prompt: Prompt, family: Family, fields: JSON, losses: list[Loss]) -> None:
    asked = prompt.thinking
    assert asked is not None
    effort = {"minimal": "low", "xhigh": "high", "max": "high"}.get(asked.effort, asked.effort)
    if asked.budget is not None and asked.budget != 0:
        losses.append(Loss("reasoning.budget", "this model takes an effort instead of a budget"))
        effort = effort or "medium"
    if effort in ("", "none"):
        return
    if family == "gpt-oss":
        fields["reasoning_effort"] = effort
    elif family == "nova":
        fields["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": effort}
    else:
        losses.append(Loss("reasoning", "it is not known how this model takes it"))


def _form(form: Format, body: JSON, losses: list[Loss]) -> None:
    if form.kind == "json":
        why = "Bedrock follows a schema, and has no answers of JSON without one"
        losses.append(Loss("response_format", why, "content"))
        return
    said: JSON = {"schema": msgspec.json.encode(form.schema or {}).decode()}
    if form.name:
        said["name"] = form.name
    if form.description:
        said["description"] = form.description
    if form.strict is False:
        losses.append(Loss("response_format.strict", "Bedrock is always strict"))
    structure = {"jsonSchema": said}
    body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}


def _tier(prompt: Prompt, body: JSON, losses: list[Loss]) -> None:
    if prompt.service_tier in ("priority", "flex", "default", "reserved"):
        body["serviceTier"] = {"type": prompt.service_tier}
    elif prompt.service_tier not in ("", "auto"):
        losses.append(Loss("service_tier", f"Bedrock has no tier {prompt.service_tier!r}"))


def _unsaid(prompt: Prompt, losses: list[Loss]) -> None:
    for name in ("seed", "presence_penalty", "frequency_penalty"):
        if getattr(prompt, name) is not None:
            losses.append(Loss(name, _NOT_SAID))
    if prompt.user:
        losses.append(Loss("user", _NOT_SAID))
    if prompt.choices > 1:
        losses.append(Loss("n", "Bedrock gives one answer to a request", "content"))
    if prompt.logprobs is not None:
        losses.append(Loss("logprobs", "Bedrock does not tell probabilities", "content"))
    if set(prompt.modalities) - {"text"}:
        losses.append(Loss("modalities", "Bedrock answers with text only", "content"))
    losses.extend(Loss(name, _NOT_SAID) for name in prompt.extra)
