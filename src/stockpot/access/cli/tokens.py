"""`stockpot sign-in` and `stockpot tokens`."""

from __future__ import annotations

import time

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import json_option, printed, say, show, when

ROLES = click.Choice(["admin", "editor", "viewer", "own"])
SCOPES = click.Choice(["read", "write", "admin"])


def bootstrap_link(client: Client) -> str:
    """A fresh link that signs in as the first admin, once, within a day."""
    return str(client.post("/api/v1/session/links")["url"])


@click.command("sign-in")
@json_option
@click.pass_obj
def sign_in(client: Client, as_json: bool) -> None:
    """Print a link that signs you in to the console. It works once, for a day.

    \b
    Example:
      stockpot sign-in
    """
    link = client.post("/api/v1/session/links")
    say(link, link["url"], as_json=as_json)


@click.group()
def tokens() -> None:
    """Create, list and revoke API tokens, for programs that use stockpot's own API.

    \b
    Example:
      stockpot tokens create --name ci --role viewer --expires 90d
    """


@tokens.command("create")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--role", type=ROLES, help="The most that it may be; viewer when left out.")
@click.option("--scope", "scopes", type=SCOPES, multiple=True, help="What it is for; repeat.")
@click.option("--project", help="Tie it to one project.")
@click.option(
    "--expires",
    type=milliseconds,
    metavar="DURATION",
    help="Lifetime such as 90d; for ever when left out.",
)
@json_option
@click.pass_obj
def create(
    client: Client,
    /,
    scopes: tuple[str, ...],
    expires: int | None,
    as_json: bool,
    **given: str | None,
) -> None:
    """Create a token and print it, this once. It may at most what you may.

    \b
    Example:
      stockpot tokens create --name ci --role viewer --expires 90d
      stockpot tokens create --name deploy --scope read --scope write \\
        --project menu
    """
    end = time.time() * 1000 + expires if expires else None
    wanted = {**given, "scopes": scopes or None, "expires_ms": end}
    made = client.post("/api/v1/tokens", wanted)
    if printed(made, as_json=as_json):
        return
    click.echo(made["secret"])
    click.echo("It is not shown again. Use it as: Authorization: Bearer <token>", err=True)


@tokens.command("list")
@json_option
@click.pass_obj
def list_(client: Client, as_json: bool) -> None:
    """List API tokens.

    \b
    Example:
      stockpot tokens list --json
    """
    show(
        client.get("/api/v1/tokens"),
        (
            ("ID", lambda t: t["id"]),
            ("NAME", lambda t: t["name"]),
            ("TOKEN", lambda t: t["prefix"] + "..."),
            ("ROLE", lambda t: t["role"]),
            ("SCOPES", lambda t: ",".join(t["scopes"])),
            ("PROJECT", lambda t: t["project"] or "all"),
            ("EXPIRES", lambda t: when(t["expires_ms"])),
            ("LAST USED", lambda t: when(t["last_used_ms"])),
        ),
        as_json=as_json,
        empty="No API tokens yet. Make one:  stockpot tokens create --name ci",
    )


@tokens.command("revoke")
@click.argument("token_id")
@click.pass_obj
def revoke(client: Client, token_id: str) -> None:
    """Revoke a token; it stops working at once.

    \b
    Example:
      stockpot tokens revoke tok_0a1b2c3d4e5f6g7h8j9k
    """
    client.delete(f"/api/v1/tokens/{token_id}")
    click.echo(f"revoked {token_id}")
