"""`stockpot audit`: see, export and verify the log of changes."""

from __future__ import annotations

import json
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, print_json, show, when


@click.group()
def audit() -> None:
    """See who changed what, when and from where, and that nobody altered the log.

    \b
    Example:
      stockpot audit list --action "key.*"
    """


@audit.command("list")
@click.option("--actor", help="Who: an id or a name.")
@click.option("--action", help="Such as key.create, or key.* for all about keys.")
@click.option("--subject", help="The id of what was changed.")
@click.option("--project", help="In this project.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@click.pass_obj
def list_(client: Client, /, limit: int, as_json: bool, **where: str | None) -> None:
    """List changes, newest first.

    \b
    Example:
      stockpot audit list --project menu --json
    """
    show(
        client.get("/api/v1/audit", limit=limit, **where),
        (
            ("NUMBER", lambda e: e["number"]),
            ("WHEN", lambda e: when(e["at_ms"])),
            ("WHO", lambda e: e["actor"]),
            ("FROM", lambda e: e["address"] or "-"),
            ("ACTION", lambda e: e["action"]),
            ("SUBJECT", lambda e: e["subject"]),
            ("PROJECT", lambda e: e["project"] or "-"),
        ),
        as_json=as_json,
        empty="Nothing like that was changed.",
    )


@audit.command("export")
@click.option("--action", help="Such as key.create, or key.* for all about keys.")
@click.option("--project", help="In this project.")
@click.pass_obj
def export(client: Client, /, **where: Any) -> None:
    """Print changes as JSON lines, oldest first.

    \b
    Example:
      stockpot audit export > audit.jsonl
    """
    for entry in client.stream("/api/v1/audit/export", **where):
        click.echo(json.dumps(entry))


@audit.command("verify")
@click.option("--head", metavar="NUMBER:HASH", help="What an earlier run printed, noted elsewhere.")
@json_option
@click.pass_obj
@click.pass_context
def verify(ctx: click.Context, client: Client, head: str | None, as_json: bool) -> None:
    """Compute the hash chain anew; exits with 1 when an entry was altered, removed or added.

    \b
    Example:
      stockpot audit verify
      stockpot audit verify --head 1200:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad6
    """
    number, _, noted = (head or "").partition(":")
    if head and not (number.isascii() and number.isdigit() and noted):
        raise InvalidInput(f"{head!r} is no head", hint="such as 1200:4bf5...")
    given = {"number": int(number), "hash": noted} if head else {}
    found = client.get("/api/v1/audit/verify", **given)
    if as_json:
        print_json(found)
    else:
        state = "intact" if found["intact"] else "NOT INTACT"
        click.echo(f"{state}: {found['entries']} entries, head {found['number']}:{found['hash']}")
        for problem in found["problems"]:
            click.echo(f"  {problem}")
    if not found["intact"]:
        ctx.exit(1)
