"""A prompt written as a chat request in OpenAI's format. Knows no client's dialect.

What the format cannot say is returned as losses, by the names of the canonical form.

Source: OpenAI's API reference and OpenAPI description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpot.providers.canon import Loss, Tool
from stockpot.providers.openai.compose_messages import write_messages
from stockpot.providers.openai.parse import WEB_SEARCH
from stockpot.providers.openai.words import TIERS

if TYPE_CHECKING:
    from stockpot.providers.base import UpstreamTarget
    from stockpot.providers.canon import Format, Prompt, Thinking

JSON = dict[str, Any]

_OWN_FIELDS = frozenset((
    "audio", "logit_bias", "metadata", "moderation", "prediction", "prompt_cache_key",
    "prompt_cache_options", "prompt_cache_retention", "store", "verbosity",
))  # fmt: skip


def compose_chat(
    prompt: Prompt, target: UpstreamTarget, stream: bool, dialect: str, newest: bool
) -> tuple[JSON, tuple[Loss, ...]]:
    """The body, and what it leaves out. `dialect` is the client's; `newest` is for a server that
    wants `max_completion_tokens`, where others may know the older name only."""
    losses: list[Loss] = []
    body: JSON = {"model": target.model, "messages": write_messages(prompt, target, losses)}
    if stream:
        body["stream"] = True
        if target.stream_usage == "inject":
            body["stream_options"] = {"include_usage": True}
    _tools(prompt, body, losses)
    if prompt.format is not None:
        body["response_format"] = _format(prompt.format)
    if prompt.thinking is not None:
        _thinking(prompt.thinking, body, losses)
    if prompt.max_output is not None:
        body["max_completion_tokens" if newest else "max_tokens"] = prompt.max_output
    _sampling(prompt, body, losses)
    _rest(prompt, body, losses, dialect)
    return body, tuple(losses)


def _tools(prompt: Prompt, body: JSON, losses: list[Loss]) -> None:
    tools = []
    for tool in prompt.tools:
        if isinstance(tool, Tool):
            tools.append(_function(tool))
        elif tool.dialect != "openai":
            why = "a tool of another vendor's own"
            losses.append(Loss(f"tools.{tool.name}", why, "content"))
        elif tool.name == WEB_SEARCH:
            body[WEB_SEARCH] = tool.raw
        else:
            tools.append(tool.raw)
    if not tools:
        return
    body["tools"] = tools
    if prompt.parallel_tools is not None:
        body["parallel_tool_calls"] = prompt.parallel_tools
    choice = prompt.tool_choice
    if choice is not None and choice.mode == "named":
        body["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice is not None:
        body["tool_choice"] = choice.mode


def _function(tool: Tool) -> JSON:
    function: JSON = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _format(wanted: Format) -> JSON:
    if wanted.kind == "json":
        return {"type": "json_object"}
    schema: JSON = {"name": wanted.name or "answer"}
    if wanted.schema is not None:
        schema["schema"] = wanted.schema
    if wanted.description:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}


def _thinking(thinking: Thinking, body: JSON, losses: list[Loss]) -> None:
    """This format has efforts only; a budget becomes the nearest one."""
    effort, budget = thinking.effort, thinking.budget
    if not effort and budget is not None and budget > 0:
        effort = "low" if budget <= 2048 else "medium" if budget <= 8192 else "high"
        why = f"there are efforts only, so it asks for {effort!r}"
        losses.append(Loss("thinking.budget", why))
    elif not effort and budget == 0:
        losses.append(Loss("thinking", "the model decides; only some can be told not to reason"))
    if effort:
        body["reasoning_effort"] = effort
    if thinking.show:
        losses.append(Loss("thinking.show", "a server of this format decides what it shows"))


def _sampling(prompt: Prompt, body: JSON, losses: list[Loss]) -> None:
    for name in ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty"):
        value = getattr(prompt, name)
        if value is not None:
            body[name] = value
    if prompt.top_k is not None:
        losses.append(Loss("top_k", "OpenAI's format has none"))
    if prompt.stop:
        body["stop"] = list(prompt.stop)
    if prompt.choices != 1:
        body["n"] = prompt.choices
    if prompt.logprobs is not None:
        losses.append(Loss("logprobs", "they are lost between the two formats", "content"))


def _rest(prompt: Prompt, body: JSON, losses: list[Loss], dialect: str) -> None:
    if prompt.user:
        body["user"] = prompt.user
    if prompt.service_tier in TIERS:
        body["service_tier"] = prompt.service_tier
    elif prompt.service_tier:
        losses.append(Loss("service_tier", f"there is no tier {prompt.service_tier!r}"))
    own = dialect.startswith("openai")
    if prompt.modalities and own:
        body["modalities"] = list(prompt.modalities)
    else:
        for kind in prompt.modalities:
            if kind != "text":
                losses.append(
                    Loss("modalities", f"an answer in {kind} is not asked for", "content")
                )
    for field, value in prompt.extra.items():
        if own and field in _OWN_FIELDS:
            body[field] = value
        else:
            losses.append(Loss(field, "OpenAI's chat format has nothing like it"))
