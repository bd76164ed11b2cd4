"""Moving labels, looking back, proposing and deciding."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.terminal import json_option, printed, say, show, when
from stockpot.prompts.cli.root import API, project_option

_PROPOSALS, _PROTECTIONS = "/api/v1/prompt-proposals", "/api/v1/prompt-protections"


def label_commands(group: click.Group) -> None:
    """Add these commands to a group."""
    for command in (
        label, rollback, history, propose, proposals, approve, reject, protect, unprotect, comment,
    ):  # fmt: skip
        group.add_command(command)


@click.command()
@click.argument("name")
@click.argument("label")
@click.argument("version", type=int, required=False)
@click.option("--reason", default="", help="Why.")
@click.option("--remove", is_flag=True, help="Take the label away.")
@project_option
@json_option
@click.pass_obj
def label(
    client: Client, name: str, label: str, version: int | None, reason: str, remove: bool,
    project: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Let a label point at a version (the newest, where none is named). It is in force at once.

    \b
    Example:
      stockpot prompts label menu production 3 --reason 'passes the suite'
    """
    at = f"{API}/{name}/labels/{label}"
    if remove:
        client.delete(at, reason=reason or None, project=project)
        click.echo(f"{name} has no label {label} any more")
        return
    if version is None:
        version = client.get(f"{API}/{name}", project=project)["prompt"]["latest"]
    made = client.put(at, {"version": version, "reason": reason}, project=project)
    say(made, f"{label} of {name} is version {made['version']}", as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("label", default="production")
@click.option("--to", type=int, help="A version that the label was at; else the one before.")
@click.option("--reason", default="", help="Why.")
@project_option
@json_option
@click.pass_obj
def rollback(
    client: Client, name: str, label: str, to: int | None, reason: str, project: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Go back to where a label was before.

    \b
    Example:
      stockpot prompts rollback menu --reason 'it invents ingredients'
    """
    body = {"version": to, "reason": reason}
    made = client.post(f"{API}/{name}/labels/{label}/rollback", body, project=project)
    say(made, f"{label} of {name} is version {made['version']}", as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--label", help="Only this label's.")
@project_option
@json_option
@click.pass_obj
def history(
    client: Client, name: str, label: str | None, project: str | None, as_json: bool
) -> None:
    """Show a prompt's versions, and where its labels were.

    \b
    Example:
      stockpot prompts history menu --label production
    """
    moves = client.get(f"{API}/{name}/history", label=label, project=project)
    versions = client.get(f"{API}/{name}/versions", project=project)
    if printed({"versions": versions, "moves": moves}, as_json=as_json):
        return
    show(
        versions,
        (
            ("VERSION", lambda v: v["number"]),
            ("LABELS", lambda v: " ".join(v["labels"]) or "-"),
            ("FROM", lambda v: v["parent"] or "-"),
            ("HASH", lambda v: v["content_hash"][:12]),
            ("BY", lambda v: v["author"]),
            ("MADE", lambda v: when(v["created_ms"])),
            ("MESSAGE", lambda v: v["message"] or "-"),
        ),
        as_json=False,
        empty="No version.",
    )
    click.echo()
    show(
        moves,
        (
            ("MOVED", lambda m: when(m["at_ms"])),
            ("LABEL", lambda m: m["label"]),
            ("FROM", lambda m: m["before"] or "-"),
            ("TO", lambda m: m["after"] or "-"),
            ("BY", lambda m: m["actor"]),
            ("REASON", lambda m: m["reason"] or "-"),
        ),
        as_json=False,
        empty=f"No label was moved yet:  stockpot prompts label {name} production",
    )


@click.command()
@click.argument("name")
@click.argument("label")
@click.argument("version", type=int)
@click.option("--reason", default="", help="Why.")
@project_option
@json_option
@click.pass_obj
def propose(
    client: Client, name: str, label: str, version: int, reason: str, project: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Ask for a move of a protected label, which somebody else approves.

    \b
    Example:
      stockpot prompts propose menu production 3 --reason 'passes the suite'
    """
    body = {"label": label, "version": version, "reason": reason}
    made = client.post(f"{API}/{name}/proposals", body, project=project)
    told = f"proposed; somebody else runs:  stockpot prompts approve {made['id']}"
    say(made, told, as_json=as_json)


@click.command()
@click.option("--state", type=click.Choice(["open", "approved", "rejected", "withdrawn"]))
@click.option("--prompt", help="Only those of this prompt.")
@project_option
@json_option
@click.pass_obj
def proposals(client: Client, /, as_json: bool, **where: Any) -> None:
    """List moves of labels that wait for approval, or did.

    \b
    Example:
      stockpot prompts proposals --state open
    """
    show(
        client.get(_PROPOSALS, **where),
        (
            ("ID", lambda p: p["id"]),
            ("PROMPT", lambda p: p["prompt"]),
            ("LABEL", lambda p: p["label"]),
            ("FROM", lambda p: p["before"] or "-"),
            ("TO", lambda p: p["version"]),
            ("ASKED BY", lambda p: p["asked_label"]),
            ("STATE", lambda p: p["state"]),
            ("REASON", lambda p: p["reason"] or "-"),
        ),
        as_json=as_json,
        empty="Nothing waits.",
    )


def _decided(client: Client, proposal: str, verb: str, note: str, as_json: bool) -> None:
    made = client.post(f"{_PROPOSALS}/{proposal}/{verb}", {"note": note})
    told = f"{made['state']}: {made['label']} of {made['prompt']}, version {made['version']}"
    say(made, told, as_json=as_json)


@click.command()
@click.argument("proposal")
@click.option("--note", default="", help="What to say about it.")
@json_option
@click.pass_obj
def approve(client: Client, proposal: str, note: str, as_json: bool) -> None:
    """Approve what somebody else proposed: the label moves at once.

    \b
    Example:
      stockpot prompts approve ppl_1m81vckktpk9qfdww4sf
    """
    _decided(client, proposal, "approve", note, as_json)


@click.command()
@click.argument("proposal")
@click.option("--note", default="", help="Why not.")
@json_option
@click.pass_obj
def reject(client: Client, proposal: str, note: str, as_json: bool) -> None:
    """Say no to what somebody else proposed.

    \b
    Example:
      stockpot prompts reject ppl_1m81vckktpk9qfdww4sf --note 'no evaluation'
    """
    _decided(client, proposal, "reject", note, as_json)


@click.command()
@click.argument("label", default="production")
@click.option("--prompt", help="Only of this prompt; else of all in the project.")
@click.option("--project", default="default", show_default=True, help="In this project.")
@click.option("--role", type=click.Choice(["editor", "admin"]), default="editor",
              show_default=True, help="The least that who approves has.")  # fmt: skip
@click.option("--evaluation", is_flag=True, help="Ask for a passed evaluation as well.")
@json_option
@click.pass_obj
def protect(client: Client, /, as_json: bool, **given: Any) -> None:
    """Let a label move only when another person approves.

    \b
    Example:
      stockpot prompts protect production --evaluation
    """
    made = client.put(_PROTECTIONS, given)
    whose = made["prompt"] or f"every prompt of {made['project']}"
    say(made, f"{made['label']} of {whose} is protected", as_json=as_json)


@click.command()
@click.argument("label", default="production")
@click.option("--prompt", default="", help="Only of this prompt.")
@click.option("--project", default="default", show_default=True, help="In this project.")
@click.pass_obj
def unprotect(client: Client, label: str, prompt: str, project: str) -> None:
    """Let whoever may edit move a label again.

    \b
    Example:
      stockpot prompts unprotect production
    """
    client.delete(f"{_PROTECTIONS}/{label}", project=project, prompt=prompt or None)
    click.echo(f"{label} is not protected any more")


@click.command()
@click.argument("name")
@click.argument("text", required=False)
@click.option("--version", type=int, help="About this version.")
@project_option
@json_option
@click.pass_obj
def comment(
    client: Client, name: str, text: str | None, version: int | None, project: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Say something about a prompt; without a text, list what was said.

    \b
    Example:
      stockpot prompts comment menu 'too long for a phone' --version 3
    """
    at = f"{API}/{name}/comments"
    if text is not None:
        made = client.post(at, {"text": text, "version": version}, project=project)
        say(made, "noted", as_json=as_json)
        return
    show(
        client.get(at, project=project),
        (
            ("WHEN", lambda c: when(c["created_ms"])),
            ("BY", lambda c: c["author"]),
            ("VERSION", lambda c: c["version"] or "-"),
            ("COMMENT", lambda c: c["text"]),
        ),
        as_json=as_json,
        empty="Nobody said anything.",
    )
