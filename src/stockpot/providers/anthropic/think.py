"""How much a model may think, in the words of its generation. Knows efforts and budgets."""

from __future__ import annotations

from typing import Any

from stockpot.providers.anthropic.traits import Traits
from stockpot.providers.canon import Loss, Prompt, Reasoning, Thinking, ToolCall

BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384}
"""Tokens of thinking for an effort, where the model wants a number; more effort is `high`."""
_LEAST = 1024
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}


def thinking_of(prompt: Prompt, traits: Traits, body: dict[str, Any], losses: list[Loss]) -> None:
    """Adds `thinking` and an effort to a body that has its tools, its form and `max_tokens`."""
    asked = prompt.thinking
    if asked is None:
        return
    if asked.effort == "none" or asked.budget == 0:
        _off(traits, body, losses)
    elif body.get("tool_choice", {}).get("type") in ("any", "tool"):
        losses.append(Loss("reasoning", "not while a tool must be called"))
    elif traits.thinking == "adaptive":
        _adaptive(asked, body, losses)
    else:
        _budget(prompt, asked, body, losses)


def _off(traits: Traits, body: dict[str, Any], losses: list[Loss]) -> None:
    if not traits.may_not_think:
        losses.append(Loss("reasoning", "this model always thinks"))
    elif traits.thinking == "adaptive":
        body["thinking"] = {"type": "disabled"}


def _adaptive(asked: Thinking, body: dict[str, Any], losses: list[Loss]) -> None:
    effort = _EFFORTS.get(asked.effort, asked.effort)
    if asked.budget is not None and asked.budget > 0:
        losses.append(Loss("reasoning.budget", "this model takes an effort instead of a budget"))
        effort = effort or _near(asked.budget)
    body["thinking"] = _shown(asked, {"type": "adaptive"})
    if effort in ("low", "medium", "high", "xhigh", "max"):
        body["output_config"] = {**body.get("output_config", {}), "effort": effort}
    elif effort:
        losses.append(Loss("reasoning.effort", f"Anthropic has no effort {effort!r}"))


def _near(budget: int) -> str:
    return (
        "low" if budget <= BUDGETS["low"] else "medium" if budget <= BUDGETS["medium"] else "high"
    )


def _budget(prompt: Prompt, asked: Thinking, body: dict[str, Any], losses: list[Loss]) -> None:
    if _unproven(prompt):
        why = "the reasoning before the last tool calls was not handed back with its signature"
        losses.append(Loss("reasoning", why))
        return
    budget = asked.budget
    if budget is None or budget < 0:
        budget = BUDGETS.get(asked.effort or "medium", BUDGETS["high"])
    budget = max(_LEAST, budget)
    most = body["max_tokens"]
    if prompt.max_output is None:
        body["max_tokens"] = most + budget
    elif budget >= most:
        budget = most // 2
        if budget < _LEAST:
            losses.append(Loss("reasoning", f"no room to think in {most} tokens of output"))
            return
    body["thinking"] = _shown(asked, {"type": "enabled", "budget_tokens": budget})


def _shown(asked: Thinking, made: dict[str, Any]) -> dict[str, Any]:
    if asked.show is not None:
        made["display"] = "summarized" if asked.show else "omitted"
    return made


def _unproven(prompt: Prompt) -> bool:
    """Whether the turn that goes on began without the signed reasoning that Anthropic wants."""
    for turn in reversed(prompt.turns):
        if turn.role == "assistant":
            called = any(isinstance(part, ToolCall) for part in turn.parts)
            proven = any(
                isinstance(part, Reasoning) and (part.signature or part.hidden)
                for part in turn.parts
            )
            return called and not proven
    return False
