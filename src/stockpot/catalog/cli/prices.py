"""`stockpot prices`: list, show, set, remove."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import amount, json_option, printed, say, show

_API = "/api/v1/prices"
_BUCKETS = {
    "input": "Of a million input tokens.",
    "output": "Of a million output tokens.",
    "cache-read": "Of a million tokens read from the vendor's cache.",
    "cache-write": "Of a million tokens written to it.",
    "cache-write-1h": "Of a million tokens written to it for an hour.",
    "reasoning": "Of a million reasoning tokens; as output when left out.",
    "audio-input": "Of a million tokens of sound heard.",
    "audio-output": "Of a million tokens of sound made.",
    "audio-cache-read": "Of a million cached tokens of sound.",
    "image-input": "Of a million tokens of images seen.",
    "image-output": "Of a million tokens of images made.",
    "image-cache-read": "Of a million cached tokens of images.",
    "request": "Of a thousand requests.",
    "search": "Of a thousand web searches.",
    "audio-time": "Of an hour of sound heard.",
    "characters": "Of a million characters spoken.",
}
Row = dict[str, Any]
Command = Callable[..., Any]


@click.group()
def prices() -> None:
    """What models cost here: published prices, and your own that stand above them.

    \b
    Example:
      stockpot prices show openai/gpt-4o-mini
    """


@prices.command("list")
@click.option("--provider", help="Only of this provider.")
@click.option("--own", is_flag=True, help="Only prices that were stated here.")
@json_option
@click.pass_obj
def list_(client: Client, provider: str | None, own: bool, as_json: bool) -> None:
    """List what an ordinary call costs now, for every model that is routed to.

    \b
    Example:
      stockpot prices list --provider openai
      stockpot prices list --own --json
    """
    found = client.get(_API, provider=provider)
    rows = [row for model in found for row in model["rows"]]
    if own:
        rows = [row for row in rows if row["own"]]
    elif not as_json:
        rows = [_present(model) for model in found]
    nothing = "No own prices. State one:  stockpot prices set PROVIDER/MODEL --input 0.15"
    show(rows, _COLUMNS, as_json=as_json, empty=nothing if own else "No models are routed to.")


@prices.command("show")
@click.argument("model", metavar="PROVIDER/MODEL")
@json_option
@click.pass_obj
def show_(client: Client, model: str, as_json: bool) -> None:
    """Show every price row of a model: by day, tier, length of the prompt and hour.

    \b
    Example:
      stockpot prices show anthropic/claude-sonnet-4-5 --json
    """
    provider, name = _split(model)
    (found,) = client.get(_API, provider=provider, model=name)
    if printed(found, as_json=as_json):
        return
    empty = f"{model} is free." if found["free"] else f"The price of {model} is not known."
    show(found["rows"], (*_COLUMNS, ("FOR", _for)), as_json=False, empty=empty)


def _dollars(command: Command) -> Command:
    for name, what in reversed(_BUCKETS.items()):
        command = click.option(f"--{name}", metavar="DOLLARS", type=amount, help=what)(command)
    return command


@prices.command("set")
@click.argument("model", metavar="PROVIDER/MODEL")
@_dollars
@click.option("--source", required=True, help="Where the price comes from: a page, a contract.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Valid from this day on.")
@click.option("--tier", default="", help="Of this service tier only.")
@click.option("--above", type=int, default=0, help="Of prompts with more tokens than this only.")
@json_option
@click.pass_obj
def set_(
    client: Client,
    /,
    model: str,
    source: str,
    since: datetime | None,
    tier: str,
    above: int,
    as_json: bool,
    **dollars: float | None,
) -> None:
    """State a price of your own. It stands above published ones from its day on.

    \b
    Example:
      stockpot prices set openai/gpt-4o-mini --input 0.12 --output 0.48 \\
        --source "contract of 2026-11-01, page 3"
    """
    provider, name = _split(model)
    body = {
        "provider": provider,
        "model": name,
        "dollars": {bucket: value for bucket, value in dollars.items() if value is not None},
        "source": source,
        "valid_from_ms": int(since.replace(tzinfo=UTC).timestamp()) * 1000 if since else 0,
        "tier": tier,
        "above": above,
    }
    made = client.post(_API, body)
    say(made, f"{model}: {_stated(made)}, price {made['id']}", as_json=as_json)


@prices.command("remove")
@click.argument("price")
@click.pass_obj
def remove(client: Client, price: str) -> None:
    """Take an own price back; what is published holds again.

    \b
    Example:
      stockpot prices remove price_3k9x
    """
    client.delete(f"{_API}/{price.removeprefix('own/')}")
    click.echo(f"removed {price}")


def _split(model: str) -> tuple[str, str]:
    provider, slash, name = model.partition("/")
    if not slash or not name:
        raise InvalidInput(f"{model!r} is no model of a provider", hint="PROVIDER/MODEL")
    return provider, name


def _present(model: Row) -> Row:
    for row in model["rows"]:
        if row["id"] == model["present"]:
            return dict(row)
    known = "free" if model["free"] else "unknown"
    return {**model, "dollars": {}, "source": known, "id": "", "own": False}


def _stated(row: Row) -> str:
    return ", ".join(f"{name} ${value:g}" for name, value in row["dollars"].items()) or "-"


def _for(row: Row) -> str:
    told = [datetime.fromtimestamp(row["valid_from_ms"] / 1000, UTC).strftime("from %Y-%m-%d")]
    if not row["valid_from_ms"]:
        told = []
    if row["tier"]:
        told.append(f"tier {row['tier']}")
    if row["above"]:
        told.append(f"above {row['above']} tokens")
    if row["hours"]:
        begin, end = (f"{s // 3600:02}:{s % 3600 // 60:02}" for s in row["hours"])
        told.append(f"{begin} to {end} UTC")
    return ", ".join(told)


_COLUMNS: tuple[tuple[str, Callable[[Row], Any]], ...] = (
    ("PROVIDER", lambda row: row["provider"]),
    ("MODEL", lambda row: row["model"]),
    ("DOLLARS", _stated),
    ("SOURCE", lambda row: row["source"]),
    ("PRICE", lambda row: row["id"] if row["own"] else ""),
)
