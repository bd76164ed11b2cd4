"""Durations as people write them (`90d`, `12h`) and as they are told. Knows no clock."""

from __future__ import annotations

import re

import click

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def lasting(days: float) -> str:
    """`3.2 days`, `11 hours`, `5 minutes`: in the unit that leaves a number one can grasp."""
    for unit, each in (("days", 1), ("hours", 24), ("minutes", 24 * 60)):
        if (count := days * each) >= 2:
            return f"{count:.2g} {unit}" if count < 100 else f"{count:,.0f} {unit}"
    return "2 minutes at most"


def milliseconds(text: str) -> int:
    """The type of a click option: a number and one of s, m, h, d, w."""
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a duration; write it like 30m, 12h or 90d")
    return int(match[1]) * _UNITS_MS[match[2]]
