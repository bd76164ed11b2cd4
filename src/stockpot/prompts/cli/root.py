"""Listing, showing, making and rendering prompts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import (
    NUMBER,
    JsonFile,
    json_option,
    print_json,
    printed,
    read_file,
    say,
    show,
    when,
)
from stockpot.prompts.composing import plain
from stockpot.prompts.files import PromptFile, check, parse, write
from stockpot.prompts.models import PromptContent
from stockpot.traces import badge_words

API = "/api/v1/prompts"
project_option = click.option("--project", help="The project, where the name alone is not plain.")


@click.group()
def prompts() -> None:
    """Write prompts, look at their versions, and move their labels.

    \b
    Example:
      stockpot prompts create menu --text 'Describe {{ dish }}.' \\
        --label production
      stockpot prompts render menu --var dish=soup
    """


def labels_of(row: dict[str, Any]) -> str:
    """Where the labels are, in one cell."""
    told = (f"{made['label']}={made['version']}" for made in row["labels"])
    return " ".join(told) or "-"


@prompts.command("list")
@click.option("--project", help="Only those of this project.")
@click.option("-q", "--search", "q", help="Words in names, descriptions, tags and bodies.")
@click.option("--tag", help="Only those with this tag.")
@click.option("--folder", help="Only those in this folder and below.")
@click.option("--owner", help="Only those of this owner.")
@click.option("--archived", is_flag=True, help="Those that were archived.")
@json_option
@click.pass_obj
def list_(client: Client, /, as_json: bool, archived: bool, **where: Any) -> None:
    """List prompts.

    \b
    Example:
      stockpot prompts list -q dish --json
    """
    show(
        client.get(API, archived=archived or None, **where),
        (
            ("NAME", lambda p: p["name"]),
            ("PROJECT", lambda p: p["project"]),
            ("KIND", lambda p: p["kind"]),
            ("LATEST", lambda p: p["latest"]),
            ("LABELS", labels_of),
            ("TAGS", lambda p: ", ".join(p["tags"]) or "-"),
            ("CHANGED", lambda p: when(p["changed_ms"])),
        ),
        as_json=as_json,
        empty="No prompts yet. Make one:  stockpot prompts create hello --text 'Say hello.'",
    )


@prompts.command("find")
@click.argument("q", metavar="WORDS")
@click.option("--project", help="Only those of this project.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@json_option
@click.pass_obj
def find_(client: Client, /, q: str, as_json: bool, **where: Any) -> None:
    """Find prompts by what they mean: by embeddings where a model serves them, else by words.

    \b
    Example:
      stockpot prompts find 'soups of a cold day'
    """
    found = client.get("/api/v1/prompt-search", q=q, **where)
    if printed(found, as_json=as_json):
        return
    how = f"by meaning, with {found['model']}" if found["model"] else f"by words: {found['why']}"
    click.secho(how, dim=True, err=True)
    show(
        found["items"],
        (
            ("NAME", lambda p: p["prompt"]["name"]),
            ("PROJECT", lambda p: p["prompt"]["project"]),
            ("LIKENESS", lambda p: "-" if p["likeness"] is None else f"{p['likeness']:.3f}"),
            ("LABELS", lambda p: labels_of(p["prompt"])),
        ),
        as_json=False,
        empty="No prompt says anything like it.",
    )


@prompts.command("show")
@click.argument("name")
@click.option("--ref", default="", help="A label, a number or `latest`; else the newest version.")
@project_option
@json_option
@click.pass_obj
def show_(client: Client, name: str, ref: str, project: str | None, as_json: bool) -> None:
    """Show a prompt's version as a file, and where its labels are.

    \b
    Example:
      stockpot prompts show menu --ref production
    """
    found = client.get(f"{API}/{name}", project=project)
    number = _number(client, name, ref, project) if ref else found["prompt"]["latest"]
    version = client.get(f"{API}/{name}/versions/{number}", project=project)
    if printed({**found, "version": version}, as_json=as_json):
        return
    head = f"# {name}@{number}  {labels_of(found['prompt'])}  by {version['author']}"
    click.secho(f"{head}, {when(version['created_ms'])}", dim=True, err=True)
    click.echo(text_of(version["content"]), nl=False)


def _number(client: Client, name: str, ref: str, project: str | None) -> int:
    if ref.isdigit():
        return int(ref)
    found = client.get(f"{API}/{name}/resolved", label=ref, project=project)
    return int(found["number"])


def text_of(content: dict[str, Any]) -> str:
    """A content as a file."""
    return write(PromptFile(PromptContent.model_validate(content)))


def _file_option(command: Any) -> Any:
    for option in (
        click.option("--text", help="The template of a text prompt, instead of a file."),
        click.option("--model", help="The model that the prompt names."),
        click.option("-m", "--message", default="", help="What changed, and why."),
        click.option(
            "--file",
            "path",
            type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
            help="A prompt file: front matter, then the template; `-` reads it here.",
        ),
    ):
        command = option(command)
    return command


def _read(path: Path | None, text: str | None, model: str | None) -> PromptFile:
    if (path is None) == (text is None):
        raise InvalidInput("say what it is to be: --file PATH or --text TEXT")
    if text is not None:
        return PromptFile(PromptContent(body=text, model=model or ""))
    assert path is not None
    told = read_file(path)
    file = parse(told, str(path))
    check(file, str(path))
    if model:
        file = file._replace(content=file.content.model_copy(update={"model": model}))
    return file


@prompts.command("create")
@click.argument("name")
@_file_option
@click.option("--project", default="default", show_default=True, help="Where it belongs.")
@click.option("--folder", default="", help="A folder, such as menus/drinks.")
@click.option("--tag", "tags", multiple=True, help="A tag; may be given again.")
@click.option("--owner", default="", help="Who answers for it.")
@click.option("--description", default="", help="What it is for.")
@click.option("--label", help="Let this label point at the first version.")
@json_option
@click.pass_obj
def create(
    client: Client, /, name: str, path: Path | None, text: str | None, model: str | None,
    message: str, label: str | None, as_json: bool, **about: Any,
) -> None:  # fmt: skip
    """Make a prompt with its first version.

    \b
    Example:
      stockpot prompts create menu --text 'Describe {{ dish }}.' --model echo \\
        --label production
    """
    file = _read(path, text, model)
    told = {n: about[n] or getattr(file, n) for n in ("description", "owner", "tags")}
    body = {**about, **told, "tags": list(told["tags"]), "name": name, "message": message}
    made = client.post(API, {**body, "content": plain(file.content)})
    if label:
        to = {"version": 1, "reason": message or "created"}
        client.put(f"{API}/{name}/labels/{label}", to, project=about["project"])
        made = client.get(f"{API}/{name}", project=about["project"])
    say(made, f"created the prompt {name}, version 1", as_json=as_json)


@prompts.command("edit")
@click.argument("name")
@_file_option
@click.option("--base", type=int, help="The version that was edited; else the newest.")
@project_option
@json_option
@click.pass_obj
def edit(
    client: Client, /, name: str, path: Path | None, text: str | None, model: str | None,
    message: str, base: int | None, project: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make the next version: from a file, in your editor, or with a new text or model alone.

    \b
    Example:
      stockpot prompts edit menu --text 'Describe {{ dish }} briefly.' \\
        -m 'shorter'
    """
    newest = client.get(f"{API}/{name}", project=project)["prompt"]["latest"]
    parent = base or newest
    if path is not None:
        content = plain(_read(path, text, model).content)
    else:
        was = client.get(f"{API}/{name}/versions/{parent}", project=project)["content"]
        content = (
            _edited(name, was) if text is None and model is None else _changed(was, text, model)
        )
    body = {"content": content, "message": message, "parent": parent}
    made = client.post(f"{API}/{name}/versions", body, project=project)
    say(made, f"{name} has version {made['number']}", as_json=as_json)


