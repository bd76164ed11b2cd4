"""Prompts as files: pull, push, status; and taking over another tool's export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client, ClientError
from stockpot.core.terminal import json_option, print_json, printed
from stockpot.prompts.cli.root import API, echo_diff
from stockpot.prompts.composing import plain
from stockpot.prompts.files import PromptFile, write
from stockpot.prompts.importing import ImportedPrompt, read_export
from stockpot.prompts.models import PromptContent
from stockpot.prompts.syncing import Folder, Here, Status, There, compare
from stockpot.prompts.syncing import pull as pull_all
from stockpot.prompts.syncing import push as push_all

_DIR = click.option(
    "--dir", "root", type=click.Path(path_type=Path, file_okay=False), default=Path("prompts"),
    show_default=True, help="The folder of prompt files.",
)  # fmt: skip
_PROJECT = click.option("--project", default="default", show_default=True, help="Whose prompts.")


def code_commands(group: click.Group) -> None:
    """Add these commands to a group."""
    for command in (pull, push, status, import_):
        group.add_command(command)


class _Instance:
    """The prompts of one project, through the API."""

    def __init__(self, client: Client, project: str) -> None:
        self._client = client
        self._project = project

    def all(self) -> dict[str, There]:
        rows = self._client.get(API, project=self._project)
        return {row["name"]: self._there(row) for row in rows}

    def _there(self, row: dict[str, Any]) -> There:
        at = f"{API}/{row['name']}/versions/{row['latest']}"
        content = self._client.get(at, project=self._project)["content"]
        about = (row["description"], tuple(row["tags"]), row["owner"])
        file = PromptFile(PromptContent.model_validate(content), *about)
        return There(row["latest"], row["folder"], write(file))

    def put(self, name: str, here: Here, there: There | None, message: str) -> There:
        file, where = here.file, {"project": self._project}
        about = {"description": file.description, "tags": list(file.tags), "owner": file.owner,
                 "folder": here.folder}  # fmt: skip
        version = {"content": plain(file.content), "message": message}
        if there is None:
            self._client.post(API, {**about, **where, "name": name, **version})
            return There(1, here.folder, here.text)
        number = there.version
        before = self._client.get(f"{API}/{name}/versions/{number}", **where)["content"]
        if PromptContent.model_validate(before) != file.content:
            body = {**version, "expect": number}
            number = self._client.post(f"{API}/{name}/versions", body, **where)["number"]
        self._client.patch(f"{API}/{name}", about, **where)
        return There(number, here.folder, here.text)


def _told(statuses: list[Status], as_json: bool, verb: str, **more: Any) -> None:
    if as_json:
        rows = [{"name": s.name, "state": s.state, "path": str(s.here.path) if s.here else None,
                 "version": s.there.version if s.there else None} for s in statuses]  # fmt: skip
        print_json({verb: rows, **more})
        return
    for status in statuses:
        version = f" version {status.there.version}" if status.there else ""
        click.echo(f"{verb} {status.name}{version}")


def _standing(found: list[Status], way_out: str) -> None:
    """Show what stands in the way; it is nobody's to overwrite."""
    for status in found:
        click.secho(f"\n{status.name}: {status.state}", fg="yellow", err=True)
        if status.state == "conflict":
            echo_diff(status.diff())
            click.echo(f"       {way_out.format(name=status.name)}", err=True)
        elif status.state == "deleted here":
            name = status.name
            told = f"stockpot prompts archive {name}, or pull --theirs {name}"
            click.echo(f"       {told}", err=True)
        elif status.state == "deleted there":
            click.echo("       it was archived there: delete the file, or bring it back", err=True)


@click.command()
@_DIR
@_PROJECT
@click.option("--theirs", multiple=True, metavar="NAME", help="Take theirs in this conflict.")
@json_option
@click.pass_context
def pull(
    ctx: click.Context, root: Path, project: str, theirs: tuple[str, ...], as_json: bool
) -> None:
    """Bring prompts into files. What was changed on both sides is shown, not overwritten.

    \b
    Example:
      stockpot prompts pull --dir prompts
    """
    folder = Folder(root)
    written, standing = pull_all(folder, _Instance(ctx.obj, project), theirs)
    _told(written, as_json, "pulled", conflicts=[s.name for s in standing])
    _faults(folder)
    _standing(standing, "stockpot prompts pull --theirs {name}, or push --ours {name}")
    if standing or folder.faults:
        ctx.exit(1)


def _faults(folder: Folder) -> None:
    for fault in folder.faults:
        click.secho(f"error: {fault.message}", fg="red", err=True)
        if fault.hint:
            click.echo(f"       {fault.hint}", err=True)


