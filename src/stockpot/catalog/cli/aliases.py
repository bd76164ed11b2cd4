"""`stockpot aliases`: list, set, move, shadow, remove."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from stockpot.catalog.cli.routing import routed, routing
from stockpot.catalog.cli.shadow import shadow
from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import NUMBER, json_option, say, show

_API = "/api/v1/models"
_KINDS = ["chat", "embedding", "image", "audio", "moderation", "rerank"]


@click.group()
def aliases() -> None:
    """Give a name to weighted targets with fallbacks.

    \b
    Example:
      stockpot aliases set support --target openai/gpt-4o-mini \\
        --fallback llama.cpp/smollm2-135m
    """


@aliases.command("list")
@click.option("--all", "everything", is_flag=True, help="Show every model's name.")
@json_option
@click.pass_obj
def list_(client: Client, everything: bool, as_json: bool) -> None:
    """List aliases and what serves them.

    \b
    Example:
      stockpot aliases list --all
    """
    rows = [m for m in client.get(_API) if everything or m["origin"] == "alias"]
    show(
        rows,
        (
            ("NAME", lambda m: m["name"]),
            ("KIND", lambda m: m["kind"]),
            ("FROM", lambda m: m["origin"]),
            ("TARGETS", _targets),
            ("STATE", lambda m: ", ".join(sorted({t["state"] for t in m["targets"]})) or "-"),
        ),
        as_json=as_json,
        empty="No aliases yet. Make one:  stockpot aliases set fast --target echo/echo",
    )


@aliases.command("set")
@click.argument("name")
@click.option("--target", "targets", multiple=True, metavar="PROVIDER/MODEL[=WEIGHT]")
@click.option(
    "--fallback",
    "fallbacks",
    multiple=True,
    metavar="PROVIDER/MODEL[=WEIGHT]",
    help="Tried when the targets fail, in the order given.",
)
@click.option("--kind", type=click.Choice(_KINDS), default="chat", show_default=True)
@click.option("--attempts", type=int, default=3, show_default=True)
@click.option("--connect", type=NUMBER, default=5.0, show_default=True, help="Seconds.")
@click.option("--first-byte", type=NUMBER, default=120.0, show_default=True, help="Seconds.")
@click.option("--idle", type=NUMBER, default=60.0, show_default=True, help="Seconds of silence.")
@click.option("--total", type=NUMBER, default=600.0, show_default=True, help="Seconds.")
@routed
@json_option
@click.pass_obj
def set_(
    client: Client,
    /,
    name: str,
    targets: tuple[str, ...],
    fallbacks: tuple[str, ...],
    kind: str,
    attempts: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Define an alias, or change it. The times bound each attempt; 0 is no bound.

    \b
    Example:
      stockpot aliases set fast --target openai/gpt-4o-mini=3 \\
        --target groq/llama-3.1-8b=1
      stockpot aliases set chat --target openai/gpt-4o --target azure/gpt-4o \\
        --strategy least_latency --sticky session --hedge 0.05
    """
    rows = [_target(text, 0) for text in targets]
    rows += [_target(text, tier) for tier, text in enumerate(fallbacks, 1)]
    if not rows:
        raise InvalidInput("an alias needs a target", hint="--target PROVIDER/MODEL")
    choice = routing(given)
    timeouts = {f"{name}_s": seconds for name, seconds in given.items()}
    body = {"kind": kind, "targets": rows, "attempts": attempts, "timeouts": timeouts, **choice}
    made = client.put(f"{_API}/{quote(name, safe='/')}", body)
    say(made, f"{name} is served by {_targets(made)}", as_json=as_json)


@aliases.command("move")
@click.argument("name")
@click.option("--target", "targets", multiple=True, metavar="PROVIDER/MODEL[=WEIGHT]")
@click.option("--fallback", "fallbacks", multiple=True, metavar="PROVIDER/MODEL[=WEIGHT]")
@click.option("--reason", default="", help="Why; kept in the journal.")
@json_option
@click.pass_obj
def move(
    client: Client,
    name: str,
    targets: tuple[str, ...],
    fallbacks: tuple[str, ...],
    reason: str,
    as_json: bool,
) -> None:
    """Lead an alias elsewhere now, without changing its definition.

    \b
    Example:
      stockpot aliases move support --target groq/llama-3.1-8b \\
        --reason "openai is down"
    """
    rows = [_target(text, 0) for text in targets]
    rows += [_target(text, tier) for tier, text in enumerate(fallbacks, 1)]
    if not rows:
        raise InvalidInput("an alias needs a target", hint="--target PROVIDER/MODEL")
    body = {"path": ["aliases", name, "targets"], "value": rows, "reason": reason}
    made = client.post("/api/v1/pointers", body)
    say(made, f"moved {name}; the definition stays", as_json=as_json)


aliases.add_command(shadow)


@aliases.command("remove")
@click.argument("name")
@click.pass_obj
def remove(client: Client, name: str) -> None:
    """Remove an alias.

    \b
    Example:
      stockpot aliases remove fast
    """
    client.delete(f"{_API}/{quote(name, safe='/')}")
    click.echo(f"removed {name}")


def _target(text: str, tier: int) -> dict[str, Any]:
    where, _, weight = text.partition("=")
    provider, slash, model = where.partition("/")
    if not slash or not model or (weight and not weight.isdigit()):
        raise InvalidInput(f"{text!r} is no target", hint="PROVIDER/MODEL or PROVIDER/MODEL=WEIGHT")
    return {"provider": provider, "model": model, "weight": int(weight or 1), "tier": tier}


def _targets(model: dict[str, Any]) -> str:
    return ", ".join(f"{t['provider']}/{t['model']}" for t in model["targets"]) or "nobody"
