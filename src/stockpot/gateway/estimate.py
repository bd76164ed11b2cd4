"""What a call may cost before it is made. Knows prices and the ask's size; knows no limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpot.gateway.snapshot import TargetEntry
    from stockpot.providers import Ask

DEFAULT_OUTPUT = 256
"""Tokens reserved for an answer whose client set no bound."""


def estimate_nano(target: TargetEntry, ask: Ask) -> int:
    """Nano-dollars, for a reservation or a choice; 0 when no price is known."""
    row = target.price
    if row is None:
        return 0
    output = (ask.max_output or DEFAULT_OUTPUT) * ask.choices
    return (ask.input_tokens * row.input + output * row.output + row.request) // 1000


def estimate_tokens(ask: Ask) -> int:
    """Tokens of the prompt and of the answer, at most."""
    return ask.input_tokens + (ask.max_output or DEFAULT_OUTPUT) * ask.choices
