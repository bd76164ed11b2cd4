"""`stockpot experiments start | ramp | stop | lift | release`."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, printed, say
from stockpot.experiments.cli.root import API, experiments, in_project, why


@experiments.command("start")
@click.argument("experiment")
@in_project
@why
@json_option
@click.pass_obj
def start(client: Client, experiment: str, project: str, reason: str, as_json: bool) -> None:
    """Start an experiment; it is in force everywhere within a second.

    \b
    Example:
      stockpot experiments start tone --reason "the new tone is ready"
    """
    made = client.post(f"{API}/{experiment}/start", {"reason": reason}, project=project)
    _said(made, f"started {experiment} with {made['share'] / 100:g} % of the units", as_json)


@experiments.command("ramp")
@click.argument("experiment")
@click.argument("share")
@in_project
@why
@json_option
@click.pass_obj
def ramp(
    client: Client, experiment: str, share: str, project: str, reason: str, as_json: bool
) -> None:
    """Let another share of the units take part, such as 25%; nobody changes the arm.

    \b
    Example:
      stockpot experiments ramp tone 50%
    """
    body = {"share": _share(share), "reason": reason}
    made = client.post(f"{API}/{experiment}/ramp", body, project=project)
    _said(made, f"{made['share'] / 100:g} % of the units take part in {experiment}", as_json)


@experiments.command("stop")
@click.argument("experiment")
@in_project
@why
@json_option
@click.pass_obj
def stop(client: Client, experiment: str, project: str, reason: str, as_json: bool) -> None:
    """Stop an experiment: everybody is served as if there were none.

    \b
    Example:
      stockpot experiments stop tone --reason "the menu changes today"
    """
    made = client.post(f"{API}/{experiment}/stop", {"reason": reason}, project=project)
    _said(made, f"stopped {experiment}", as_json)


@experiments.command("lift")
@click.argument("experiment")
@in_project
@why
@json_option
@click.pass_obj
def lift(client: Client, experiment: str, project: str, reason: str, as_json: bool) -> None:
    """Lift a safety rollback by its name, so that the experiment can be started again.

    \b
    Example:
      stockpot experiments lift tone --reason "the template is mended"
    """
    made = client.post(f"{API}/{experiment}/lift", {"reason": reason}, project=project)
    _said(made, f"{experiment} may be started again", as_json)


@experiments.command("release")
@click.argument("experiment")
@in_project
@why
@click.option("--yes", is_flag=True, help="Do it; without this the change is only shown.")
@json_option
@click.pass_obj
def release(
    client: Client, experiment: str, project: str, reason: str, yes: bool, as_json: bool
) -> None:
    """Make the winner of an experiment permanent: show the change, and with --yes do it.

    An alias or route is changed by a revision, which one worker tries first; a label is moved, or
    its move is proposed where others decide. The figures that decided stand as the reason.

    \b
    Example:
      stockpot experiments release cheaper --yes
    """
    path = f"{API}/{experiment}/release"
    plan = client.get(path, project=project)
    if not yes:
        if not printed(plan, as_json=as_json):
            click.echo(plan["text"].rstrip())
        if not as_json:
            click.echo(f"{plan['reason']}\n{_next(plan, experiment, project)}")
        return
    body = {"expect": plan["expect"], "reason": reason}
    made = client.post(path, body, project=project)
    watched = ", which one worker tries first" if made["state"] == "watching" else ""
    _said(made, f"{made['text']}{watched}", as_json)


def _next(plan: dict[str, Any], experiment: str, project: str) -> str:
    if plan["way"] == "nothing":
        return "It is so already."
    where = "" if project == "default" else f" --project {project}"
    return f"To do it:  stockpot experiments release {experiment}{where} --yes"


def _said(made: dict[str, Any], text: str, as_json: bool) -> None:
    say(made, text, as_json=as_json)


def _share(text: str) -> int:
    """Parts of 10,000 out of a percentage."""
    try:
        return round(float(text.strip().removesuffix("%")) * 100)
    except ValueError:
        raise InvalidInput(f"{text!r} is no share; write 25%") from None
