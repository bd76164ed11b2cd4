"""`stockpot guardrails test | rails`."""

from __future__ import annotations

import sys
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import JsonFile, json_option, printed, show
from stockpot.guardrails.cli.policies import API, project_option

_PLACES = click.Choice(["input", "output", "tool_call", "tool_result", "retrieved"])


@click.command()
@click.argument("text")
@project_option
@click.option("--policy", help="Which policy looks.")
@click.option(
    "--file",
    type=JsonFile(dict),
    help="A policy that is not applied yet, as `policies apply` takes it.",
)
@click.option("--on", type=_PLACES, default="input", show_default=True, help="Read as this.")
@json_option
@click.pass_obj
def test(
    client: Client,
    text: str,
    project: str,
    policy: str | None,
    file: dict[str, Any] | None,
    on: str,
    as_json: bool,
) -> None:
    """See what a policy makes of a text (- reads it from the standard input). Nothing is kept.

    \b
    Example:
      stockpot guardrails test "my card is 4111 1111 1111 1111" --policy careful
    """
    body: dict[str, Any] = {"project": project, "on": on}
    body["text"] = sys.stdin.read() if text == "-" else text
    if policy:
        body["policy"] = policy
    elif file:
        body["rules"] = file.get("rules", [])
    else:
        raise InvalidInput("name a --policy, or a --file that holds one")
    said = client.post(f"{API}/test", body)
    if printed(said, as_json=as_json):
        return
    click.echo(f"{said['action']} ({said['us']:.0f} µs)")
    if said["text"] != body["text"]:
        click.echo(said["text"])
    show(
        said["rules"],
        (
            ("RULE", lambda r: r["rule"]),
            ("RAIL", lambda r: r["rail"]),
            ("FOUND", lambda r: _found(r, body["text"])),
            ("THEN", lambda r: f"{r['action']}{' (shadow)' if r['shadow'] else ''}"),
            ("HOLDS OF A STREAM", lambda r: r["holds"] or "nothing"),
            ("µs", lambda r: f"{r['us']:.0f}"),
        ),
        as_json=False,
        empty="",
    )


def _found(verdict: dict[str, Any], text: str) -> str:
    if verdict["skipped"] or verdict["failed"]:
        return str(verdict["skipped"] or verdict["failed"])
    said = [f"{f['type']} {text[f['start'] : f['end']][:40]!r}" for f in verdict["findings"][:3]]
    more = len(verdict["findings"]) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "") or "nothing"


@click.command()
@json_option
@click.pass_obj
def rails(client: Client, as_json: bool) -> None:
    """List rails with the rates that were measured of each; one without may only flag.

    \b
    Example:
      stockpot guardrails rails
    """
    show(
        client.get(f"{API}/rails"),
        (
            ("RAIL", lambda r: r["rail"]),
            ("WHAT", lambda r: r["title"]),
            ("FINDS", _finds),
            ("FALSELY", lambda r: _share(r["rates"], "fpr", "negative")),
            ("MEASURED ON", lambda r: r["rates"].get("set", "")),
        ),
        as_json=as_json,
        empty="There are no rails.",
    )


def _finds(row: dict[str, Any]) -> str:
    if not row["measured"]:
        return "may only flag"
    return _share(row["rates"], "recall", "positive") or "by definition"


def _share(rates: dict[str, Any], rate: str, texts: str) -> str:
    return f"{rates[rate]:.1%} of {rates[texts]:,}" if rate in rates else ""
