"""`stockpot monitors silence | silences | unsilence`."""

from __future__ import annotations

import time

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, say, show, when
from stockpot.monitors.cli.monitors import named

_API = "/api/v1/silences"


@click.command()
@click.argument("monitor", required=False)
@click.option("--project", help="All monitors of this project, instead of one.")
@click.option("--for", "for_ms", type=milliseconds, required=True, metavar="TIME", help="2h.")
@click.option("--reason", required=True, help="Why; shown to everybody.")
@json_option
@click.pass_obj
def silence(
    client: Client,
    monitor: str | None,
    project: str | None,
    for_ms: int,
    reason: str,
    as_json: bool,
) -> None:
    """Send nothing for a while, of one monitor or of all in a project.

    \b
    Example:
      stockpot monitors silence slow --for 2h --reason "the vendor's maintenance"
    """
    if (monitor is None) == (project is None):
        raise InvalidInput("name a monitor, or a project with --project")
    found = named(client, monitor) if monitor else {"id": None, "project": project}
    body = {
        "project": found["project"],
        "monitor_id": found["id"],
        "until_ms": time.time() * 1000 + for_ms,
        "reason": reason,
    }
    made = client.post(_API, body)
    until = when(made["until_ms"])
    say(made, f"silent until {until}: {made['id']}", as_json=as_json)


@click.command()
@click.option("--all", "ended", is_flag=True, help="Those that are over, too.")
@json_option
@click.pass_obj
def silences(client: Client, ended: bool, as_json: bool) -> None:
    """List what is silenced, by whom and why.

    \b
    Example:
      stockpot monitors silences
    """
    names = {row["id"]: row["name"] for row in client.get("/api/v1/monitors")}
    show(
        client.get(_API, ended=ended),
        (
            ("ID", lambda s: s["id"]),
            ("PROJECT", lambda s: s["project"] or "(all)"),
            ("MONITOR", lambda s: names.get(s["monitor_id"], s["monitor_id"] or "(all)")),
            ("UNTIL", lambda s: when(s["ended_ms"] or s["until_ms"])),
            ("WHO", lambda s: s["created_by"]),
            ("WHY", lambda s: s["reason"]),
        ),
        as_json=as_json,
        empty="Nothing is silenced.",
    )


@click.command()
@click.argument("silence_id")
@json_option
@click.pass_obj
def unsilence(client: Client, silence_id: str, as_json: bool) -> None:
    """End a silence before its time.

    \b
    Example:
      stockpot monitors unsilence sil_0a1b2c3d4e5f6g7h8j9k
    """
    client.delete(f"{_API}/{silence_id}")
    say({"ended": silence_id}, "it speaks again", as_json=as_json)
