"""`stockpot traces sessions | users | tags`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import json_option, show
from stockpot.traces.cli.filters import Row

_COLUMNS: list[tuple[str, Callable[[Row], Any]]] = [
    ("NAME", lambda row: row["name"]),
    ("PROJECT", lambda row: row["project"]),
    ("LAST", lambda row: time.strftime("%m-%d %H:%M:%S", time.localtime(row["last_ms"] / 1000))),
    ("TRACES", lambda row: row["traces"]),
    ("ERRORS", lambda row: row["errors"]),
    ("TOKENS", lambda row: row["input_tokens"] + row["output_tokens"]),
    ("COST", lambda row: dollars(row["cost_nano"])),
]


def _list(name: str, path: str, told: str) -> click.Command:
    def command(
        client: Client, project: str | None, q: str | None, last_ms: float | None, order: str,
        limit: int, as_json: bool,
    ) -> None:  # fmt: skip
        since = None if last_ms is None else time.time() * 1000 - last_ms
        page = client.get(path, project=project, q=q, from_ms=since, order=order, limit=limit)
        show(page["items"], _COLUMNS, as_json=as_json, empty=f"No {name}. {_HINTS[name]}")

    command.__doc__ = told
    command.__name__ = name
    options = (
        click.option("--project", help="Only of this project."),
        click.option("--search", "q", help="A part of the name."),
        click.option("--last", "last_ms", type=milliseconds, metavar="DURATION",
                     help="Only those of the last 30m, 12h, 7d ..."),
        click.option("--order", type=click.Choice(["newest", "cost", "traces", "errors"]),
                     default="newest", show_default=True, help="What comes first."),
        click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500),
                     help="How many."),
        json_option,
        click.pass_obj,
    )  # fmt: skip
    decorated: Any = command
    for option in reversed(options):
        decorated = option(decorated)
    return click.command(name)(decorated)


_HINTS = {
    "sessions": "Send calls with the header x-stockpot-session.",
    "users": "Send calls with the field 'user'.",
    "tags": "Send calls with the header x-stockpot-tags.",
}

sessions = _list(
    "sessions",
    "/api/v1/sessions",
    """List sessions with their traces, tokens and cost.

    \b
    Example:
      stockpot traces sessions --last 1d --order cost
    """,
)
users = _list(
    "users",
    "/api/v1/end-users",
    """List the end users that applications named.

    \b
    Example:
      stockpot traces users --project menu --order errors
    """,
)
tags = _list(
    "tags",
    "/api/v1/tags",
    """List the tags of traces.

    \b
    Example:
      stockpot traces tags
    """,
)