@click.command()
@_DIR
@_PROJECT
@click.option("-m", "--message", default="", help="What changed, and why.")
@click.option("--ours", multiple=True, metavar="NAME", help="Keep ours in this conflict.")
@click.option("--label", help="Let this label point at what is pushed.")
@json_option
@click.pass_context
def push(
    ctx: click.Context, root: Path, project: str, message: str, ours: tuple[str, ...],
    label: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make changed files new versions. What was changed on both sides is shown and left alone.

    \b
    Example:
      stockpot prompts push -m 'shorter descriptions' --label staging
    """
    folder, client = Folder(root), ctx.obj
    made, standing = push_all(folder, _Instance(client, project), message, ours)
    for status in made if label else ():
        assert status.there is not None
        to = {"version": status.there.version, "reason": message}
        try:
            client.put(f"{API}/{status.name}/labels/{label}", to, project=project)
        except ClientError as error:
            if error.answered_code != "conflict":  # it is there already
                raise
    _told(made, as_json, "pushed", conflicts=[s.name for s in standing])
    _standing(standing, "stockpot prompts push --ours {name}, or pull --theirs {name}")
    if standing:
        ctx.exit(1)


@click.command()
@_DIR
@_PROJECT
@click.option("--check", is_flag=True, help="Exit 1 unless both sides are the same (for CI).")
@json_option
@click.pass_context
def status(ctx: click.Context, root: Path, project: str, check: bool, as_json: bool) -> None:
    """Compare the folder with the instance; files that cannot be read are an error.

    \b
    Example:
      stockpot prompts status --check
    """
    folder = Folder(root)
    here = folder.read()
    found = compare(here, _Instance(ctx.obj, project).all(), folder.base())
    other = [one for one in found if one.state != "same"]
    if as_json:
        rows = [{"name": one.name, "state": one.state, "diff": one.diff()} for one in other]
        faults = [{"path": f.path, "line": f.line, "message": f.message} for f in folder.faults]
        print_json({"prompts": rows, "faults": faults})
    else:
        for one in other:
            click.echo(f"{one.state:14} {one.name}")
            if one.state == "conflict":
                echo_diff(one.diff())
        if not other and not folder.faults:
            click.echo(f"{len(found)} prompts, the same on both sides")
    _faults(folder)
    if folder.faults or (check and other):
        ctx.exit(1)


@click.command("import")
@click.argument("tool", type=click.Choice(["langfuse", "mlflow"]))
@click.argument("file", type=click.File(encoding="utf-8"))
@_PROJECT
@click.option("--dry-run", is_flag=True, help="Only say what would come, and what is lost.")
@json_option
@click.pass_obj
def import_(
    client: Client, tool: str, file: Any, project: str, dry_run: bool, as_json: bool
) -> None:
    """Take over prompts, with their versions and labels, out of another tool's export.

    \b
    Example:
      stockpot prompts import langfuse prompts.json --dry-run
    """
    found = _partials_first(read_export(file.read(), tool))
    rows = [_row(prompt) for prompt in found]
    if not dry_run:
        for prompt in found:
            _take(client, prompt, project)
    if printed(rows, as_json=as_json):
        return
    for row in rows:
        verb = "would import" if dry_run else "imported"
        click.echo(f"{verb} {row['name']}: {row['versions']} versions")
        for lost in row["lost"]:
            click.echo(f"  lost: {lost}")


def _row(prompt: ImportedPrompt) -> dict[str, Any]:
    return {"name": prompt.name, "versions": len(prompt.versions), "lost": list(prompt.lost)}


def _partials_first(found: tuple[ImportedPrompt, ...]) -> list[ImportedPrompt]:
    """Whoever is included comes before who includes it."""
    texts = {p.name: json.dumps([plain(v.content) for v in p.versions]) for p in found}

    def depth(name: str, above: frozenset[str] = frozenset()) -> int:
        inner = (n for n in texts if f"{{{{> {n}@" in texts[name] and n not in above)
        return 1 + max((depth(n, above | {name}) for n in inner), default=0)

    return sorted(found, key=lambda prompt: (depth(prompt.name), prompt.name))


def _take(client: Client, prompt: ImportedPrompt, project: str) -> None:
    made: dict[int, int] = {}
    number = 0
    for version in prompt.versions:
        body = {"content": plain(version.content), "message": version.message}
        if not made:
            about = {"name": prompt.name, "project": project, "folder": prompt.folder,
                     "tags": list(prompt.tags)}  # fmt: skip
            client.post(API, {**about, **body})
            number = 1
        else:
            try:
                at = f"{API}/{prompt.name}/versions"
                number = client.post(at, body, project=project)["number"]
            except ClientError as error:
                if error.answered_code != "conflict":  # it says the same as the one before
                    raise
        made[version.number] = number
    for version in prompt.versions:
        for label in version.labels:
            to = {"version": made[version.number], "reason": "imported"}
            client.put(f"{API}/{prompt.name}/labels/{label}", to, project=project)
