"""A canonical prompt as a Gemini request. Knows Gemini's fields and what it cannot say.

Sources: the reference of the Gemini API, its pages on thinking and on OpenAI compatibility (which
say what an effort means in tokens), and the types of the google-genai package (November 2026).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stockpot.providers.canon import JSON, Format, Loss, Prompt, ServerTool, Thinking, Tool
from stockpot.providers.gemini.schema import unheeded
from stockpot.providers.gemini.turns import Losses, Turns

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_STRONGER = ("xhigh", "max")
_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}
_MODALITIES = frozenset(("text", "image", "audio"))
_VERSION = re.compile(r"gemini-(\d+)")


class Composed(NamedTuple):
    body: JSON
    losses: tuple[Loss, ...]


def is_recent(model: str) -> bool:
    """Whether a model is Gemini 3 or later; a name without a number is the latest."""
    found = _VERSION.search(model)
    return int(found[1]) >= 3 if found else "gemini" in model


def compose(prompt: Prompt, model: str, vertex: bool = False) -> Composed:
    """The body of `generateContent`. `vertex` says which of the two services it is for."""
    losses = Losses()
    recent = is_recent(model)
    turns = Turns(losses, recent, names_files=vertex)
    body: JSON = {"contents": turns.contents(prompt.turns)}
    if prompt.system:
        body["systemInstruction"] = {"parts": [turns.text(text) for text in prompt.system]}
    if tools := _tools(prompt, losses):
        body["tools"] = tools
    if choice := _choice(prompt):
        body["toolConfig"] = {"functionCallingConfig": choice}
    config = _config(prompt, losses)
    if prompt.format is not None:
        _format(prompt.format, config, losses)
    if prompt.thinking is not None and (said := _thinking(prompt.thinking, recent, losses)):
        config["thinkingConfig"] = said
    if config:
        body["generationConfig"] = config
    _tier(prompt.service_tier, body, vertex, losses)
    _unsaid(prompt, losses)
    return Composed(body, losses.all)


def _tools(prompt: Prompt, losses: Losses) -> list[JSON]:
    functions = [_function(tool, losses) for tool in prompt.tools if isinstance(tool, Tool)]
    tools: list[JSON] = [{"functionDeclarations": functions}] if functions else []
    for tool in prompt.tools:
        if not isinstance(tool, ServerTool):
            continue
        if tool.dialect == "gemini":
            tools.append({tool.name: tool.raw})
        else:
            why = f"the tool {tool.name!r} is run by another vendor"
            losses.add(f"tools.{tool.name}", why, "content")
    return tools


def _function(tool: Tool, losses: Losses) -> JSON:
    if tool.cache:
        losses.add("cache_control", "Gemini caches prompts by itself, without marks")
    function: JSON = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parametersJsonSchema"] = tool.schema
    return function


def _choice(prompt: Prompt) -> JSON | None:
    strict = any(isinstance(tool, Tool) and tool.strict for tool in prompt.tools)
    choice = prompt.tool_choice
    if choice is None or choice.mode == "auto":
        # VALIDATED leaves the choice to the model and holds its calls to their schemas.
        mode = "VALIDATED" if strict else "AUTO"
        return {"mode": mode} if choice is not None or strict else None
    said: JSON = {"mode": _MODES[choice.mode]}
    if choice.mode == "named":
        said["allowedFunctionNames"] = [choice.name]
    return said


def _config(prompt: Prompt, losses: Losses) -> JSON:
    said = {
        "maxOutputTokens": prompt.max_output,
        "temperature": prompt.temperature,
        "topP": prompt.top_p,
        "topK": prompt.top_k,
        "stopSequences": list(prompt.stop) or None,
        "seed": prompt.seed,
        "presencePenalty": prompt.presence_penalty,
        "frequencyPenalty": prompt.frequency_penalty,
        "candidateCount": prompt.choices if prompt.choices != 1 else None,
    }
    config = {name: value for name, value in said.items() if value is not None}
    if prompt.modalities:
        wanted = [name for name in prompt.modalities if name in _MODALITIES]
        for name in prompt.modalities:
            if name not in _MODALITIES:
                losses.add("modalities", f"Gemini does not answer in {name}", "content")
        config["responseModalities"] = [name.upper() for name in wanted]
    return config


def _format(wanted: Format, config: JSON, losses: Losses) -> None:
    config["responseMimeType"] = "application/json"
    if wanted.schema is None:
        return
    schema = dict(wanted.schema)
    if wanted.name:
        schema.setdefault("title", wanted.name)
    if wanted.description:
        schema.setdefault("description", wanted.description)
    config["responseJsonSchema"] = schema
    for keyword in unheeded(wanted.schema):
        losses.add(f"response_format.{keyword}", "Gemini ignores this keyword of a schema")


def _thinking(wanted: Thinking, recent: bool, losses: Losses) -> JSON:
    said: JSON = {}
    if wanted.show is not None:
        said["includeThoughts"] = wanted.show
    effort = wanted.effort
    if wanted.budget is not None and not (recent and effort):
        said["thinkingBudget"] = wanted.budget
        if effort:
            losses.add(
                "reasoning_effort", "a budget of tokens is said as well, and Gemini takes one"
            )
    elif recent and effort:
        said["thinkingLevel"] = _level(effort, losses)
        if wanted.budget is not None:
            losses.add("thinking.budget", "an effort is said as well, and Gemini takes one of both")
    elif effort:
        if effort in _STRONGER:
            losses.add("reasoning_effort", f"{effort!r} is sent as 'high', the most there is")
        said["thinkingBudget"] = _BUDGETS.get(effort, _BUDGETS["high"])
    return said


def _level(effort: str, losses: Losses) -> str:
    if effort == "none":
        losses.add("reasoning_effort", "this model always thinks; 'none' is sent as 'minimal'")
        return "MINIMAL"
    if effort in _STRONGER:
        losses.add(
            "reasoning_effort", f"{effort!r} is sent as 'high', the most that all models know"
        )
    return _LEVELS.get(effort, "HIGH")


def _tier(tier: str, body: JSON, vertex: bool, losses: Losses) -> None:
    if tier in ("", "auto"):
        return
    if tier not in _TIERS or vertex:
        losses.add("service_tier", f"{tier!r} is no tier here")
    else:
        body["serviceTier"] = _TIERS[tier]


def _unsaid(prompt: Prompt, losses: Losses) -> None:
    if prompt.user:
        losses.add("user", "Gemini takes no name of an end user")
    if prompt.parallel_tools is False and prompt.tools:
        losses.add("parallel_tool_calls", "Gemini cannot be held to one call at a time")
    if prompt.logprobs is not None:
        losses.add("logprobs", "they are lost between the two formats", "content")
    for name in prompt.extra:
        losses.add(name, "Gemini has nothing like it")