def _edited(name: str, was: dict[str, Any]) -> dict[str, Any]:
    if not (sys.stdin.isatty() or os.environ.get("VISUAL") or os.environ.get("EDITOR")):
        raise InvalidInput("nobody is there to edit", hint="give --text TEXT or --file FILE")
    changed = click.edit(text_of(was), extension=".prompt.md")
    if changed is None:
        raise InvalidInput("nothing was changed")
    file = parse(changed, name)
    check(file, name)
    return plain(file.content)


def _changed(was: dict[str, Any], text: str | None, model: str | None) -> dict[str, Any]:
    """The same content with what is given; all else stays."""
    if text is not None and was["kind"] != "text":
        raise InvalidInput(
            "a chat prompt has messages and no text", hint="give a file:  --file FILE"
        )
    return {
        **was,
        **({} if text is None else {"body": text}),
        **({} if model is None else {"model": model}),
    }


@prompts.command("diff")
@click.argument("name")
@click.argument("before")
@click.argument("after", default="latest")
@project_option
@json_option
@click.pass_obj
def diff(
    client: Client, name: str, before: str, after: str, project: str | None, as_json: bool
) -> None:
    """Compare two versions, by number or label.

    \b
    Example:
      stockpot prompts diff menu production latest
    """
    told = client.get(f"{API}/{name}/diff", before=before, after=after, project=project)
    if as_json:
        print_json(told)
    else:
        echo_diff(told["text"])
        if not told["text"]:
            click.echo(f"{name}@{told['before']} and {name}@{told['after']} say the same")


