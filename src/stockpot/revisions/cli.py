"""`stockpot plan | apply | rollback | diff | export` and `stockpot revisions`. Knows the API's
paths and the terminal; a plan with changes ends with the exit code 2."""

from __future__ import annotations

import json
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import Conflict, InvalidInput
from stockpot.core.terminal import (
    NUMBER,
    json_option,
    print_json,
    printed,
    read_file,
    say,
    show,
    when,
)

FILE = "stockpot.toml"
CHANGES = 2
_LOOK_EVERY_S = 0.5
_SIGNS = {"+": "green", "~": "yellow", "-": "red", "!": "red"}

file_argument = click.argument("file", default=FILE, required=False)
_PARTIAL = click.option("--partial", is_flag=True, help="Leave entries that the file omits alone.")
_CALLS = click.option(
    "--calls",
    type=int,
    default=1000,
    show_default=True,
    help="Recorded calls to rehearse; 0: none.",
)


def releasing(command: Any) -> Any:
    """The options of whatever releases a state."""
    for option in (
        click.option("--lift", multiple=True, metavar="NAME", help="Lift this safety rollback."),
        click.option(
            "--overrule", multiple=True, metavar="NAME", help="Settle this conflict for the file."
        ),
        click.option(
            "--min-calls", type=int, default=50, show_default=True, help="Least calls to watch."
        ),
        click.option(
            "--watch",
            type=NUMBER,
            default=30.0,
            show_default=True,
            metavar="SECONDS",
            help="Watch the first worker for so long.",
        ),
        click.option("--message", default="", help="Why; kept with the revision."),
        click.option("--yes", is_flag=True, help="Do not ask."),
    ):
        command = option(command)
    return command


@click.command()
@file_argument
@_CALLS
@_PARTIAL
@json_option
@click.pass_context
def plan(ctx: click.Context, file: str, calls: int, partial: bool, as_json: bool) -> None:
    """Show what applying a file would change; exit code 2 when something would.

    \b
    Example:
      stockpot plan
      stockpot plan team.toml --partial --calls 10000
    """
    client: Client = ctx.obj
    made = client.post(
        "/api/v1/plan", {"toml": definitions_of(file), "calls": calls, "partial": partial}
    )
    if not printed(made, as_json=as_json):
        click.echo(coloured(made["text"]))
    ctx.exit(CHANGES if made["changes"] else 0)


@click.command()
@file_argument
@releasing
@_PARTIAL
@_CALLS
@click.option("--now", is_flag=True, help="To all workers at once, unwatched.")
@json_option
@click.pass_obj
def apply(
    client: Client, /, file: str, calls: int, partial: bool, as_json: bool, **how: Any
) -> None:
    """Release what a file says: to one worker first, watched, then to all.

    \b
    Example:
      stockpot apply
      stockpot apply team.toml --partial --yes --message "team b moves in"
    """
    wanted = {"toml": definitions_of(file), "partial": partial}
    release(client, wanted, how | {"message": how["message"] or f"applied {file}"}, calls, as_json)


def release(
    client: Client, wanted: dict[str, Any], how: dict[str, Any], calls: int, as_json: bool
) -> None:
    """Plan, ask, apply, and follow what becomes of it."""
    settled = {name: list(how[name]) for name in ("overrule", "lift")}
    made = client.post("/api/v1/plan", {**wanted, **settled, "calls": calls})
    if not as_json:
        click.echo(coloured(made["text"]))
    if not made["changes"]:
        printed({"plan": made, "applied": None}, as_json=as_json)
        return
    _ask(how["yes"])
    body = {
        **wanted,
        **settled,
        "expect": made["digest"],
        "message": how["message"],
        "now": how["now"],
        "watch_s": how["watch"],
        "min_calls": how["min_calls"],
    }
    follow(client, client.post("/api/v1/apply", body), as_json)


