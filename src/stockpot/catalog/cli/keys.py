"""`stockpot keys`: create, change, list, disable, enable, revoke, rotate."""

from __future__ import annotations

from typing import Any

import click

from stockpot.catalog.cli.choices import budget_of, governed, governing, keeping, kept_to, staying
from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.terminal import json_option, say, show, when
from stockpot.core.urls import gateway_url

_API = "/api/v1/keys"


@click.group()
def keys() -> None:
    """Create and manage virtual keys, which applications show the gateway.

    \b
    Example:
      stockpot keys create --name my-app
    """


@keys.command("create")
@click.option("--name", required=True, help="Which application it is for.")
@click.option("--project", default="default", show_default=True)
@click.option("--environment", help="dev, staging or production; dev when left out.")
@kept_to
@governed
@json_option
@click.pass_obj
def create(client: Client, /, as_json: bool, **given: Any) -> None:
    """Create a key and print it, this once.

    \b
    Example:
      stockpot keys create --name my-app --rpm 600 --budget 20 --expires 90d
      stockpot keys create --name ci --model echo --json
    """
    fields = governing(given) | keeping(given)
    made = client.post(_API, {**{k: v for k, v in given.items() if v}, **fields})
    _print_secret(made, as_json)


@keys.command("change")
@click.argument("key")
@click.option("--environment", help="dev, staging or production.")
@click.option("--no-budget", is_flag=True, help="Take the budget away.")
@click.option("--any-model", is_flag=True, help="Allow every model again.")
@click.option("--any-network", is_flag=True, help="Allow callers from everywhere again.")
@kept_to
@governed
@json_option
@click.pass_context
def change(context: click.Context, /, key: str, as_json: bool, **given: Any) -> None:
    """Change what is given of a key; it keeps its secret. `--expires never` for no end.

    \b
    Example:
      stockpot keys change my-app --rpm 1200 --on-disconnect drain
      stockpot keys change my-app --budget 50 --json
    """
    client: Client = context.obj
    found = _named(client, key)
    path = f"{_API}/{found['id']}"
    gone, anything = given.pop("no_budget"), {"models": given.pop("any_model")}
    anything["networks"] = given.pop("any_network")
    fields: dict[str, Any] = {name: [] for name, wanted in anything.items() if wanted}
    fields |= governing(given) | keeping(given)
    fields |= {name: value for name, value in given.items() if value}
    fields = staying(fields, found, context)
    if gone:
        client.delete(f"{path}/budget")
    made = client.patch(path, fields)
    say(made, f"changed {found['name']} ({found['id']})", as_json=as_json)


@keys.command("list")
@click.option("--all", "everything", is_flag=True, help="Show revoked keys too.")
@json_option
@click.pass_obj
def list_(client: Client, everything: bool, as_json: bool) -> None:
    """List keys, newest first.

    \b
    Example:
      stockpot keys list --json
    """
    show(
        client.get(_API, include_revoked=everything or None),
        (
            ("ID", lambda k: k["id"]),
            ("NAME", lambda k: k["name"]),
            ("KEY", lambda k: k["prefix"] + "..."),
            ("PROJECT", lambda k: k["project"]),
            ("ENVIRONMENT", lambda k: k["environment"]),
            ("STATE", lambda k: k["state"]),
            ("EXPIRES", lambda k: when(k["expires_ms"])),
            ("SPENT", budget_of),
        ),
        as_json=as_json,
        empty="No keys yet. Make one:  stockpot keys create --name my-app",
    )


@keys.command("disable")
@click.argument("key")
@click.option("--reason", default="", help="Why; kept in the journal.")
@click.pass_obj
def disable(client: Client, key: str, reason: str) -> None:
    """Stop a key until it is enabled again.

    \b
    Example:
      stockpot keys disable my-app --reason "it leaked"
    """
    found = _named(client, key)
    client.patch(f"{_API}/{found['id']}", {"state": "disabled"}, reason=reason or None)
    click.echo(f"disabled {found['name']} ({found['id']})")


@keys.command("enable")
@click.argument("key")
@click.option("--reason", default="", help="Why; kept in the journal.")
@click.pass_obj
def enable(client: Client, key: str, reason: str) -> None:
    """Let a disabled key work again.

    \b
    Example:
      stockpot keys enable my-app
    """
    found = _named(client, key)
    client.patch(f"{_API}/{found['id']}", {"state": "active"}, reason=reason or None)
    click.echo(f"enabled {found['name']} ({found['id']})")


@keys.command("revoke")
@click.argument("key")
@click.pass_obj
def revoke(client: Client, key: str) -> None:
    """End a key for ever. What it did stays in the span log.

    \b
    Example:
      stockpot keys revoke my-app
    """
    found = _named(client, key)
    client.delete(f"{_API}/{found['id']}")
    click.echo(f"revoked {found['name']} ({found['id']})")


@keys.command("rotate")
@click.argument("key")
@json_option
@click.pass_obj
def rotate(client: Client, key: str, as_json: bool) -> None:
    """Give a key a new secret; the old one stops working at once.

    \b
    Example:
      stockpot keys rotate my-app
    """
    _print_secret(client.post(f"{_API}/{_named(client, key)['id']}/rotate"), as_json)


def _print_secret(made: dict[str, Any], as_json: bool) -> None:
    say(made, made["key"], as_json=as_json)
    if not as_json:
        base_url = f"{gateway_url(_settings())}/v1"
        click.echo(f"It is not shown again. Use it with base_url={base_url}", err=True)


def _settings() -> Any:
    from stockpot.core.config import load

    return load()


def _named(client: Client, wanted: str) -> dict[str, Any]:
    """The key of this id or name."""
    known: list[dict[str, Any]] = client.get(_API)
    found = [key for key in known if wanted in (key["id"], key["name"])]
    if len(found) > 1:
        ids = ", ".join(key["id"] for key in found)
        raise InvalidInput(f"{len(found)} keys are named {wanted!r}: {ids}", hint="give the id")
    if not found:
        near = did_you_mean(wanted, [name for key in known for name in (key["id"], key["name"])])
        raise NotFound(f"no key {wanted!r}.{near}", hint="stockpot keys list")
    return found[0]
