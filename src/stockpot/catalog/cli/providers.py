"""`stockpot providers`: list, connect, remove; `stockpot secrets`: rotate."""

from __future__ import annotations

import sys
from typing import Any, TextIO

import click

from stockpot.catalog.references import secret_in
from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.terminal import json_option, printed, say, show
from stockpot.providers import ROLE_VARIABLES

_API = "/api/v1/providers"


@click.group()
def providers() -> None:
    """Connect vendors and model servers.

    \b
    Example:
      stockpot providers connect groq --secret-env GROQ_API_KEY
    """


@providers.command("list")
@json_option
@click.pass_obj
def list_(client: Client, as_json: bool) -> None:
    """List what is connected: engines, what was found, what was connected by hand.

    \b
    Example:
      stockpot providers list --json
    """
    show(
        client.get(_API),
        (
            ("NAME", lambda p: p["name"]),
            ("VENDOR", lambda p: p["vendor"]),
            ("FROM", lambda p: p["origin"]),
            ("SECRET", lambda p: p["secret_hint"] or "-"),
            ("MODELS", lambda p: len(p["models"])),
            ("BASE URL", lambda p: p["base_url"]),
            ("NOTE", lambda p: p["notice"]),
        ),
        as_json=as_json,
        empty="No providers yet. Connect one:  stockpot providers connect openai",
    )


@providers.command("connect")
@click.argument("name")
@click.option("--vendor", help="A row of the vendors' table; NAME when left out.")
@click.option("--base-url", help="Where it is, when not at the vendor's own address.")
@click.option("--secret-env", metavar="VARIABLE", help="Take the secret from this variable.")
@click.option("--secret-file", type=click.File(), help="Take it from a file; - is stdin.")
@click.option("--model", "models", multiple=True, help="Offer this model; repeat for more.")
@json_option
@click.pass_obj
def connect(
    client: Client,
    name: str,
    vendor: str | None,
    base_url: str | None,
    secret_env: str | None,
    secret_file: TextIO | None,
    models: tuple[str, ...],
    as_json: bool,
) -> None:
    """Connect a provider, or change it. Its secret is kept encrypted.

    \b
    Example:
      stockpot providers connect groq --secret-env GROQ_API_KEY
      stockpot providers connect lab --vendor vllm \\
        --base-url http://10.0.0.7:8000/v1
    """
    row = _vendor(client, vendor or name)
    body: dict[str, Any] = {"vendor": row["name"], "base_url": base_url, "models": models}
    if secret_env in ROLE_VARIABLES:  # they end soon: the control plane keeps them fresh
        body["secret_ref"] = f"env:{secret_env}"
    else:
        body["secret"] = _secret(row, secret_env, secret_file)
    made = client.put(f"{_API}/{name}", body)
    if printed(made, as_json=as_json):
        return
    click.echo(f"connected {name}: {len(made['models'])} models")
    if made["notice"]:
        click.echo(made["notice"], err=True)


@providers.command("remove")
@click.argument("name")
@click.pass_obj
def remove(client: Client, name: str) -> None:
    """Disconnect a provider and delete its secret.

    \b
    Example:
      stockpot providers remove groq
    """
    client.delete(f"{_API}/{name}")
    click.echo(f"removed {name}")


@click.group()
def secrets() -> None:
    """The secrets of this instance.

    \b
    Example:
      stockpot secrets rotate
    """


@secrets.command("rotate")
@json_option
@click.pass_obj
def rotate(client: Client, as_json: bool) -> None:
    """Give the instance a new secret and seal all vendor keys with it.

    \b
    Example:
      stockpot secrets rotate
    """
    done = client.post("/api/v1/secrets/rotate")
    say(done, f"sealed {done['resealed']} vendor keys anew", as_json=as_json)


def _vendor(client: Client, wanted: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = client.get("/api/v1/vendors")
    for row in rows:
        if row["name"] == wanted:
            return row
    known = [row["name"] for row in rows]
    near = did_you_mean(wanted, known)
    raise NotFound(f"no vendor {wanted!r}.{near}", hint=f"--vendor, one of {', '.join(known)}")


def _secret(vendor: dict[str, Any], variable: str | None, file: TextIO | None) -> str | None:
    """Never an argument: other users of this machine and the shell's history would see it."""
    if variable:
        if not (value := secret_in(variable)):
            raise InvalidInput(f"the variable {variable!r} is not set")
        return value
    if file is not None:
        return file.read().strip()
    if vendor["needs_secret"] and not vendor["local"] and sys.stdin.isatty():
        return str(click.prompt(f"{vendor['title']} secret", hide_input=True))
    return None
