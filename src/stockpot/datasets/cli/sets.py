"""`stockpot datasets`: make, list, look into, compare, check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.terminal import (
    JsonFile,
    Number,
    json_option,
    print_json,
    printed,
    say,
    show,
    when,
)

API = "/api/v1/datasets"

in_project = click.option("--project", default="default", show_default=True)
of_version = click.option("--version", default="latest", show_default=True, help="A number.")


@click.group()
def datasets() -> None:
    """Make data sets out of traces, feedback and files; compare and check their versions.

    \b
    Example:
      stockpot datasets create menu
      stockpot datasets import menu cases.jsonl
    """


@datasets.command("list")
@click.option("--project", help="Only of this project.")
@json_option
@click.pass_obj
def list_(client: Client, project: str | None, as_json: bool) -> None:
    """List data sets, by project and name.

    \b
    Example:
      stockpot datasets list
    """
    show(
        client.get(API, project=project),
        (
            ("NAME", lambda d: d["name"]),
            ("PROJECT", lambda d: d["project"]),
            ("VERSION", lambda d: d["version"]["number"] if d["version"] else "-"),
            ("ROWS", lambda d: d["version"]["rows"] if d["version"] else 0),
            ("CHANGED", lambda d: when((d["version"] or d)["created_ms"])),
            ("DESCRIPTION", lambda d: d["description"][:50]),
        ),
        as_json=as_json,
        empty="No data sets yet. Make one:  stockpot datasets create menu",
    )


@datasets.command("create")
@click.argument("name")
@in_project
@click.option("--description", default="", help="What is in it.")
@click.option("--input-schema", type=JsonFile(dict), help="A JSON Schema that inputs must meet.")
@click.option("--expected-schema", type=JsonFile(dict), help="One for expected answers.")
@json_option
@click.pass_obj
def create(client: Client, /, name: str, project: str, as_json: bool, **given: Any) -> None:
    """Make a data set without rows.

    \b
    Example:
      stockpot datasets create menu --description "questions at the counter"
    """
    body: dict[str, Any] = {"name": name, "description": given["description"]}
    for field in ("input_schema", "expected_schema"):
        if given[field] is not None:
            body[field] = given[field]
    made = client.post(API, body, project=project)
    say(made, f"made {made['name']} in {made['project']}", as_json=as_json)


@datasets.command("remove")
@click.argument("name")
@in_project
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(client: Client, name: str, project: str, yes: bool) -> None:
    """Forget a data set with all of its versions.

    \b
    Example:
      stockpot datasets remove menu --yes
    """
    if not yes:
        click.confirm(f"forget {name} with all of its versions?", abort=True)
    client.delete(f"{API}/{name}", project=project)
    click.echo(f"removed {name}")


@datasets.command("rows")
@click.argument("name")
@in_project
@of_version
@click.option("--split", help="Only of this split.")
@click.option("--slice", help="Only of this slice.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
@click.pass_obj
def rows(client: Client, /, name: str, as_json: bool, **given: Any) -> None:
    """Show rows of a version.

    \b
    Example:
      stockpot datasets rows menu --split test
    """
    show(
        client.get(f"{API}/{name}/rows", **given)["items"],
        (
            ("ID", lambda r: r["id"]),
            ("SPLIT", lambda r: r["split"] or "-"),
            ("INPUT", lambda r: _short(r["input"])),
            ("EXPECTED", lambda r: "" if r["expected"] is None else _short(r["expected"])),
            ("TRACE", lambda r: r["source_trace"][:16]),
        ),
        as_json=as_json,
        empty=f"No rows. Import some:  stockpot datasets import {name} FILE",
    )


@datasets.command("versions")
@click.argument("name")
@in_project
@json_option
@click.pass_obj
def versions(client: Client, name: str, project: str, as_json: bool) -> None:
    """List versions, newest first, with what each changed.

    \b
    Example:
      stockpot datasets versions menu
    """
    show(
        client.get(f"{API}/{name}/versions", project=project),
        (
            ("VERSION", lambda v: v["number"]),
            ("ROWS", lambda v: v["rows"]),
            ("CHANGES", lambda v: f"+{v['added']} ~{v['changed']} -{v['removed']}"),
            ("TIME", lambda v: when(v["created_ms"])),
            ("AUTHOR", lambda v: v["author"]),
            ("HASH", lambda v: v["content_hash"][:12]),
            ("MESSAGE", lambda v: v["message"]),
        ),
        as_json=as_json,
        empty=f"No versions. Import rows:  stockpot datasets import {name} FILE",
    )


@datasets.command("diff")
@click.argument("name")
@click.argument("base", type=int)
@click.argument("version", default="latest")
@in_project
@json_option
@click.pass_obj
def diff(client: Client, name: str, base: int, version: str, project: str, as_json: bool) -> None:
    """Show what turns one version into another.

    \b
    Example:
      stockpot datasets diff menu 1
    """
    found = client.get(f"{API}/{name}/diff", base=base, version=version, project=project)
    if printed(found, as_json=as_json):
        return
    for row in found["removed"]:
        click.secho(f"- {row['id']}  {_short(row['input'])}", fg="red")
    for row in found["changed"]:
        click.secho(f"~ {row['id']}  {_short(row['after']['input'])}", fg="yellow")
    for row in found["added"]:
        click.secho(f"+ {row['id']}  {_short(row['input'])}", fg="green")
    told = (f"{found[f'{word}_count']} {word}" for word in
            ("added", "changed", "removed", "unchanged"))  # fmt: skip
    click.echo(", ".join(told))


@datasets.command("check")
@click.argument("name")
@in_project
@of_version
@click.option("--threshold", type=Number(0.3, 1), default=0.8, show_default=True)
@click.option("--against", help="Another data set, as NAME or NAME@VERSION.")
@json_option
@click.pass_obj
def check(client: Client, /, name: str, as_json: bool, **given: Any) -> None:
    """Find near-duplicates, and rows of one split that stand in another; exits with 1 on those.

    \b
    Example:
      stockpot datasets check menu --against training
    """
    found = client.get(f"{API}/{name}/check", **given)
    if as_json:
        print_json(found)
    else:
        for pair in found["pairs"]:
            bad = pair in found["contaminated"]
            click.secho(
                f"{pair['similarity']:.2f}  {pair['one']} ({pair['one_split'] or '-'})  "
                f"{pair['other']} ({pair['other_split'] or '-'})  {pair['one_preview'][:60]}",
                fg="red" if bad else None,
            )
        click.echo(
            f"{found['pairs_count']} near-duplicates among {found['rows']} rows, "
            f"{found['contaminated_count']} over splits or data sets"
        )
    if found["contaminated_count"]:
        raise SystemExit(1)


@datasets.command("export")
@click.argument("name")
@in_project
@of_version
@click.option("--split", help="Only of this split.")
@click.option("--slice", help="Only of this slice.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
@json_option
@click.pass_obj
def export(client: Client, /, name: str, out: Path | None, as_json: bool, **given: Any) -> None:
    """Write the rows of a version as lines of JSON, as an import takes them again.

    \b
    Example:
      stockpot datasets export menu --out menu.jsonl
    """
    lines = [json.dumps(row) for row in client.stream(f"{API}/{name}/export", **given)]
    if out is None:
        click.echo("\n".join(lines))
        return
    out.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    told = {"rows": len(lines), "file": str(out)}
    say(told, f"{len(lines)} rows in {out}", as_json=as_json)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())[:60]
