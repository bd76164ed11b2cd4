"""`stockpot requests`: ask for a model or a budget, list, approve, deny."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.terminal import amount, json_option, say, show, when

_API = "/api/v1/requests"
_STATES = click.Choice(["open", "approved", "denied", "withdrawn"])


@click.group()
def requests() -> None:
    """Ask for a model or a budget, and decide about what others ask for.

    \b
    Example:
      stockpot requests list --state open
    """


@requests.command("list")
@click.option("--state", type=_STATES, help="Only those in this state.")
@click.option("--project", help="Only those of this project.")
@json_option
@click.pass_obj
def list_(client: Client, state: str | None, project: str | None, as_json: bool) -> None:
    """List requests, newest first.

    \b
    Example:
      stockpot requests list --state open --json
    """
    show(
        client.get(_API, state=state, project=project),
        (
            ("ID", lambda r: r["id"]),
            ("PROJECT", lambda r: r["project"]),
            ("KEY", lambda r: r["key_id"] or "-"),
            ("WANTS", _wanted),
            ("FROM", lambda r: r["asked_label"]),
            ("ASKED", lambda r: when(r["created_ms"])),
            ("STATE", lambda r: r["state"]),
            ("REASON", lambda r: r["reason"]),
        ),
        as_json=as_json,
        empty="Nobody asks for anything.",
    )


@requests.command("ask")
@click.option("--key", "key_id", help="The id of the key that it is for.")
@click.option("--project", help="For its own budget: the project, instead of a key.")
@click.option("--model", help="A model that the key may not use yet.")
@click.option("--budget", type=amount, metavar="DOLLARS", help="What the budget should be.")
@click.option("--reason", required=True, help="Why.")
@json_option
@click.pass_obj
def ask(
    client: Client, /, model: str | None, budget: float | None, as_json: bool, **given: str | None
) -> None:
    """Ask for a model for a key, or for a larger budget.

    \b
    Example:
      stockpot requests ask --key key_0a1b2c --model smollm2-135m \\
        --reason "summaries"
      stockpot requests ask --project menu --budget 100 --reason "the launch"
    """
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if model is not None:
        wanted["model"] = model
    if budget is not None:
        wanted["limit_nano"] = round(budget * 1e9)
    made = client.post(_API, wanted)
    say(made, f"asked for {_wanted(made)}: {made['id']}", as_json=as_json)


@requests.command("approve")
@click.argument("request_id")
@click.option("--note", default="", help="A word to who asked.")
@click.pass_obj
def approve(client: Client, request_id: str, note: str) -> None:
    """Approve a request; the change is made at once.

    \b
    Example:
      stockpot requests approve req_0a1b2c3d4e5f6g7h8j9k
    """
    done = client.post(f"{_API}/{request_id}/approve", {"note": note})
    click.echo(f"approved {_wanted(done)} for {done['asked_label']}")


@requests.command("deny")
@click.argument("request_id")
@click.option("--note", default="", help="A word to who asked.")
@click.pass_obj
def deny(client: Client, request_id: str, note: str) -> None:
    """Deny a request; nothing changes.

    \b
    Example:
      stockpot requests deny req_0a1b2c3d4e5f6g7h8j9k --note "use the alias fast"
    """
    done = client.post(f"{_API}/{request_id}/deny", {"note": note})
    click.echo(f"denied {_wanted(done)} for {done['asked_label']}")


def _wanted(request: dict[str, Any]) -> str:
    wanted = request["wanted"]
    if request["kind"] == "model":
        return str(wanted["model"])
    return f"a budget of {dollars(wanted['limit_nano'])}"
