"""Reading durations such as `90d` or `12h` from a command line. Knows no clock."""

from __future__ import annotations

import re

import click

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def milliseconds(text: str) -> int:
    """The type of a click option: a number and one of s, m, h, d, w."""
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a duration; write it like 30m, 12h or 90d")
    return int(match[1]) * _UNITS_MS[match[2]]