@click.command()
@click.argument("revision", type=int, required=False)
@releasing
@click.option("--watched", is_flag=True, help="To one worker first, as apply does.")
@json_option
@click.pass_obj
def rollback(
    client: Client, /, revision: int | None, watched: bool, as_json: bool, **how: Any
) -> None:
    """Go back to the state of a revision; to the one before the newest when none is named.

    \b
    Example:
      stockpot rollback
      stockpot rollback 12 --yes --message "the new model is worse"
    """
    if not how["yes"] and not as_json:
        head = _released(client)
        target = revision or head["parent"]
        if target:
            plan = client.post("/api/v1/plan", {"rollback": target, "calls": 0})
            click.echo(coloured(plan["text"]))
    _ask(how["yes"])
    body = {
        "revision": revision,
        "message": how["message"],
        "overrule": list(how["overrule"]),
        "lift": list(how["lift"]),
        "now": not watched,
        "watch_s": how["watch"],
        "min_calls": how["min_calls"],
    }
    follow(client, client.post("/api/v1/rollback", body), as_json)


@click.command()
@click.argument("before", type=int)
@click.argument("after", type=int)
@json_option
@click.pass_obj
def diff(client: Client, before: int, after: int, as_json: bool) -> None:
    """Show what turns one revision into another.

    \b
    Example:
      stockpot diff 11 12
    """
    found = client.get(f"/api/v1/revisions/{before}/diff/{after}")
    if not printed(found, as_json=as_json):
        click.echo(coloured(found["text"]))


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write here, not to stdout.")
@json_option
@click.pass_obj
def export(client: Client, output: str | None, as_json: bool) -> None:
    """Print the present state as a file. Comments of the file that it replaces stay.

    \b
    Example:
      stockpot export > stockpot.toml
      stockpot export -o stockpot.toml
    """
    found = client.get("/api/v1/export")
    text = found["toml"]
    if output is not None:
        text = _over(Path(output), text)
        Path(output).write_text(text, "utf-8")
        click.echo(f"wrote revision {found['revision']} to {output}", err=True)
    elif not as_json:
        click.echo(text, nl=False)
    if as_json:
        print_json({**found, "toml": text})


@click.group()
def revisions() -> None:
    """Look at revisions and at pointers that were moved; lift a safety rollback.

    \b
    Example:
      stockpot revisions list
    """


@revisions.command("list")
@click.option("--limit", type=int, default=20, show_default=True, help="So many, newest first.")
@json_option
@click.pass_obj
def list_(client: Client, limit: int, as_json: bool) -> None:
    """List revisions, newest first.

    \b
    Example:
      stockpot revisions list --limit 50
    """
    show(
        client.get("/api/v1/revisions", limit=limit),
        (
            ("REVISION", lambda r: r["number"]),
            ("FROM", lambda r: r["parent"] or "-"),
            ("KIND", lambda r: r["kind"]),
            ("STATE", lambda r: r["state"]),
            ("WHEN", lambda r: when(r["created_ms"])),
            ("WHO", lambda r: r["author"]),
            ("WHY", lambda r: r["message"]),
        ),
        as_json=as_json,
        empty="No revisions yet. Make one:  stockpot apply stockpot.toml",
    )


@revisions.command("show")
@click.argument("revision", type=int)
@json_option
@click.pass_obj
def show_(client: Client, revision: int, as_json: bool) -> None:
    """Show what a revision changed, and how its release goes or went.

    \b
    Example:
      stockpot revisions show 12
    """
    found = client.get(f"/api/v1/revisions/{revision}")
    if printed(found, as_json=as_json):
        return
    row = found["revision"]
    click.echo(f"revision {row['number']} ({row['state']}), {row['kind']} by {row['author']}")
    click.echo(f"{when(row['created_ms'])}  {row['message']}  {row['digest'][:12]}")
    if row["watched"]:
        click.echo(_figures(row["watched"]))
    for change in found["changes"]:
        click.echo(f"  {change['kind']} {change['name']}")


