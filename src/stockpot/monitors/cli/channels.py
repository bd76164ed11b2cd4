"""`stockpot monitors channels ...`, `deliveries` and `retry`."""

from __future__ import annotations

import sys
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput, NotFound, Unavailable, did_you_mean
from stockpot.core.terminal import json_option, print_json, printed, say, show, when

_API = "/api/v1/channels"


@click.group()
def channels() -> None:
    """Say where alerts are sent: a signed webhook, or Slack and what takes its shape.

    \b
    Example:
      stockpot monitors channels add ops --kind slack --url-file hook.txt
    """


@channels.command("list")
@click.option("--project", help="Those that monitors of this project may use.")
@json_option
@click.pass_obj
def list_(client: Client, project: str | None, as_json: bool) -> None:
    """List channels, without the secret parts of their addresses.

    \b
    Example:
      stockpot monitors channels list
    """
    show(
        client.get(_API, project=project),
        (
            ("CHANNEL", lambda c: c["name"]),
            ("PROJECT", lambda c: c["project"] or "(all)"),
            ("KIND", lambda c: c["kind"]),
            ("ADDRESS", lambda c: c["address"]),
            ("ID", lambda c: c["id"]),
        ),
        as_json=as_json,
        empty="No channels yet. Make one:  "
        "stockpot monitors channels add ops --url https://example.org/hook",
    )


@channels.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["webhook", "slack"]), default="webhook")
@click.option("--url", help="Where to; others may see it in the list of processes.")
@click.option("--url-file", type=click.File("r"), help="A file that holds the URL; - is stdin.")
@click.option("--project", default="default", show_default=True, help="'' serves all of them.")
@json_option
@click.pass_obj
def add(client: Client, /, name: str, as_json: bool, **given: Any) -> None:
    """Add a channel. The secret that signs a webhook's messages is printed this once.

    \b
    Example:
      stockpot monitors channels add ops --url https://example.org/hooks/stockpot
      stockpot monitors channels add team --kind slack --url-file hook.txt
    """
    file = given.pop("url_file")
    url = file.read().strip() if file else given["url"]
    if not url:
        raise InvalidInput("a channel needs --url or --url-file")
    made = client.post(_API, {**given, "name": name, "url": url})
    if printed(made, as_json=as_json):
        return
    click.echo(f"added the channel {name}: {made['channel']['id']}")
    if made["secret"]:
        click.echo(made["secret"])
        click.echo("It signs what is sent there, and is not shown again.", err=True)


@channels.command("remove")
@click.argument("channel")
@click.pass_obj
def remove(client: Client, channel: str) -> None:
    """Remove a channel; what waits for it is given up.

    \b
    Example:
      stockpot monitors channels remove ops
    """
    found = _named(client, channel)
    client.delete(f"{_API}/{found['id']}")
    click.echo(f"removed the channel {found['name']}")


@channels.command("test")
@click.argument("channel")
@json_option
@click.pass_obj
def test(client: Client, channel: str, as_json: bool) -> None:
    """Send a test message now, and say what came of it; exit code 1 when it was not taken.

    \b
    Example:
      stockpot monitors channels test ops
    """
    found = _named(client, channel)
    came = client.post(f"{_API}/{found['id']}/test")
    if as_json:
        print_json(came)
        sys.exit(0 if came["ok"] else 1)
    if not came["ok"]:
        raise Unavailable(f"the test was not taken: {came['error']}")
    click.echo(f"taken with {came['status']} in {came['duration_ms']:.0f} ms")


@click.command()
@click.option("--state", type=click.Choice(["waiting", "delivered", "dead"]), help="Only those.")
@click.option("--limit", type=int, default=50, show_default=True, help="So many, newest first.")
@json_option
@click.pass_obj
def deliveries(client: Client, state: str | None, limit: int, as_json: bool) -> None:
    """List messages and what came of them; the dead were given up.

    \b
    Example:
      stockpot monitors deliveries --state dead
    """
    show(
        client.get("/api/v1/deliveries", state=state, limit=limit),
        (
            ("ID", lambda d: d["id"]),
            ("CHANNEL", lambda d: d["channel"]),
            ("SAID", lambda d: d["said"]),
            ("STATE", lambda d: d["state"]),
            ("ATTEMPTS", lambda d: d["attempts"]),
            ("WHEN", lambda d: when(d["created_ms"])),
            ("WHY", lambda d: d["error"]),
        ),
        as_json=as_json,
        empty="Nothing was sent yet.",
    )


@click.command()
@click.argument("delivery_id")
@json_option
@click.pass_obj
def retry(client: Client, delivery_id: str, as_json: bool) -> None:
    """Try a message again that was given up.

    \b
    Example:
      stockpot monitors retry msg_0a1b2c3d4e5f6g7h8j9k
    """
    made = client.post(f"/api/v1/deliveries/{delivery_id}/retry")
    say(made, f"it waits for {made['channel']} again", as_json=as_json)


def _named(client: Client, channel: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = client.get(_API)
    found = [row for row in rows if channel in (row["id"], row["name"])]
    if not found:
        near = did_you_mean(channel, [row["name"] for row in rows])
        raise NotFound(f"no channel {channel!r}.{near}", hint="stockpot monitors channels list")
    if len(found) > 1:
        raise InvalidInput(f"{channel!r} is in several projects", hint="give its id")
    return found[0]