def echo_diff(text: str) -> None:
    """A unified diff in colours, where there are any."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in text.splitlines():
        click.secho(line, fg=colours.get(line[:1]))


@prompts.command("render")
@click.argument("name")
@click.option("--ref", default="", help="A label, a number or `latest`; else production.")
@click.option("--var", "given", multiple=True, metavar="NAME=VALUE", help="May be given again.")
@click.option("--vars", "variables", type=JsonFile(dict), help="A JSON file with all variables.")
@project_option
@json_option
@click.pass_obj
def render(
    client: Client, name: str, ref: str, given: tuple[str, ...], variables: dict[str, Any] | None,
    project: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Fill in variables. A value that is JSON is taken as such, anything else as text.

    \b
    Example:
      stockpot prompts render menu --var dish=soup --var price=3.5
    """
    variables = variables or {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(f"{pair!r} is not NAME=VALUE")
        variables[key] = _value(value)
    body = {"ref": ref, "variables": variables}
    made = client.post(f"{API}/{name}/render", body, project=project)
    if as_json:
        print_json(made)
    elif made["kind"] == "text":
        click.echo(made["text"])
    else:
        for message in made["messages"]:
            click.secho(f"=== {message['role']} ===", dim=True)
            content = message.get("content")
            click.echo(content if isinstance(content, str) else json.dumps(content))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@prompts.command("archive")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Bring it back.")
@project_option
@click.pass_obj
def archive(client: Client, name: str, undo: bool, project: str | None) -> None:
    """Take a prompt out of lists and out of the gateway; its history stays.

    \b
    Example:
      stockpot prompts archive old-menu
    """
    client.patch(f"{API}/{name}", {"archived": not undo}, project=project)
    click.echo(f"{'brought back' if undo else 'archived'} the prompt {name}")


@prompts.command("metrics")
@click.argument("name")
@click.option("--days", type=NUMBER, default=1.0, show_default=True, help="How far to look back.")
@project_option
@json_option
@click.pass_obj
def metrics(client: Client, name: str, days: float, project: str | None, as_json: bool) -> None:
    """Show what each version did: calls, errors, cost, latency, scores.

    \b
    Example:
      stockpot prompts metrics menu --days 7 --json
    """
    import time

    since = time.time() * 1000 - days * 86_400_000
    told = client.get(f"{API}/{name}/metrics", from_ms=since, project=project)
    show(
        told if as_json else told["versions"],
        (
            ("VERSION", lambda v: v["version"]),
            ("CALLS", lambda v: v["calls"]),
            ("ERRORS", lambda v: v["errors"]),
            ("COST", lambda v: dollars(v["cost_nano"])),
            ("P50 MS", lambda v: _ms(v["latency_ms"]["p50"])),
            ("P95 MS", lambda v: _ms(v["latency_ms"]["p95"])),
            ("TTFT MS", lambda v: _ms(v["ttft_ms"]["p50"])),
            ("TOKENS", lambda v: f"{v['input_tokens']}+{v['output_tokens']}"),
            ("SCORES", _scores),
        ),
        as_json=as_json,
        empty=f"Nothing called {name} in this time.",
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _scores(version: dict[str, Any]) -> str:
    told = (
        f"{s['name']}={s['mean']:.2f}{_judged(s)}"
        for s in version["scores"]
        if s["mean"] is not None
    )
    return " ".join(told) or "-"


def _judged(scores: dict[str, Any]) -> str:
    """The certificates of the judges behind some scores."""
    return "".join(f" [{badge_words(badge)}]" for badge in scores["badges"])
