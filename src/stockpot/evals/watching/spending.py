"""What a canary costs, and whether its day's budget pays for another run. Pure.

Costs are integer nano-dollars; None where no price is known, which is never told as 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stockpot.core.dollars import dollars
from stockpot.evals.watching.models import CanarySpec

DAY_MS = 86_400_000
_CHARACTERS_A_TOKEN = 4
Price = tuple[float, float]
"""Dollars per million tokens of input and of output."""


class Budget(NamedTuple):
    """What a check may cost in a day (UTC), and what it did cost since midnight."""

    limit_nano: int
    spent_nano: int

    @property
    def left_nano(self) -> int:
        """What is there still."""
        return max(0, self.limit_nano - self.spent_nano)


def cost_of(
    prices: Mapping[str, Price | None], model: str, input_tokens: int, output_tokens: int
) -> int | None:
    """Tokens at the prices that were known when the check was put."""
    price = prices.get(model)
    if price is None:
        return None
    return round((input_tokens * price[0] + output_tokens * price[1]) * 1000)


def total(costs: Sequence[int | None]) -> int | None:
    """Together; None where one of them is not known."""
    return None if None in costs else sum(cost or 0 for cost in costs)


def at_most(spec: CanarySpec, prompts: Sequence[Any]) -> int | None:
    """What a run may cost, before any was paid for: each answer as long as it may be."""
    told = [len(json.dumps(prompt, ensure_ascii=False)) + len(spec.system) for prompt in prompts]
    asked = sum(told) // _CHARACTERS_A_TOKEN + len(told)
    answered = len(told) * spec.max_tokens
    return cost_of(spec.prices, spec.model, asked * spec.repeats, answered * spec.repeats)


def refused(budget: Budget, expected_nano: int | None) -> str:
    """Why a run is not paid for; '' where it is."""
    limit, spent = dollars(budget.limit_nano), dollars(budget.spent_nano)
    if budget.spent_nano >= budget.limit_nano:
        return f"skipped: the day's budget of {limit} is used up ({spent}); it goes on at 00:00 UTC"
    if expected_nano is not None and expected_nano > budget.left_nano:
        return (
            f"skipped: a run costs about {dollars(expected_nano)}, and of the day's budget of "
            f"{limit} only {dollars(budget.left_nano)} is left"
        )
    return ""
