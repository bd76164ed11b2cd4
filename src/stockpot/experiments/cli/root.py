"""`stockpot experiments create | list | show | remove`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, printed, read_file, say, show, when

API = "/api/v1/experiments"
_COLOURS = {"running": "green", "rolled_back": "red", "concluded": "cyan", "draft": "yellow"}

in_project = click.option("--project", default="default", show_default=True, help="Whose it is.")
why = click.option("--reason", default="", help="Why; kept with the decision.")


@click.group()
def experiments() -> None:
    """Split live traffic between arms, watch it safely, and let figures decide.

    \b
    Example:
      stockpot experiments create tone.toml
      stockpot experiments start tone
      stockpot experiments report tone
    """


@experiments.command("create")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", help="Overrules what the file says; default.")
@click.option("--start", "at_once", is_flag=True, help="Start it at once.")
@json_option
@click.pass_obj
def create(client: Client, file: Path, project: str | None, at_once: bool, as_json: bool) -> None:
    """Create an experiment from a TOML file; nothing is split until it is started.

    The name is the file's where it says none.

    \b
    Example:
      stockpot experiments create tone.toml --start
    """
    body = _read(file)
    place = project or body.pop("project", "default")
    body.pop("project", None)
    body.setdefault("name", file.stem)
    made = client.post(API, body, project=place)
    if at_once:
        path = f"{API}/{made['name']}/start"
        made = client.post(path, {"reason": "started as created"}, project=place)
    said = "started" if at_once else "created"
    say(made, f"{said} the experiment {made['name']}", as_json=as_json)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_file(file))
    except tomllib.TOMLDecodeError as bad:
        raise InvalidInput(f"{str(file)!r} is not TOML: {bad}") from None


@experiments.command("list")
@click.option("--project", help="Only those of this project.")
@json_option
@click.pass_obj
def list_(client: Client, project: str | None, as_json: bool) -> None:
    """List experiments and how they stand.

    \b
    Example:
      stockpot experiments list --json
    """
    show(
        client.get(API, project=project),
        (
            ("EXPERIMENT", lambda e: e["name"]),
            ("PROJECT", lambda e: e["project"]),
            ("STATE", lambda e: e["state"]),
            ("SUBJECT", lambda e: e["subject"]),
            ("SHARE", lambda e: f"{e['share'] / 100:g} %"),
            ("STARTED", lambda e: when(e["started_ms"], "-")),
            ("WINNER", lambda e: e["winner"] or "-"),
        ),
        as_json=as_json,
        empty="No experiments yet. Make one:  stockpot experiments create tone.toml",
    )


@experiments.command("show")
@click.argument("experiment")
@in_project
@json_option
@click.pass_obj
def show_(client: Client, experiment: str, project: str, as_json: bool) -> None:
    """Show what an experiment splits, and what was decided.

    \b
    Example:
      stockpot experiments show tone
    """
    found = client.get(f"{API}/{experiment}", project=project)
    if printed(found, as_json=as_json):
        return
    told = found["experiment"]
    head(told)
    for arm in told["arms"]:
        target = arm["target"] or told["subject"]
        click.echo(f"  {arm['name']:<16} {arm['weight'] / 100:g} %  {target}")
    for metric in told["metrics"]:
        margin = f"  margin {metric['margin']:g}" if metric["margin"] else ""
        click.echo(f"  {metric['role']:<10} {metric['name']} {metric['direction']}{margin}")
    decisions(found["decisions"])


def head(told: dict[str, Any]) -> None:
    """What an experiment is, in two lines."""
    state = click.style(told["state"], fg=_COLOURS.get(told["state"]))
    click.echo(f"{told['name']} ({told['project']}): {state}, {told['share'] / 100:g} % take part")
    if told["hypothesis"]:
        click.echo(f"  {told['hypothesis']}")


def decisions(found: list[dict[str, Any]]) -> None:
    """Decisions, newest first."""
    for one in found:
        reason = f"  {one['reason']}" if one["reason"] else ""
        click.echo(f"  {when(one['at_ms'])}  {one['kind']} by {one['actor']}{reason}")


@experiments.command("remove")
@click.argument("experiment")
@in_project
@click.pass_obj
def remove(client: Client, experiment: str, project: str) -> None:
    """Remove an experiment that does not run, with its decisions.

    \b
    Example:
      stockpot experiments remove tone
    """
    client.delete(f"{API}/{experiment}", project=project)
    click.echo(f"removed the experiment {experiment}")
