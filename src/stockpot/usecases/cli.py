"""`stockpot readiness`: how far a project is, on the terminal. Knows the API's paths."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import InvalidInput, NotFound
from stockpot.core.terminal import json_option, print_json, when

_API = "/api/v1/readiness"
_RUNGS = ("demo", "accountable", "measured", "guarded", "production")


@click.command()
@click.argument("project")
@click.option(
    "--require",
    is_flag=False,
    flag_value="release",
    type=click.Choice(["release", *_RUNGS]),
    help="Exit with 1 unless this rung is reached; `release` is what the risk tier asks for.",
)
@click.option("--waive", metavar="NEED", help="Answer for a need that is not met.")
@click.option("--reason", default="", help="Why it is waived.")
@click.option("--for", "lasts", type=milliseconds, default="30d", help="So long; 30d.")
@click.option("--unwaive", metavar="NEED", help="Take a waiver back.")
@json_option
@click.pass_obj
def readiness(client: Client, /, project: str, as_json: bool, **given: Any) -> None:
    """Show how far a project is from demo to production, and what blocks the next rung.

    \b
    Example:
      stockpot readiness default
      stockpot readiness default --require release --json
      stockpot readiness default --waive judge --reason 'labels come in May' \\
        --for 30d
    """
    if given["waive"]:
        _waive(client, project, given)
    if given["unwaive"]:
        _unwaive(client, project, given["unwaive"])
    told = client.get(_API, project=project)
    if as_json:
        print_json(told)
    else:
        _print(told)
    if given["require"] and not _stands(told, given["require"]):
        wanted = told["required"] if given["require"] == "release" else given["require"]
        click.echo(f"{project} does not stand on the rung {wanted!r}", err=True)
        sys.exit(1)


def _waive(client: Client, project: str, given: dict[str, Any]) -> None:
    if not given["reason"]:
        raise InvalidInput("a waiver needs a --reason")
    until = int(time.time() * 1000) + given["lasts"]
    body = {"project": project, "need": given["waive"], "reason": given["reason"]}
    client.post(f"{_API}/waivers", {**body, "until_ms": until})


def _unwaive(client: Client, project: str, need: str) -> None:
    told = client.get(_API, project=project)
    found = [n["waived"] for rung in told["rungs"] for n in rung["needs"] if n["need"] == need]
    if not found or found[0] is None:
        raise NotFound(f"{need!r} is not waived", hint=f"stockpot readiness {project}")
    client.delete(f"{_API}/waivers/{found[0]['id']}")


def _stands(told: dict[str, Any], wanted: str) -> bool:
    if wanted == "release":
        return bool(told["ready"])
    return any(rung["rung"] == wanted and rung["reached"] for rung in told["rungs"])


def _print(told: dict[str, Any]) -> None:
    release = "may be released" if told["ready"] else f"a release needs {told['required']!r}"
    stands = told["current"] or "below the first rung"
    click.echo(f"{told['project']}: {stands} (risk {told['risk_tier']}: {release})")
    for rung in reversed(told["rungs"]):
        click.echo("")
        mark = click.style("✓", fg="green") if rung["reached"] else "·"
        asked = "" if rung["needed"] else click.style("  not needed at this risk", dim=True)
        click.echo(f"{mark} {click.style(rung['title'], bold=True)}{asked}")
        for need in rung["needs"]:
            _print_need(need)
    if told["blocks"]:
        click.echo(f"\nWhat blocks the next rung, {told['next']!r}:")
        for need in told["blocks"]:
            click.echo(f"  {need['title'].lower()}:")
            for command in need["mend"].splitlines():
                click.echo(f"    {command}")


def _print_need(need: dict[str, Any]) -> None:
    mark = click.style("✓", fg="green") if need["met"] else click.style("✗", fg="red")
    waived = ""
    if need["waived"]:
        mark = click.style("~", fg="yellow")
        by, until = need["waived"]["created_by"], when(need["waived"]["until_ms"])
        waived = f"  (waived by {by} until {until}: {need['waived']['reason']})"
    click.echo(f"  {mark} {need['need'].ljust(9)} {need['found']}{waived}")