@revisions.command("moves")
@json_option
@click.pass_obj
def moves(client: Client, as_json: bool) -> None:
    """List pointers that were moved at run time, newest first.

    \b
    Example:
      stockpot revisions moves
    """
    show(
        client.get("/api/v1/pointers"),
        (
            ("WHEN", lambda m: when(m["at_ms"])),
            ("POINTER", lambda m: m["pointer"]),
            ("TO", lambda m: json.dumps(m["after"])),
            ("STANDS", lambda m: "yes" if m["standing"] else "-"),
            ("WHO", lambda m: m["actor"]),
            ("WHY", lambda m: m["reason"]),
        ),
        as_json=as_json,
        empty="No pointer was moved yet. Move one:  stockpot keys disable my-app",
    )


@revisions.command("lift")
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept in the journal.")
@json_option
@click.pass_obj
def lift(client: Client, name: str, reason: str, as_json: bool) -> None:
    """Lift a safety rollback by its name, so that its changes can be made again.

    \b
    Example:
      stockpot revisions lift rollback-12 --reason "the upstream is mended"
    """
    client.post("/api/v1/revisions/lift", {"name": name, "reason": reason})
    say({"lifted": name}, f"lifted {name}", as_json=as_json)


def definitions_of(file: str) -> str:
    """The text of a file of definitions; - is stdin."""
    if file != "-" and not Path(file).exists():
        raise InvalidInput(
            f"there is no file {file!r} here", hint=f"begin with: stockpot export -o {FILE}"
        )
    return read_file(file)


def coloured(text: str) -> str:
    """A plan's text with colours, where the terminal shows them."""
    return "\n".join(
        click.style(line, fg=_SIGNS[line[0]]) if line[:1] in _SIGNS and line[1:2] == " " else line
        for line in text.splitlines()
    )


def follow(client: Client, applied: dict[str, Any], as_json: bool) -> None:
    """Wait until a release is decided, and tell. Raises Conflict when it was taken back."""
    row = applied["revision"]
    for secret in () if as_json else applied["keys"]:
        click.echo(f"{secret['name']}: {secret['key']}")
        click.echo("It is not shown again.", err=True)
    told = ""
    while row["state"] == "watching":
        time.sleep(_LOOK_EVERY_S)
        row = client.get(f"/api/v1/revisions/{row['number']}")["revision"]
        line = _figures(row["watched"]) if row["watched"] else ""
        if line != told and not as_json:
            told = line
            click.echo(line, err=True)
    if as_json:
        print_json({"revision": row, "keys": applied["keys"]})
    elif row["state"] == "released":
        click.echo(f"revision {row['number']} is released")
    if row["state"] == "reverted":
        raise Conflict(
            f"revision {row['number']} was taken back: {row['watched']['reason']}",
            hint=f"stockpot revisions show {row['number']}",
        )


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput("nobody is there to ask", hint="--yes applies without asking")
    click.confirm("Apply?", abort=True)


def _released(client: Client) -> dict[str, Any]:
    rows: list[dict[str, Any]] = client.get("/api/v1/revisions", limit=100)
    return next((row for row in rows if row["state"] == "released"), {"number": 0, "parent": None})


def _figures(watched: dict[str, Any]) -> str:
    parts = [f"{watched['verdict']}: {watched['reason']}".rstrip(": ")]
    for name in ("canary", "others", "before"):
        group = watched[name]
        if group["calls"]:
            p95 = f", p95 {group['p95_ms']:.0f} ms" if group["p95_ms"] is not None else ""
            title = "first worker" if name == "canary" else name
            parts.append(f"{title} {group['calls']} calls, {group['errors']} failed{p95}")
    return "; ".join(parts)


def _over(path: Path, text: str) -> str:
    """The new text laid over the one that is there, comments kept."""
    from stockpot.revisions.toml_text import written

    if not path.exists():
        return text
    tables = tomllib.loads(text)
    base = tables.pop("base", None)
    sections = {name: tables.get(name, {}) for name in ("providers", "aliases", "projects", "keys")}
    return written(sections, read_file(path), base=base)
