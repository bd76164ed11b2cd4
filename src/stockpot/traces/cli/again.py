"""`stockpot traces renormalise`."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import json_option, print_json


def moment(text: str) -> int:
    """A time in milliseconds: a date, a date and time, or how long ago."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return int(time.time() * 1000) - milliseconds(text)
    return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000)


@click.command()
@click.option("--project", help="Only this project.")
@click.option(
    "--from", "from_ms", type=moment, metavar="TIME",
    help="From when on: a date (UTC), a time, or how long ago, such as 7d.",
)  # fmt: skip
@click.option("--to", "to_ms", type=moment, metavar="TIME", help="Up to when.")
@json_option
@click.pass_obj
def renormalise(
    client: Client, project: str | None, from_ms: int | None, to_ms: int | None, as_json: bool
) -> None:
    """Read spans of other applications again, by what is known of their conventions now.

    What senders sent is kept as it came; after an upgrade that knows a dialect better this puts
    names, tokens, costs and words right, and every sum that holds them.

    \b
    Example:
      stockpot traces renormalise --project menu --from 30d
    """
    asked = {"project": project, "from_ms": from_ms, "to_ms": to_ms}
    read = changed = 0
    after: int | None = 0
    while after is not None:
        done = client.post("/api/v1/traces/renormalise", {**asked, "after": after})
        read, changed, after = read + done["read"], changed + done["changed"], done["after"]
    if as_json:
        print_json({"read": read, "changed": changed})
    else:
        click.echo(f"{read} spans read again, {changed} of them changed")
